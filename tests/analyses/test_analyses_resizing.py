"""Sizes, starts, matched networks and orders of neurons, on a made study whose answers are known."""

import importlib
import inspect
import itertools
import math
import subprocess
import sys
from types import ModuleType
from typing import Any

import made_resizing as study_of
import numpy as np
import pandas as pd
import pytest
from made_resizing import ACCURACIES, DATASETS, METHODS, PRICE, RUNS, SIZES, made
from made_tables import one
from scipy import stats

from sidestep import importance, sizing
from sidestep.analyses import (
    final_sizes,
    harder_sizes,
    matched_accuracy,
    neuron_orders,
    order_stability,
    start_dependence,
)
from sidestep.analyses.shared import sizes as shared
from sidestep.analyses.shared.finals import Finals
from sidestep.tables import Tables

NAN = math.nan
ANALYSES = (
    *(final_sizes, start_dependence, matched_accuracy, harder_sizes, neuron_orders),
    order_stability,
)
MOVING = [name for name, method in METHODS.items() if method not in sizing.STILL]
# As the tables of them are not needed where orders are not asked for.
FAST: dict[str, Any] = {"orders": False}


@pytest.fixture(scope="module")
def tables() -> Tables:
    return made()


def interval(values: Any) -> tuple[float, float, float]:
    """Mean and 95 % t interval, with the quantile by scipy."""
    mean, n = float(np.mean(values)), len(values)
    half = float(stats.t.ppf(0.975, n - 1) * np.std(values, ddof=1) / math.sqrt(n))
    return mean, mean - half, mean + half


def paired(mine: Any, theirs: Any) -> tuple[float, float, float]:
    return interval(np.subtract(mine, theirs))


def with_cell(of: study_of.PerSeed, dataset: str, variant: str, *values: float) -> Any:
    return {**of, dataset: {**of[dataset], variant: values}}


def test_the_made_study_is_what_it_says(tables: Tables) -> None:
    assert {name: sizing.method(run) for name, run in RUNS.items()} == METHODS
    assert sizing.matched(tables.study, "soft-high") == "soft-high-again"
    groups = [[v.name for v in group] for group in sizing.from_every_start(tables.study)]
    assert groups == [[f"{word}-low", f"{word}-high"] for word in ("soft", "sparse", "sorted")]


def test_measures_are_those_that_are_measured() -> None:
    assert shared.MEASURES == importance.MEASURES == study_of.MEASURES
    metric = importlib.import_module("sidestep.metrics.neuron_importance")
    assert neuron_orders.ORDERS == metric.ORDERS


def test_final_sizes_have_all_variants_in_the_order_of_the_study(tables: Tables) -> None:
    table = final_sizes.analyse(tables)
    assert list(zip(table["dataset"], table["variant"], strict=True)) == list(
        itertools.product(DATASETS, RUNS)
    )
    assert list(table["method"]) == [*METHODS.values()] * 2


def test_a_final_size_with_what_it_reaches_and_costs(tables: Tables) -> None:
    row = one(final_sizes.analyse(tables), dataset="mnist", variant="soft-low")
    sizes, accuracies = SIZES["mnist"]["soft-low"], np.array(ACCURACIES["mnist"]["soft-low"])
    assert (row["stage"], row["start"], row["price"], row["decay"]) == ("hidden", 5, 1e-3, 1e-5)
    assert (row["n"], row["diverged"], row["neurons"]) == (3, 0, 50)
    for name, values in (
        ("size", sizes),
        ("accuracy", accuracies),
        ("objective", 3 * (1 - accuracies) + 1e-3 * np.array(sizes)),
    ):
        found = [row[name], row[f"{name}_low"], row[f"{name}_high"]]
        assert found == pytest.approx(interval(values))
    assert row["loss"] == pytest.approx(np.mean(3 * (1 - accuracies)))
    assert row["train_accuracy"] == pytest.approx(np.mean((1 + accuracies) / 2))
    assert row["train_loss"] == pytest.approx(np.mean(3 * (1 - accuracies) / 2))
    assert row["parameters"] == 795 * 50 + 10 and row["mult_adds"] == 794 * 50
    assert row["stored_bytes"] == 3180 * 50 + 40 and row["seconds"] == 10 + 50 + 1
    assert row["scale"] == pytest.approx(row["size"])


def test_removed_neurons_are_not_there_and_cost_nothing(tables: Tables) -> None:
    row = one(final_sizes.analyse(tables), dataset="fashion_mnist", variant="sparse-high")
    size = np.mean(SIZES["fashion_mnist"]["sparse-high"])
    assert row["start"] == 50
    assert [row["size"], row["neurons"]] == pytest.approx([size, size])
    assert row["scale"] == pytest.approx(0.8 * size)
    assert row["parameters"] == pytest.approx(795 * size + 10)


def test_plain_layers_are_as_large_as_they_are_built(tables: Tables) -> None:
    table = final_sizes.analyse(tables)
    row = one(table, dataset="mnist", variant="plain-small")
    assert (row["stage"], row["start"], row["price"]) == ("", 20, 0)
    assert [row[f"size{bound}"] for bound in ("", "_low", "_high")] == [20, 20, 20]
    assert (row["neurons"], row["scale"]) == (20, 20)
    assert math.isnan(row["objective"]) and math.isnan(row["objective_low"])
    again = one(table, dataset="mnist", variant="soft-low-again")
    assert math.isnan(again["start"])
    assert again["size"] == pytest.approx(np.mean(SIZES["mnist"]["soft-low-again"]))


def test_networks_without_a_width_or_a_gate_have_no_known_size() -> None:
    run = study_of.run()
    run["network"] = {"name": "mnist_cnn"}
    its = {name: {"net": (20, 20, 20)} for name in DATASETS}
    shares = {name: {"net": (0.9, 0.91, 0.92)} for name in DATASETS}
    table = final_sizes.analyse(
        made({"net": run}, sizes=its, neurons=its, accuracies=shares, baseline="net", **FAST)
    )
    row = one(table, dataset="mnist")
    assert row["n"] == 3 and row["accuracy"] == pytest.approx(0.91)
    assert row[["size", "neurons", "scale", "start"]].isna().all()


def test_the_last_evaluation_counts_whatever_the_order_of_rows(tables: Tables) -> None:
    mixed = tables.main.sample(frac=1, random_state=3).reset_index(drop=True)
    shuffled = Tables(tables.study, _read={"": mixed})
    for module in ANALYSES:
        pd.testing.assert_frame_equal(module.analyse(tables), module.analyse(shuffled))


def test_within_an_epoch_the_last_step_counts() -> None:
    rows = [
        ("mnist", "plain-large", seed, epoch, "", "probed", step, step)
        for seed, epoch, step in (("1", 4, 38.0), ("1", 4, 39.0), ("1", 4, 36.0), ("1", 3, 99.0))
    ]
    rows += [("mnist", "plain-large", seed, 4, "", "probed", 50.0, 7.0) for seed in ("", "pooled")]
    tables = made(more=rows, **FAST)
    found = shared.lasts(tables, Finals({}, {}), ["probed"])
    assert found == {("mnist", "plain-large", "probed"): {1: 39.0}}


def test_diverged_runs_are_counted_and_left_out() -> None:
    lost = {("mnist", "soft-high", 2), ("mnist", "plain-large", 0)}
    tables = made(diverged=lost)
    row = one(final_sizes.analyse(tables), dataset="mnist", variant="soft-high")
    sizes = SIZES["mnist"]["soft-high"]
    assert (row["n"], row["diverged"]) == (2, 1)
    assert [row["size"], row["size_low"], row["size_high"]] == pytest.approx(interval(sizes[:2]))
    assert row["seconds"] == 10 + 50 + 0.5
    start = one(start_dependence.analyse(tables), dataset="mnist", method="flexible")
    found = [start["difference"], start["low"], start["high"]]
    assert start["pairs"] == 2
    assert found == pytest.approx(paired(sizes[:2], SIZES["mnist"]["soft-low"][:2]))
    plain = one(final_sizes.analyse(tables), dataset="mnist", variant="plain-large")
    assert (plain["n"], plain["size"]) == (2, 50)
    harder = one(harder_sizes.analyse(tables), variant="soft-high")
    assert harder["pairs"] == 2 and harder["easier_size"] == pytest.approx(np.mean(sizes[:2]))
    assert harder["harder_size"] == pytest.approx(np.mean(SIZES["fashion_mnist"]["soft-high"]))
    orders = neuron_orders.analyse(tables)
    assert set(orders[orders["variant"] == "plain-large"]["n"]) == {2, 3}


def test_a_diverged_run_is_left_out_though_it_was_measured() -> None:
    # The rows that a metric would have written.
    rows = [
        ("mnist", "plain-large", "0", 4, "test", "area_kept_zeroing", NAN, 5.0),
        *(
            ("mnist", "plain-large", "0", epoch, "train", "importance_zeroing", index, index)
            for epoch in (1, 2, 4)
            for index in range(50)
        ),
    ]
    tables = made(diverged={("mnist", "plain-large", 0)}, more=rows)
    where = {"dataset": "mnist", "variant": "plain-large", "measure": "zeroing"}
    assert one(neuron_orders.analyse(tables), **where)["area"] < 1
    assert one(order_stability.analyse(tables), **where, epoch=2)["n"] == 2


def test_every_gated_stage_is_paid_for() -> None:
    run = study_of.flexible(5.0)
    run["network"] = {"name": "mnist_cnn"}
    first, second = sizing.settings.stages_of("mnist_cnn")[:2]
    gate = run["gates"].pop("hidden")
    run["gates"] = {second: {**gate, "price": 0.01}, first: gate}
    assert shared.prices(run) == {first: PRICE, second: 0.01}
    its, shares = {"mnist": {"net": (7, 8, 9)}}, {"mnist": {"net": (0.8, 0.9, 0.85)}}
    tables = made(
        {"net": run}, sizes=its, neurons=its, accuracies=shares,
        datasets=("mnist",), baseline="net", **FAST,
    )  # fmt: skip
    frame = tables.main
    frame.loc[frame["metric"] == f"probe_size.{second}", "value"] += 23
    row = one(final_sizes.analyse(tables))
    assert row["stage"] == first and row["size"] == 8
    losses = [3 * 0.2, 3 * 0.1, 3 * 0.15]
    wanted = [loss + 0.001 * (7 + seed) + 0.01 * (30 + seed) for seed, loss in enumerate(losses)]
    found = [row[f"objective{bound}"] for bound in ("", "_low", "_high")]
    assert found == pytest.approx(interval(wanted))


def test_an_edit_pays_in_all_stages_and_free_ones_are_left_out() -> None:
    assert shared.prices(study_of.by_worth(8, price=0.5)) == {"hidden": 0.5}
    assert shared.prices(study_of.flexible(5.0, gate={"price": 0.0})) == {}
    assert shared.prices(study_of.run()) == {}


@pytest.mark.parametrize("dataset", DATASETS)
@pytest.mark.parametrize(
    ("method", "word", "starts"),
    [("flexible", "soft", (5, 40)), ("sparsified", "sparse", (10, 50)), ("by_worth", "sorted", (8, 40))],
)  # fmt: skip
def test_start_dependence(
    tables: Tables, dataset: str, method: str, word: str, starts: tuple[int, int]
) -> None:
    row = one(start_dependence.analyse(tables), dataset=dataset, method=method)
    assert [row["low_variant"], row["high_variant"]] == [f"{word}-low", f"{word}-high"]
    assert (row["low_start"], row["high_start"]) == starts
    assert (row["members"], row["pairs"], row["price"], row["decay"]) == (2, 3, 1e-3, 1e-5)
    low, high = (SIZES[dataset][f"{word}-{end}"] for end in ("low", "high"))
    wanted = np.array(paired(high, low))
    assert list(row[["difference", "low", "high"]]) == pytest.approx(wanted)
    dependence = row[["dependence", "dependence_low", "dependence_high"]]
    assert list(dependence) == pytest.approx(wanted / (starts[1] - starts[0]))
    assert row["separates"] == int(method == "sparsified")
    assert [row["low_size"], row["high_size"]] == pytest.approx([np.mean(low), np.mean(high)])
    assert row["ratio"] == pytest.approx(np.mean(high) / np.mean(low))
    shares = [ACCURACIES[dataset][f"{word}-{end}"] for end in ("high", "low")]
    names = ["accuracy_difference", "accuracy_low", "accuracy_high"]
    assert list(row[names]) == pytest.approx(paired(*shares), abs=1e-12)
    assert row["accuracy_separates"] == int(method == "sparsified")


def test_only_the_outer_starts_are_compared_and_all_are_counted() -> None:
    runs = {"middle": study_of.flexible(20.0), **RUNS}
    sizes, accuracies = (
        {name: {**its, "middle": its["soft-low"]} for name, its in of.items()}
        for of in (SIZES, ACCURACIES)
    )
    tables = made(runs, sizes=sizes, neurons=sizes, accuracies=accuracies, **FAST)
    row = one(start_dependence.analyse(tables), dataset="mnist", method="flexible")
    assert (row["members"], row["low_variant"], row["high_variant"]) == (3, "soft-low", "soft-high")


@pytest.mark.parametrize("images", ["train", "test"])
@pytest.mark.parametrize("variant", ["soft-low", "soft-high"])
def test_matched_accuracy(tables: Tables, variant: str, images: str) -> None:
    table = matched_accuracy.analyse(tables)
    assert len(table) == 2 * 2 * 2 * 2
    for against, other in (("matched", f"{variant}-again"), ("best", "plain-large")):
        row = one(table, dataset="mnist", variant=variant, images=images, against=against)
        assert (row["other"], row["method"], row["pairs"]) == (other, "flexible", 3)
        mine, theirs = (np.array(ACCURACIES["mnist"][name]) for name in (variant, other))
        factor = 1.0 if images == "test" else 0.5
        mean, low, high = paired(factor * mine, factor * theirs)
        found = list(row[["difference", "low", "high"]])
        assert found == pytest.approx([mean, low, high], abs=1e-12)
        assert row["separates"] == int(low > 0 or high < 0)
        assert row["size"] == pytest.approx(np.mean(SIZES["mnist"][variant]))


def test_the_best_static_layer_is_that_of_the_data_set() -> None:
    accuracies = with_cell(ACCURACIES, "mnist", "plain-small", 0.99, 0.99, 0.991)
    table = matched_accuracy.analyse(made(accuracies=accuracies, **FAST))
    best = table[table["against"] == "best"].groupby("dataset")["other"].unique()
    assert {name: list(its) for name, its in best.items()} == {
        "mnist": ["plain-small"],
        "fashion_mnist": ["plain-large"],
    }
    # Nothing that sizes itself, nor a matched one, is ever the best static layer.
    runs = {name: run for name, run in RUNS.items() if METHODS[name] != "static"}
    table = matched_accuracy.analyse(made(runs, baseline="soft-low", **FAST))
    rows = table[table["against"] == "best"]
    assert (
        set(rows["other"]) == {""} and set(rows["pairs"]) == {0} and set(rows["separates"]) == {0}
    )
    assert rows["difference"].isna().all()


def test_harder_sizes(tables: Tables) -> None:
    table = harder_sizes.analyse(tables)
    assert list(table["variant"]) == MOVING
    assert set(table["harder"]) == {"fashion_mnist"} and set(table["easier"]) == {"mnist"}
    for name in MOVING:
        row = one(table, variant=name)
        harder, easier = SIZES["fashion_mnist"][name], SIZES["mnist"][name]
        wanted = paired(harder, easier)
        assert list(row[["difference", "low", "high"]]) == pytest.approx(wanted)
        assert [row["harder_size"], row["easier_size"]] == pytest.approx(
            [np.mean(harder), np.mean(easier)]
        )
        assert row["pairs"] == 3 and row["separates"] == int(wanted[1] > 0 or wanted[2] < 0)
    signs = {name: np.sign(one(table, variant=name)["difference"]) for name in MOVING}
    assert signs["soft-low"] == -1 and signs["sorted-high"] == 1
    assert one(table, variant="soft-low")["separates"] == 1
    assert one(table, variant="sparse-low")["separates"] == 0


def test_the_harder_data_set_is_told_by_the_baseline() -> None:
    swapped = {"mnist": ACCURACIES["fashion_mnist"], "fashion_mnist": ACCURACIES["mnist"]}
    table = harder_sizes.analyse(made(accuracies=swapped, **FAST))
    assert set(table["harder"]) == {"mnist"}
    assert one(table, variant="soft-low")["difference"] > 0
    # Of the baseline's accuracies alone.
    alone = with_cell(ACCURACIES, "mnist", "plain-large", 0.1, 0.1, 0.1)
    assert set(harder_sizes.analyse(made(accuracies=alone, **FAST))["harder"]) == {"mnist"}
    lost = {("mnist", "plain-large", seed) for seed in (0, 1, 2)}
    unknown = harder_sizes.analyse(made(diverged=lost, **FAST))
    assert unknown.empty and list(unknown.columns) == harder_sizes.COLUMNS


def test_three_data_sets_are_compared_in_pairs() -> None:
    sizes, accuracies = ({**of, "digits": of["mnist"]} for of in (SIZES, ACCURACIES))
    accuracies = with_cell(accuracies, "digits", "plain-large", 0.5, 0.5, 0.5)
    datasets = (*DATASETS, "digits")
    table = harder_sizes.analyse(
        made(sizes=sizes, neurons=sizes, accuracies=accuracies, datasets=datasets, **FAST)
    )
    pairs = table[table["variant"] == "soft-low"][["harder", "easier"]].to_numpy().tolist()
    assert pairs == [["fashion_mnist", "mnist"], ["digits", "mnist"], ["digits", "fashion_mnist"]]
    alone = harder_sizes.analyse(made(datasets=("mnist",), **FAST))
    assert alone.empty and list(alone.columns) == harder_sizes.COLUMNS


@pytest.mark.parametrize("variant", ["plain-small", "sorted-high"])
@pytest.mark.parametrize("measure", study_of.ORDERS)
def test_neuron_orders(tables: Tables, variant: str, measure: str) -> None:
    table = neuron_orders.analyse(tables)
    row = one(table, dataset="fashion_mnist", variant=variant, measure=measure)

    def areas(order: str) -> list[float]:
        return [study_of.area("fashion_mnist", variant, seed, order) for seed in (0, 1, 2)]

    def found(name: str, prefix: str) -> list[float]:
        return list(row[[name, f"{prefix}_low", f"{prefix}_high"]])

    assert (row["n"], row["method"]) == (3, METHODS[variant])
    assert found("area", "area") == pytest.approx(interval(areas(measure)))
    if measure == "zeroing":
        assert np.isnan(found("below_exact", "below")).all()
    else:
        wanted = paired(areas("zeroing"), areas(measure))
        assert found("below_exact", "below") == pytest.approx(wanted)
    if measure == "random":
        assert np.isnan(found("above_random", "above")).all() and row["separates"] == 0
    else:
        wanted = paired(areas(measure), areas("random"))
        assert found("above_random", "above") == pytest.approx(wanted)
        assert row["separates"] == int(wanted[1] > 0 or wanted[2] < 0)
    if measure in study_of.PROXIES:
        each = [
            study_of.rank_correlation("fashion_mnist", variant, seed, measure) for seed in (0, 1, 2)
        ]
        assert found("rank_correlation", "rank") == pytest.approx(interval(each))
    else:
        assert np.isnan(found("rank_correlation", "rank")).all()


def test_orders_are_told_apart_from_chance() -> None:
    # Better by 0.2 on average, but not in every seed.
    shares = {"zeroing": (0.9, 0.5, 0.7), "random": (0.5, 0.5, 0.5)}

    def areas(_: str, __: str, seed: int, measure: str) -> float:
        return shares.get(measure, (0.8, 0.81, 0.82))[seed]

    table = neuron_orders.analyse(made({"plain-large": RUNS["plain-large"]}, areas=areas))
    table = table[table["dataset"] == "mnist"]
    assert one(table, measure="zeroing")["above_random"] == pytest.approx(0.2)
    assert one(table, measure="zeroing")["separates"] == 0
    assert one(table, measure="fisher")["separates"] == 1
    assert one(table, measure="fisher")["below_exact"] == pytest.approx(-0.11)


def test_an_agreement_that_one_seed_lacks_is_not_told() -> None:
    def agreement(_: str, __: str, seed: int, measure: str) -> float:
        return NAN if seed == 1 and measure == "fisher" else 0.1 * seed

    table = neuron_orders.analyse(
        made({"plain-large": RUNS["plain-large"]}, rank_correlations=agreement)
    )
    table = table[table["dataset"] == "mnist"]
    assert math.isnan(one(table, measure="fisher")["rank_correlation"])
    assert one(table, measure="spread")["rank_correlation"] == pytest.approx(0.1)


def test_only_orders_that_were_measured_have_rows() -> None:
    assert neuron_orders.analyse(made(**FAST)).empty
    assert order_stability.analyse(made(**FAST)).empty


def changed(before: list[float], after: list[float]) -> dict[str, float]:
    return order_stability.changes(np.array(before, float), np.array(after, float))


def test_changes_of_an_order_by_hand() -> None:
    assert changed([5, 3, 1], [50, 4, -2]) == {"distance": 0.0, "moved": 0.0, "tau": 1.0}
    # A reversal: ranks change by 3, 1, 1, 3; the mean is 2 of at most 3.
    turned = changed([4, 3, 2, 1], [1, 2, 3, 4])
    assert turned == pytest.approx({"distance": 100 * 2 / 3, "moved": 1.0, "tau": -1.0})
    # Two neighbours change places: one pair of six is swapped.
    swapped = changed([4, 3, 2, 1], [4, 2, 3, 1])
    assert swapped == pytest.approx({"distance": 100 * 0.5 / 3, "moved": 0.5, "tau": 4 / 6})
    # The first becomes the last, the others move up by one.
    cycled = changed([5, 4, 3, 2, 1], [0, 4, 3, 2, 1])
    assert cycled == pytest.approx({"distance": 100 * 1.6 / 4, "moved": 1.0, "tau": 0.2})


def test_equal_neurons_have_no_order_among_them() -> None:
    # Three that do nothing share rank 2 and half of them one side of a swap; which is which is no matter.
    still = changed([1, 0, 0, 0], [7, 0, 0, 0])
    assert still == pytest.approx({"distance": 0.0, "moved": 0.0, "tau": 1.0})
    # One of them wakes up: from rank 2 to 3, those two that remain from 2 to 1.5.
    woken = changed([9, 0, 0, 0], [9, 1, 0, 0])
    assert woken["distance"] == pytest.approx(100 * (1 + 0.5 + 0.5) / 4 / 3)
    # Pairs in the same order 3 and none against, of 3 and 5 that are no ties.
    assert woken["tau"] == pytest.approx(3 / math.sqrt(3 * 5))
    nothing = changed([0, 0, 0], [1, 2, 3])
    assert nothing["distance"] == pytest.approx(100 * (1 + 0 + 1) / 3 / 2)
    assert math.isnan(nothing["tau"])
    single = changed([1], [2])
    assert single["moved"] == 0 and math.isnan(single["distance"]) and math.isnan(single["tau"])


def test_a_neuron_has_moved_by_more_than_a_hundredth_of_the_layer() -> None:
    before = np.arange(400.0)
    after = before.copy()
    # Four places are not more than 1 % of 400, five are.
    after[[0, 4]] = after[[4, 0]]
    after[[100, 105]] = after[[105, 100]]
    assert order_stability.changes(before, after)["moved"] == pytest.approx(2 / 400)


def test_order_stability(tables: Tables) -> None:
    table = order_stability.analyse(tables)
    stay = [name for name, method in METHODS.items() if method in ("static", "matched", "flexible")]
    assert list(dict.fromkeys(table["variant"])) == stay
    assert len(table) == 2 * len(stay) * len(study_of.MEASURES) * 2
    for measure, (earlier, later) in itertools.product(("zeroing", "fisher"), ((1, 2), (2, 4))):
        where = {"dataset": "mnist", "variant": "soft-low", "measure": measure, "epoch": later}
        row = one(table, **where)
        assert (row["epochs_apart"], row["n"], row["method"]) == (later - earlier, 3, "flexible")
        distances, shares, taus = [], [], []
        for seed in (0, 1, 2):
            values = [
                study_of.importance("mnist", "soft-low", seed, epoch, measure)
                for epoch in (earlier, later)
            ]
            # None are alike, so that ranks are places in the sorted list.
            ranks = [[sorted(its, reverse=True).index(value) for value in its] for its in values]
            apart = [abs(a - b) for a, b in zip(*ranks, strict=True)]
            distances.append(100 * sum(apart) / len(apart) / (len(apart) - 1))
            shares.append(sum(each > 0.01 * len(apart) for each in apart) / len(apart))
            agreeing = [
                np.sign((values[0][i] - values[0][j]) * (values[1][i] - values[1][j]))
                for i, j in itertools.combinations(range(len(apart)), 2)
            ]
            taus.append(float(np.mean(agreeing)))
        for name, each in (("distance", distances), ("moved", shares), ("tau", taus)):
            found = list(row[[name, f"{name}_low", f"{name}_high"]])
            assert found == pytest.approx(interval(each))


def test_an_order_that_stays_does_not_change() -> None:
    def always(dataset: str, variant: str, seed: int, epoch: int, measure: str) -> Any:
        return epoch * study_of.importance(dataset, variant, seed, 1, measure)

    table = order_stability.analyse(made(importances=always))
    assert (table["distance"] == 0).all() and (table["moved"] == 0).all()
    assert table["tau"].to_numpy() == pytest.approx(1.0)


def test_seeds_whose_layer_changed_are_left_out() -> None:
    def shrinking(dataset: str, variant: str, seed: int, epoch: int, measure: str) -> Any:
        found = study_of.importance(dataset, variant, seed, epoch, measure)
        return found[:-1] if seed == 0 and epoch == 4 else found

    runs = {"plain-large": RUNS["plain-large"]}
    table = order_stability.analyse(made(runs, importances=shrinking))
    assert dict(table.groupby("epoch")["n"].unique().map(list)) == {2: [3], 4: [2]}


def test_sparsified_neurons_stay_where_nothing_removes_them() -> None:
    run = study_of.sparsified(50, strategy={"name": "end_to_end"})
    found = order_stability.analyse(made({"sparse-high": run}, baseline="sparse-high"))
    assert set(found["method"]) == {"sparsified"}


@pytest.mark.parametrize("module", ANALYSES, ids=lambda module: module.__name__.split(".")[-1])
def test_analyses_give_their_columns_the_same_twice_and_for_nothing(module: ModuleType) -> None:
    first = module.analyse(made())
    pd.testing.assert_frame_equal(first, module.analyse(made()))
    assert not first.empty and list(first.columns) == module.COLUMNS
    assert not first.duplicated().any()
    lost = set(itertools.product(DATASETS, RUNS, (0, 1, 2)))
    empty = Tables(made(**FAST).study, _read={"": made(**FAST).main.iloc[:0]})
    for nothing in (made(diverged=lost), made(seeds=(1,)), empty):
        assert list(module.analyse(nothing).columns) == module.COLUMNS


def test_a_single_seed_has_no_interval() -> None:
    tables = made(seeds=(1,))
    row = one(final_sizes.analyse(tables), dataset="mnist", variant="soft-low")
    assert row["size"] == SIZES["mnist"]["soft-low"][1] and math.isnan(row["size_low"])
    start = one(start_dependence.analyse(tables), dataset="mnist", method="sparsified")
    assert (start["difference"], start["separates"]) == (23, 0)


def test_a_study_of_diverged_runs_has_sizes_of_none() -> None:
    lost = set(itertools.product(DATASETS, RUNS, (0, 1, 2)))
    table = final_sizes.analyse(made(diverged=lost))
    assert set(table["n"]) == {0} and set(table["diverged"]) == {3}
    assert table[["size", "accuracy", "objective", "parameters"]].isna().all(axis=None)
    starts = start_dependence.analyse(made(diverged=lost))
    assert set(starts["pairs"]) == {0} and starts["dependence"].isna().all()


@pytest.mark.parametrize("module", ANALYSES, ids=lambda module: module.__name__.split(".")[-1])
def test_every_column_is_described(module: ModuleType) -> None:
    text = inspect.getdoc(module.analyse) or ""
    for column in module.COLUMNS:
        assert f"`{column}`" in text, column


def test_no_analysis_imports_torch() -> None:
    names = ", ".join(module.__name__.split(".")[-1] for module in ANALYSES)
    code = f"import sys; from sidestep.analyses import {names}; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
