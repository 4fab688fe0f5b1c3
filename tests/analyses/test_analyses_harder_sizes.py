"""Sizes on harder data, on a made study whose sizes are known."""

import numpy as np
import pytest
from made_resizing import ACCURACIES, DATASETS, FAST, METHODS, SIZES, made, paired, with_cell
from made_tables import one

from sidestep import sizing
from sidestep.analyses import harder_sizes
from sidestep.tables import Tables

MOVING = [name for name, method in METHODS.items() if method not in sizing.STILL]


@pytest.fixture(scope="module")
def tables() -> Tables:
    return made()


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


def test_sizes_beside_a_difference_are_of_its_pairs() -> None:
    table = harder_sizes.analyse(made(diverged={("mnist", "soft-low", 1)}, **FAST))
    row = one(table, variant="soft-low")
    harder = SIZES["fashion_mnist"]["soft-low"]
    assert (row["pairs"], row["harder_size"]) == (2, pytest.approx((harder[0] + harder[2]) / 2))
    assert row["harder_size"] - row["easier_size"] == pytest.approx(row["difference"])


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
