"""Density of non-negative values for figures: Gaussian kernels, reflected at zero.

Reflection (Silverman 1986, section 2.10) keeps the mass at zero, where dying neurons are; an
ordinary kernel estimate would smear it below.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Density:
    """`density[i]` at `grid[i]`, both (points,); units of the values, and their inverse."""

    grid: Array
    density: Array
    bandwidth: float


def silverman_bandwidth(values: Array) -> float:
    """0.9 · min(sd, IQR/1.34) · n^(−1/5) (Silverman 1986, eq. 3.31); 0 where all values are equal.

    Where the middle half of the values is equal, sd alone counts.
    """
    sd = float(np.std(values))
    low, high = np.quantile(values, [0.25, 0.75])
    spread = min(sd, float(high - low) / 1.34) or sd
    return float(0.9 * spread * len(values) ** -0.2)


def reflected_density(values: Array, grid: Array | None = None, points: int = 200) -> Density:
    """Kernel density of `values` (n,), which must be finite and ≥ 0, on an ascending grid ≥ 0.

    Without a grid: `points` equal steps from 0 to beyond the largest value, where the trapezoid
    rule integrates the density to 1. The bandwidth is Silverman's, but at least one mean step of
    the grid, since a grid cannot show less (equal values become a peak of that width). Values are
    first shared out between neighbouring cells an eighth of a bandwidth wide, so the cost
    hardly depends on n. ValueError for bad values or grids.
    """
    values = np.asarray(values, dtype=np.float64).ravel()
    if len(values) == 0 or not np.isfinite(values).all() or values.min() < 0:
        raise ValueError("a density needs values, all finite and none negative")
    bandwidth = silverman_bandwidth(values)
    if grid is None:
        if points < 20:
            raise ValueError(f"{points} points; at least 20 are needed")
        # Room for eight bandwidths above the largest value, of a bandwidth not below a step.
        largest = float(values.max()) or 1.0
        upper = max(largest + 8 * bandwidth, largest / (1 - 8 / (points - 1)))
        grid = np.linspace(0.0, upper, points)
    else:
        grid = np.asarray(grid, dtype=np.float64)
        if grid.ndim != 1 or len(grid) < 2 or grid[0] < 0 or not (np.diff(grid) > 0).all():
            raise ValueError("a grid must ascend from 0 or above")
    bandwidth = max(bandwidth, float(grid[-1] - grid[0]) / (len(grid) - 1))

    centres, masses = _binned(values, bandwidth / 8)
    density = np.zeros(len(grid))
    for sign in (1, -1):
        distance = (grid[:, None] - sign * centres[None, :]) / bandwidth
        density += np.exp(-0.5 * distance**2) @ masses
    density /= bandwidth * np.sqrt(2 * np.pi)
    return Density(grid, density, bandwidth)


def _binned(values: Array, step: float) -> tuple[Array, Array]:
    """Linear binning: each value shares its mass 1/n between the two cells around it."""
    position = values / step
    below = np.floor(position)
    upper_share = position - below
    cells, places = np.unique(below, return_inverse=True)
    count = len(cells)
    lower_mass = np.bincount(places, weights=1 - upper_share, minlength=count)
    upper_mass = np.bincount(places, weights=upper_share, minlength=count)
    centres = step * np.concatenate([cells, cells + 1])
    return centres, np.concatenate([lower_mass, upper_mass]) / len(values)
