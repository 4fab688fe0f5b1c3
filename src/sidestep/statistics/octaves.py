"""How many octaves of width lie between two rules' answers, with the seeds resampled together.

Two curves of the same seeds share initial weights and data order; drawing the same seeds for both keeps what they
share. "Never within the widths" is larger than every width.
"""

import math
from dataclasses import dataclass

import numpy as np

from sidestep.statistics.bootstrap import (
    DEFAULT_RESAMPLES,
    Array,
    Rule,
    mean_over_seeds,
    resampled_means,
)


@dataclass(frozen=True)
class Octaves:
    """log₂(width / other width) on the mean curves, and its percentile interval.

    ±inf where only one side speaks. `estimate` is `nan` where neither does or a side is not defined, the bounds
    also where there are fewer than two seeds.
    """

    estimate: float
    low: float
    high: float


def difference_in_octaves(
    widths: Array,
    rule: Rule,
    values: Array,
    other_rule: Rule,
    other_values: Array,
    seed: int = 0,
    resamples: int = DEFAULT_RESAMPLES,
    confidence: float = 0.95,
) -> Octaves:
    """What `rule` says of `values` against what `other_rule` says of `other_values`.

    `widths` (k,) ascends; both values have shape (k, seeds), the same seeds in the same columns. A seed without any
    defined value on one side is left out. A resample in which neither rule speaks counts as no difference.
    ValueError where the shapes differ.
    """
    values = np.asarray(values, dtype=np.float64)
    other_values = np.asarray(other_values, dtype=np.float64)
    if values.shape != other_values.shape or values.ndim != 2 or len(values) != len(widths):
        raise ValueError(f"values {values.shape} and {other_values.shape} do not match")
    both = np.isfinite(values).any(axis=0) & np.isfinite(other_values).any(axis=0)
    if not both.any():
        return Octaves(math.nan, math.nan, math.nan)
    values, other_values = values[:, both], other_values[:, both]
    estimate = _octaves(
        rule(widths, mean_over_seeds(values)),
        other_rule(widths, mean_over_seeds(other_values)),
        neither=math.nan,
    )
    if both.sum() < 2:
        return Octaves(estimate, math.nan, math.nan)
    # The same generator seed and number of columns: the same draws for both.
    means, counts = resampled_means(values, seed, resamples)
    other_means, _ = resampled_means(other_values, seed, resamples)
    apart = np.array(
        [
            _octaves(rule(widths, curve), other_rule(widths, other_curve), neither=0.0)
            for curve, other_curve in zip(means, other_means, strict=True)
        ]
    )
    low, high = weighted_percentiles(apart, counts, confidence)
    return Octaves(estimate, low, high)


def weighted_percentiles(
    values: Array, weights: Array, confidence: float = 0.95
) -> tuple[float, float]:
    """The values at the two tails of a weighted sample, ±inf allowed; both are members of it."""
    order = np.argsort(values, kind="stable")
    below = np.cumsum(weights[order]) / weights.sum()
    tail = (1 - confidence) / 2
    places = np.searchsorted(below, [tail + 1e-12, 1 - tail - 1e-12])
    low, high = values[order][np.minimum(places, len(values) - 1)]
    return float(low), float(high)


def _octaves(width: int | None, other: int | None, neither: float) -> float:
    if width is None and other is None:
        return neither
    if width is None or other is None:
        return math.inf if width is None else -math.inf
    return math.log2(width / other)
