"""Does accuracy rank widths as a metric does? Spearman's correlation within each seed."""

import math

import numpy as np
import numpy.typing as npt

from sidestep.statistics.intervals import Interval, mean_interval

Array = npt.NDArray[np.float64]


def spearman(x: Array, y: Array) -> float:
    """Correlation of the ranks of `x` and `y` (n,), ties sharing their mean rank.

    Pairs with an undefined (`nan`) member are left out. `nan` for fewer than 3 pairs, or where one
    side does not vary. ValueError for shapes that differ.
    """
    x, y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    if x.ndim != 1 or x.shape != y.shape:
        raise ValueError(f"x {x.shape} and y {y.shape} are not rows of the same length")
    defined = ~(np.isnan(x) | np.isnan(y))
    x, y = x[defined], y[defined]
    if len(x) < 3 or x.min() == x.max() or y.min() == y.max():
        return math.nan

    import scipy.stats  # a second of start-up, for those who need it

    return float(scipy.stats.spearmanr(x, y).statistic)


def spearman_interval(accuracies: Array, metric: Array, confidence: float = 0.95) -> Interval:
    """Mean over seeds of the correlation across widths, with its t interval.

    Both have shape (widths, seeds). Seeds whose correlation is undefined are left out, and `n` says
    how many remain. A mean of correlations is bounded by ±1, its t interval is not.
    """
    accuracies = np.asarray(accuracies, dtype=np.float64)
    metric = np.asarray(metric, dtype=np.float64)
    if accuracies.ndim != 2 or accuracies.shape != metric.shape:
        raise ValueError(f"accuracies {accuracies.shape} and metric {metric.shape} differ in shape")
    each = [spearman(x, y) for x, y in zip(accuracies.T, metric.T, strict=True)]
    return mean_interval([one for one in each if not math.isnan(one)], confidence)
