"""The analyses of the substitution study, on small made tables whose answers are worked out by hand."""

import inspect
import itertools
import math
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from made_tables import one
from scipy import stats

from sidestep import registry, variants
from sidestep.analyses import (
    decay,
    matrix_fit,
    pareto,
    published_substitution,
    repeats,
    speedup,
    teaching,
)
from sidestep.errors import UserError
from sidestep.registry import PACKAGE
from sidestep.study import Study, Variant
from sidestep.tables import Tables

NAN = math.nan
COLUMNS = ["study", "dataset", "variant", "seed", "epoch", "images", "metric", "component", "value"]
TABLES = (decay, pareto, published_substitution, repeats, speedup, teaching)
DENSE = 36_479_194
BATCH = 128
Run = dict[str, Any]


def run(layer: str = "dense", budget: float = 1.0, match: str = "none", **changes: Any) -> Run:
    network = {
        "name": "wide_resnet", "depth": 28, "width": 10, "layer": {"name": layer},
        "budget": budget, "base": changes.pop("base", "layer"), "match": match,
    }  # fmt: skip
    return {
        "network": network,
        "strategy": {"name": "end_to_end"},
        "optimiser": {"name": "sgd", "lr": 0.1},
        "schedule": {"name": "step"},
        "batch_size": BATCH,
        "epochs": 200,
        "records": [200],
        "validation": 0,
        "train_images": None,
        "augmentations": [{"name": "random_crop"}, {"name": "cutout"}],
        "teacher": None,
        "substituted_decay": "full",
        "evaluate": ["test"],
        "probes": [],
        **changes,
    }


def taught(*args: Any, **changes: Any) -> Run:
    return run(*args, **{"strategy": {"name": "distilled"}, "teacher": "dense", **changes})


RUNS = {
    "dense": run(),
    "narrower": run(budget=0.1, match="narrower"),
    "shallower": run(budget=0.1, match="shallower"),
    "hashed": run("hashed", 0.1),
    "low_rank": run("low_rank", 0.1),
    "narrower-taught": taught(budget=0.1, match="narrower"),
    "hashed-taught": taught("hashed", 0.1),
    "hashed-decay": run("hashed", 0.1, substituted_decay="scaled"),
}
VALUES = {
    "dense": (0.95, 0.96, 0.96),
    "narrower": (0.90, 0.92, 0.91),
    "shallower": (0.80, 0.80, 0.80),
    "hashed": (0.93, 0.93, 0.95),
    "low_rank": (0.70, NAN, 0.72),
    "narrower-taught": (0.93, 0.94, 0.95),
    "hashed-taught": (0.95, 0.94, 0.95),
    "hashed-decay": (0.94, 0.92, 0.97),
}
# Parameters, multiply-adds by closed forms, bytes; seconds of a batch of inference and of a step.
COSTS = {
    "dense": (DENSE, 4000.0, 8e7, 1.28, 4.0),
    "narrower": (3.6e6, 400.0, 1e7, 0.64, 2.0),
    "shallower": (3.5e6, 400.0, 1e7, 0.32, 1.0),
    "hashed": (3.9e6, 4000.0, 2e7, 1.60, 5.0),
    "low_rank": (3.6e6, 100.0, 1e7, 1.92, 6.0),
    "narrower-taught": (3.6e6, 400.0, 1e7, 0.64, 2.5),
    "hashed-taught": (3.9e6, 4000.0, 2e7, 1.60, 5.5),
    "hashed-decay": (3.9e6, 4000.0, 2e7, 1.60, 5.0),
}


def made(
    runs: dict[str, Run] = RUNS,
    values: dict[str, tuple[float, ...]] = VALUES,
    *,
    costs: dict[str, tuple[float, ...]] = COSTS,
    timed: bool = True,
    datasets: tuple[str, ...] = ("cifar10",),
    baseline: str = "",
) -> Tables:
    """A study with the last accuracies of variants by seed; `nan` is a run that diverged. Loss: 1 − accuracy."""
    seeds = range(max(map(len, values.values()), default=1))
    study = Study(
        name="substitution", title="made", datasets=datasets, seeds=tuple(seeds),
        variants=tuple(Variant(name, {}, its) for name, its in runs.items()),
        baseline=baseline or next(iter(runs)), timing_datasets=datasets[:1] if timed else (),
        timing_steps=5, metrics=(), group_metrics=(), analyses=(), figures=(),
    )  # fmt: skip
    rows: list[tuple[Any, ...]] = []
    for dataset in datasets:
        for variant, its in values.items():
            size, work, stored, forward, step = costs.get(variant, (NAN,) * 5)
            for seed, accuracy in enumerate(its):
                place = ("substitution", dataset, variant, str(seed))
                for at, share in ((0, 0.1), (50, 0.99), (100, accuracy)):
                    for metric, value in (("history_accuracy", share), ("history_loss", 1 - share)):
                        rows.append((*place, at // 10, "test", metric, at, value))
                for metric, value in {
                    "parameters": size,
                    "mult_adds_closed": work,
                    "mult_adds_forward_per_image": work + 1,
                    "stored_bytes": stored,
                    "peak_memory_bytes": 1e6 * (1 + seed),
                }.items():
                    rows.append((*place, 10, "", metric, NAN, value))
            if timed and dataset == datasets[0] and not math.isnan(forward):
                place = ("substitution", dataset, variant, "", NAN, "")
                found = {"phase_steps.all": 100, "seconds_entry.all": 0.0}
                for quantity, factor in (("q1", 0.9), ("median", 1.0), ("q3", 1.2)):
                    found[f"seconds_per_step_{quantity}.all"] = factor * step
                    found[f"seconds_forward_{quantity}"] = factor * forward
                rows += [(*place, metric, NAN, value) for metric, value in found.items()]
    return Tables(study, _read={"": pd.DataFrame(rows, columns=COLUMNS)})


def interval(values: Any) -> tuple[float, float, float]:
    """Mean and 95 % t interval, by scipy."""
    low, high = stats.t.interval(0.95, len(values) - 1, np.mean(values), stats.sem(values))
    return float(np.mean(values)), float(low), float(high)


@pytest.mark.parametrize(
    ("described", "layer", "is_taught"),
    [
        (run(), "dense", False),
        (run("hashed", 0.1), "hashed", False),
        (run(budget=0.1, match="narrower"), "narrower", False),
        (taught(budget=0.1, match="shallower"), "shallower", True),
        (taught("low_rank", 0.1), "low_rank", True),
        ({"network": {"name": "wide_resnet", "depth": 10, "width": 1,
                      "layer": {"name": "acdc", "size": 3}}}, "acdc", False),
        # Of before the new keys, and of networks without them.
        ({"network": {"name": "basic_cnn"}}, "dense", False),
    ],
)  # fmt: skip
def test_layers_and_teachers_are_told_from_settings(
    described: Run, layer: str, is_taught: bool
) -> None:
    assert variants.layer(described) == layer
    assert variants.taught(described) is is_taught


def test_runs_of_before_teachers_are_the_same_runs() -> None:
    old = {key: v for key, v in run().items() if key not in ("teacher", "substituted_decay")}
    assert variants._written(old) == variants._written(run())


def test_pareto_has_what_a_variant_is_and_reaches() -> None:
    table = pareto.analyse(made())
    assert list(table["variant"]) == list(RUNS)
    row = one(table, variant="hashed")
    assert (row["layer"], row["budget"], row["base"]) == ("hashed", 0.1, "layer")
    assert (row["taught"], row["decay"], row["n"], row["diverged"]) == (0, "full", 3, 0)
    assert row["reached"] == pytest.approx(3.9e6 / DENSE)
    assert [row["accuracy"], row["accuracy_low"], row["accuracy_high"]] == pytest.approx(
        interval(VALUES["hashed"])
    )
    assert row["loss"] == pytest.approx(1 - np.mean(VALUES["hashed"]))
    assert (row["mult_adds"], row["mult_adds_computed"]) == (4000, 4001)
    assert (row["stored_bytes"], row["peak_memory_bytes"]) == (2e7, 2e6)
    assert row["seconds_forward"] == pytest.approx(1.6 / BATCH)
    assert row["seconds_per_step"] == pytest.approx(5.0)
    whole = one(table, variant="dense")
    assert math.isnan(whole["budget"]) and whole["base"] == "" and whole["reached"] == 1
    lost = one(table, variant="low_rank")
    assert (lost["n"], lost["diverged"]) == (2, 1)
    assert one(table, variant="hashed-decay")["decay"] == "scaled"
    assert list(table[table["taught"] == 1]["variant"]) == ["narrower-taught", "hashed-taught"]


def test_pareto_compares_with_the_dense_network_of_the_same_budget() -> None:
    table = pareto.analyse(made())
    row = one(table, variant="hashed")
    assert list(row[["baseline", "narrower", "shallower"]]) == ["dense", "narrower", "shallower"]
    for word, theirs in (("baseline", "dense"), ("narrower", "narrower")):
        mean, low, high = interval(np.subtract(VALUES["hashed"], VALUES[theirs]))
        assert row[f"{word}_difference"] == pytest.approx(mean)
        assert [row[f"{word}_low"], row[f"{word}_high"]] == pytest.approx([low, high])
        assert row[f"{word}_pairs"] == 3
        assert row[f"{word}_separates"] == int(low > 0 or high < 0)
        assert row[f"{word}_seconds"] == pytest.approx(COSTS[theirs][3] / 1.6)
    teacher = one(table, variant="hashed-taught")
    assert list(teacher[["baseline", "narrower", "shallower"]]) == ["dense", "narrower-taught", ""]
    assert teacher["shallower_pairs"] == 0 and math.isnan(teacher["shallower_seconds"])
    assert one(table, variant="low_rank")["narrower_pairs"] == 2
    # Nothing is compared to itself.
    itself = one(table, variant="narrower")
    assert list(itself[["baseline", "narrower", "shallower"]]) == ["dense", "", "shallower"]
    assert list(one(table, variant="dense")[["baseline", "narrower", "shallower"]]) == ["", "", ""]
    # Layers of scaled decay have no dense network of theirs: it has nothing to scale.
    assert one(table, variant="hashed-decay")["narrower"] == "narrower"


def test_a_reference_has_the_same_network_budget_and_base() -> None:
    def named(layer: str, budget: float, **changes: Any) -> str:
        runs = {
            "dense": run(),
            "other-base": run(budget=0.1, match="narrower", base="network"),
            "other-rate": run(budget=0.1, match="narrower", optimiser={"name": "sgd", "lr": 0.2}),
            "same": run(budget=0.1, match="narrower"),
            "smaller": run(budget=0.05, match="narrower"),
            "it": run(layer, budget, **changes),
        }
        table = pareto.analyse(made(runs, dict.fromkeys(runs, (0.5, 0.6))))
        return str(one(table, variant="it")["narrower"])

    assert named("hashed", 0.1) == "same"
    assert named("hashed", 0.05) == "smaller"
    assert named("hashed", 0.1, base="network") == "other-base"
    assert named("hashed", 0.1, optimiser={"name": "sgd", "lr": 0.2}) == "other-rate"
    assert named("hashed", 0.2) == ""
    sized = run("hashed", 1.0)
    sized["network"] |= {"depth": 28, "layer": {"name": "hashed", "size": 7}}
    assert named("hashed", 1.0, network=sized["network"]) == ""


def brute(rows: list[dict[str, Any]], cost: str) -> list[float]:
    """By sorting: on the front is what is the most accurate at its cost and more so than all cheaper."""
    found = []
    for row in rows:
        group = [other for other in rows if other["taught"] == row["taught"]]
        cheaper = [other["accuracy"] for other in group if other[cost] < row[cost]]
        equal = [other["accuracy"] for other in group if other[cost] == row[cost]]
        best = max(equal) == row["accuracy"]
        found.append(float(best and row["accuracy"] > max(cheaper, default=-1)))
    return found


@pytest.mark.parametrize("seed", range(20))
def test_fronts_by_brute_force(seed: int) -> None:
    random = np.random.default_rng(seed)
    rows: list[dict[str, Any]] = [
        {"taught": int(t), "accuracy": a / 6, "cost": float(c)}
        for t, a, c in random.integers([0, 0, 0], [2, 6, 6], size=(12, 3))
    ]
    assert pareto.on_front(rows, "cost") == brute(rows, "cost")


def test_fronts_of_a_table() -> None:
    table = pareto.analyse(made())
    on = {front: list(table[table[front] == 1]["variant"]) for front in pareto.FRONTS}
    both = ["narrower-taught", "hashed-taught"]
    assert on["front_parameters"] == [
        "dense", "narrower", "shallower", both[0], both[1], "hashed-decay",
    ]  # fmt: skip
    # Of those of equal cost the most accurate.
    assert on["front_mult_adds"] == ["dense", "narrower", "low_rank", *both]
    assert on["front_seconds"] == ["dense", "narrower", "shallower", *both]
    unknown = pareto.analyse(made(timed=False))
    columns = ["front_seconds", "seconds_forward", "seconds_per_step", "baseline_seconds"]
    assert unknown[columns].isna().all(axis=None) and unknown["front_bytes"].isin([0, 1]).all()


def test_teaching_pairs_variants_that_differ_in_the_teacher_alone() -> None:
    table = teaching.analyse(made())
    assert list(zip(table["alone"], table["taught"], strict=True)) == [
        ("narrower", "narrower-taught"), ("hashed", "hashed-taught"),
    ]  # fmt: skip
    assert set(table["teacher"]) == {"dense"} and list(table["layer"]) == ["narrower", "hashed"]
    row = one(table, layer="hashed")
    mean, low, high = interval([0.02, 0.01, 0.0])
    assert [row["difference"], row["low"], row["high"]] == pytest.approx([mean, low, high])
    assert [row["loss_difference"], row["loss_low"], row["loss_high"]] == pytest.approx(
        [-mean, -high, -low]
    )
    assert (row["pairs"], row["separates"]) == (3, 0)
    assert row["accuracy_taught"] - row["accuracy_alone"] == pytest.approx(mean)


def test_decay_pairs_variants_that_differ_in_it_alone() -> None:
    row = decay.analyse(made()).iloc[0]
    assert (row["full"], row["scaled"], row["layer"], row["taught"]) == (
        "hashed", "hashed-decay", "hashed", 0,
    )  # fmt: skip
    assert [row["difference"], row["low"], row["high"]] == pytest.approx(
        interval([0.01, -0.01, 0.02])
    )
    assert row["accuracy_scaled"] == pytest.approx(np.mean(VALUES["hashed-decay"]))
    assert (row["pairs"], row["separates"], len(decay.analyse(made()))) == (3, 0, 1)


def test_speedups_counted_and_real() -> None:
    table = speedup.analyse(made())
    row = one(table, variant="low_rank")
    assert (row["counted"], row["slower"]) == (40, 1)
    assert row["real_forward"] == pytest.approx(1.28 / 1.92)
    assert row["real_forward_low"] == pytest.approx(0.9 * 1.28 / (1.2 * 1.92))
    assert row["real_forward_high"] == pytest.approx(1.2 * 1.28 / (0.9 * 1.92))
    assert row["real_step"] == pytest.approx(4 / 6)
    itself = one(table, variant="dense")
    assert set(itself[["counted", "real_forward", "real_forward_low", "real_step"]]) == {1.0}
    # As much work in more time is slower, but no surprise.
    assert one(table, variant="hashed")["slower"] == 0
    assert one(table, variant="narrower")["slower"] == 0


def test_seconds_are_of_an_image() -> None:
    runs = {"dense": run(), "small-batch": run("hashed", 0.1, batch_size=BATCH // 2)}
    values = dict.fromkeys(runs, VALUES["dense"])
    costs = {"dense": COSTS["dense"], "small-batch": COSTS["dense"]}
    table = speedup.analyse(made(runs, values, costs=costs))
    assert one(table, variant="small-batch")["real_forward"] == pytest.approx(0.5)


def test_repeats_have_spreads_and_pairs_of_equal_runs() -> None:
    runs = {**RUNS, "again": run("hashed", 0.1), "written": run("low_rank", 0.1)}
    del runs["written"]["network"]["match"]
    values = VALUES | {"again": (0.92, 0.93, 0.95), "written": (0.7, 0.7, 0.7)}
    table = repeats.analyse(made(runs, values))
    assert len(table) == len(runs) + 2
    single, pairs = table[table["other"] == ""], table[table["other"] != ""]
    row = one(single, variant="hashed")
    assert row["sd"] == pytest.approx(np.std(VALUES["hashed"], ddof=1))
    assert (row["range"], row["n"]) == (pytest.approx(0.02), 3) and math.isnan(row["difference"])
    again = one(pairs, variant="hashed", other="again")
    assert [again["difference"], again["low"], again["high"]] == pytest.approx(
        interval([0.01, 0.0, 0.0])
    )
    assert one(pairs, other="written")["pairs"] == 2


SIDE = 12


def targets(side: int = SIDE) -> list[torch.Tensor]:
    return [matrix_fit._target(side, index) for index in range(2)]


def test_low_rank_fits_as_well_as_singular_values() -> None:
    for size in (1, 4, 8):
        for found, target in zip(
            matrix_fit.fits("low_rank", size, targets(), 300), targets(), strict=True
        ):
            values = np.linalg.svd(target.double().numpy(), compute_uv=False) ** 2
            best = values[size:].sum() / values.sum()
            assert matrix_fit.least(size, target) == pytest.approx(best)
            assert best * (1 - 1e-4) <= found <= best * 1.03


@pytest.mark.parametrize(
    "layer", ["dense", "hashed", "low_rank", "monarch", "tensor_train", "tucker", "cp"]
)
def test_layers_of_full_size_are_any_matrix(layer: str) -> None:
    sizes = matrix_fit.LAYERS[layer].sizes(matrix_fit.Convolution(SIDE, SIDE, 1))
    assert max(matrix_fit.fits(layer, sizes[-1], targets(), 400)) < 0.01


def test_a_matrix_times_its_transpose_is_not_any_matrix() -> None:
    # The best is the positive part of the symmetric part.
    sizes = matrix_fit.LAYERS["tied_low_rank"].sizes(matrix_fit.Convolution(SIDE, SIDE, 1))
    found = matrix_fit.fits("tied_low_rank", sizes[-1], targets(), 300)
    for error, target in zip(found, targets(), strict=True):
        symmetric = (target + target.T).numpy() / 2
        kept = np.clip(np.linalg.eigvalsh(symmetric), 0, None)
        total = float(target.square().sum())
        assert error == pytest.approx(1 - float((kept**2).sum()) / total, rel=0.01)


def test_a_single_hashed_value_is_a_projection() -> None:
    (found,) = matrix_fit.fits("hashed", 1, targets()[:1], 200)
    layer = matrix_fit.LAYERS["hashed"].build(matrix_fit.Convolution(SIDE, SIDE, 1), size=1)
    signs, target = layer.signs.view(SIDE, SIDE).float(), targets()[0]
    share = (signs * target).sum().square() / (SIDE**2 * target.square().sum())
    assert found == pytest.approx(1 - float(share), abs=1e-4)


def test_the_table_of_fits_is_the_same_twice_and_leaves_the_random_stream() -> None:
    settings = {"sizes_per_layer": 2, "matrices": 2, "steps": 6, "side": 8}
    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    first = matrix_fit.analyse(made(), **settings)
    assert torch.equal(before, torch.random.get_rng_state())
    torch.manual_seed(6)
    pd.testing.assert_frame_equal(first, matrix_fit.analyse(made(), **settings))
    assert list(first.columns) == matrix_fit.COLUMNS
    assert set(first["layer"]) == {*matrix_fit.LAYERS, matrix_fit.SVD}
    assert set(matrix_fit.LAYERS) == set(registry.names("layers")) - {
        "separable", "separable_hashed",
    }  # fmt: skip
    assert (first["error"] >= 0).all() and set(first["matrices"]) == {2}
    assert not first.duplicated(["layer", "size"]).any()
    assert (first.groupby("layer")["parameters"].is_monotonic_increasing).all()
    row = one(first, layer=matrix_fit.SVD, size=1)
    assert [row["error"], row["low"], row["high"]] == pytest.approx(
        interval([matrix_fit.least(1, matrix_fit._target(8, index)) for index in range(2)])
    )
    assert row["parameters"] == 16
    # One size is the largest; more matrices are the same ones and others.
    largest = matrix_fit.analyse(made(), **{**settings, "sizes_per_layer": 1})
    assert one(largest, layer="low_rank")["size"] == 8
    # A layer that is left out has nothing to do there.
    only = matrix_fit._sizes(matrix_fit.Convolution(8, 8, 1), 3)
    assert [size for layer, size in only if layer == "dense"] == [1]


def figure(**changes: Any) -> dict[str, Any]:
    given = {
        "source": "someone", "network": "WRN-28-10", "layer": "hashed", "setting": "0.1",
        "parameters": 3911898, "mult_adds": 5e9, "error": 0.06, "teacher": 0, "cutout": 1,
        "decay": "full", "epochs": 200, "how": "log", "note": "",
    }  # fmt: skip
    return given | changes


@pytest.fixture
def compare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    def against(*figures: dict[str, Any], **study: Any) -> pd.DataFrame:
        path = tmp_path / "published_substitution.csv"
        dense = figure(layer="dense", parameters=DENSE, error=0.04)
        pd.DataFrame([dense, *figures]).to_csv(path, index=False)
        monkeypatch.setattr(published_substitution, "PATH", path)
        return published_substitution.analyse(made(**study)).iloc[1:]

    return against


@pytest.mark.parametrize(
    ("changes", "variant", "outcome", "differs_in"),
    [
        ({}, "hashed", "agrees", ""),
        ({"error": 0.5}, "hashed", "differs", ""),
        ({"decay": "scaled"}, "hashed-decay", "agrees", ""),
        ({"teacher": 1}, "hashed-taught", "agrees", ""),
        ({"epochs": 90, "cutout": 0}, "hashed", "other settings", "epochs;cutout"),
        ({"parameters": 1e6}, "hashed", "other settings", "parameters"),
        ({"network": "WRN-16-10"}, "hashed", "other settings", "network"),
        # Not recorded: neither the same nor known to differ.
        ({"cutout": None}, "hashed", "other settings", ""),
        ({"decay": None}, "hashed", "other settings", ""),
        ({"parameters": None}, "hashed", "other settings", ""),
        ({"network": "DARTS"}, "", "not run", ""),
        ({"layer": "tucker"}, "", "not run", ""),
        ({"layer": "low_rank", "teacher": 1}, "", "not run", ""),
        # A dense network has no weights whose decay could be scaled.
        ({"layer": "dense", "parameters": DENSE, "error": 0.04, "decay": None}, "dense", "agrees",
         ""),
    ],
)  # fmt: skip
def test_outcomes_of_published_figures(
    compare: Any, changes: dict[str, Any], variant: str, outcome: str, differs_in: str
) -> None:
    (row,) = compare(figure(**changes)).to_dict("records")
    assert (row["variant"], row["outcome"], row["differs_in"]) == (variant, outcome, differs_in)


def test_numbers_beside_published_ones(compare: Any) -> None:
    row = compare(figure()).iloc[0]
    mean, low, high = interval(VALUES["hashed"])
    assert [row["accuracy"], row["low"], row["high"]] == pytest.approx([mean, low, high])
    assert row["difference"] == pytest.approx(mean - 0.94)
    assert (row["n"], row["our_parameters"], row["dataset"]) == (3, 3.9e6, "cifar10")
    none = compare(figure(layer="cp")).iloc[0]
    assert none[["accuracy", "difference", "our_parameters"]].isna().all() and none["n"] == 0


def test_of_several_variants_the_nearest_share_is_compared(compare: Any) -> None:
    runs = {"dense": run(), "large": run("hashed", 0.5), "small": run("hashed", 0.1)}
    values = dict.fromkeys(runs, (0.9, 0.92))
    # A small network of its own: the shares count, not the numbers.
    costs = {"dense": (1000.0,), "large": (500.0,), "small": (107.0,)}
    costs = {name: (*size, 1.0, 1.0, 1.0, 1.0) for name, size in costs.items()}
    given = {"runs": runs, "values": values, "costs": costs}
    found = compare(figure(), figure(parameters=2e7), figure(parameters=4e5), **given)
    assert list(found["variant"]) == ["small", "large", "small"]


def test_seeds_and_images_that_are_missing(compare: Any) -> None:
    one_seed = {name: its[:1] for name, its in VALUES.items()}
    assert list(compare(figure(), values=one_seed)["outcome"]) == ["no interval"]
    lost = VALUES | {"hashed": (NAN,) * 3}
    (row,) = compare(figure(), values=lost).to_dict("records")
    assert (row["outcome"], row["variant"], row["n"]) == ("not run", "hashed", 0)
    fewer = {**RUNS, "hashed": run("hashed", 0.1, validation=5000)}
    assert list(compare(figure(), runs=fewer)["differs_in"]) == ["train_images"]
    assert compare(figure(), datasets=("digits",)).empty


def test_no_file_and_a_lacking_column(tmp_path: Path) -> None:
    path = tmp_path / "published_substitution.csv"
    with pytest.raises(UserError, match="no such file"):
        published_substitution.read(path)
    path.write_text("source,network\n")
    with pytest.raises(UserError, match="lacks the column layer"):
        published_substitution.read(path)


def test_the_projects_own_file_is_sound() -> None:
    frame = published_substitution.read(published_substitution.PATH)
    known = (PACKAGE.parents[1] / "paper" / "references.bib").read_text(encoding="utf-8")
    sources = set(re.findall(r"^@\w+\{([^,]+),", known, flags=re.MULTILINE))
    assert set(frame["source"]) <= sources
    assert set(frame["layer"]) <= set(registry.names("layers"))
    assert frame["network"].str.fullmatch(r"WRN-\d+-\d+|DARTS").all()
    assert frame["teacher"].isin([0, 1]).all() and frame["cutout"].dropna().isin([0, 1]).all()
    assert set(frame["how"]) <= {"exact", "log", "eye", "text"}
    assert frame["error"].between(0.02, 0.31).all()
    assert frame["parameters"].dropna().between(3e5, 4e7).all()
    # Of each network there is a dense one, of which others are a share.
    assert set(frame["network"]) == set(published_substitution._dense(frame))
    assert not frame.duplicated().any()
    parts = {"full", "scaled", ""}
    other = frame[~frame["decay"].isin(parts)]
    assert set(other["layer"]) == {"acdc"} and other["decay"].str.startswith("8.8e-6 of ").all()


@pytest.mark.parametrize(
    ("layer", "setting", "taught", "decay", "parameters", "error"),
    [
        ("tensor_train", "0.7", 1, "scaled", 2413390, 0.0360),
        ("low_rank", "0.03", 1, "scaled", 601162, 0.0573),
        ("separable_hashed", "0.05", 1, "scaled", 568426, 0.0485),
        ("tucker", "0.24", 1, "scaled", 655095, 0.0538),
        ("acdc", "15", 1, "scaled", 609258, 0.0522),
        ("shuffle", "7", 1, "scaled", 719994, 0.0488),
        ("shuffle", "32", 1, "full", 378000, 0.1002),
        ("hashed", "HashedDecimate, before the fix", 1, "full", 1498842, 0.0747),
        ("tensor_train", "0.26, 3 dimensions", 1, "full", 664226, 0.0805),
    ],
)
def test_published_figures_as_in_their_sources(
    layer: str, setting: str, taught: int, decay: str, parameters: int, error: float
) -> None:
    frame = published_substitution.read(published_substitution.PATH)
    row = one(frame, layer=layer, setting=setting, teacher=taught, decay=decay, network="WRN-28-10")
    assert row["parameters"] == parameters and row["error"] == pytest.approx(error)


def test_the_projects_own_file_beside_a_study() -> None:
    table = published_substitution.analyse(made())
    assert set(table["outcome"]) <= {
        "agrees", "differs", "no interval", "other settings", "not run",
    }  # fmt: skip
    assert (table[table["network"] == "DARTS"]["outcome"] == "not run").all()


@pytest.mark.parametrize("module", TABLES, ids=lambda module: module.__name__.split(".")[-1])
def test_analyses_give_their_columns_the_same_twice_and_for_nothing(module: ModuleType) -> None:
    runs, values = RUNS | {"again": run()}, VALUES | {"again": VALUES["dense"]}
    first = module.analyse(made(runs, values))
    pd.testing.assert_frame_equal(first, module.analyse(made(runs, values)))
    assert not first.empty and list(first.columns) == module.COLUMNS
    alone = {"dense": run()}
    for nothing in (
        made(alone, {"dense": (NAN, NAN)}),
        made(alone, {}),
        made(alone, {"dense": (0.5,)}, timed=False, datasets=("digits",)),
    ):
        table = module.analyse(nothing)
        assert list(table.columns) == module.COLUMNS
        numbers = table.select_dtypes(np.number).to_numpy(dtype=float)
        assert not np.isinf(numbers).any()


@pytest.mark.parametrize("module", [*TABLES, matrix_fit], ids=lambda m: m.__name__.split(".")[-1])
def test_every_column_is_described(module: ModuleType) -> None:
    text = inspect.getdoc(module.analyse) or ""
    words = {f"{word}_" for word in pareto.REFERENCES} if module is pareto else set()
    for column in module.COLUMNS:
        parts = {column, *(column.removeprefix(word[:-1]) for word in words if word in column)}
        assert any(f"`{part}`" in text for part in parts), column


def test_only_matrix_fit_imports_torch() -> None:
    names = ", ".join(module.__name__.split(".")[-1] for module in TABLES)
    code = f"import sys; from sidestep.analyses import {names}; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_data_sets_have_fronts_of_their_own() -> None:
    tables = made(datasets=("cifar10", "digits"))
    table = pareto.analyse(tables)
    assert len(table) == 2 * len(RUNS)
    for one_of, other in itertools.pairwise(table["dataset"].unique()):
        fronts = [table[table["dataset"] == name]["front_bytes"] for name in (one_of, other)]
        assert list(fronts[0]) == list(fronts[1])
