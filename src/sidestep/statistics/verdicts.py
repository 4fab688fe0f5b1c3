"""When a metric of a layer says "large enough": the journal's rules, as functions of a curve.

Each takes ascending widths (k,) and the metric at them (k,), in which undefined entries (`nan`) are
passed over, and returns a width or None: "never says so within the widths". An answer that the
range of widths would force on any curve (a maximum at the last width, closeness of the last width
to itself) is None too.
"""

import numpy as np

from sidestep.statistics.bootstrap import (
    DEFAULT_RESAMPLES,
    Array,
    Rule,
    WidthInterval,
    width_interval,
)


def argmax_rule(widths: Array, curve: Array) -> int | None:
    """The width of the maximum: the journal's rule for Shapiro's W (seed 003, "sweet spot").

    None where the maximum is at the last defined width: the curve still rises there.
    """
    widths, curve = _defined(widths, curve)
    if len(curve) == 0:
        return None
    best = int(np.argmax(curve))
    return int(widths[best]) if best < len(curve) - 1 else None


def threshold_rule(
    widths: Array, curve: Array, threshold: float = 0.025, above: bool = True
) -> int | None:
    """The first width from which on the curve stays above (or below) the threshold.

    The journal draws y = 0.025 through the weight of the first mixture component and the share of
    dead neurons, and calls it arbitrary. Nothing is interpolated between widths.
    """
    widths, curve = _defined(widths, curve)
    return _first_lasting(widths, curve > threshold if above else curve < threshold)


def saturation_rule(widths: Array, curve: Array, share: float = 0.05) -> int | None:
    """The first width from which on the curve stays within `share` of its value at the last width.

    For effective ranks: a wider layer adds no dimension. None where only the last width is.
    """
    widths, curve = _defined(widths, curve)
    if len(curve) == 0:
        return None
    near = np.abs(curve - curve[-1]) <= share * abs(curve[-1])
    width = _first_lasting(widths, near)
    return None if width == int(widths[-1]) else width


def slack_rule(widths: Array, curve: Array, share: float = 0.5) -> int | None:
    """The first width whose effective rank is below `share` of the width.

    There the layer uses less than half of its dimensions.
    """
    widths, curve = _defined(widths, curve)
    slack = curve < share * widths
    return int(widths[int(np.argmax(slack))]) if slack.any() else None


def verdict_interval(
    rule: Rule,
    widths: Array,
    values: Array,
    seed: int = 0,
    resamples: int = DEFAULT_RESAMPLES,
    confidence: float = 0.95,
) -> WidthInterval:
    """What a rule says of the mean over seeds of `values` (widths, seeds), with its interval.

    See `bootstrap.width_interval`; give settings to a rule with `functools.partial`.
    """
    return width_interval(rule, widths, values, seed, resamples, confidence)


def _defined(widths: Array, curve: Array) -> tuple[Array, Array]:
    widths, curve = np.asarray(widths, dtype=np.float64), np.asarray(curve, dtype=np.float64)
    if widths.ndim != 1 or widths.shape != curve.shape:
        raise ValueError(f"widths {widths.shape} do not fit a curve {curve.shape}")
    if not (np.diff(widths) > 0).all():
        raise ValueError("the widths do not ascend")
    defined = ~np.isnan(curve)
    return widths[defined], curve[defined]


def _first_lasting(widths: Array, holds: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> int | None:
    fails = np.flatnonzero(~holds)
    first = int(fails[-1]) + 1 if len(fails) else 0
    return int(widths[first]) if first < len(widths) else None
