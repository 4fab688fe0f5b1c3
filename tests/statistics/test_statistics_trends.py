import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar

from sidestep.statistics.trends import better, logarithmic, power_law

WIDTHS = 2.0 ** (np.arange(8, 28) / 2)


def test_exact_curves_are_found() -> None:
    log_fit = logarithmic(WIDTHS, 3 + 2 * np.log2(WIDTHS))
    assert (log_fit.a, log_fit.b, log_fit.r_squared) == pytest.approx((3, 2, 1))
    power_fit = power_law(WIDTHS, 7 * WIDTHS**0.48)
    assert (power_fit.a, power_fit.b, power_fit.r_squared) == pytest.approx((7, 0.48, 1))
    assert power_fit.at(np.array([4.0])) == pytest.approx([7 * 4**0.48])
    assert log_fit.at(np.array([8.0])) == pytest.approx([9.0])


def test_logarithm_against_polyfit() -> None:
    y = np.random.default_rng(0).normal(0, 1, 20) + np.log2(WIDTHS)
    slope, height = np.polyfit(np.log2(WIDTHS), y, 1)
    found = logarithmic(WIDTHS, y)
    assert (found.a, found.b) == pytest.approx((height, slope))
    assert found.r_squared == pytest.approx(np.corrcoef(np.log2(WIDTHS), y)[0, 1] ** 2)


@settings(derandomize=True, max_examples=50, deadline=None)
@given(st.integers(0, 10_000), st.floats(-1.5, 1.5), st.floats(0, 0.5))
def test_power_law_is_the_least_squares_one(seed: int, b: float, noise: float) -> None:
    """For a given b the best a is linear; the best b is then searched along a line."""
    x = WIDTHS / WIDTHS.mean()
    y = x**b * (1 + noise * np.random.default_rng(seed).uniform(-1, 1, 20))

    def remainder(exponent: float) -> float:
        power = x**exponent
        return float(((y - power * (power @ y) / (power @ power)) ** 2).sum())

    best = minimize_scalar(remainder, bounds=(b - 2, b + 2), method="bounded")
    found = power_law(x, y)
    mine = float(((y - found.at(x)) ** 2).sum())
    assert mine <= best.fun * (1 + 1e-6) + 1e-9


def test_the_journals_sums_of_spread() -> None:
    """MNIST at 30 epochs, read off the journal's plot: R² of the logarithm 0.970, 0.990 from 64."""
    widths = [16, 22, 32, 45, 64, 90, 128, 181, 256, 362, 512, 724, 1024, 1448, 2048, 2896]
    widths += [4096, 5792, 8192, 11585]
    sums = [92.4, 123.9, 174.4, 231.6, 302.4, 377.2, 479.8, 580.7, 696.9, 839.8, 956.4, 1094.4]
    sums += [1258.8, 1415.4, 1626.7, 1778.4, 1956.0, 2139.5, 2281.2, 2466.5]
    x, y = np.array(widths, dtype=np.float64), np.array(sums)
    assert logarithmic(x, y).r_squared == pytest.approx(0.970, abs=0.001)
    late = logarithmic(x[4:], y[4:])
    assert late.r_squared == pytest.approx(0.990, abs=0.001)
    assert 259 < late.b < 297


def test_zeros_are_allowed() -> None:
    x = np.array([1.0, 2, 4, 8, 16])
    found = power_law(x, np.array([0.0, 0, 1, 8, 60]))
    assert found.r_squared > 0.99
    assert found.b > 2
    flat = power_law(x, np.zeros(5))
    assert flat.a == 0 and math.isnan(flat.r_squared)
    assert math.isnan(logarithmic(x, np.full(5, 0.1)).r_squared)


def test_better_counts_the_seeds_that_agree() -> None:
    curve = np.stack([WIDTHS**0.5, WIDTHS**0.5, 3 + np.log2(WIDTHS)], axis=1)
    found = better(WIDTHS, curve)
    assert (found.better, found.seeds, found.agreeing) == ("power law", 3, 2)
    assert found.difference.n == 3
    assert found.logarithmic == logarithmic(WIDTHS, curve.mean(axis=1))
    assert better(WIDTHS, 1 + 5 * np.log2(WIDTHS)).better == "logarithmic"
    assert better(WIDTHS, np.ones(20)).better == "neither"


def test_bad_input() -> None:
    ones = np.ones(3)
    for fit in (logarithmic, power_law):
        with pytest.raises(ValueError, match="at least 3"):
            fit(np.array([1.0, 2.0]), np.array([1.0, 2.0]))
        with pytest.raises(ValueError, match="positive"):
            fit(np.array([0.0, 1.0, 2.0]), ones)
        with pytest.raises(ValueError, match="finite"):
            fit(np.array([1.0, 2.0, 3.0]), np.array([1.0, math.nan, 2.0]))
        with pytest.raises(ValueError, match="vary"):
            fit(ones, ones)
