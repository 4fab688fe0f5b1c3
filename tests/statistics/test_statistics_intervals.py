import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sidestep.statistics.intervals import (
    Interval,
    corrected_interval,
    mean_interval,
    paired_difference,
    separates,
)


@pytest.mark.parametrize("n", [2, 3, 5, 11])
def test_intervals_cover_what_they_claim(n: int) -> None:
    generator = np.random.default_rng(n)
    samples = generator.normal(3.0, 2.0, (8000, n))
    inside = [one.low <= 3.0 <= one.high for one in map(mean_interval, samples)]
    assert 0.94 <= np.mean(inside) <= 0.96


def test_against_a_worked_example() -> None:
    # t(4, 0.975) = 2.776445 from the tables.
    found = mean_interval([1.0, 2.0, 3.0, 4.0, 5.0])
    half = 2.776445 * math.sqrt(2.5 / 5)
    assert found.mean == 3.0
    assert found.sd == pytest.approx(math.sqrt(2.5))
    assert (found.low, found.high) == pytest.approx((3 - half, 3 + half), rel=1e-6)
    wider = mean_interval([1.0, 2.0, 3.0, 4.0, 5.0], confidence=0.99)
    assert wider.high - 3 == pytest.approx(4.604095 * math.sqrt(2.5 / 5), rel=1e-6)


def test_one_value_has_no_bounds_and_none_no_mean() -> None:
    one = mean_interval([4.0])
    assert (one.mean, one.n) == (4.0, 1)
    assert np.isnan([one.sd, one.low, one.high]).all()
    none = mean_interval([])
    assert none.n == 0 and math.isnan(none.mean)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_an_undefined_value_cannot_hide(bad: float) -> None:
    found = mean_interval([1.0, bad, 2.0])
    assert found.n == 3
    assert np.isnan([found.mean, found.low, found.high]).all()
    assert not separates(found)


def test_pairs_are_the_seeds_in_common() -> None:
    values = {3: 2.0, 1: 1.0, 7: 9.0}
    baseline = {1: 0.5, 3: 1.0, 8: -4.0}
    found = paired_difference(values, baseline)
    assert found == mean_interval([0.5, 1.0])
    assert found.n == 2
    assert paired_difference(values, {8: 1.0}).n == 0


def test_pairing_removes_what_the_seeds_share() -> None:
    shared = np.random.default_rng(0).normal(0, 10, 8)
    noise = np.random.default_rng(1).normal(0, 0.1, 8)
    values = {k: float(shared[k] + 1 + noise[k]) for k in range(8)}
    baseline = {k: float(shared[k]) for k in range(8)}
    assert separates(paired_difference(values, baseline))


def test_separates() -> None:
    assert separates(Interval(1, 1, 3, 0.1, 2))
    assert separates(Interval(-1, 1, 3, -2, -0.1))
    assert not separates(Interval(1, 1, 3, 0.0, 2))
    assert not separates(mean_interval([2.0]))


@settings(derandomize=True, deadline=None)
@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=30))
def test_bounds_surround_the_mean(values: list[float]) -> None:
    found = mean_interval(values)
    assert found.low <= found.mean <= found.high
    assert found.mean - found.low == pytest.approx(found.high - found.mean, abs=1e-6)


def test_confidence_must_be_a_share() -> None:
    with pytest.raises(ValueError, match="confidence"):
        mean_interval([1.0, 2.0], confidence=95)


def test_corrected_interval_against_a_worked_example() -> None:
    # Variance 2.5 · (1/5 + 1/9), where a tenth of the rows is tested; t(4, 0.975) = 2.776445.
    found = corrected_interval([1.0, 2.0, 3.0, 4.0, 5.0], 1 / 9)
    half = 2.776445 * math.sqrt(2.5 * (1 / 5 + 1 / 9))
    assert (found.mean, found.n) == (3.0, 5)
    assert found.sd == pytest.approx(math.sqrt(2.5))
    assert (found.low, found.high) == pytest.approx((3 - half, 3 + half), rel=1e-6)
    wider = corrected_interval([1.0, 2.0, 3.0, 4.0, 5.0], 1 / 9, confidence=0.99)
    assert wider.high - 3 == pytest.approx(half * 4.604095 / 2.776445, rel=1e-6)


@pytest.mark.parametrize("values", [[], [4.0], [1.0, 2.0, 4.0], [1.0, math.nan], [2.0, 2.0]])
def test_without_overlap_the_correction_is_none(values: list[float]) -> None:
    found, usual = corrected_interval(values, 0.0), mean_interval(values)
    assert np.allclose(vars(found)["low"], usual.low, equal_nan=True)
    assert np.allclose(vars(found)["high"], usual.high, equal_nan=True)
    assert np.allclose([found.mean, found.sd], [usual.mean, usual.sd], equal_nan=True)
    assert found.n == usual.n


@pytest.mark.parametrize("n", [3, 5, 15])
def test_corrected_intervals_of_resampled_splits_cover_what_they_claim(n: int) -> None:
    # A pool of 60 rows, of which each split tests 15: the mean of a split's test rows.
    generator = np.random.default_rng(n)
    inside = {"corrected": 0, "plain": 0}
    trials = 4000
    for _ in range(trials):
        pool = generator.normal(3.0, 2.0, 60)
        values = [generator.permutation(pool)[:15].mean() for _ in range(n)]
        for name, found in (
            ("corrected", corrected_interval(values, 15 / 45)),
            ("plain", mean_interval(values)),
        ):
            inside[name] += found.low <= 3.0 <= found.high
    assert 0.935 <= inside["corrected"] / trials <= 0.965
    assert inside["plain"] / trials < 0.93


def test_more_splits_of_the_same_rows_do_not_make_an_interval_vanish() -> None:
    values = [0.0, 1.0] * 500
    assert corrected_interval(values, 0.25).high - 0.5 > 0.49
    assert mean_interval(values).high - 0.5 < 0.04


@pytest.mark.parametrize("overlap", [-0.1, math.nan, math.inf])
def test_an_overlap_is_a_ratio(overlap: float) -> None:
    with pytest.raises(ValueError, match="overlap"):
        corrected_interval([1.0, 2.0], overlap)
