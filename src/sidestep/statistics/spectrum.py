"""What the eigenvalues of a covariance say about the number of dimensions in use.

Eigenvalues come in descending order, in squared units of the data. Rounding may make the smallest
ones slightly negative; they count as zero.
"""

import math

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


def participation_ratio(eigenvalues: Array) -> float:
    """(Σλ)² / Σλ²: the number of equal eigenvalues that would be as spread out; 0 if all are 0.

    Gao et al., "A theory of multineuronal dimensionality, dynamics and measurement" (2017).
    """
    spectrum = _checked(eigenvalues)
    if spectrum[0] == 0:
        return 0.0
    shares = spectrum / spectrum[0]
    return float(shares.sum() ** 2 / (shares @ shares))


def entropy_rank(eigenvalues: Array) -> float:
    """exp(−Σ p log p) with p = λ/Σλ; 0 if all eigenvalues are 0.

    The effective rank of Roy and Vetterli (2007), there with singular values for λ.
    """
    spectrum = _checked(eigenvalues)
    if spectrum[0] == 0:
        return 0.0
    shares = spectrum / spectrum.sum()
    used = shares[shares > 0]
    return math.exp(-float(used @ np.log(used)))


def components_for(eigenvalues: Array, share: float) -> int:
    """The smallest k whose first k eigenvalues hold at least `share` of the sum; 0 if all are 0.

    ValueError for a share outside ]0, 1].
    """
    if not 0 < share <= 1:
        raise ValueError(f"share is {share}; allowed: above 0, at most 1")
    spectrum = _checked(eigenvalues)
    if spectrum[0] == 0:
        return 0
    held = np.cumsum(spectrum)
    # Rounding of the running sum must not ask for one component more.
    return int(np.searchsorted(held, share * held[-1] * (1 - 1e-12))) + 1


def reconstruction_error(eigenvalues: Array, n: int) -> Array:
    """Mean squared distance of `n` points from their projection on k principal axes, k = 0…K.

    `eigenvalues` (K,) have the divisor n − 1, as scikit-learn's `explained_variance_`, and the mean
    over points has the divisor n: err(k) = (n − 1)/n · Σ_{j>k} λ_j. Returns (K + 1,), never rising,
    in the units of λ. ValueError for n < 2.
    """
    spectrum = _checked(eigenvalues)
    tails = np.cumsum(spectrum[::-1])[::-1]  # summed from the small end, so that tails are exact
    return _bias(n) * np.concatenate([tails, [0.0]])


def transposed_reconstruction_error(components: Array, eigenvalues: Array, n: int) -> Array:
    """The journal's "reconstruction distance": the projection on the *columns* of `components`.

    `components` C (K, K) has the principal axes in its rows, as scikit-learn's `components_`. The
    journal takes inv(C) x = Cᵀx for the scores and adds columns of C, so it projects on columns
    c_i, an orthonormal basis that has nothing to do with the data. As Σ = (n − 1)/n · Cᵀ Λ C,

        err(k) = tr Σ − Σ_{i<k} c_iᵀ Σ c_i,   c_iᵀ Σ c_i = (n − 1)/n · Σ_j λ_j ((C C)_ji)².

    The result depends on the arbitrary signs of the axes, which the true error does not. Returns
    (K + 1,), k = 0…K, in the units of λ. ValueError where C is not square, not orthonormal or does
    not fit, or n < 2.
    """
    spectrum = _checked(eigenvalues)
    axes = np.asarray(components, dtype=np.float64)
    if axes.shape != (len(spectrum), len(spectrum)):
        raise ValueError(
            f"components of shape {axes.shape}; needed: {len(spectrum)} × {len(spectrum)}, all axes"
        )
    if not np.allclose(axes @ axes.T, np.eye(len(axes)), atol=1e-4):  # float32 axes are welcome
        raise ValueError("the components are not orthonormal")
    captured = spectrum @ (axes @ axes) ** 2
    left = spectrum.sum() - np.concatenate([[0.0], np.cumsum(captured)])
    error: Array = _bias(n) * np.maximum(left, 0.0)
    return error


def _bias(n: int) -> float:
    if n < 2:
        raise ValueError(f"{n} points have no covariance; at least 2 are needed")
    return (n - 1) / n


def _checked(eigenvalues: Array) -> Array:
    spectrum = np.asarray(eigenvalues, dtype=np.float64)
    if spectrum.ndim != 1 or len(spectrum) == 0 or not np.isfinite(spectrum).all():
        raise ValueError("eigenvalues must be a non-empty row of finite numbers")
    tolerance = 1e-6 * float(np.abs(spectrum).max())
    if (spectrum < -tolerance).any():
        raise ValueError("a covariance has no negative eigenvalues")
    if (np.diff(spectrum) > tolerance).any():
        raise ValueError("the eigenvalues do not descend")
    return np.maximum(spectrum, 0.0)
