"""One cycle: the rate rises to its full value, then falls to almost nothing (Smith & Topin 2018).

Both legs are half cosines, as is usual today; the original's are straight.
"""

import math

from sidestep.settings import Fraction, Positive


def factor(
    progress: float, *, rise: Fraction = 0.3, start: Positive = 0.04, end: Positive = 4e-6
) -> float:
    """Factor of the learning rate: from `start` to 1 at `rise`, then to `end`.

    Args:
        progress: share of the run's steps that are done, from 0 to below 1.
        rise: share of the run in which the rate rises.
        start: factor at the beginning.
        end: factor at the end.
    """
    if progress < rise:
        return _between(start, 1.0, progress / rise)
    return _between(1.0, end, (progress - rise) / (1 - rise) if rise < 1 else 1.0)


def _between(first: float, last: float, share: float) -> float:
    return last + (first - last) * (1 + math.cos(math.pi * share)) / 2
