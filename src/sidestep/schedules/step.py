"""The learning rate falls by a factor at given shares of the run."""

from sidestep.settings import Fraction, Fractions


def factor(
    progress: float, *, milestones: Fractions = (0.3, 0.6, 0.8), gamma: Fraction = 0.2
) -> float:
    """Factor of the learning rate: gamma to the number of milestones passed.

    Args:
        progress: share of the run's steps that are done, from 0 to below 1.
        milestones: shares of the run at which the rate falls.
        gamma: factor at each milestone.
    """
    return float(gamma ** sum(progress >= milestone for milestone in milestones))
