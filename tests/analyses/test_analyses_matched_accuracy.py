"""Layers that size themselves against static ones, on a made study whose accuracies are known."""

import numpy as np
import pytest
from made_resizing import ACCURACIES, FAST, METHODS, RUNS, SIZES, made, paired, with_cell
from made_tables import one

from sidestep.analyses import matched_accuracy
from sidestep.tables import Tables


@pytest.fixture(scope="module")
def tables() -> Tables:
    return made()


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
