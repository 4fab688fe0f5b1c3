"""What graphs become from round to round."""

from pathlib import Path

import numpy as np
import pytest
from made_evolving import RUNS, TESTS, equalled, interval, made, one_cell, run
from made_tables import one

from sidestep.analyses import (
    generations,
)
from sidestep.analyses.shared import evolution
from sidestep.contract import Model
from sidestep.errors import UserError
from sidestep.networks import evolving as evolving_network
from sidestep.strategies import rounds
from sidestep.training.loop import phase_ends


@pytest.mark.parametrize(
    ("count", "settle", "steps"), [(4, 0.2, 20), (7, 0.0, 33), (10, 0.35, 101)]
)
def test_rounds_end_where_the_strategy_ends_them(count: int, settle: float, steps: int) -> None:
    network = evolving_network.build((3, 1, 1), 2)
    model = Model(network, ((3, 1, 1), (3,), (2,)), 2)
    edit = {"name": "evolve"}
    phases = rounds.phases(model, edit=edit, rounds=count, settle=settle)
    its = run({"name": "evolving"})
    its["strategy"] = {"name": "rounds", "edit": edit, "rounds": count, "settle": settle}
    assert evolution.round_ends(its, steps) == phase_ends(phases, steps)
    assert evolution.round_ends(RUNS["c"], steps) == [steps]


def test_generations_by_hand(tmp_path: Path) -> None:
    table = generations.analyse(made(tmp_path))
    cell = one_cell(table, "wine", "d", "operations")
    assert list(cell["step"]) == [0, 10, 20] and list(cell["epoch"]) == [0, 1, 2]
    assert list(cell["mean"]) == [0, 2, 4] and list(cell["low"]) == [0, 2, 4]
    # Rounds of four steps each, and four to settle: step 10 is of the third.
    assert list(cell["round"]) == [1, 3, 5]
    assert set(one_cell(table, "wine", "c", "operations")["round"]) == {1}
    assert one_cell(table, "wine", "a", "operations").empty
    assert list(one_cell(table, "wine", "a", "parameters")["mean"]) == [30, 30, 30]
    last = one(one_cell(table, "wine", "d", "test"), step=20)
    assert (last["mean"], last["low"], last["high"]) == pytest.approx(interval(TESTS["d"], 1 / 3))
    assert one(one_cell(table, "diabetes", "d", "train"), step=10)["mean"] == pytest.approx(
        (np.mean(TESTS["d"]) - 0.1 + 0.09) / 2
    )
    loss = one(one_cell(table, "wine", "d", "validation_loss"), step=20)
    assert loss["mean"] == pytest.approx(2 * (1 - np.mean(TESTS["d"]) - 0.02))
    depth = one(one_cell(table, "wine", "d", "depth"), step=20)
    assert (depth["mean"], depth["low"], depth["high"]) == pytest.approx(interval((1, 2, 3)))
    seconds = one(one_cell(table, "wine", "d", "seconds"), step=20)
    assert (seconds["mean"], seconds["n"]) == (pytest.approx(4.2), 3)


def test_what_no_operation_has_is_left_out(tmp_path: Path) -> None:
    table = generations.analyse(made(tmp_path))
    cell = one_cell(table, "wine", "d", "importance_median")
    assert list(cell["step"]) == [10, 20]
    assert list(cell["mean"]) == pytest.approx([1.5, 1.5])


@pytest.mark.parametrize("name", ["history.csv", "summary.json"])
def test_a_run_without_its_clock_is_refused(tmp_path: Path, name: str) -> None:
    tables = made(tmp_path, datasets=("wine",))
    for path in tmp_path.rglob(name):
        path.unlink()
    for analyse in (generations.analyse, equalled):
        with pytest.raises(UserError, match=f"{name} is missing"):
            analyse(tables)
