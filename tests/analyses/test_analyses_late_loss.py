"""Losses late in training under several update rules, on a small made study of layers that size themselves."""

import math

import numpy as np
import pandas as pd
import pytest
from made_resizing import run
from made_resizing_more import CALM, NOISY, RUNS, study, with_losses

from sidestep.analyses import late_loss

NAN = math.nan
JUMPED = (4, 7, 8)


def late(*, diverged: bool = False) -> pd.DataFrame:
    runs = {name: RUNS[name] for name in ("plain-large", "plain-max", "plain-small")}
    runs["plain-undecayed"] = run(50, decay=0.0)
    sizes = {"plain-undecayed": (50, 50, 50)}
    accuracies = {"plain-undecayed": (0.9, 0.9, 0.9)}
    lost = [("mnist", "plain-large", 2)] if diverged else []
    losses = {
        ("plain-large", 0): NOISY,
        ("plain-large", 1): CALM,
        ("plain-large", 2): (*CALM[:4], NAN) if diverged else CALM,
    }
    return late_loss.analyse(with_losses(study(runs, sizes, accuracies, diverged=lost), losses))


def test_late_losses_over_seeds() -> None:
    table = late()
    # One network of another width is not compared, and one of another decay belongs to the group.
    names = {"plain-large": "adam", "plain-max": "adamax", "plain-undecayed": "adam"}
    assert list(table["variant"].unique()) == list(names)
    for name, rule in names.items():
        assert set(table[table["variant"] == name]["optimiser"].str.split(" ").str[0]) == {rule}
    assert table["optimiser"].nunique() == 3
    its = table[(table["dataset"] == "mnist") & (table["variant"] == "plain-large")]
    assert list(its["epoch"]) == [0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5, 4]
    assert list(its["least"]) == pytest.approx(np.minimum(NOISY, CALM))
    assert list(its["median"]) == pytest.approx(CALM)
    assert list(its["most"]) == pytest.approx(np.maximum(NOISY, CALM))
    assert list(its["jumps"]) == [int(place in JUMPED) for place in range(9)]
    assert set(its["n"]) == {3}


def test_late_losses_of_runs_that_stop() -> None:
    table = late(diverged=True)
    its = table[(table["dataset"] == "mnist") & (table["variant"] == "plain-large")]
    assert list(its["n"]) == [3, 3, 3, 3, 2, 2, 2, 2, 2]
    assert list(its["jumps"]) == [0, 0, 0, 0, 2, 0, 0, 1, 1]
    assert list(its["epoch"])[-1] == 4
    assert list(its["most"])[4] == 0.4


def test_optimisers_are_compared_only_if_two_rules_are() -> None:
    two = {"plain-large": run(50), "plain-light": run(50, decay=0.0)}
    values = dict.fromkeys(two, (0.9, 0.8))
    assert late_loss.analyse(study(two, dict.fromkeys(two, (50, 50)), values)).empty
