"""Means over seeds with Student's t intervals, paired where two variants share seeds.

Student's and not a bootstrap, because at the 3 to 11 seeds of these studies bootstrap intervals
cover far less than they claim, and t intervals what they claim (simulated in the tests).

Seeds that draw a training and a test part anew from the same rows are not independent: the parts
overlap, and the spread over seeds is less than that of new data. For them there is the corrected
interval of Nadeau & Bengio 2003 (Machine Learning 52:239–281).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import stdtrit


@dataclass(frozen=True)
class Interval:
    """A mean of `n` values, their standard deviation (divisor n − 1), and bounds of the mean.

    All in the unit of the values; `nan` where undefined (bounds and sd at n = 1, all at n = 0).
    """

    mean: float
    sd: float
    n: int
    low: float
    high: float


def mean_interval(
    values: Sequence[float] | npt.NDArray[np.float64], confidence: float = 0.95
) -> Interval:
    """Two-sided t interval of the mean: mean ± t(n − 1) · sd / √n.

    `values` has shape (n,), one per seed. A value that is not finite makes mean, sd and bounds
    `nan` instead of being dropped, so that a diverged run cannot hide. ValueError for a confidence
    outside ]0, 1[.
    """
    if not 0 < confidence < 1:
        raise ValueError(f"confidence is {confidence}; allowed: between 0 and 1")
    array = np.asarray(values, dtype=np.float64).ravel()
    n = len(array)
    if n == 0 or not np.isfinite(array).all():
        return Interval(math.nan, math.nan, n, math.nan, math.nan)
    mean = float(array.mean())
    if n == 1:
        return Interval(mean, math.nan, n, math.nan, math.nan)
    sd = float(array.std(ddof=1))
    half = float(stdtrit(n - 1, 0.5 + confidence / 2)) * sd / math.sqrt(n)
    return Interval(mean, sd, n, mean - half, mean + half)


def corrected_interval(
    values: Sequence[float] | npt.NDArray[np.float64], overlap: float, confidence: float = 0.95
) -> Interval:
    """t interval of a mean over resampled splits: mean ± t(n − 1) · sd · √(1/n + overlap).

    The corrected resampled t-test of Nadeau & Bengio 2003: they take the correlation
    between two splits to be the share of rows that are tested. It never becomes narrower than the
    overlap allows, however many splits are drawn.

    Args:
        values: (n,), one per split, as of `mean_interval`.
        overlap: rows that are tested over rows that are not, n_test / n_train; 0 gives
            `mean_interval`.
        confidence: of the interval.

    Raises:
        ValueError: an overlap that is negative or not finite, or a confidence outside ]0, 1[.
    """
    if not (math.isfinite(overlap) and overlap >= 0):
        raise ValueError(f"overlap is {overlap}; allowed: at least 0")
    found = mean_interval(values, confidence)
    if math.isnan(found.sd):
        return found
    half = float(stdtrit(found.n - 1, 0.5 + confidence / 2)) * found.sd
    half *= math.sqrt(1 / found.n + overlap)
    return Interval(found.mean, found.sd, found.n, found.mean - half, found.mean + half)


def paired_difference(
    values: Mapping[int, float], baseline: Mapping[int, float], confidence: float = 0.95
) -> Interval:
    """Interval of value − baseline over the seeds in common, in the order of the seeds.

    The same seed gives two variants the same initial weights and data order, so what they share
    cancels. Without a common seed n is 0.
    """
    seeds = sorted(values.keys() & baseline.keys())
    return mean_interval([values[seed] - baseline[seed] for seed in seeds], confidence)


def separates(interval: Interval) -> bool:
    """Whether zero lies outside the interval; False where the bounds are undefined."""
    return interval.low > 0 or interval.high < 0
