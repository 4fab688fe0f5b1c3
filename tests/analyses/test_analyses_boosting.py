"""Boosted trees and the exact linear model beside graphs that evolve."""

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from made_evolving import RUNS, Array, made
from made_tables import one

from made_files import save as save_file
from sidestep.analyses import (
    boosting,
    final_scores,
    population,
)
from sidestep.data.load import load, split
from sidestep.data.prepare import prepare
from sidestep.datasets import diabetes, wine
from sidestep.errors import UserError
from sidestep.study import split_settings


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
