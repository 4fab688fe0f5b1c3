"""The analyses of the decoupled study, on small made tables whose answers are worked out by hand."""

import inspect
import math
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest
from made_tables import one
from scipy import stats

from sidestep import config_schema, registry, variants
from sidestep.analyses import (
    data_settings,
    equal_seconds,
    family,
    learning_rates,
    order,
    published_curves,
)
from sidestep.analyses.shared.finals import finals
from sidestep.analyses.shared.groups import labelled
from sidestep.analyses.shared.timeline import history
from sidestep.errors import UserError
from sidestep.registry import PACKAGE
from sidestep.study import Study, Variant
from sidestep.tables import Tables

ANALYSES = (data_settings, equal_seconds, family, learning_rates, order, published_curves)
NAN = math.nan
COLUMNS = ["study", "dataset", "variant", "seed", "epoch", "images", "metric", "component", "value"]
STEPS = 10  # an epoch
CROP_FLIP = [{"name": "random_crop"}, {"name": "horizontal_flip"}]
MLP = {"name": "auxiliary_classifier", "head": {"name": "mlp"}}
Run = dict[str, Any]
# (variant, seed) → epoch → test accuracy
Curves = dict[tuple[str, int], dict[int, float]]


def run(**changes: Any) -> Run:
    return {
        "network": {"name": "basic_cnn"},
        "strategy": {"name": "end_to_end"},
        "optimiser": {"name": "adam", "lr": 3e-5},
        "schedule": {"name": "constant"},
        "batch_size": 256,
        "epochs": 2,
        "records": [2],
        "validation": 0,
        "train_images": None,
        "normalisation": "symmetric",
        "augmentations": [],
        "precision": "float32",
        "evaluate": ["train", "test"],
        "evaluations": 1,
        "probes": [],
        **changes,
    }


def blocks(signal: Any, **settings: Any) -> Run:
    changes = {key: settings.pop(key) for key in list(settings) if key in run()}
    signal = {"name": signal} if isinstance(signal, str) else signal
    strategy = {"name": "blockwise", "order": "together", "signal": signal, **settings}
    return run(strategy=strategy, **changes)


def made(
    runs: dict[str, Run],
    curves: Curves,
    *,
    seconds: dict[str, float | dict[str, tuple[int, float, float]]] | None = None,
    train: bool = True,
    datasets: tuple[str, ...] = ("cifar10",),
    work: dict[str, dict[str, float]] | None = None,
    baseline: str = "",
) -> Tables:
    """A study; the loss is 1 − accuracy, training accuracy 0.1 above, ten steps an epoch.

    `seconds` of a step, or of each phase steps, seconds before and seconds of a step; `work`, the
    multiply-adds of a step of each phase. An accuracy that is no number is a run that diverged.
    """
    seeds = tuple(dict.fromkeys(seed for _, seed in curves))
    timed = datasets[:1] if seconds else ()
    study = Study(
        name="decoupled", title="made", datasets=datasets, seeds=seeds,
        variants=tuple(Variant(name, {}, run) for name, run in runs.items()),
        baseline=baseline or next(iter(runs)), timing_datasets=timed, timing_steps=5, metrics=(),
        group_metrics=(), analyses=(), figures=(),
    )  # fmt: skip
    rows: list[tuple[Any, ...]] = []
    for dataset in datasets:
        for (variant, seed), curve in curves.items():
            place = ("decoupled", dataset, variant, str(seed))
            for epoch, accuracy in curve.items():
                step = STEPS * epoch
                rows.append((*place, epoch, "batch", "history_loss", step, 1 - accuracy))
                rows.append((*place, epoch, "batch", "history_accuracy", step, NAN))
                for split, more in (("train", 0.1), ("test", 0.0))[not train :]:
                    rows.append((*place, epoch, split, "history_loss", step, 1 - accuracy - more))
                    rows.append((*place, epoch, split, "history_accuracy", step, accuracy + more))
            for name, value in {
                "steps": STEPS * max(curve),
                "parameters": 1000.0,
                "parameters_of_signals": 100.0 + seed,
                "peak_memory_bytes": 1e6 * (1 + seed),
            }.items():
                rows.append((*place, 2, "", name, NAN, value))
            for phase, value in (work or {}).get(variant, {"all": 1e6}).items():
                rows.append((*place, 2, "", f"mult_adds_per_step.{phase}", NAN, value))
    for dataset in timed:
        for variant, its in (seconds or {}).items():
            ends = [max(curve) for (name, _), curve in curves.items() if name == variant]
            whole = {"all": (STEPS * max(ends), 0.0, its)} if isinstance(its, float) else its
            for phase, (steps, entry, median) in whole.items():
                values = {"phase_steps": steps, "seconds_entry": entry}
                values |= {f"seconds_per_step_{key}": median for key in ("q1", "median", "q3")}
                for metric, value in values.items():
                    at = ("decoupled", dataset, variant, "", NAN, "", f"{metric}.{phase}")
                    rows.append((*at, NAN, value))
    return Tables(study, _read={"": pd.DataFrame(rows, columns=COLUMNS)})


def ends(**values: tuple[float, ...]) -> Curves:
    """Variant → its last accuracies, by seed; each begins at 0.1, and `nan` is a run that diverged."""
    return {
        (name, seed): {0: 0.1, 1: value / 2, 2: value}
        for name, its in values.items()
        for seed, value in enumerate(its)
    }


def interval(values: Any) -> tuple[float, float, float]:
    """Mean and 95 % t interval, by scipy."""
    low, high = stats.t.interval(0.95, len(values) - 1, np.mean(values), stats.sem(values))
    return float(np.mean(values)), float(low), float(high)


RECONSTRUCTION = {"name": "reconstruction"}


@pytest.mark.parametrize(
    ("described", "method", "head"),
    [
        (run(), "end_to_end", ""),
        (blocks(MLP), "dgl", "mlp"),
        (blocks("sub_model"), "dgl", "sub_model"),
        (blocks(MLP, order="in_turn"), "sequential", "mlp"),
        # In turn is the default.
        (run(strategy={"name": "blockwise", "signal": {"name": "sub_model"}}), "sequential",
         "sub_model"),
        (blocks("synthetic_gradient"), "dni", "synthetic_gradient"),
        (blocks({"name": "synthetic_gradient", "context": "none"}), "dni", "synthetic_gradient"),
        (blocks({"name": "synthetic_gradient", "scale": "raw", "context": "labels"}), "cdni",
         "synthetic_gradient (context labels, scale raw)"),
        (blocks(RECONSTRUCTION), "reconstruction", "reconstruction"),
        (blocks({**RECONSTRUCTION, "shift": "rising"}), "reconstruction_shifted",
         "reconstruction (shift rising)"),
        (blocks({**RECONSTRUCTION, "prediction": 0.5}), "reconstruction_and_classes",
         "reconstruction (prediction 0.5)"),
        (blocks({**RECONSTRUCTION, "prediction": 0.5, "shift": "rising"}),
         "reconstruction_and_classes_shifted", "reconstruction (shift rising, prediction 0.5)"),
        (blocks("nothing"), "random_features", "nothing"),
        (blocks("similarity_matching"), "blockwise", "similarity_matching"),
        # Blocks that learn from others' signals, or together at last, are not decoupled.
        (blocks(MLP, freeze=False), "blockwise", "mlp"),
        (blocks(MLP, fine_tune=0.2), "blockwise", "mlp"),
        (blocks({"name": "auxiliary_classifier", "head": {"name": "mlp", "width": 64, "depth": 2}}),
         "dgl", "mlp (depth 2, width 64)"),
    ],
)  # fmt: skip
def test_methods_and_heads_are_told_from_settings(described: Run, method: str, head: str) -> None:
    assert variants.method(described) == method and method in variants.METHODS
    assert variants.head(described) == head


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"normalisation": "unit"}, "basic_cnn"),
        ({}, "basic_cnn, normalisation symmetric"),
        ({"network": {"name": "basic_cnn", "hidden": 64, "channels": 16}, "normalisation": "unit"},
         "basic_cnn (channels 16, hidden 64)"),
        ({"network": {"name": "basic_cnn", "hidden": 256}, "normalisation": "unit"}, "basic_cnn"),
        ({"augmentations": CROP_FLIP, "normalisation": "unit"}, "basic_cnn, augmented"),
        ({"augmentations": CROP_FLIP[::-1]}, "basic_cnn, augmented, normalisation symmetric"),
        ({"augmentations": CROP_FLIP[:1], "normalisation": "none"},
         "basic_cnn, augmented by random_crop, normalisation none"),
        ({"augmentations": [{"name": "random_crop", "padding": 2}], "normalisation": "unit"},
         "basic_cnn, augmented by random_crop (padding 2)"),
    ],
)  # fmt: skip
def test_settings_in_words(changes: Run, words: str) -> None:
    assert variants.setting(run(**changes)) == words
    # The method has no part in it.
    assert variants.setting({**blocks(MLP), **changes}) == words


def test_runs_of_before_the_new_keys_have_their_defaults() -> None:
    new = ("normalisation", "augmentations", "precision")
    old = {key: value for key, value in run().items() if key not in new}
    assert variants.setting(old) == "basic_cnn"
    usual = run(normalisation="unit")
    assert variants._rest(old, "freeze", with_rate=True) == variants._rest(
        usual, "freeze", with_rate=True
    )


def test_sweeps_tell_new_keys_apart_and_write_augmentations_in_one_way() -> None:
    tuned = {"freeze": False}
    padded = [{"name": "random_crop", "padding": 4}, {"name": "horizontal_flip"}]
    runs = {
        "dgl": blocks(MLP),
        "loose": blocks(MLP, **tuned),
        "loose-unit": blocks(MLP, normalisation="unit", **tuned),
        "loose-bf16": blocks(MLP, precision="bf16", **tuned),
        "augmented": blocks(MLP, augmentations=CROP_FLIP),
        "augmented-loose": blocks(MLP, augmentations=padded, **tuned),
    }
    study = made(runs, ends(**dict.fromkeys(runs, (0.5,)))).study
    found = [(s.setting, [m.variant for m in s.members]) for s in variants.sweeps(study)]
    assert found == [("freeze", ["dgl", "loose"]), ("freeze", ["augmented", "augmented-loose"])]


def test_a_sweep_over_heads_is_named_in_words() -> None:
    runs = {name: blocks({**MLP, "head": {"name": name}}) for name in ("mlp", "linear")}
    study = made(runs, ends(mlp=(0.5,), linear=(0.5,))).study
    (sweep,) = variants.sweeps(study)
    labels = [member.label for member in sweep.members]
    assert labels == [f"auxiliary_classifier (head {name})" for name in ("mlp", "linear")]


def test_every_variant_is_compared_to_its_own_setting() -> None:
    runs = {
        "dgl-first": blocks(MLP),
        "backprop": run(),
        "other": run(optimiser={"name": "sgd", "lr": 0.1}),
        "augmented-dgl": blocks(MLP, augmentations=CROP_FLIP),
        "augmented": run(augmentations=CROP_FLIP),
        "vgg": blocks(MLP, network={"name": "vgg11"}),
    }
    study = made(runs, ends(**dict.fromkeys(runs, (0.5,))), baseline="other").study
    assert variants.references(study) == {
        "dgl-first": "other", "backprop": "other", "other": "other",
        "augmented-dgl": "augmented", "augmented": "augmented", "vgg": "",
    }  # fmt: skip


def test_groups_have_names_of_their_own() -> None:
    groups = [[Variant(name, {}, {})] for name in ("a", "b1", "b2", "c1", "c1")]
    assert labelled(groups, lambda v: v.name[0], lambda v: v.name) == [
        "a", "b, b1", "b, b2", "c, c1, 1", "c, c1, 2",
    ]  # fmt: skip


FAMILY = {
    "backprop": run(),
    "dgl": blocks(MLP),
    "turn": blocks(MLP, order="in_turn"),
    "augmented": blocks(MLP, augmentations=CROP_FLIP),
}
ENDS = ends(
    backprop=(0.60, 0.62, 0.67), dgl=(0.50, 0.55, 0.56), turn=(0.52, NAN, 0.51),
    augmented=(0.7, 0.7, 0.7),
)  # fmt: skip
TURN = {"block1": (8, 0.5, 0.01), "classifier": (12, 1.5, 0.025)}
TIMED: Any = {"backprop": 0.1, "dgl": 0.15, "turn": TURN, "augmented": 0.1}
WORK = {"dgl": {"together": 2e6}, "turn": {"block1": 1e6, "classifier": 3e6}}


def test_finals_are_of_the_last_evaluation_of_runs_that_finished() -> None:
    found = finals(made(FAMILY, ENDS))
    assert found.of("cifar10", "turn", "test", "accuracy") == {0: 0.52, 2: 0.51}
    assert found.of("cifar10", "dgl", "train", "accuracy") == pytest.approx(
        {0: 0.60, 1: 0.65, 2: 0.66}
    )
    assert found.diverged("cifar10", "turn") == 1 and found.diverged("cifar10", "dgl") == 0
    assert found.of("cifar10", "nobody", "test", "loss") == {}
    assert found.lost == {("cifar10", "turn"): {1}}


def test_the_family_has_intervals_and_paired_differences() -> None:
    table = family.analyse(made(FAMILY, ENDS, seconds=TIMED, work=WORK))
    assert list(table["variant"]) == list(FAMILY)
    row = one(table, variant="dgl")
    assert [row["accuracy"], row["accuracy_low"], row["accuracy_high"]] == pytest.approx(
        interval([0.50, 0.55, 0.56])
    )
    assert [row["loss"], row["loss_low"], row["loss_high"]] == pytest.approx(
        interval([0.50, 0.45, 0.44])
    )
    assert row["train_accuracy"] == pytest.approx(row["accuracy"] + 0.1)
    assert row["train_loss"] == pytest.approx(row["loss"] - 0.1)
    # Equal in every seed: an interval of no width.
    assert [row["gap"], row["gap_low"], row["gap_high"]] == pytest.approx([0.1] * 3)
    assert row["setting"] == "basic_cnn, normalisation symmetric" and row["method"] == "dgl"
    assert (row["reference"], row["pairs"], row["n"], row["diverged"]) == ("backprop", 3, 3, 0)
    assert [row["difference"], row["difference_low"], row["difference_high"]] == pytest.approx(
        interval([-0.10, -0.07, -0.11])
    )
    assert row["separates"] == 1
    itself = one(table, variant="backprop")
    assert itself["pairs"] == 0 and itself["separates"] == 0 and math.isnan(itself["difference"])


def test_of_a_diverged_seed_there_is_no_pair() -> None:
    row = one(family.analyse(made(FAMILY, ENDS)), variant="turn")
    assert (row["n"], row["diverged"], row["pairs"]) == (2, 1, 2)
    assert row["accuracy"] == pytest.approx(0.515)
    low, high = interval([-0.08, -0.16])[1:]
    assert [row["difference_low"], row["difference_high"]] == pytest.approx([low, high])
    assert row["separates"] == 0


def test_the_family_has_costs() -> None:
    table = family.analyse(made(FAMILY, ENDS, seconds=TIMED, work=WORK))
    turn = one(table, variant="turn")
    # 0.5 + 8 × 0.01 + 1.5 + 12 × 0.025 seconds in 20 steps.
    assert turn["seconds_run"] == pytest.approx(2.38) and turn["steps"] == 20
    assert turn["seconds_per_step"] == pytest.approx(0.119)
    assert turn["relative_seconds"] == pytest.approx(1.19)
    assert turn["mult_adds_per_step"] == pytest.approx((8 * 1e6 + 12 * 3e6) / 20)
    assert turn["relative_mult_adds"] == pytest.approx(2.2)
    assert turn["parameters"] == 1000 and turn["parameters_of_signals"] == 101
    assert turn["peak_memory_bytes"] == pytest.approx(2e6)
    itself = one(table, variant="backprop")
    assert itself["relative_seconds"] == 1 and itself["relative_mult_adds"] == 1
    # Its setting has no other variant, and none that learns end to end.
    alone = one(table, variant="augmented")
    assert alone["reference"] == "" and alone[["relative_seconds", "difference"]].isna().all()


def test_a_family_that_was_not_timed_or_scored_on_training_images() -> None:
    table = family.analyse(made(FAMILY, ENDS, work=WORK, train=False))
    unknown = ["train_accuracy", "train_loss", "gap", "seconds_run", "relative_seconds"]
    assert table[unknown].isna().all(axis=None)
    assert list(table["steps"]) == [20] * 4
    assert list(table["mult_adds_per_step"].fillna(-1)) == [1e6, 2e6, -1, 1e6]


def test_the_order_of_every_pair() -> None:
    table = order.analyse(made(FAMILY, ENDS))
    assert len(table) == 3
    row = one(table, better="backprop", worse="dgl")
    assert [row["difference"], row["low"], row["high"]] == pytest.approx(
        interval([0.10, 0.07, 0.11])
    )
    assert (row["better_method"], row["worse_method"]) == ("end_to_end", "dgl")
    assert (row["pairs"], row["separates"]) == (3, 1)
    # Over all seeds dgl is better than in turn, but not over those that both finished.
    turn = one(table, better="dgl", worse="turn")
    assert turn["difference"] == pytest.approx(0.015) and turn["pairs"] == 2
    swapped = order.analyse(made(dict(reversed(FAMILY.items())), ENDS, baseline="backprop"))
    assert one(swapped, better="backprop", worse="dgl")["low"] == pytest.approx(row["low"])


def test_the_order_of_ties_and_of_those_that_share_no_seed() -> None:
    runs = {"a": run(), "b": blocks(MLP), "c": blocks("sub_model")}
    values = ends(a=(0.5, NAN), b=(NAN, 0.6), c=(0.5, 0.6))
    table = order.analyse(made(runs, values))
    assert list(zip(table["better"], table["worse"], strict=True)) == [
        ("a", "b"), ("a", "c"), ("b", "c"),
    ]  # fmt: skip
    assert list(table["pairs"]) == [0, 1, 1] and list(table["separates"]) == [0, 0, 0]
    assert list(table["difference"].fillna(-1)) == [-1, 0, 0]


def test_groups_that_differ_in_images_alone() -> None:
    runs = {
        "unit": run(normalisation="unit"),
        "plain": run(normalisation="none"),
        "crop": run(normalisation="none", augmentations=CROP_FLIP[:1]),
        "both": run(normalisation="none", augmentations=CROP_FLIP),
        "dgl": blocks(MLP),
        "dgl-flip": blocks(MLP, augmentations=CROP_FLIP[1:]),
        "rate": run(optimiser={"name": "adam", "lr": 0.1}),
    }
    values = ends(
        unit=(0.5, 0.6, 0.7), plain=(0.4, 0.5, 0.5), crop=(0.6, NAN, 0.8), both=(0.7, 0.8, 0.9),
        dgl=(0.5, 0.5, 0.5), rate=(0.1, 0.1, 0.1),
    )  # fmt: skip
    values |= {("dgl-flip", seed): {2: 0.6 + 0.01 * seed} for seed in range(3)}
    table = data_settings.analyse(made(runs, values))
    assert list(table["variant"]) == list(runs)[:-1]
    assert list(table["group"]) == ["end to end"] * 4 + ["dgl"] * 2
    assert list(table["crop"]) == [0, 0, 1, 1, 0, 0] and list(table["flip"]) == [0, 0, 0, 1, 0, 1]
    assert list(table["normalisation"])[:2] == ["unit", "none"]
    crop = one(table, variant="crop")
    assert (crop["n"], crop["diverged"], crop["pairs"]) == (2, 1, 2)
    assert [crop["difference"], crop["difference_low"], crop["difference_high"]] == pytest.approx(
        interval([0.2, 0.3])
    )
    assert [crop["accuracy"], crop["low"], crop["high"]] == pytest.approx(interval([0.6, 0.8]))
    plain = one(table, variant="plain")
    assert plain["pairs"] == 0 and math.isnan(plain["difference"])
    # Without a member to which nothing is done the first is what others are compared to.
    flip = one(table, variant="dgl-flip")
    assert flip["difference"] == pytest.approx(0.11) and flip["separates"] == 1


def test_groups_that_differ_in_the_learning_rate_alone() -> None:
    def rate(lr: float, **more: Any) -> Run:
        return run(optimiser={"name": "adam", "lr": lr}, **more)

    wide = {"name": "auxiliary_classifier", "head": {"name": "linear"}}
    runs = {
        "high": rate(0.1),
        "low": rate(0.001),
        "middle": rate(0.01),
        "dgl-high": blocks(MLP, optimiser={"name": "adam", "lr": 0.1}),
        "dgl-low": blocks(MLP, optimiser={"name": "adam", "lr": 0.01}),
        "wide-high": blocks(wide, optimiser={"name": "adam", "lr": 0.1}),
        "wide-low": blocks(wide),
        "alone": rate(0.5, batch_size=7),
    }
    values = ends(
        **{"high": (NAN, 0.9, NAN), "low": (0.6, 0.7, 0.8), "middle": (0.6, 0.7, 0.8)},
        **{"dgl-high": (NAN,) * 3, "dgl-low": (NAN,) * 3, "alone": (0.5,) * 3},
        **{"wide-high": (0.5,) * 3, "wide-low": (0.5,) * 3},
    )
    table = learning_rates.analyse(made(runs, values))
    setting = "basic_cnn, normalisation symmetric"
    assert list(dict.fromkeys(table["group"])) == [
        f"{setting}: end_to_end", f"{setting}: dgl, mlp", f"{setting}: dgl, linear",
    ]  # fmt: skip
    first = table[table["group"] == f"{setting}: end_to_end"]
    assert list(first["variant"]) == ["low", "middle", "high"]
    assert list(first["learning_rate"]) == [0.001, 0.01, 0.1]
    assert list(first["n"]) == [3, 3, 1] and list(first["diverged"]) == [0, 0, 2]
    assert list(first["best"]) == [0, 0, 1]
    row = one(table, variant="low")
    assert [row["accuracy"], row["low"], row["high"]] == pytest.approx(interval([0.6, 0.7, 0.8]))
    assert [row["loss"], row["loss_low"], row["loss_high"]] == pytest.approx(
        interval([0.4, 0.3, 0.2])
    )
    # All of them diverged; and the lower rate of two that are equal, whose default is 0.001.
    assert list(table["best"])[3:] == [0, 0, 1, 0]


def test_equal_seconds_are_those_of_the_shortest_run() -> None:
    curves: Curves = {
        **{("backprop", s): {0: 0.1, 1: 0.5, 2: 0.6, 3: 0.8} for s in range(2)},
        **{("dgl", s): {0: 0.1, 1: 0.4, 2: 0.5 + 0.1 * s, 3: 0.9} for s in range(2)},
        ("slow", 0): {0: 0.1, 1: 0.9},
        ("slow", 1): {0: 0.1, 1: NAN},
    }
    runs = {"backprop": run(), "dgl": blocks(MLP), "slow": blocks("nothing")}
    # 3 s, 4.5 s and 40 s: at 3 s dgl has done two of its epochs, and the last none.
    seconds: Any = {"backprop": 0.1, "dgl": 0.15, "slow": 4.0}
    table = equal_seconds.analyse(made(runs, curves, seconds=seconds))
    assert list(table["seconds"]) == pytest.approx([3.0] * 3)
    assert list(table["step"]) == [30, 20, 0] and list(table["epoch"]) == [3, 2, 0]
    row = one(table, variant="dgl")
    assert [row["accuracy"], row["low"], row["high"]] == pytest.approx(interval([0.5, 0.6]))
    assert row["final_accuracy"] == pytest.approx(0.9) and row["seconds_run"] == pytest.approx(4.5)
    assert [row["difference"], row["difference_low"], row["difference_high"]] == pytest.approx(
        interval([-0.3, -0.2])
    )
    assert (row["pairs"], row["n"], row["head"], row["method"]) == (2, 2, "mlp", "dgl")
    assert row["parameters_of_signals"] == 100.5
    itself = one(table, variant="backprop")
    assert itself["pairs"] == 0 and itself["head"] == ""
    # The seed that diverged later is left out at once.
    slow = one(table, variant="slow")
    assert slow["n"] == 1 and slow["accuracy"] == 0.1 and slow["separates"] == 0


def test_equal_seconds_need_two_timed_variants_of_a_setting() -> None:
    assert equal_seconds.analyse(made(FAMILY, ENDS)).empty
    found = equal_seconds.analyse(made(FAMILY, ENDS, seconds=TIMED))
    assert "augmented" not in set(found["variant"]) and len(found) == 3
    two = equal_seconds.analyse(made(FAMILY, ENDS, seconds=TIMED, datasets=("cifar10", "mnist")))
    assert set(two["dataset"]) == {"cifar10"}


def test_history_knows_the_epoch() -> None:
    found = history(made(FAMILY, ENDS))
    assert (found["step"] == STEPS * found["epoch"]).all()


def figure(**changes: Any) -> dict[str, Any]:
    given = {
        "source": "someone", "run": "theirs", "method": "end_to_end", "network": "basic_cnn",
        "augmented": 0, "dataset": "cifar10", "head": "", "channels": 128, "train_images": 50000,
        "batch_size": 256, "learning_rate": 3e-5, "optimiser": "adam",
        "normalisation": "symmetric", "epoch": 2, "split": "test", "quantity": "accuracy",
        "value": 0.62, "how": "exact",
    }  # fmt: skip
    return given | changes


@pytest.fixture
def compare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    def against(
        *figures: dict[str, Any], runs: Any = FAMILY, values: Curves = ENDS
    ) -> pd.DataFrame:
        path = tmp_path / "published_curves.csv"
        pd.DataFrame(figures).to_csv(path, index=False)
        monkeypatch.setattr(published_curves, "PATH", path)
        return published_curves.analyse(made(runs, values))

    return against


@pytest.mark.parametrize(
    ("changes", "outcome", "differs_in"),
    [
        ({}, "agrees", ""),
        ({"value": 0.9}, "differs", ""),
        ({"epoch": 2.0, "learning_rate": 0.00003}, "agrees", ""),
        ({"epoch": 200}, "other settings", "epoch"),
        ({"batch_size": 64, "learning_rate": 0.1, "optimiser": "sgd"}, "other settings",
         "batch_size;learning_rate;optimiser"),
        ({"channels": 64, "train_images": 45000, "normalisation": "unit", "epoch": 7},
         "other settings", "channels;train_images;normalisation;epoch"),
        # Not recorded: neither the same nor known to differ.
        ({"optimiser": None, "learning_rate": None}, "other settings", ""),
        ({"how": "exact; best test epoch"}, "other settings", "epoch"),
        ({"how": "exact; mean of 50 epochs"}, "agrees", ""),
        ({"split": "train", "value": 0.72}, "other settings", "epoch"),
        ({"method": "cdni"}, "not run", ""),
        ({"augmented": 1}, "not run", ""),
        ({"network": "vgg16"}, "not run", ""),
        ({"split": "validation"}, "not run", ""),
        ({"method": "sequential", "head": "mlp", "value": 0.515}, "agrees", ""),
    ],
)  # fmt: skip
def test_outcomes_of_published_figures(
    compare: Any, changes: dict[str, Any], outcome: str, differs_in: str
) -> None:
    (row,) = compare(figure(**changes)).to_dict("records")
    assert (row["outcome"], row["differs_in"]) == (outcome, differs_in)


def test_numbers_beside_published_ones(compare: Any) -> None:
    frame = compare(figure(epoch=1), figure(dataset="mnist"), figure(epoch=40))
    assert list(frame.columns) == published_curves.COLUMNS and len(frame) == 2
    row = one(frame, epoch=1)
    assert (row["variant"], row["our_epoch"], row["n"], row["augmented"]) == ("backprop", 1, 3, 0)
    mean, low, high = interval([0.30, 0.31, 0.335])
    assert [row["mean"], row["low"], row["high"]] == pytest.approx([mean, low, high])
    assert row["difference"] == pytest.approx(mean - 0.62)
    assert one(frame, epoch=40)["our_epoch"] == 2
    none = compare(figure(network="vgg16")).iloc[0]
    assert none["variant"] == "" and none["n"] == 0
    assert none[["our_epoch", "mean", "difference"]].isna().all()


def test_one_seed_has_no_interval_and_none_no_value(compare: Any) -> None:
    one_seed = {key: curve for key, curve in ENDS.items() if key[1] == 0}
    assert list(compare(figure(), values=one_seed)["outcome"]) == ["no interval"]
    lost = ends(**dict.fromkeys(FAMILY, (NAN, NAN)))
    (row,) = compare(figure(), values=lost).to_dict("records")
    assert (row["outcome"], row["variant"], row["n"]) == ("not run", "backprop", 0)


def test_of_several_variants_the_nearest_is_compared(compare: Any) -> None:
    runs = {
        "rate": run(optimiser={"name": "adam", "lr": 0.1}),
        "backprop": run(),
        "linear": blocks({**MLP, "head": {"name": "linear"}}),
        "mlp": blocks(MLP),
        "mlp-fewer": blocks(MLP, train_images=1000),
        "mlp-wide": blocks({**MLP, "head": {"name": "mlp", "width": 512}}),
    }
    values = ends(**dict.fromkeys(runs, (0.5, 0.6)))
    found = compare(
        figure(),
        figure(method="dgl", head="mlp"),
        figure(method="dgl", head="unheard of"),
        figure(method="dgl", train_images=1000),
        # The settings of a head count where all else is equal.
        figure(method="dgl", head="mlp (width 512)"),
        figure(method="dgl", head="mlp (width 512)", batch_size=64),
        runs=runs,
        values=values,
    )
    expected = ["backprop", "mlp", "linear", "mlp-fewer", "mlp-wide", "mlp"]
    assert list(found["variant"]) == expected


def test_images_set_apart_are_no_training_images(compare: Any) -> None:
    runs = {"backprop": run(validation=5000)}
    found = compare(
        figure(), figure(train_images=45000), runs=runs, values=ends(backprop=(0.6, 0.64))
    )
    assert list(found["differs_in"]) == ["train_images", ""]


def test_no_file_and_a_lacking_column(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such file"):
        published_curves.read(tmp_path / "published_curves.csv")
    (tmp_path / "published_curves.csv").write_text("source,run\n")
    with pytest.raises(UserError, match="lacks the column method"):
        published_curves.read(tmp_path / "published_curves.csv")


def test_the_projects_own_file_is_sound() -> None:
    frame = published_curves.read(published_curves.PATH)
    known = (PACKAGE.parents[1] / "paper" / "references.bib").read_text(encoding="utf-8")
    sources = set(re.findall(r"^@\w+\{([^,]+),", known, flags=re.MULTILINE))
    assert set(frame["source"]) <= sources
    assert set(frame["method"]) <= set(variants.METHODS)
    assert set(frame["network"]) <= set(registry.names("networks"))
    assert set(frame["dataset"]) <= set(published_curves.TRAIN_IMAGES)
    assert set(frame["split"]) == {"train", "test"} and frame["augmented"].isin([0, 1]).all()
    assert set(frame["optimiser"]) <= {*registry.names("optimisers"), ""}
    known_words = config_schema.schema()["$defs"]["run"]["properties"]["normalisation"]["enum"]
    assert set(frame["normalisation"]) <= set(known_words)
    pattern = r"(exact|log|eye)(; (best test epoch|mean of \d+ epochs))?"
    assert frame["how"].str.fullmatch(pattern).all()
    accuracy = frame[frame["quantity"] == "accuracy"]
    assert accuracy["value"].between(0.2, 1).all() and set(frame["quantity"]) == {
        "accuracy",
        "loss",
    }
    assert not frame.duplicated(["source", "run", "epoch", "split", "quantity", "how"]).any()
    # One run has one description.
    columns = ["method", "network", "augmented", "head", *published_curves.SETTINGS]
    described = frame[["source", "run", *columns]].drop_duplicates()
    assert not described.duplicated(["source", "run"]).any()
    assert (frame["epoch"] >= 1).all() and len(frame) < 4000


@pytest.mark.parametrize(
    ("label", "epoch", "quantity", "how", "value"),
    [
        ("iteration 1, Regular", 1, "accuracy", "exact", 0.5453),
        ("iteration 1, cDNI", 320, "accuracy", "exact; best test epoch", 0.7376),
        ("iteration 1, DNI", 1500, "accuracy", "exact; mean of 50 epochs", 0.5801),
        ("iteration 3, VGG11c 0.5*DGL+0.5*SSL", 1, "accuracy", "exact", 0.4852),
        ("iteration 3, VGG11c lastBlock", 1000, "accuracy", "exact", 0.7259),
        # Its log counts from 0; the others' from 1.
        ("dgl", 1, "accuracy", "log", 0.3911),
        ("dgl", 2, "accuracy", "log", 0.4448),
        ("dgl", 1500, "accuracy", "log", 0.8505),
        ("dgl", 1001, "loss", "log", 0.1018),
        ("cdni", 1, "accuracy", "log", 0.2573),
        ("backprop", 1701, "accuracy", "log; best test epoch", 0.8572),
    ],
)
def test_published_figures_as_in_their_sources(
    label: str, epoch: int, quantity: str, how: str, value: float
) -> None:
    frame = published_curves.read(published_curves.PATH)
    split = "train" if quantity == "loss" else "test"
    row = one(frame, run=label, epoch=epoch, quantity=quantity, how=how, split=split)
    assert row["value"] == pytest.approx(value)


def test_a_training_accuracy_that_was_not_logged_is_no_zero() -> None:
    frame = published_curves.read(published_curves.PATH)
    found = frame[(frame["split"] == "train") & (frame["quantity"] == "accuracy")]
    assert set(found["run"]) == {"dgl"} and (found["value"] > 0.2).all()


@pytest.mark.parametrize("module", ANALYSES, ids=lambda module: module.__name__.split(".")[-1])
def test_analyses_give_their_columns_the_same_twice_and_for_nothing(module: ModuleType) -> None:
    extra = {"rate": run(optimiser={"name": "adam", "lr": 0.1}), "unit": run(normalisation="unit")}
    runs, values = FAMILY | extra, ENDS | ends(rate=(0.5, 0.5, 0.5), unit=(0.5, 0.6, 0.7))
    seconds = TIMED | {"rate": 0.1, "unit": 0.1}
    first = module.analyse(made(runs, values, seconds=seconds))
    pd.testing.assert_frame_equal(first, module.analyse(made(runs, values, seconds=seconds)))
    assert not first.empty and list(first.columns) == module.COLUMNS
    text = inspect.getdoc(module.analyse) or ""
    for column in module.COLUMNS:
        assert f"`{column}`" in text or column.endswith(("_low", "_high")), column
    # Nothing that finished, nothing that was timed, and no group of anything.
    alone = {"backprop": run()}
    nothing = module.analyse(made(alone, ends(backprop=(NAN, NAN))))
    assert list(nothing.columns) == module.COLUMNS
    assert not np.isinf(nothing.select_dtypes(np.number).to_numpy(dtype=float)).any()
    if module not in (family, published_curves):
        assert nothing.empty
    # Not one row of any run.
    bare = made(alone, {})
    assert list(module.analyse(bare).columns) == module.COLUMNS
    other = made(alone, ends(backprop=(0.5, 0.6)), datasets=("mnist",))
    assert module in (family,) or module.analyse(other).empty
