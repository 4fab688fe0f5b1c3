"""The families that a mixture is made of, and their maximum-likelihood fits to all values."""

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
from scipy.special import gammaln, psi, zeta

Array = npt.NDArray[np.float64]

#: Shapes between which a gamma is fitted. Above, `log k − ψ(k)` and the statistic that it is
#: compared with (≈ 1/2k) drown in rounding; below, a gamma is a point mass at zero.
SMALLEST_SHAPE, LARGEST_SHAPE = 1e-4, 1e8


class Component(Protocol):
    """A density on the line with a family name and named parameters."""

    @property
    def family(self) -> str:
        """`exponential`, `normal` or `gamma`."""

    @property
    def mean(self) -> float:
        """In the unit of the values."""

    @property
    def sd(self) -> float:
        """In the unit of the values."""

    @property
    def parameters(self) -> dict[str, float]:
        """The parameters by name; scales, means and deviations in the unit of the values."""

    def log_density(self, x: Array) -> Array:
        """Log of the density at `x` (any shape), which must be positive for all but a normal."""


@dataclass(frozen=True)
class Exponential:
    """Density exp(−x/scale) / scale."""

    scale: float

    @property
    def family(self) -> str:
        """The name of the family."""
        return "exponential"

    @property
    def mean(self) -> float:
        """The scale."""
        return self.scale

    @property
    def sd(self) -> float:
        """The scale."""
        return self.scale

    @property
    def parameters(self) -> dict[str, float]:
        """The scale."""
        return {"scale": self.scale}

    def log_density(self, x: Array) -> Array:
        """See `Component`."""
        return -math.log(self.scale) - x / self.scale


@dataclass(frozen=True)
class Normal:
    """Gaussian; not truncated, so on positive values it may waste mass below zero."""

    mean: float
    sd: float

    @property
    def family(self) -> str:
        """The name of the family."""
        return "normal"

    @property
    def parameters(self) -> dict[str, float]:
        """Mean and standard deviation."""
        return {"mean": self.mean, "sd": self.sd}

    def log_density(self, x: Array) -> Array:
        """See `Component`."""
        constant = -math.log(self.sd) - 0.5 * math.log(2 * math.pi)
        density: Array = constant - 0.5 * ((x - self.mean) / self.sd) ** 2
        return density


@dataclass(frozen=True)
class Gamma:
    """Density x^(shape−1) exp(−x/scale) / (Γ(shape) scale^shape)."""

    shape: float
    scale: float

    @property
    def family(self) -> str:
        """The name of the family."""
        return "gamma"

    @property
    def mean(self) -> float:
        """Shape × scale."""
        return self.shape * self.scale

    @property
    def sd(self) -> float:
        """√shape × scale."""
        return math.sqrt(self.shape) * self.scale

    @property
    def parameters(self) -> dict[str, float]:
        """Shape (a pure number) and scale."""
        return {"shape": self.shape, "scale": self.scale}

    def log_density(self, x: Array) -> Array:
        """See `Component`."""
        constant = -float(gammaln(self.shape)) - self.shape * math.log(self.scale)
        density: Array = constant + (self.shape - 1) * np.log(x) - x / self.scale
        return density


def gamma_shape(log_mean_minus_mean_log: float, largest: float = LARGEST_SHAPE) -> float:
    """Maximum-likelihood shape k of a gamma: the root of log k − ψ(k) = s, s = log x̄ − mean log x.

    `s` is 0 for equal values and grows with the spread; both means may be weighted. Newton's steps
    are those of Minka, "Estimating a Gamma distribution" (2002), taken on 1/k from his
    closed-form start. The likelihood has one hump in k, so the root cut to
    [SMALLEST_SHAPE, largest] is the maximum within these bounds.
    """
    s = log_mean_minus_mean_log
    if s <= 0.5 / largest:  # log k − ψ(k) > 1/2k, so the root is beyond the largest shape
        return largest
    k = (3 - s + math.sqrt((s - 3) ** 2 + 24 * s)) / (12 * s)
    for _ in range(50):
        residual = math.log(k) - float(psi(k)) - s
        # zeta(2, k) is the trigamma function; 1/k − ψ'(k) < 0 is the slope of the residual.
        inverse = 1 / k + residual / (k * k * (1 / k - float(zeta(2, k))))
        if inverse <= 0:  # cannot happen from Minka's start but for rounding at huge k
            return largest
        change, k = abs(k * inverse - 1), 1 / inverse
        if change < 1e-14:
            break
    return min(max(k, SMALLEST_SHAPE), largest)


def single_fits(values: Array) -> dict[str, tuple[Component, int]]:
    """Maximum-likelihood exponential, normal and gamma, each with its number of parameters.

    `values` has shape (n,), is positive and not all equal.
    """
    mean = float(np.mean(values))
    scaled = values / mean
    shape = gamma_shape(-float(np.mean(np.log(scaled))))
    return {
        "exponential": (Exponential(mean), 1),
        "normal": (Normal(mean, float(np.std(values))), 2),
        "gamma": (Gamma(shape, mean / shape), 2),
    }
