"""The difference between two rules' answers, against enumeration of all resamples."""

import itertools
import math

import numpy as np
import pytest

from sidestep.statistics.octaves import difference_in_octaves, weighted_percentiles
from sidestep.statistics.verdicts import argmax_rule, threshold_rule

WIDTHS = np.array([16.0, 32.0, 64.0, 128.0])


def test_against_all_resamples() -> None:
    generator = np.random.default_rng(3)
    values, others = generator.normal(size=(2, 4, 3))
    found = difference_in_octaves(WIDTHS, argmax_rule, values, threshold_rule, others)
    every = []
    for draw in itertools.product(range(3), repeat=3):
        one = argmax_rule(WIDTHS, values[:, draw].mean(axis=1))
        other = threshold_rule(WIDTHS, others[:, draw].mean(axis=1))
        if one is None or other is None:
            both = one is None and other is None
            every.append(0.0 if both else math.inf if one is None else -math.inf)
        else:
            every.append(math.log2(one / other))
    every.sort()
    # The rarest of 27 equally likely draws has more than 2.5 %, so the bounds are the extremes.
    assert (found.low, found.high) == (every[0], every[-1])


def test_the_seeds_are_drawn_together() -> None:
    # The peak lies where the seed says, on both sides, one octave apart, whichever seeds are drawn.
    shape = np.array([[5.0, 0, 0], [0, 6, 0], [0, 0, 0], [0, 0, 0]])
    shifted = np.roll(shape, 1, axis=0)
    found = difference_in_octaves(WIDTHS, argmax_rule, shifted, argmax_rule, shape)
    assert (found.estimate, found.low, found.high) == (1, 0, 1)  # 0: only seed 2, flat on both


@pytest.mark.parametrize(
    ("values", "others", "estimate"),
    [
        ([0, 0, 1, 0], [1, 0, 0, 0], 2),
        ([0, 0, 0, 1], [1, 0, 0, 0], math.inf),
        ([1, 0, 0, 0], [0, 0, 0, 1], -math.inf),
    ],
)
def test_estimate(values: list[float], others: list[float], estimate: float) -> None:
    one, other = (np.array([row, row], dtype=float).T for row in (values, others))
    found = difference_in_octaves(WIDTHS, argmax_rule, one, argmax_rule, other)
    assert (found.estimate, found.low, found.high) == (estimate, estimate, estimate)


def test_undefined() -> None:
    rising = np.array([[0.0, 1, 2, 3]] * 2).T
    both = difference_in_octaves(WIDTHS, argmax_rule, rising, argmax_rule, rising)
    assert math.isnan(both.estimate) and both.low == both.high == 0
    one = difference_in_octaves(WIDTHS, argmax_rule, -rising[:, :1], argmax_rule, -rising[:, :1])
    assert one.estimate == 0 and math.isnan(one.low)
    missing = np.full((4, 2), math.nan)
    none = difference_in_octaves(WIDTHS, argmax_rule, rising, argmax_rule, missing)
    assert math.isnan(none.estimate) and math.isnan(none.high)
    with pytest.raises(ValueError, match="do not match"):
        difference_in_octaves(WIDTHS, argmax_rule, rising, argmax_rule, rising[:, :1])


def test_percentiles_of_a_weighted_sample() -> None:
    values = np.array([math.inf, 0.0, 1.0, -math.inf])
    assert weighted_percentiles(values, np.array([1.0, 48, 50, 1])) == (0, 1)
    assert weighted_percentiles(values, np.array([5.0, 45, 45, 5])) == (-math.inf, math.inf)
