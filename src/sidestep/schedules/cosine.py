"""The learning rate falls along half a cosine (Loshchilov & Hutter 2017, equation 5, no restarts)."""

import math

from sidestep.settings import Fraction


def factor(progress: float, *, floor: Fraction = 0.0) -> float:
    """Factor of the learning rate: from 1 to `floor`.

    Args:
        progress: share of the run's steps that are done, from 0 to below 1.
        floor: factor at the end.
    """
    return floor + (1 - floor) * (1 + math.cos(math.pi * progress)) / 2
