"""What a user would pick for a table instead: boosted trees; and an independent check of the linear network.

Boosting is scikit-learn's histogram-based one (after Ke et al. 2017, LightGBM) with its defaults.
"""

import math
import pickle
import statistics
import time
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from sidestep.building import dataset_of
from sidestep.data.load import load, split
from sidestep.data.prepare import prepare
from sidestep.evolution import ACCURACY, BOOSTING, EXACT_LINEAR, R2
from sidestep.settings import Count
from sidestep.study import split_settings
from sidestep.tables import Tables

Array = npt.NDArray[Any]

READS = ("data",)
# Steps of L-BFGS that logistic regression may take; by default it stops before it has converged.
STEPS = 10_000
BATCHES = (1, 256)
COLUMNS = [
    *("study", "dataset", "method", "seed", "measure", "train", "test", "loss"),
    *("seconds_fit", "seconds_1", "seconds_256", "nodes", "stored_bytes"),
]


class Part(NamedTuple):
    """Rows of one split: inputs N×F, and classes, or numbers in deviations of the training part's, N."""

    inputs: Array
    labels: Array


def analyse(tables: Tables, *, iterations: Count = 100, repeats: Count = 20) -> pd.DataFrame:
    """One row per data set, method and seed; on the very splits of the study's runs.

    Columns: `study`, `dataset`; `method`: `boosting`, scikit-learn's histogram-based boosted trees with its defaults,
    or `exact_linear`, its logistic regression (an L2 penalty of the default strength, until it converges) or least
    squares; `seed`; `measure`, `accuracy` or `r2`; its value on the rows for `train`, those alone are learned from, and
    on the `test` part, as many of each as the runs score, and the `loss` there: nats, or squared error in variances of
    the training part's target. Costs, on one thread: `seconds_fit`; `seconds_1` and `seconds_256`, the median seconds
    to predict 1 and 256 rows; `nodes` of all trees, leaves included (empty for the linear method); `stored_bytes`
    of the pickled model.

    Args:
        tables: of the study; the baseline's settings say how data are split and prepared.
        iterations: of boosting, each a tree a class; scikit-learn's default.
        repeats: predictions that are timed.

    Raises:
        UserError: a data set's file cannot be read or split so.
    """
    study = tables.study
    rows = []
    with threadpool_limits(limits=1):
        for dataset in study.datasets:
            for seed in study.seeds:
                run = study.run(dataset, study.baseline, seed)
                parts = prepared(tables, run)
                classes = parts["train"].labels.dtype.kind == "i"
                for method, make in _models(classes, seed, iterations).items():
                    place = {"study": study.name, "dataset": dataset, "method": method}
                    shown = run["evaluation_images"]
                    rows.append({**place, "seed": seed, **fit(make, parts, repeats, shown)})
    return pd.DataFrame(rows, columns=COLUMNS)


def prepared(tables: Tables, run: dict[str, Any]) -> dict[str, Part]:
    """The splits of a run as its network sees them, flattened.

    Raises:
        UserError: the data set's file cannot be read or split so.
    """
    parts = split(load(tables.data(run["dataset"])), **split_settings(run))
    return {
        name: Part(
            inputs.flatten(1).numpy(), labels.numpy() if labels.ndim == 1 else labels[:, 0].numpy()
        )
        for name, (inputs, labels) in prepare(parts, dataset_of(run)).items()
    }


def fit(
    make: Callable[[], Any], parts: dict[str, Part], repeats: int, shown: int | None = None
) -> dict[str, float | str]:
    """What a model learns from `train`: scores, loss and costs, as columns of the table.

    Args:
        make: the model.
        parts: `train` and `test`.
        repeats: predictions that are timed.
        shown: how many rows of each part are scored; None for all.
    """
    train = parts["train"]
    seen, test = (Part(*(array[:shown] for array in parts[name])) for name in ("train", "test"))
    model = make()
    begin = time.perf_counter()
    model.fit(train.inputs, train.labels)
    seconds = time.perf_counter() - begin
    classes = train.labels.dtype.kind == "i"
    found: dict[str, float | str] = {
        "measure": ACCURACY if classes else R2,
        # scikit-learn's `score` is the share of right classes, or R².
        "train": float(model.score(seen.inputs, seen.labels)),
        "test": float(model.score(test.inputs, test.labels)),
        "loss": _cross_entropy(model, test) if classes else _squared_error(model, test),
        "seconds_fit": seconds,
        "nodes": _nodes(model),
        "stored_bytes": len(pickle.dumps(model)),
    }
    for count in BATCHES:
        rows = test.inputs[np.arange(count) % len(test.inputs)]
        found[f"seconds_{count}"] = _median_seconds(partial(model.predict, rows), repeats)
    return found


def _models(classes: bool, seed: int, iterations: int) -> dict[str, Callable[[], Any]]:
    trees: dict[str, Any] = {"max_iter": iterations, "random_state": seed}
    # Large data sets stop early on rows that are drawn.
    if classes:
        return {
            BOOSTING: lambda: HistGradientBoostingClassifier(**trees),
            EXACT_LINEAR: lambda: LogisticRegression(max_iter=STEPS),
        }
    return {
        BOOSTING: lambda: HistGradientBoostingRegressor(**trees),
        EXACT_LINEAR: LinearRegression,
    }


def _cross_entropy(model: Any, part: Part) -> float:
    """Mean in nats; a class that was not in the training part has the least probability there is."""
    least = float(np.finfo(np.float64).eps)
    said = np.full((len(part.labels), 1 + int(max(part.labels.max(), model.classes_.max()))), least)
    said[:, model.classes_] = np.clip(model.predict_proba(part.inputs), least, 1.0)
    return float(-np.log(said[np.arange(len(part.labels)), part.labels]).mean())


def _squared_error(model: Any, part: Part) -> float:
    """Mean; the labels are in deviations of the training part's, so this is in its variances."""
    return float(np.square(model.predict(part.inputs).astype(float) - part.labels).mean())


def _nodes(model: Any) -> float:
    if not hasattr(model, "_predictors"):
        return math.nan
    return float(sum(len(tree.nodes) for trees in model._predictors for tree in trees))


def _median_seconds(work: Callable[[], object], repeats: int) -> float:
    work()
    found = []
    for _ in range(repeats):
        begin = time.perf_counter()
        work()
        found.append(time.perf_counter() - begin)
    return statistics.median(found)
