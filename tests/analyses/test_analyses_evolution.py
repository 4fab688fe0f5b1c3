"""Analyses of graphs that evolve, on a small made study whose numbers are worked out by hand."""

import csv
import inspect
import itertools
import math
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
import torch
from made_tables import one
from scipy.special import stdtrit

from made_files import save as save_file
from made_files import seal_run
from sidestep import evolution as variants_of
from sidestep import layout
from sidestep.analyses import (
    boosting,
    equal_score,
    evolution_contrasts,
    final_graphs,
    final_scores,
    generations,
    population,
)
from sidestep.analyses.shared import evolution, timeline
from sidestep.contract import Model
from sidestep.data.load import load, split
from sidestep.data.prepare import prepare
from sidestep.datasets import cifar10, diabetes, digits, mnist_components, wine
from sidestep.errors import UserError
from sidestep.graphs.evaluate import Stored, evaluate, schedule
from sidestep.graphs.graph import Column, Constant, Graph, Op
from sidestep.graphs.layer import EPS, encoded
from sidestep.networks import evolving as evolving_network
from sidestep.strategies import rounds
from sidestep.study import Study, Variant, split_settings
from sidestep.tables import Tables
from sidestep.training.loop import phase_ends

NAN = math.nan
Array = npt.NDArray[Any]
Run = dict[str, Any]
#: (data set, variant, seed, split) → score and loss at the end.
End = Callable[[str, str, int, str], tuple[float, float]]

STEPS = (0, 10, 20)
SPLITS = ("train", "validation", "test")
# Rows for training and for testing: overlaps of 1/3 and 1/4.
SIZES = {"wine": (90, 30), "breast_cancer": (80, 20), "diabetes": (100, 25)}
COLUMNS = ["study", "dataset", "variant", "seed", "epoch", "images", "metric", "component", "value"]
MODULES = (
    *(final_scores, evolution_contrasts, boosting, generations, final_graphs, equal_score),
    population,
)


def run(network: Mapping[str, Any], **changes: Any) -> Run:
    """A resolved run."""
    return {
        "network": dict(network),
        "gates": {},
        "resample": True,
        "subset": None,
        "member": 0,
        "strategy": {"name": "end_to_end"},
        "optimiser": {"name": "adam", "lr": 0.01},
        "schedule": {"name": "constant"},
        "batch_size": 16,
        "epochs": 2,
        "records": [2],
        "train_images": None,
        "validation": 0.2,
        "evaluate": list(SPLITS),
        "evaluation_images": None,
        "outputs": ["test"],
        "probes": [{"name": "graph"}, {"name": "inference"}],
        "normalisation": "unit",
        "augmentations": [],
        "precision": "float32",
        "teacher": None,
        "substituted_decay": "full",
        **changes,
    }


def evolving(member: int = 0, **edit: Any) -> Run:
    """A graph that evolves in four rounds and settles for a fifth of the steps."""
    rule = {"name": "evolve", **edit}
    strategy = {"name": "rounds", "rounds": 4, "settle": 0.2, "edit": rule}
    return run({"name": "evolving"}, strategy=strategy, member=member)


# Names say nothing.
RUNS: dict[str, Run] = {
    "a": run({"name": "linear"}),
    "b": run({"name": "equal_mlp", "operations": 6}),
    "c": run({"name": "evolving", "size": 6}),
    "d": evolving(),
    "f": evolving(member=1, judge="validation"),
    "e": evolving(judge="validation"),
}
TESTS = {
    "a": (0.70, 0.72, 0.77),
    "b": (0.80, 0.81, 0.79),
    "c": (0.80, 0.84, 0.82),
    "d": (0.85, 0.83, 0.90),
    "e": (0.88, 0.92, 0.90),
    "f": (0.90, 0.89, 0.91),
}
OPERATIONS = {"c": 6, "d": 4, "e": 5, "f": 5}


def usual(dataset: str, variant: str, seed: int, part: str) -> tuple[float, float]:
    """Score and loss at the end."""
    above = {"train": 0.08 + 0.01 * seed, "validation": 0.02, "test": 0.0}[part]
    score = TESTS[variant][seed] + above - {"wine": 0.0}.get(dataset, 0.1)
    return score, 2 * (1 - score)


def made(
    root: Path,
    runs: Mapping[str, Run] = RUNS,
    *,
    datasets: tuple[str, ...] = ("wine", "breast_cancer", "diabetes"),
    seeds: tuple[int, ...] = (0, 1, 2),
    diverged: Collection[tuple[str, str, int]] = (),
    end: End = usual,
) -> Tables:
    """A study; scores rise from 0 to half in the first epoch, and to the end in the second."""
    study = Study(
        name="evolution", title="made", datasets=datasets, seeds=seeds,
        variants=tuple(Variant(name, {}, its) for name, its in runs.items()),
        baseline=next(iter(runs)), timing_datasets=(), timing_steps=1, metrics=(),
        group_metrics=(), figures=(), analyses=({"name": "boosting"},),
    )  # fmt: skip
    rows: list[tuple[Any, ...]] = []
    for dataset in datasets:
        data(root, dataset)
        for name, seed in itertools.product(runs, seeds):
            lost = (dataset, name, seed) in diverged
            of = ("evolution", dataset, name, str(seed))
            rows += [(*of, *row) for row in _rows(dataset, name, seed, runs[name], end, lost=lost)]
            folder = layout.run("evolution", dataset, name, seed, root)
            folder.mkdir(parents=True)
            with (folder / "history.csv").open("w", newline="", encoding="utf-8") as file:
                writer = csv.writer(file)
                writer.writerow(("step", "epoch", "seconds", "split", "loss", "accuracy", "r2"))
                for step, part in itertools.product(STEPS[: 2 if lost else 3], SPLITS):
                    writer.writerow((step, step // 10, clock(name, seed, step), part, 0, 0, ""))
            seal_run(folder)
    return Tables(study, root, _read={"": pd.DataFrame(rows, columns=COLUMNS)})


def clock(variant: str, seed: int, step: int) -> float:
    """Seconds of training."""
    return step * (0.1 + 0.01 * seed + 0.1 * (variant in OPERATIONS))


def _rows(dataset: str, name: str, seed: int, its: Run, end: End, *, lost: bool) -> Any:
    for step in STEPS[: 2 if lost else 3]:
        epoch, share = step // 10, step / 20
        for part in SPLITS:
            score, loss = end(dataset, name, seed, part)
            yield epoch, part, "history_loss", step, NAN if lost and step else loss
            number = dataset == "diabetes"
            yield epoch, part, "history_accuracy", step, NAN if number else score * share
            if number:
                yield epoch, part, "history_r2", step, score * share
        graph = its["network"]["name"] == "evolving"
        # Only what evolves grows.
        count = round(OPERATIONS.get(name, 0) * (1 if name == "c" else share))
        first = {"linear": "output", "equal_mlp": "hidden"}.get(its["network"]["name"], "graph")
        yield epoch, "", f"probe_parameters.{first}", step, 30.0 + count
        yield epoch, "", "probe_seconds_1.output", step, 1e-5 * (1 + seed + count)
        yield epoch, "", "probe_seconds_256.output", step, 1e-4 * (1 + seed + count)
        if graph:
            yield epoch, "", "probe_operations.graph", step, float(count)
            yield epoch, "", "probe_depth.graph", step, float(seed + 1)
            yield epoch, "", "probe_importance_median.graph", step, 0.5 + seed if count else NAN
    for metric, value in (
        ("parameters", 40), ("stored_bytes", 400 + seed), ("peak_memory_bytes", 7000),
        ("mult_adds_forward_per_image", 39), ("seconds_train", 10 + seed),
    ):  # fmt: skip
        yield 2, "", metric, NAN, float(value)


def data(root: Path, name: str) -> Path:
    """A small file in the shape of a data set; the first column tells the answer."""
    path = layout.data(name, root)
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(7)
    features = {"wine": 13, "breast_cancer": 30, "diabetes": 10}[name]
    arrays: dict[str, Array] = {}
    for part, count in zip(("train", "test"), SIZES[name], strict=True):
        values = noise.normal(5, 2, (count, features, 1, 1)).astype(np.float32)
        latent = values[:, 0, 0, 0] - 5 + noise.normal(0, 0.5, count)
        arrays[f"{part}_images"] = values
        arrays[f"{part}_labels"] = (
            (20 * latent + 100).astype(np.float32)
            if name == "diabetes"
            else np.digitize(latent, [-1, 1] if name == "wine" else [0]).astype(np.uint8)
        )
    save_file(arrays, path)
    return path


def interval(values: Collection[float], overlap: float = 0.0) -> tuple[float, float, float]:
    """Mean and bounds, by the formula."""
    array = np.array(list(values))
    half = stdtrit(len(array) - 1, 0.975) * array.std(ddof=1) * math.sqrt(1 / len(array) + overlap)
    return array.mean(), array.mean() - half, array.mean() + half


def fits(datasets: Collection[str], seeds: Collection[int] = (0, 1, 2)) -> pd.DataFrame:
    """A table of boosting: test scores of 0.6 and a little, that rise with the seed."""
    rows = [
        {
            "study": "evolution", "dataset": dataset, "method": method, "seed": seed,
            "test": 0.6 + 0.05 * seed + (method == "exact_linear"), "train": 1.0, "loss": 0.5 + seed,
        }
        for dataset, method, seed in itertools.product(datasets, ("boosting", "exact_linear"), seeds)
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=boosting.COLUMNS)


def contrasted(tables: Tables) -> pd.DataFrame:
    tables._read["boosting"] = fits(tables.study.datasets, tables.study.seeds)
    return evolution_contrasts.analyse(tables)


def equalled(tables: Tables) -> pd.DataFrame:
    tables._read["boosting"] = fits(tables.study.datasets, tables.study.seeds)
    return equal_score.analyse(tables)


def spread(row: Any, name: str) -> list[float]:
    return [row[name], row[f"{name}_low"], row[f"{name}_high"]]


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


# Boosting


def test_exact_linear_is_least_squares_on_the_splits_of_the_runs(tmp_path: Path) -> None:
    tables = made(
        tmp_path, {"a": RUNS["a"]}, datasets=("diabetes",), seeds=(3,), end=lambda *_: (0, 0)
    )
    table = boosting.analyse(tables, repeats=1)
    assert list(table["method"]) == ["boosting", "exact_linear"]
    row = one(table, method="exact_linear")
    parts = split(load(tables.data("diabetes")), 0.2, resample=3)
    assert {name: len(part) for name, part in parts.items()} == {
        "train": 80, "validation": 20, "test": 25,
    }  # fmt: skip
    rows, labels = {}, {}
    for name, (inputs, target) in prepare(parts, diabetes.DATASET).items():
        rows[name] = np.c_[inputs.flatten(1).double().numpy(), np.ones(len(inputs))]
        labels[name] = target[:, 0].double().numpy()
    weights = np.linalg.lstsq(rows["train"], labels["train"])[0]
    for name in ("train", "test"):
        squares = np.square(rows[name] @ weights - labels[name])
        explained = 1 - squares.sum() / np.square(labels[name] - labels[name].mean()).sum()
        assert row[name] == pytest.approx(explained, rel=1e-4)
    assert row["loss"] == pytest.approx(squares.mean(), rel=1e-4)
    # The training target has a variance of 1, so that the loss there is what is not explained.
    assert labels["train"].var() == pytest.approx(1, rel=1e-5)
    assert row["measure"] == "r2" and math.isnan(row["nodes"]) and row["stored_bytes"] > 0


def test_boosting_is_scikit_learns_with_defaults(tmp_path: Path) -> None:
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.metrics import log_loss

    tables = made(tmp_path, {"c": RUNS["c"]}, datasets=("wine",), seeds=(1, 2))
    table = boosting.analyse(tables, repeats=1)
    row = one(table, method="boosting", seed=2)
    settings = split_settings(tables.study.run("wine", "c", 2))
    parts = prepare(split(load(tables.data("wine")), **settings), wine.DATASET)
    (x, y), (test, classes) = (
        (inputs.flatten(1).numpy(), labels.numpy())
        for inputs, labels in (parts["train"], parts["test"])
    )
    model = HistGradientBoostingClassifier(random_state=0).fit(x, y)
    assert len(x) == 72 and row["measure"] == "accuracy"
    assert row["test"] == (model.predict(test) == classes).mean()
    assert row["train"] == (model.predict(x) == y).mean()
    assert row["loss"] == pytest.approx(log_loss(classes, model.predict_proba(test)))
    # A binary tree of L leaves has 2 L − 1 nodes; there is one a class and iteration.
    leaves = sum(tree.get_n_leaf_nodes() for trees in model._predictors for tree in trees)
    assert row["nodes"] == 2 * leaves - 3 * model.n_iter_
    again = boosting.analyse(tables, repeats=1)
    timed = ["seconds_fit", "seconds_1", "seconds_256"]
    pd.testing.assert_frame_equal(again.drop(columns=timed), table.drop(columns=timed))
    assert (table[timed] > 0).all(axis=None)


def test_boosting_is_scored_on_as_many_rows_as_the_runs() -> None:
    noise = np.random.default_rng(0)
    rows, labels = noise.normal(size=(60, 2)), noise.integers(2, size=60)
    parts = {"train": boosting.Part(rows, labels), "test": boosting.Part(rows[::-1], labels[::-1])}
    make = boosting._models(True, 0, 5)["boosting"]
    model = make().fit(rows, labels)
    for shown in (None, 7):
        found = boosting.fit(make, parts, 1, shown)
        assert found["train"] == pytest.approx(model.score(rows[:shown], labels[:shown]))
        test = parts["test"]
        assert found["test"] == pytest.approx(model.score(test.inputs[:shown], test.labels[:shown]))


def test_boosting_learns_from_the_training_rows_alone(tmp_path: Path) -> None:
    tables = made(tmp_path, {"c": RUNS["c"]}, datasets=("wine",), seeds=(1,))
    before = boosting.analyse(tables, repeats=1)
    arrays = {"labels": load(tables.data("wine"))}["labels"]
    parts = split(arrays, 0.2, resample=1)
    kept = {tuple(row.flatten().tolist()) for row in parts["train"].images}
    tested = {tuple(row.flatten().tolist()) for row in parts["test"].images}
    changed = {}
    for part, its in arrays.items():
        where = [tuple(row.flatten().tolist()) for row in its.images]
        # Those of the validation part get another class.
        other = torch.tensor([row not in kept and row not in tested for row in where])
        labels = torch.where(other, (its.labels + 1) % 3, its.labels)
        changed |= {
            f"{part}_images": its.images.numpy(),
            f"{part}_labels": labels.to(torch.uint8).numpy(),
        }
    save_file(changed, tables.data("wine"))
    after = boosting.analyse(tables, repeats=1)
    same = ["method", "train", "test", "loss", "nodes"]
    pd.testing.assert_frame_equal(before[same], after[same])


class Said:
    """A model that says what it is told."""

    def __init__(self, classes: list[int], shares: list[list[float]]) -> None:
        self.classes_, self.shares = np.array(classes), np.array(shares)

    def predict_proba(self, _: Array) -> Array:
        return self.shares


def test_a_class_that_was_never_seen_has_the_least_probability() -> None:
    part = boosting.Part(np.zeros((3, 1)), np.array([0, 2, 3]))
    model = Said([0, 2], [[0.5, 0.5], [0.75, 0.25], [0.1, 0.9]])
    least = np.finfo(np.float64).eps
    wanted = -(math.log(0.5) + math.log(0.25) + math.log(least)) / 3
    assert boosting._cross_entropy(model, part) == pytest.approx(wanted)


def test_a_missing_data_set_is_told(tmp_path: Path) -> None:
    tables = made(tmp_path, {"c": RUNS["c"]}, datasets=("wine",), seeds=(1,))
    tables.data("wine").unlink()
    for analysis in (boosting, final_scores, population):
        with pytest.raises(UserError, match="wine"):
            analysis.analyse(tables)


# Generations


def one_cell(table: pd.DataFrame, dataset: str, variant: str, quantity: str) -> pd.DataFrame:
    chosen = (table["dataset"] == dataset) & (table["variant"] == variant)
    return table[chosen & (table["quantity"] == quantity)]


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


# Graphs

GRAPH = Graph(
    10,
    (
        Op("multiply", (Column(0), Column(9))),
        Op("add", (Column(10), Constant(0))),
        Op("sine", (Column(11),)),
        Op("multiply", (Constant(1), Column(2))),
        Op("gated_product", (Column(0), Column(13))),
    ),
)
CONSTANTS = [0.25, -2.0]
MEANS, DEVIATIONS = [0.5, 0.0, -0.25, 0.0, 0.125], [2.0, 1.0, 0.5, 1.0, 4.0]


def network(graph: Graph = GRAPH, outputs: int = 1, **changes: Any) -> dict[str, Array]:
    """A network's weights by name."""
    noise = np.random.default_rng(3)
    found: dict[str, Any] = {
        **{f"graph.layer.{name}": tensor.numpy() for name, tensor in encoded(graph).items()},
        "graph.layer.constants": np.array(CONSTANTS, np.float32),
        "graph.layer.running_mean": np.array(MEANS, np.float32),
        "graph.layer.running_var": (np.array(DEVIATIONS) ** 2 - EPS).astype(np.float32),
        "graph.layer.seen": np.ones(len(graph.ops), np.float32),
        "output.linear.weight": noise.normal(size=(outputs, graph.columns)).astype(np.float32),
        "output.linear.bias": np.zeros(outputs, np.float32),
    }
    return found | changes


def with_graphs(root: Path, dataset: str = "diabetes", **changes: Any) -> Tables:
    """A study of a linear network, whose file is missing, and two graphs."""
    runs = {name: RUNS[name] for name in ("a", "c", "d")}
    tables = made(root, runs, datasets=(dataset,), diverged={(dataset, "d", 1)}, **changes)
    outputs = {"diabetes": 1, "wine": 3}[dataset]
    inputs = {"diabetes": 10, "wine": 13}[dataset]
    ops = tuple(
        Op(op.kind, tuple(
            Column(o.index + inputs - 10) if isinstance(o, Column) and o.index >= 10 else o
            for o in op.operands
        ))
        for op in GRAPH.ops
    )  # fmt: skip
    for name, seed in itertools.product(("c", "d"), tables.study.seeds):
        if (name, seed) != ("d", 1):
            folder = layout.run("evolution", dataset, name, seed, root)
            save_file(network(Graph(inputs, ops), outputs), folder / "model.safetensors")
    return tables


def test_final_graphs_by_hand(tmp_path: Path) -> None:
    table = final_graphs.analyse(with_graphs(tmp_path))
    runs = table[["variant", "seed"]].drop_duplicates().itertuples(index=False)
    # What has no graph and what diverged have none.
    assert [tuple(each) for each in runs] == [("c", 0), ("c", 1), ("c", 2), ("d", 0), ("d", 2)]
    its = table[(table["variant"] == "d") & (table["seed"] == 2)].reset_index(drop=True)
    assert list(its["column"]) == list(range(15))
    assert list(its["name"]) == [*diabetes.DATASET.features, "z1", "z2", "z3", "z4", "z5"]
    assert list(its["kind"])[9:] == [
        "input", "multiply", "add", "sine", "multiply", "gated_product",
    ]  # fmt: skip
    assert list(its["symbol"])[9:] == ["", "×", "+", "sin", "×", "glu"]
    assert list(its["level"]) == [0] * 10 + [1, 2, 3, 1, 2]
    assert list(its["leaf"]) == [0] * 12 + [1, 0, 1]
    assert list(its["operands"])[9:] == ["", "age; s6", "z1; 0.25", "z2", "−2; bmi", "age; z4"]
    assert list(its["reads"])[9:] == ["", "0;9", "10", "11", "2", "0;13"]
    assert list(its["formula"])[8:14] == [
        "s5", "s6", "((age × s6) − 0.5) / 2", "(((age × s6) − 0.5) / 2) + 0.25",
        "(sin((((age × s6) − 0.5) / 2) + 0.25) − (−0.25)) / 0.5", "(−2) × bmi",
    ]  # fmt: skip
    assert its["x"].max() == 1 and its["x"].min() == 0
    assert list(its["x"])[10:] == pytest.approx([1 / 3, 2 / 3, 1, 1 / 3, 2 / 3])
    assert its["y"].between(0, 1).all()


def test_formulas_compute_the_columns(tmp_path: Path) -> None:
    tables = with_graphs(tmp_path)
    table = final_graphs.analyse(tables)
    its = table[(table["variant"] == "c") & (table["seed"] == 0)]
    grown = final_graphs.grown(tables.network("diabetes", "c", 0))
    rows = torch.randn(40, 10, generator=torch.Generator().manual_seed(0)).double()
    stored = Stored(EPS, grown.mean, grown.variance)
    columns = evaluate(schedule(GRAPH), rows, grown.constants, stored).values.numpy()
    known: dict[str, Any] = {
        "sin": np.sin,
        "glu": lambda left, right: left / (1 + np.exp(-right)),
        **dict(zip(diabetes.DATASET.features, rows.numpy().T, strict=True)),
    }
    for column, (name, formula) in enumerate(zip(its["name"], its["formula"], strict=True)):
        known[name] = eval(formula.replace("−", "-").replace("×", "*"), {}, known)
        assert known[name] == pytest.approx(columns[:, column], rel=1e-4, abs=1e-4)


@pytest.mark.parametrize("dataset", ["diabetes", "wine"])
def test_importance_is_the_norm_of_what_tells_outputs_apart_times_the_deviation(
    tmp_path: Path, dataset: str
) -> None:
    tables = with_graphs(tmp_path, dataset)
    table = final_graphs.analyse(tables)
    its = table[(table["variant"] == "c") & (table["seed"] == 1)]
    grown = final_graphs.grown(tables.network(dataset, "c", 1))
    described = {"diabetes": diabetes, "wine": wine}[dataset].DATASET
    settings = split_settings(tables.study.run(dataset, "c", 1))
    rows, _ = prepare(split(load(tables.data(dataset)), **settings), described)["train"]
    stored = Stored(EPS, grown.mean, grown.variance)
    inputs = rows.flatten(1)
    columns = evaluate(schedule(grown.graph), inputs, grown.constants, stored).values
    weights = grown.weight.double().numpy()
    if dataset == "wine":
        weights = weights - weights.mean(0)
    wanted = np.linalg.norm(weights, axis=0) * columns.double().numpy().std(0)
    assert list(its["importance"]) == pytest.approx(wanted, rel=1e-5)
    # An input has a deviation of 1 on all training rows.
    assert wanted[0] == pytest.approx(np.linalg.norm(weights[:, 0]), rel=1e-5)
    few = final_graphs.analyse(tables, images=10)
    assert not np.allclose(few["importance"], table["importance"], rtol=1e-3)


def test_a_graph_without_operations(tmp_path: Path) -> None:
    tables = with_graphs(tmp_path)
    empty = network(
        Graph(10),
        **{
            f"graph.layer.{name}": np.zeros(0, np.float32)
            for name in ("constants", "running_mean", "running_var", "seen")
        },
    )
    folder = layout.run("evolution", "diabetes", "c", 0, tmp_path)
    save_file(empty, folder / "model.safetensors")
    table = final_graphs.analyse(tables)
    its = table[(table["variant"] == "c") & (table["seed"] == 0)]
    assert set(its["kind"]) == {"input"} and len(its) == 10


def test_a_network_that_is_no_graph_is_refused() -> None:
    with pytest.raises(UserError, match="0 graphs"):
        final_graphs.grown({"output.linear.weight": np.zeros((1, 2))})
    with pytest.raises(UserError, match="2 read-outs"):
        final_graphs.grown(network(**{"output.other.weight": np.zeros((1, 2))}))


def test_names_of_inputs() -> None:
    assert final_graphs.input_names(mnist_components.DATASET)[::19] == ("pc1", "pc20")
    pixels = final_graphs.input_names(digits.DATASET)
    assert pixels[:2] == ("p1_1", "p1_2") and pixels[8] == "p2_1" and len(set(pixels)) == 64
    colours = final_graphs.input_names(cifar10.DATASET)
    assert (colours[0], colours[-1]) == ("p1_1_1", "p3_32_32") and len(set(colours)) == 3072


def test_columns_that_are_read_survive_the_file(tmp_path: Path) -> None:
    table = final_graphs.analyse(with_graphs(tmp_path))
    table.to_csv(tmp_path / "graphs.csv", index=False)
    read = pd.read_csv(tmp_path / "graphs.csv")
    wanted = [() if not text else tuple(map(int, text.split(";"))) for text in table["reads"]]
    assert [evolution.indices(value) for value in read["reads"]] == wanted
    assert [evolution.indices(value) for value in table["reads"]] == wanted
    # A file in which no operation reads two columns has numbers.
    assert evolution.indices(3.0) == (3,) and evolution.indices(4) == (4,)


# Equal score


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


# Population

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


# All of them


def analysed(module: ModuleType, tables: Tables) -> pd.DataFrame:
    tables._read["boosting"] = fits(tables.study.datasets, tables.study.seeds)
    if module is boosting:
        return boosting.analyse(tables, repeats=1)
    table: pd.DataFrame = module.analyse(tables)
    return table


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__.split(".")[-1])
def test_every_column_is_described(module: ModuleType) -> None:
    text = inspect.getdoc(module.analyse) or ""
    for column in module.COLUMNS:
        assert f"`{column}`" in text, column


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__.split(".")[-1])
def test_columns_are_the_same_for_nothing(module: ModuleType, tmp_path: Path) -> None:
    lost = set(itertools.product(("diabetes",), RUNS, (0,)))
    for number, tables in enumerate(
        (
            made(tmp_path / "0", datasets=("diabetes",), seeds=(0,), diverged=lost),
            made(tmp_path / "1", datasets=("diabetes",), seeds=()),
        )
    ):
        table = analysed(module, tables)
        assert list(table.columns) == module.COLUMNS, number


@pytest.mark.parametrize(
    "module",
    [final_scores, evolution_contrasts, generations, equal_score],
    ids=lambda module: module.__name__.split(".")[-1],
)
def test_tables_are_the_same_twice(module: ModuleType, tmp_path: Path) -> None:
    tables = made(tmp_path)
    first = analysed(module, tables)
    pd.testing.assert_frame_equal(first, analysed(module, tables))
    assert not first.empty and not first.duplicated().any()
    assert list(first.columns) == module.COLUMNS
