import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sidestep.statistics.density import reflected_density, silverman_bandwidth


def test_against_the_direct_sum() -> None:
    values = np.random.default_rng(0).gamma(1.2, 1.0, 400)
    found = reflected_density(values)
    h = found.bandwidth
    assert h == silverman_bandwidth(values)
    kernels = [np.exp(-0.5 * ((found.grid[:, None] - sign * values) / h) ** 2) for sign in (1, -1)]
    direct = (kernels[0] + kernels[1]).sum(axis=1) / (len(values) * h * np.sqrt(2 * np.pi))
    assert found.density == pytest.approx(direct, abs=2e-3 * direct.max())


def test_an_exponential_keeps_its_height_at_zero() -> None:
    values = np.random.default_rng(0).exponential(1.0, 100_000)
    found = reflected_density(values)
    assert found.density[0] == pytest.approx(1.0, abs=0.08)  # 0.5 without reflection
    middle = (found.grid > 0.5) & (found.grid < 3)
    assert found.density[middle] == pytest.approx(np.exp(-found.grid[middle]), rel=0.08)


@settings(derandomize=True, max_examples=60, deadline=None)
@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=50))
def test_it_integrates_to_one(values: list[float]) -> None:
    found = reflected_density(np.array(values))
    assert np.trapezoid(found.density, found.grid) == pytest.approx(1, abs=1e-6)
    assert (found.density >= 0).all()


@pytest.mark.parametrize("value", [0.0, 1e-8, 3.0])
def test_equal_values_are_a_peak(value: float) -> None:
    found = reflected_density(np.full(30, value))
    assert found.grid[np.argmax(found.density)] == pytest.approx(value, abs=found.bandwidth)
    assert np.trapezoid(found.density, found.grid) == pytest.approx(1, abs=1e-6)


def test_a_grid_may_be_given() -> None:
    values = np.random.default_rng(0).gamma(5.0, 1.0, 1000)
    grid = np.linspace(0, 30, 300)
    found = reflected_density(values, grid)
    assert found.grid.tolist() == grid.tolist()
    assert np.trapezoid(found.density, grid) == pytest.approx(1, abs=1e-3)


def test_many_values_cost_little() -> None:
    values = np.random.default_rng(0).gamma(2.0, 1.0, 130_000)
    start = time.perf_counter()
    reflected_density(values)
    assert time.perf_counter() - start < 1  # measured: 0.04 s


def test_bad_input() -> None:
    with pytest.raises(ValueError, match="negative"):
        reflected_density(np.array([-1.0, 1.0]))
    with pytest.raises(ValueError, match="values"):
        reflected_density(np.array([]))
    with pytest.raises(ValueError, match="ascend"):
        reflected_density(np.array([1.0]), np.array([1.0, 0.0]))
    with pytest.raises(ValueError, match="points"):
        reflected_density(np.array([1.0]), points=5)
