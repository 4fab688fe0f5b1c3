import math
from itertools import product

import numpy as np
import pytest

from sidestep.statistics.bootstrap import (
    Array,
    bootstrap_argmax,
    mean_over_seeds,
    resampled_means,
    width_interval,
)


def test_a_clear_maximum_is_certain() -> None:
    values = np.array([[1, 1.1, 0.9], [5, 5.1, 4.9], [2, 2.1, 1.9]])
    found = bootstrap_argmax(values)
    assert (found.index, found.low, found.high) == (1, 1, 1)
    assert found.shares == (0.0, 1.0, 0.0)


def test_shares_tend_to_those_of_all_resamples() -> None:
    values = np.random.default_rng(0).normal(0, 1, (5, 4))
    exact = np.zeros(5)
    for draw in product(range(4), repeat=4):  # every resample of four seeds
        exact[np.argmax(values[:, list(draw)].mean(axis=1))] += 1 / 4**4
    found = bootstrap_argmax(values, seed=3, resamples=200_000)
    assert found.shares == pytest.approx(exact, abs=0.005)
    assert sum(found.shares) == pytest.approx(1)
    below = np.cumsum(exact)
    assert found.low == np.argmax(below >= 0.025)
    assert found.high == np.argmax(below >= 0.975)


def test_the_same_seed_gives_the_same_answer() -> None:
    values = np.random.default_rng(0).normal(0, 1, (20, 11))
    assert bootstrap_argmax(values, seed=5) == bootstrap_argmax(values, seed=5)
    assert bootstrap_argmax(values, seed=5).shares != bootstrap_argmax(values, seed=6).shares


def test_undefined_entries_are_passed_over() -> None:
    values = np.array([[math.nan] * 3, [1.0, math.nan, 1.0], [0.5, 0.6, 0.7]])
    found = bootstrap_argmax(values)
    assert found.index == 1
    assert found.shares[0] == 0
    assert found.shares[2] > 0  # the resample of the middle seed alone
    assert mean_over_seeds(values) == pytest.approx([math.nan, 1.0, 0.6], nan_ok=True)
    with pytest.raises(ValueError, match="no value is defined"):
        bootstrap_argmax(np.full((2, 3), math.nan))


def test_one_seed_has_one_resample() -> None:
    means, counts = resampled_means(np.array([[1.0], [2.0]]), seed=0, resamples=50)
    assert means.tolist() == [[1.0, 2.0]]
    assert counts.tolist() == [50]


def test_never_sorts_above_every_width() -> None:
    def first_above_one(widths: Array, curve: Array) -> int | None:
        return next((int(w) for w, y in zip(widths, curve, strict=True) if y > 1), None)

    widths = np.array([16.0, 32.0, 64.0])
    split = np.array([[0, 0, 0, 0], [0, 0, 0, 2.5], [0.9, 0.9, 0.9, 2.0]])
    found = width_interval(first_above_one, widths, split)
    # The mean of the last is 1.175; without the fourth seed ((3/4)^4 of the resamples) never.
    assert (found.width, found.low, found.high) == (64, 32, None)
    assert found.never == pytest.approx(0.75**4, abs=0.03)
    assert width_interval(first_above_one, widths, np.zeros((3, 4))).low is None


def never(_widths: Array, _curve: Array) -> int | None:
    return None


def test_shapes_are_checked() -> None:
    with pytest.raises(ValueError, match="do not fit"):
        width_interval(never, np.array([1.0, 2.0]), np.zeros((3, 2)))
    with pytest.raises(ValueError, match="ascend"):
        width_interval(never, np.array([2.0, 1.0]), np.zeros((2, 2)))
    with pytest.raises(ValueError, match="widths × seeds"):
        bootstrap_argmax(np.zeros(3))
    with pytest.raises(ValueError, match="at least 1"):
        bootstrap_argmax(np.zeros((2, 2)), resamples=0)
