"""Percentile bootstrap over seeds, for what has no standard error: which width is the best one.

Efron and Tibshirani (1993), chapter 13. With 3 seeds there are only 10 different resamples and a
percentile interval is too narrow; it then says how stable an answer is, not where the truth lies.
Means over seeds have t intervals instead (`intervals`).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

#: (widths ascending, curve over them) → a width, or None: "never within the widths".
Rule = Callable[[Array, Array], int | None]

DEFAULT_RESAMPLES = 2000


@dataclass(frozen=True)
class BootstrapArgmax:
    """Position of the largest mean, bounds in the order of the positions, and shares of resamples.

    `shares` has one entry per position and sums to 1.
    """

    index: int
    low: int
    high: int
    shares: tuple[float, ...]


@dataclass(frozen=True)
class WidthInterval:
    """A rule's width on the mean curve, with bounds; None stands for "never within the widths".

    None sorts above every width, so `high=None` says that the upper bound lies beyond the largest.
    `never` is the share of resamples that gave None.
    """

    width: int | None
    low: int | None
    high: int | None
    never: float


def bootstrap_argmax(
    values: Array,
    seed: int = 0,
    resamples: int = DEFAULT_RESAMPLES,
    confidence: float = 0.95,
) -> BootstrapArgmax:
    """Where the mean over seeds is largest, resampling whole seeds.

    `values` has shape (widths, seeds). Undefined entries (`nan`) are left out of the means, a width
    without any never wins; the first of equals does. Deterministic for a given `seed`. ValueError
    where no width is defined.
    """
    centre = mean_over_seeds(values)
    if np.isnan(centre).all():
        raise ValueError("no value is defined, so none is the largest")
    means, counts = resampled_means(values, seed, resamples)
    usable = ~np.isnan(means).all(axis=1)  # a resample may hold seeds without any defined value
    winners = np.argmax(np.where(np.isnan(means), -np.inf, means), axis=1)[usable]
    shares = np.bincount(winners, weights=counts[usable], minlength=len(centre))
    shares = shares / shares.sum()
    low, high = _percentiles(shares, confidence)
    return BootstrapArgmax(int(np.nanargmax(centre)), low, high, tuple(map(float, shares)))


def width_interval(
    rule: Rule,
    widths: Array,
    values: Array,
    seed: int = 0,
    resamples: int = DEFAULT_RESAMPLES,
    confidence: float = 0.95,
) -> WidthInterval:
    """What `rule` says of the mean curve, with a percentile interval over resampled seeds.

    `widths` (k,) ascends, `values` has shape (k, seeds) in any unit; undefined entries are left out
    of the means. Deterministic for a given `seed`. ValueError where shapes or order are wrong.
    """
    widths, values = np.asarray(widths, dtype=np.float64), np.asarray(values, dtype=np.float64)
    if widths.ndim != 1 or values.ndim != 2 or len(widths) != len(values):
        raise ValueError(f"widths {widths.shape} do not fit values {values.shape}")
    if not (np.diff(widths) > 0).all():
        raise ValueError("the widths do not ascend")
    means, counts = resampled_means(values, seed, resamples)
    places = {int(width): place for place, width in enumerate(widths)}
    said = np.zeros(len(widths) + 1)
    for curve, count in zip(means, counts, strict=True):
        width = rule(widths, curve)
        said[len(widths) if width is None else places[width]] += count
    said /= said.sum()
    answers = [*(int(width) for width in widths), None]
    low, high = _percentiles(said, confidence)
    centre = rule(widths, mean_over_seeds(values))
    return WidthInterval(centre, answers[low], answers[high], float(said[-1]))


def mean_over_seeds(values: Array) -> Array:
    """(widths, seeds) → (widths,): the mean of the defined entries, `nan` where there is none."""
    values = _checked(values)
    means: Array = _weighted_means(values, np.ones((1, values.shape[1])))[0]
    return means


def resampled_means(values: Array, seed: int, resamples: int) -> tuple[Array, Array]:
    """Mean curves of resampled seeds: (different resamples, widths), and how often each was drawn.

    `values` has shape (widths, seeds). Whole columns are drawn, since the widths of one seed share
    its data order; equal draws are merged (at 3 seeds, 2,000 draws are 10 curves).
    """
    values = _checked(values)
    if resamples < 1:
        raise ValueError(f"{resamples} resamples; at least 1 is needed")
    seeds = values.shape[1]
    generator = np.random.default_rng(seed)
    draws = generator.multinomial(seeds, np.full(seeds, 1 / seeds), size=resamples)
    different, counts = np.unique(draws, axis=0, return_counts=True)
    return _weighted_means(values, different.astype(np.float64)), counts.astype(np.float64)


def _checked(values: Array) -> Array:
    values = np.asarray(values, dtype=np.float64)
    if values.ndim != 2 or 0 in values.shape:
        raise ValueError(f"values of shape {values.shape}; needed: widths × seeds, neither empty")
    return values


def _weighted_means(values: Array, weights: Array) -> Array:
    """(widths, seeds) and (r, seeds) → (r, widths), over defined entries only."""
    defined = np.isfinite(values)
    sums = weights @ np.where(defined, values, 0.0).T
    totals = weights @ defined.astype(np.float64).T
    return np.divide(sums, totals, out=np.full_like(sums, math.nan), where=totals > 0)


def _percentiles(shares: Array, confidence: float) -> tuple[int, int]:
    """Positions at the two tails of a distribution over ordered positions."""
    tail = (1 - confidence) / 2
    below = np.cumsum(shares)
    low = int(np.searchsorted(below, tail + 1e-12))
    high = int(np.searchsorted(below, 1 - tail - 1e-12))
    return low, min(high, len(shares) - 1)
