"""Final sizes with what they reach and cost, on a made study whose sizes are known."""

import itertools
import math

import made_resizing as study_of
import numpy as np
import pytest
from made_resizing import ACCURACIES, DATASETS, FAST, METHODS, PRICE, RUNS, SIZES, interval, made
from made_tables import one

from sidestep import sizing
from sidestep.analyses import final_sizes
from sidestep.analyses.shared import sizes as shared
from sidestep.analyses.shared.finals import Finals
from sidestep.tables import Tables

NAN = math.nan


@pytest.fixture(scope="module")
def tables() -> Tables:
    return made()


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


def test_within_an_epoch_the_last_step_counts() -> None:
    rows = [
        ("mnist", "plain-large", seed, epoch, "", "probed", step, step)
        for seed, epoch, step in (("1", 4, 38.0), ("1", 4, 39.0), ("1", 4, 36.0), ("1", 3, 99.0))
    ]
    rows += [("mnist", "plain-large", seed, 4, "", "probed", 50.0, 7.0) for seed in ("", "pooled")]
    tables = made(more=rows, **FAST)
    found = shared.lasts(tables, Finals({}, {}), ["probed"])
    assert found == {("mnist", "plain-large", "probed"): {1: 39.0}}


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
