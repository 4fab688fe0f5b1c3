"""Does a metric of the layer rank the widths as the accuracy does, and does any predict over-fitting?"""

import math

import numpy as np
import pandas as pd

from sidestep.analyses.shared.curves import Array, Curves
from sidestep.statistics.intervals import mean_interval, separates
from sidestep.statistics.rank_correlation import spearman
from sidestep.statistics.size_measures import SIZE_MEASURES
from sidestep.tables import Tables

TARGETS = {
    "test_accuracy": ("accuracy", "test"),
    "accuracy_gap": ("accuracy_gap", ""),
    "loss_gap": ("loss_gap", ""),
}
BY_CHANCE = 0.05


def analyse(tables: Tables) -> pd.DataFrame:
    """One row per data set, recorded epoch, target and metric.

    Columns: `study, dataset, epoch`; `target`: `test_accuracy`, `accuracy_gap` (train − test) or `loss_gap` (test −
    train); `metric`, `images`; `n` seeds; `correlation`, `low`, `high`: Spearman's rank correlation across widths,
    mean over seeds with its t interval; `excludes_zero` (true, false, or empty where there is no interval);
    `over_width`, `over_width_low`, `over_width_high`: |correlation| of the metric minus that of the width itself,
    paired over seeds (a metric that merely grows with the width correlates as the width does, so only a positive
    interval says that it knows more); `tested`, how many metrics have an interval for this data set, epoch and
    target, the width not counted, `excluding`, how many of those exclude 0, and `by_chance`, how many would if none
    were related (5 %, which is no correction: the metrics are not independent). The row with metric `width` is the
    width itself.
    """
    curves = Curves.of(tables)
    rows = []
    for dataset in curves.datasets:
        for epoch in curves.epochs:
            for target, place in TARGETS.items():
                found = _target(curves, dataset, epoch, place)
                tests = [row["excludes_zero"] for row in found if row["metric"] != "width"]
                tested = sum(test is not None for test in tests)
                shared = {
                    "tested": tested,
                    "excluding": sum(test is True for test in tests),
                    "by_chance": BY_CHANCE * tested,
                }
                key = {
                    "study": curves.study,
                    "dataset": dataset,
                    "epoch": epoch,
                    "target": target,
                }
                rows += [key | row | shared for row in found]
    return pd.DataFrame(rows)


def _target(
    curves: Curves, dataset: str, epoch: int, place: tuple[str, str]
) -> list[dict[str, object]]:
    """Rows of one data set, epoch and target: the width itself, then every metric."""
    target = curves.values(dataset, epoch, *place)
    width = np.repeat(curves.widths[:, None], target.shape[1], axis=1)
    of_width = _correlations(width, target)
    rows = [_row("width", "", of_width, of_width)]
    for measure in SIZE_MEASURES:
        values = curves.values(dataset, epoch, measure.metric, measure.images)
        found = _correlations(values, target)
        rows.append(_row(measure.metric, measure.images, found, of_width))
    return rows


def _correlations(values: Array, target: Array) -> Array:
    """(widths, seeds) twice → (seeds,): Spearman's correlation across widths, `nan` where undefined."""
    return np.array([spearman(x, y) for x, y in zip(values.T, target.T, strict=True)])


def _row(metric: str, images: str, correlations: Array, of_width: Array) -> dict[str, object]:
    found = mean_interval(correlations[np.isfinite(correlations)])
    over = np.abs(correlations) - np.abs(of_width)
    more = mean_interval(over[np.isfinite(over)])
    return {
        "metric": metric,
        "images": images,
        "n": found.n,
        "correlation": found.mean,
        "low": found.low,
        "high": found.high,
        "excludes_zero": None if math.isnan(found.low) else separates(found),
        "over_width": more.mean,
        "over_width_low": more.low,
        "over_width_high": more.high,
    }
