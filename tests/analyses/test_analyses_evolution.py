"""What variants of graphs that evolve are, what is held against what, and their final scores."""

import math
from pathlib import Path

import numpy as np
import pytest
from made_evolving import (
    RUNS,
    TESTS,
    contrasted,
    evolving,
    interval,
    made,
    one_cell,
    run,
    spread,
    usual,
)
from made_tables import one

from sidestep import evolution as variants_of
from sidestep import layout
from sidestep.analyses import (
    evolution_contrasts,
    final_scores,
    generations,
)
from sidestep.analyses.shared import evolution, timeline

# Roles


def test_roles_are_told_by_settings() -> None:
    assert {name: variants_of.role(its) for name, its in RUNS.items()} == {
        "a": "linear", "b": "mlp", "c": "never_evolved", "d": "evolved", "e": "judged", "f": "judged",
    }  # fmt: skip
    assert variants_of.role(run({"name": "mlp", "width": 3})) == "other"
    other = {"name": "rounds", "rounds": 2, "edit": {"name": "remove_dead"}}
    assert variants_of.role(run({"name": "mlp", "width": 3}, strategy=other)) == "other"


def test_members_of_a_population_differ_in_their_member_alone(tmp_path: Path) -> None:
    runs = {**RUNS, "again": evolving(), "g": evolving(member=1, judge="validation", adds=2)}
    study = made(tmp_path, runs, datasets=("wine",), seeds=()).study
    groups = [[v.name for v in group] for group in variants_of.populations(study)]
    # The first member comes first, whatever the order, and an equal run is no other member.
    assert groups == [["a"], ["b"], ["c"], ["d"], ["e", "f"], ["g"]]
    assert [v.name for v in variants_of.firsts(study)] == ["a", "b", "c", "d", "e", "g"]
    assert [v.name for v in variants_of.firsts(study, "judged")] == ["e", "g"]


def test_what_is_held_against_what(tmp_path: Path) -> None:
    study = made(tmp_path, datasets=("wine",), seeds=()).study
    pairs = [(variant.name, other) for variant, other in evolution.contrasts(study)]
    assert pairs == [
        *(("d", other) for other in ("c", "b", "a", "boosting")),
        *(("e", other) for other in ("c", "b", "a", "boosting", "d")),
    ]


# Scores


def test_final_scores_by_hand(tmp_path: Path) -> None:
    tables = made(tmp_path)
    table = final_scores.analyse(tables)
    assert len(table) == 3 * len(RUNS) and list(table.columns) == final_scores.COLUMNS
    for dataset, drop, overlap, measure in (
        ("wine", 0.0, 1 / 3, "accuracy"),
        ("breast_cancer", 0.1, 1 / 4, "accuracy"),
        ("diabetes", 0.1, 1 / 4, "r2"),
    ):
        row = one(table, dataset=dataset, variant="d")
        tests = [value - drop for value in TESTS["d"]]
        assert (row["measure"], row["n"], row["diverged"]) == (measure, 3, 0)
        assert spread(row, "test") == pytest.approx(interval(tests, overlap))
        # The gap is 0.08, 0.09, 0.10, and the loss twice what is missing to 1.
        assert spread(row, "gap") == pytest.approx(interval((0.08, 0.09, 0.10), overlap))
        assert row["train"] == pytest.approx(np.mean(tests) + 0.09)
        assert spread(row, "loss") == pytest.approx(
            interval([2 * (1 - test) for test in tests], overlap)
        )
        assert row["loss_gap"] == pytest.approx(0.18)
    row = one(table, dataset="wine", variant="d")
    assert (row["parameters"], row["stored_bytes"], row["peak_memory_bytes"]) == (40, 401, 7000)
    assert (row["operations"], row["depth"], row["mult_adds"]) == (4, 2, 39)
    assert (row["seconds_1"], row["seconds_256"]) == pytest.approx((6e-5, 6e-4))
    # Seconds do not overlap.
    assert spread(row, "seconds_train") == pytest.approx(interval((10, 11, 12)))
    assert math.isnan(one(table, dataset="wine", variant="a")["operations"])


def test_without_splits_of_their_own_intervals_are_plain_and_data_are_not_read(
    tmp_path: Path,
) -> None:
    runs = {name: {**its, "resample": False} for name, its in RUNS.items()}
    tables = made(tmp_path, runs)
    for name in tables.study.datasets:
        layout.data(name, tmp_path).unlink()
    row = one(final_scores.analyse(tables), dataset="wine", variant="d")
    assert spread(row, "test") == pytest.approx(interval(TESTS["d"]))
    apart = one(contrasted(tables), dataset="wine", variant="d", other="c")
    wanted = (apart["plain_low"], apart["plain_high"])
    assert (apart["low"], apart["high"]) == pytest.approx(wanted)


def test_a_diverged_run_is_counted_and_left_out(tmp_path: Path) -> None:
    lost = {("wine", "d", 1), ("diabetes", "d", 0), ("diabetes", "d", 1), ("diabetes", "d", 2)}
    tables = made(tmp_path, diverged=lost)
    table = final_scores.analyse(tables)
    row = one(table, dataset="wine", variant="d")
    assert (row["n"], row["diverged"], row["stored_bytes"]) == (2, 1, 401)
    assert row["test"] == pytest.approx((TESTS["d"][0] + TESTS["d"][2]) / 2)
    none = one(table, dataset="diabetes", variant="d")
    assert (none["n"], none["diverged"]) == (0, 3)
    assert none[["test", "gap", "loss", "parameters", "operations", "seconds_1"]].isna().all()
    apart = contrasted(tables)
    assert one(apart, dataset="wine", variant="d", other="c")["n"] == 2
    row = one(apart, dataset="diabetes", variant="d", other="c")
    assert (row["n"], row["separates"]) == (0, 0) and math.isnan(row["difference"])
    grown = generations.analyse(tables)
    assert set(one_cell(grown, "wine", "d", "test")["n"]) == {2}
    assert grown[(grown["dataset"] == "diabetes") & (grown["variant"] == "d")].empty


def test_numbers_have_no_accuracy(tmp_path: Path) -> None:
    curves = timeline.history(made(tmp_path))
    found = curves.groupby("dataset")["quantity"].unique().map(sorted).to_dict()
    assert found == {
        "wine": ["accuracy", "loss"],
        "breast_cancer": ["accuracy", "loss"],
        "diabetes": ["loss", "r2"],
    }
    assert curves["value"].notna().all()


# Contrasts


def test_contrasts_by_hand(tmp_path: Path) -> None:
    table = contrasted(made(tmp_path))
    assert len(table) == 4 * 9
    assert list(table["dataset"].unique()) == ["wine", "breast_cancer", "diabetes", "all classes"]
    row = one(table, dataset="wine", variant="e", other="c")
    apart = [0.08, 0.08, 0.08]
    assert (row["measure"], row["n"]) == ("accuracy", 3)
    assert (row["difference"], row["low"], row["high"]) == pytest.approx(interval(apart, 1 / 3))
    row = one(table, dataset="wine", variant="d", other="c")
    apart = [0.05, -0.01, 0.08]
    assert (row["difference"], row["low"], row["high"]) == pytest.approx(interval(apart, 1 / 3))
    plain = interval(apart)
    assert (row["plain_low"], row["plain_high"]) == pytest.approx(plain[1:])
    assert row["separates"] == 0 and row["low"] < plain[1]
    found = [row["loss_difference"], row["loss_low"], row["loss_high"]]
    assert found == pytest.approx(interval([-2 * each for each in apart], 1 / 3))
    row = one(table, dataset="diabetes", variant="d", other="boosting")
    apart = [0.75 - 0.6, 0.73 - 0.65, 0.8 - 0.7]
    assert (row["difference"], row["low"], row["high"]) == pytest.approx(interval(apart, 1 / 4))
    losses = [0.5 - 0.5, 0.54 - 1.5, 0.4 - 2.5]
    found = [row["loss_difference"], row["loss_low"], row["loss_high"]]
    assert found == pytest.approx(interval(losses, 1 / 4))
    assert row["measure"] == "r2"


def test_all_classes_are_the_mean_over_data_sets_with_the_largest_overlap(tmp_path: Path) -> None:
    def end(dataset: str, variant: str, seed: int, part: str) -> tuple[float, float]:
        score, loss = usual(dataset, variant, seed, part)
        # Evolution gains on one of the data sets only.
        return score + (0.06 + 0.02 * seed) * (dataset == "breast_cancer" and variant == "d"), loss

    table = contrasted(made(tmp_path, end=end))
    row = one(table, dataset="all classes", variant="d", other="c")
    apart = [0.05 + 0.03, -0.01 + 0.04, 0.08 + 0.05]
    found = (row["difference"], row["low"], row["high"])
    assert found == pytest.approx(interval(apart, 1 / 3))
    assert (row["plain_low"], row["plain_high"]) == pytest.approx(interval(apart)[1:])
    assert (row["n"], row["measure"]) == (3, "accuracy")


def test_a_seed_that_one_data_set_lacks_is_left_out_of_the_mean(tmp_path: Path) -> None:
    table = contrasted(made(tmp_path, diverged={("wine", "c", 0)}))
    assert one(table, dataset="all classes", variant="d", other="c")["n"] == 2
    assert one(table, dataset="all classes", variant="d", other="b")["n"] == 3


def test_a_correction_can_take_a_verdict_back(tmp_path: Path) -> None:
    differences = (0.03, 0.05, 0.07)

    def end(dataset: str, variant: str, seed: int, part: str) -> tuple[float, float]:
        del dataset, part
        return 0.5 + (differences[seed] if variant == "d" else 0.0), 1.0

    row = one(contrasted(made(tmp_path, end=end)), dataset="wine", variant="d", other="c")
    assert row["plain_low"] > 0 > row["low"] and row["separates"] == 0


def test_one_data_set_and_one_seed(tmp_path: Path) -> None:
    tables = made(tmp_path, datasets=("diabetes",), seeds=(1,))
    table = contrasted(tables)
    assert set(table["dataset"]) == {"diabetes"} and set(table["n"]) == {1}
    assert table[["low", "high", "plain_low", "loss_low"]].isna().all(axis=None)
    assert set(table["separates"]) == {0} and table["difference"].notna().all()
    row = one(final_scores.analyse(tables), variant="d")
    assert math.isnan(row["test_low"]) and row["test"] == pytest.approx(0.73)
    both = contrasted(made(tmp_path / "other", datasets=("wine", "diabetes"), seeds=(1,)))
    assert "all classes" not in set(both["dataset"])


def test_without_a_control_or_evolution(tmp_path: Path) -> None:
    few = {name: RUNS[name] for name in ("a", "d")}
    table = contrasted(made(tmp_path / "few", few, datasets=("wine",)))
    assert list(table["other"]) == ["a", "boosting"]
    still = {name: RUNS[name] for name in ("a", "b", "c")}
    tables = made(tmp_path / "still", still, datasets=("wine",))
    table = evolution_contrasts.analyse(tables)
    assert table.empty and list(table.columns) == evolution_contrasts.COLUMNS
