"""What orders of neurons keep, on a made study whose areas are known."""

import math

import made_resizing as study_of
import numpy as np
import pytest
from made_resizing import FAST, METHODS, RUNS, interval, made, paired
from made_tables import one

from sidestep.analyses import (
    neuron_orders,
    order_stability,
)
from sidestep.tables import Tables

NAN = math.nan


@pytest.fixture(scope="module")
def tables() -> Tables:
    return made()


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
