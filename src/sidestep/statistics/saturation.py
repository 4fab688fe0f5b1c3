"""At which width accuracy stops rising."""

from functools import partial

import numpy as np

from sidestep.statistics.bootstrap import (
    DEFAULT_RESAMPLES,
    Array,
    WidthInterval,
    width_interval,
)


def within_margin_of_best(widths: Array, accuracies: Array, margin: float = 0.001) -> int | None:
    """The smallest width whose accuracy is within `margin` of the best; None if none is defined.

    `widths` (k,) ascends; `accuracies` (k,) are fractions, so the default is 0.1 point. Wider
    networks may fall out of the margin again, by over-fitting: the question is which is enough.
    """
    curve = np.asarray(accuracies, dtype=np.float64)
    if np.isnan(curve).all():
        return None
    # Accuracies are counts over images: rounding must not push 0.1 point out of 0.1 point.
    near = curve >= np.nanmax(curve) - margin - 1e-12
    return int(widths[int(np.argmax(near))])


def saturation_width(
    widths: Array,
    accuracies: Array,
    margin: float = 0.001,
    seed: int = 0,
    resamples: int = DEFAULT_RESAMPLES,
    confidence: float = 0.95,
) -> WidthInterval:
    """`within_margin_of_best` on the mean over seeds, with a bootstrap interval over seeds.

    `accuracies` has shape (widths, seeds). Deterministic for a given `seed`.
    """
    rule = partial(within_margin_of_best, margin=margin)
    return width_interval(rule, widths, accuracies, seed, resamples, confidence)
