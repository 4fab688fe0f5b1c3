import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sidestep.statistics.spectrum import (
    Array,
    components_for,
    entropy_rank,
    participation_ratio,
    reconstruction_error,
    transposed_reconstruction_error,
)

spectra = st.lists(st.floats(1e-6, 1e6), min_size=1, max_size=40).map(
    lambda values: np.sort(np.array(values))[::-1]
)


def points(n: int, d: int, seed: int = 0) -> Array:
    generator = np.random.default_rng(seed)
    return generator.normal(size=(n, d)) @ generator.normal(size=(d, d)) + 5


def principal_axes(x: Array) -> tuple[Array, Array]:
    """Axes in rows and eigenvalues with divisor n − 1, by singular values."""
    _, singular, axes = np.linalg.svd(x - x.mean(axis=0), full_matrices=True)
    return axes, singular**2 / (len(x) - 1)


@pytest.mark.parametrize("k", [1, 3, 17])
def test_equal_eigenvalues_are_counted(k: int) -> None:
    spectrum = np.concatenate([np.full(k, 2.5), np.zeros(4)])
    assert participation_ratio(spectrum) == pytest.approx(k)
    assert entropy_rank(spectrum) == pytest.approx(k)
    assert components_for(spectrum, 1.0) == k


def test_worked_examples() -> None:
    spectrum = np.array([3.0, 1.0])
    assert participation_ratio(spectrum) == pytest.approx(16 / 10)
    assert entropy_rank(spectrum) == pytest.approx(4 / 3**0.75)
    ten = np.full(10, 0.1)
    assert [components_for(ten, share) for share in (0.05, 0.1, 0.3, 0.95, 0.99)] == [
        1,
        1,
        3,
        10,
        10,
    ]


@settings(derandomize=True, deadline=None)
@given(spectra, st.floats(0.01, 1.0))
def test_ranks_lie_between_one_and_all(spectrum: Array, share: float) -> None:
    for rank in (participation_ratio(spectrum), entropy_rank(spectrum)):
        assert 1 - 1e-9 <= rank <= len(spectrum) + 1e-9
        assert rank <= len(spectrum) * (1 + 1e-12)
    # Rényi's entropies fall with their order: 2 for the participation ratio, 1 for Shannon's.
    assert participation_ratio(spectrum) <= entropy_rank(spectrum) * (1 + 1e-9)
    k = components_for(spectrum, share)
    assert spectrum[:k].sum() >= share * spectrum.sum() * (1 - 1e-9)
    assert spectrum[: k - 1].sum() < share * spectrum.sum()


def test_a_dead_layer_uses_no_dimension() -> None:
    zeros = np.zeros(5)
    assert participation_ratio(zeros) == entropy_rank(zeros) == components_for(zeros, 0.95) == 0


def test_reconstruction_error_against_data() -> None:
    x = points(60, 7)
    axes, eigenvalues = principal_axes(x)
    centred = x - x.mean(axis=0)
    brute = [
        ((centred - centred @ axes[:k].T @ axes[:k]) ** 2).sum(axis=1).mean() for k in range(8)
    ]
    assert reconstruction_error(eigenvalues, 60) == pytest.approx(brute, abs=1e-10)


@pytest.mark.parametrize("seed", range(3))
def test_transposed_error_against_the_journals_loop(seed: int) -> None:
    x = points(50, 9, seed)
    axes, eigenvalues = principal_axes(x)
    centred = x - x.mean(axis=0)
    scores = centred @ np.linalg.inv(axes).T  # D = inv(C) x, as the journal has it
    rebuilt = np.zeros_like(centred)
    brute = [(centred**2).sum(axis=1).mean()]
    for i in range(9):
        rebuilt += scores[:, i, None] * axes[None, :, i]  # a column of C, scaled
        brute.append(((centred - rebuilt) ** 2).sum(axis=1).mean())
    found = transposed_reconstruction_error(axes, eigenvalues, 50)
    assert found == pytest.approx(brute, abs=1e-9)
    right = reconstruction_error(eigenvalues, 50)
    assert found[0] == pytest.approx(right[0])
    assert (found >= right - 1e-9).all()  # no projection beats the principal axes
    assert found[3] > 1.2 * right[3]


def test_transposed_error_depends_on_arbitrary_signs() -> None:
    x = points(50, 6)
    axes, eigenvalues = principal_axes(x)
    flipped = axes * np.array([-1, 1, 1, -1, 1, 1])[:, None]
    one = transposed_reconstruction_error(axes, eigenvalues, 50)
    other = transposed_reconstruction_error(flipped, eigenvalues, 50)
    assert np.abs(one - other).max() > 0.01 * one[0]


def test_rounding_below_zero_is_forgiven_and_no_more() -> None:
    assert participation_ratio(np.array([1.0, 1.0, -1e-12])) == pytest.approx(2)
    with pytest.raises(ValueError, match="negative"):
        participation_ratio(np.array([1.0, -0.1]))


def test_bad_input() -> None:
    with pytest.raises(ValueError, match="descend"):
        entropy_rank(np.array([1.0, 2.0]))
    with pytest.raises(ValueError, match="finite"):
        entropy_rank(np.array([math.nan]))
    with pytest.raises(ValueError, match="non-empty"):
        entropy_rank(np.array([]))
    with pytest.raises(ValueError, match="share"):
        components_for(np.array([1.0]), 95)
    with pytest.raises(ValueError, match="at least 2"):
        reconstruction_error(np.array([1.0]), 1)
    with pytest.raises(ValueError, match="all axes"):
        transposed_reconstruction_error(np.ones((1, 2)), np.array([1.0]), 5)
    with pytest.raises(ValueError, match="orthonormal"):
        transposed_reconstruction_error(np.ones((2, 2)), np.array([2.0, 1.0]), 5)
