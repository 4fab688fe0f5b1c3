"""Several members of a variant together."""

import itertools
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_evolving import RUNS, TESTS, Array, evolving, interval, made, spread
from made_tables import one

from made_files import save as save_file
from sidestep import layout
from sidestep.analyses import (
    population,
)
from sidestep.tables import Tables

OF_CLASSES = {
    # Of three rows of classes 0, 1, 2 each member has one wrong; two together have none wrong.
    "d0": ([[2, 0, 0], [0, 2, 0], [0, 1, 0.5]], 0.3),
    "d1": ([[2, 0, 0], [1, 0.5, 0], [0, 0, 2]], 0.1),
    "d2": ([[0.5, 1, 0], [0, 2, 0], [0, 0, 2]], 0.2),
}


def with_members(root: Path, dataset: str, outputs: dict[str, Any], **changes: Any) -> Tables:
    """A study of members with outputs of the test part, labels 0, 1, 2, and their validation losses."""
    runs = {name: evolving(member=member) for member, name in enumerate(outputs)}
    labels = np.arange(3) if dataset == "wine" else np.arange(3, dtype=np.float32)[:, None]

    def end(_: str, variant: str, seed: int, part: str) -> tuple[float, float]:
        said, loss = np.array(outputs[variant][0], np.float64), outputs[variant][1]
        score = (said.argmax(1) == labels).mean() if dataset == "wine" else explained(said)
        return float(score), loss + (0 if part == "validation" else 1) + 0.1 * seed

    seeds = changes.pop("seeds", (0, 1))
    tables = made(root, runs, datasets=(dataset,), seeds=seeds, end=end, **changes)
    for name, seed in itertools.product(outputs, seeds):
        said = np.array(outputs[name][0], np.float32)
        path = layout.run("evolution", dataset, name, seed, root) / "outputs.safetensors"
        save_file({"test_outputs": said, "test_labels": labels}, path)
    return tables


def explained(said: Array) -> float:
    """R² of numbers 0, 1, 2, whose squares about their mean add up to 2."""
    return 1 - float(np.square(said[:, 0] - np.arange(3)).sum()) / 2


def test_a_population_of_classifiers_by_hand(tmp_path: Path) -> None:
    table = population.analyse(with_members(tmp_path, "wine", OF_CLASSES))
    assert list(table["members"]) == [1, 2, 3] and set(table["variant"]) == {"d0"}
    assert set(table["measure"]) == {"accuracy"} and set(table["n"]) == {2}
    assert list(table["single"]) == pytest.approx([2 / 3] * 3)
    # All are equally good, whichever the validation part chooses.
    assert list(table["chosen"]) == pytest.approx([2 / 3] * 3)
    assert list(table["ensemble"]) == pytest.approx([2 / 3, 1, 1])
    assert list(table["gain_ensemble"]) == pytest.approx([0, 1 / 3, 1 / 3])
    assert table.loc[0, "gain_ensemble"] == 0 and table.loc[0, "gain_chosen"] == 0
    # Seeds are alike, so that intervals have no width.
    assert list(table["ensemble_low"]) == pytest.approx(list(table["ensemble_high"]))


def test_probabilities_are_averaged_and_not_logits() -> None:
    # Two members are sure of class 1 to 0.8, one of class 0 by a logit that outweighs both.
    much = math.log(0.8 / 0.1)
    parts = [
        (np.array([logits]), np.array([1])) for logits in ([0, much, 0], [0, much, 0], [9, 0, 0])
    ]
    # Shares of class 1: (0.8 + 0.8 + 0) / 3; of class 0: (0.1 + 0.1 + 1) / 3.
    assert population.ensemble(parts, (0, 1, 2), "accuracy") == 1
    assert population.ensemble(parts, (0, 2), "accuracy") == 0
    assert np.mean([logits for logits, _ in parts], axis=0).argmax() == 0


def test_the_member_of_the_least_validation_loss_is_chosen(tmp_path: Path) -> None:
    outputs = {
        "m0": ([[1, 0, 0], [0, 1, 0], [0, 0, 1]], 0.3),
        "m1": ([[1, 0, 0], [0, 1, 0], [1, 0, 0]], 0.1),
        "m2": ([[1, 0, 0], [1, 0, 0], [1, 0, 0]], 0.2),
    }
    table = population.analyse(with_members(tmp_path, "wine", outputs))
    assert list(table["single"]) == pytest.approx([2 / 3] * 3)
    # Of pairs: m1 against m0, m2 against m0, m1 against m2; of all three m1.
    assert list(table["chosen"]) == pytest.approx([2 / 3, (2 / 3 + 1 / 3 + 2 / 3) / 3, 2 / 3])
    assert table.loc[1, "gain_chosen"] == pytest.approx(-1 / 9)


def test_a_population_of_regressions_by_hand(tmp_path: Path) -> None:
    # Errors of 0.2 and −0.2 cancel; those of 0.4 and 0.2 are 0.3 on average.
    outputs = {
        "m0": ([[0.2], [1.2], [2.2]], 0.1),
        "m1": ([[-0.2], [0.8], [1.8]], 0.2),
        "m2": ([[0.4], [1.4], [2.4]], 0.3),
    }
    table = population.analyse(with_members(tmp_path, "diabetes", outputs))

    def of(error: float) -> float:
        return 1 - 3 * error**2 / 2

    assert set(table["measure"]) == {"r2"}
    single = (of(0.2) + of(0.2) + of(0.4)) / 3
    assert list(table["single"]) == pytest.approx([single] * 3)
    pairs = (of(0.0) + of(0.3) + of(0.1)) / 3
    assert list(table["ensemble"]) == pytest.approx([single, pairs, of(0.4 / 3)])
    assert list(table["chosen"]) == pytest.approx([single, of(0.2), of(0.2)])


def test_bounds_of_a_population_are_corrected(tmp_path: Path) -> None:
    members = {name: its for name, its in RUNS.items() if name in "ef"}
    members = {name: {**its, "outputs": []} for name, its in members.items()}
    table = population.analyse(made(tmp_path, members, datasets=("wine",)))
    row = one(table, members=2)
    means = [(a + b) / 2 for a, b in zip(TESTS["e"], TESTS["f"], strict=True)]
    assert spread(row, "single") == pytest.approx(interval(means, 1 / 3))
    # The one of the higher score has the lower loss.
    best = [max(pair) for pair in zip(TESTS["e"], TESTS["f"], strict=True)]
    assert spread(row, "chosen") == pytest.approx(interval(best, 1 / 3))
    gains = [a - b for a, b in zip(best, means, strict=True)]
    assert spread(row, "gain_chosen") == pytest.approx(interval(gains, 1 / 3))
    # No outputs were kept.
    assert math.isnan(row["ensemble"]) and math.isnan(row["gain_ensemble"])


def test_without_a_validation_part_nobody_is_chosen(tmp_path: Path) -> None:
    tables = with_members(tmp_path, "wine", OF_CLASSES)
    tables.main.drop(tables.main[tables.main["images"] == "validation"].index, inplace=True)
    table = population.analyse(tables)
    assert table["chosen"].isna().all() and table["gain_chosen"].isna().all()
    assert table["ensemble"].notna().all()


def test_a_seed_needs_all_members(tmp_path: Path) -> None:
    tables = with_members(tmp_path, "wine", OF_CLASSES, diverged={("wine", "d1", 1)})
    table = population.analyse(tables)
    assert set(table["n"]) == {1} and table["ensemble_low"].isna().all()
    assert list(table["ensemble"]) == pytest.approx([2 / 3, 1, 1])
    lost = {("wine", "d1", seed) for seed in (0, 1)}
    table = population.analyse(with_members(tmp_path / "lost", "wine", OF_CLASSES, diverged=lost))
    assert set(table["n"]) == {0} and table[["single", "chosen", "ensemble"]].isna().all(axis=None)


def test_one_member_is_no_population(tmp_path: Path) -> None:
    few = {name: its for name, its in RUNS.items() if name != "f"}
    table = population.analyse(made(tmp_path, few))
    assert table.empty and list(table.columns) == population.COLUMNS
