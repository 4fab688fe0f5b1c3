"""How orders of neurons change from epoch to epoch: by hand, and on a made study."""

import itertools
import math
from typing import Any

import made_resizing as study_of
import numpy as np
import pytest
from made_resizing import METHODS, RUNS, interval, made
from made_tables import one

from sidestep.analyses import order_stability
from sidestep.tables import Tables


@pytest.fixture(scope="module")
def tables() -> Tables:
    return made()


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
