"""What a final size keeps of the start, on a made study whose sizes are known."""

import made_resizing as study_of
import numpy as np
import pytest
from made_resizing import ACCURACIES, DATASETS, FAST, RUNS, SIZES, made, paired
from made_tables import one

from sidestep.analyses import start_dependence
from sidestep.tables import Tables


@pytest.fixture(scope="module")
def tables() -> Tables:
    return made()


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
