import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sidestep.statistics.normality import shapiro


def test_against_the_published_example() -> None:
    # Weights of 11 men in pounds, Shapiro and Wilk (1965), table 8: W = 0.79.
    weights = np.array([148.0, 154, 158, 160, 161, 162, 166, 170, 182, 195, 236])
    assert shapiro(weights).w == pytest.approx(0.79, abs=0.005)


def test_three_values_have_a_closed_form() -> None:
    # For n = 3 the weights are (−1, 0, 1)/√2.
    values = np.array([1.0, 2.0, 4.0])
    expected = 0.5 * 3.0**2 / ((values - values.mean()) ** 2).sum()
    assert shapiro(values).w == pytest.approx(expected)


def test_normal_values_score_higher_than_skewed_ones() -> None:
    generator = np.random.default_rng(0)
    normal, skewed = shapiro(generator.normal(size=8000)), shapiro(generator.exponential(size=8000))
    assert normal.w > 0.999 > 0.9 > skewed.w
    assert normal.n == 8000  # above 5,000 without a warning


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ([], "0 values"),
        ([1.0, 2.0], "2 values"),
        ([3.0] * 9, "equal"),
        ([1.0, 2.0, math.nan], "not finite"),
        ([1.0, 2.0, math.inf], "not finite"),
    ],
)
def test_refusals(values: list[float], reason: str) -> None:
    found = shapiro(np.array(values))
    assert math.isnan(found.w)
    assert found.n == len(values)
    assert reason in found.reason


@settings(derandomize=True, max_examples=30, deadline=None)
@given(st.integers(0, 1000), st.floats(1e-25, 1e10), st.integers(3, 100))
def test_unit_and_order_do_not_matter(seed: int, unit: float, n: int) -> None:
    values = np.random.default_rng(seed).gamma(2.0, 1.0, n)
    assert shapiro(values[::-1] * unit).w == pytest.approx(shapiro(values).w, rel=1e-6)
