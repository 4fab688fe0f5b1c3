"""What variants reach and cost, and which of them are on a front, on a small made study of substituted layers."""

import itertools
import math
from typing import Any

import numpy as np
import pytest
from made_budgets import BATCH, COSTS, DENSE, RUNS, VALUES, interval, made, run
from made_tables import one

from sidestep.analyses import pareto


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


def test_data_sets_have_fronts_of_their_own() -> None:
    tables = made(datasets=("cifar10", "digits"))
    table = pareto.analyse(tables)
    assert len(table) == 2 * len(RUNS)
    for one_of, other in itertools.pairwise(table["dataset"].unique()):
        fronts = [table[table["dataset"] == name]["front_bytes"] for name in (one_of, other)]
        assert list(fronts[0]) == list(fronts[1])
