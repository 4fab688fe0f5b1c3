"""The analyses of the decoupled study, on small made tables whose answers are worked out by hand."""

import inspect
import math
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest
from made_blocks import (
    CROP_FLIP,
    ENDS,
    FAMILY,
    MLP,
    NAN,
    RECONSTRUCTION,
    STEPS,
    TIMED,
    WORK,
    Curves,
    Run,
    blocks,
    ends,
    interval,
    made,
    run,
)
from made_tables import one

from sidestep import sweeps, variants
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
from sidestep.study import Variant
from sidestep.sweeps import sweeps_of

ANALYSES = (data_settings, equal_seconds, family, learning_rates, order, published_curves)


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
    assert sweeps._rest(old, "freeze", with_rate=True) == sweeps._rest(
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
    found = [(s.setting, [m.variant for m in s.members]) for s in sweeps_of(study)]
    assert found == [("freeze", ["dgl", "loose"]), ("freeze", ["augmented", "augmented-loose"])]


def test_a_sweep_over_heads_is_named_in_words() -> None:
    runs = {name: blocks({**MLP, "head": {"name": name}}) for name in ("mlp", "linear")}
    study = made(runs, ends(mlp=(0.5,), linear=(0.5,))).study
    (sweep,) = sweeps_of(study)
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
