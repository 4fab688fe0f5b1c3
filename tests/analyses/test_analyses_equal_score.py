"""When a run reaches the score of another variant, and at what cost."""

import math
from pathlib import Path

import pytest
from made_evolving import (
    RUNS,
    equalled,
    made,
)
from made_tables import one


def test_equal_scores_by_hand(tmp_path: Path) -> None:
    table = equalled(made(tmp_path, datasets=("wine",)))
    assert list(table["target_of"].unique()) == ["a", "b", "c", "boosting"]
    # All but the second member of the population.
    assert set(table["variant"]) == set(RUNS) - {"f"} and len(table) == 4 * 5
    row = one(table, target_of="c", variant="d")
    # The targets are means: 0.82 is reached by all at the last evaluation, half of them never are before.
    assert row["target"] == pytest.approx(0.82)
    assert (row["runs"], row["reached"], row["steps"]) == (3, 3, 20)
    assert row["seconds"] == pytest.approx(4.2)
    assert (row["seconds_low"], row["seconds_high"]) == pytest.approx((4.1, 4.3))
    assert (row["parameters"], row["stored_bytes"]) == (34, 136)
    # Only two of its own seeds are as good as their mean.
    own = one(table, target_of="c", variant="c")
    assert (own["reached"], own["seconds"]) == (2, pytest.approx((4.2 + 4.4) / 2))
    never = one(table, target_of="c", variant="a")
    assert (never["runs"], never["reached"]) == (3, 0)
    assert never[["seconds", "seconds_low", "parameters", "stored_bytes", "steps"]].isna().all()
    assert one(table, target_of="boosting", variant="a")["target"] == pytest.approx(0.65)


def test_the_first_evaluation_counts_with_the_size_of_that_time(tmp_path: Path) -> None:
    def end(dataset: str, variant: str, seed: int, part: str) -> tuple[float, float]:
        del dataset, seed, part
        return {"a": 0.4, "d": 0.8}[variant], 1.0

    runs = {name: RUNS[name] for name in ("a", "d")}
    table = equalled(made(tmp_path, runs, datasets=("wine",), end=end))
    row = one(table, target_of="a", variant="d")
    # Half of 0.8 at step 10, when the graph has two operations; equal is enough.
    assert (row["target"], row["reached"], row["steps"]) == (pytest.approx(0.4), 3, 10)
    assert (row["parameters"], row["stored_bytes"]) == (32, 128)
    assert row["seconds"] == pytest.approx(2.1)
    # The mean of three times 0.8 is reached by 0.8.
    assert one(table, target_of="a", variant="a")["reached"] == 3


def test_a_diverged_run_reaches_what_it_reached_before(tmp_path: Path) -> None:
    def end(dataset: str, variant: str, seed: int, part: str) -> tuple[float, float]:
        del dataset, seed, part
        return {"a": 0.4, "c": 0.9, "d": 0.8}[variant], 1.0

    runs = {name: RUNS[name] for name in ("a", "c", "d")}
    lost = {("wine", "d", 0), *(("wine", "c", seed) for seed in (0, 1, 2))}
    table = equalled(made(tmp_path, runs, datasets=("wine",), end=end, diverged=lost))
    row = one(table, target_of="a", variant="d")
    assert (row["runs"], row["reached"]) == (3, 3)
    # No run of the control finished, so that it sets no target.
    row = one(table, target_of="c", variant="d")
    assert math.isnan(row["target"]) and row["reached"] == 0
