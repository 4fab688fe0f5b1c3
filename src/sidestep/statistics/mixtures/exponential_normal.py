"""Exponential + normal: the journal's model of the spread of a layer's activations.

Dead and dying neurons make the exponential, the others the normal (seed 003, "Investigate
distribution of the variance of activations"). As there, the normal is not truncated at zero.
Starts, refusals and the order of the components are those of `em`. Floor: the normal's standard
deviation is at least 10⁻⁴ of that of all values.
"""

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit

from sidestep.statistics.mixtures.components import Array, Component, Exponential, Normal
from sidestep.statistics.mixtures.em import FLOOR, MixtureFit, split
from sidestep.statistics.mixtures.em import fit as fit_by_em


def fit(values: Array) -> MixtureFit:
    """Maximum-likelihood mixture of an exponential and a normal.

    `values` (n,) must be finite and positive, in any unit; ValueError otherwise. Never raises for
    values without such a mixture: the status of the result says so.
    """
    return fit_by_em(lambda scaled: ExponentialNormal(FLOOR * float(np.std(scaled))), values)


@dataclass(frozen=True)
class ExponentialNormal:
    """`em.Model`; parameters (logit weight of the exponential, log scale, mean − 1, log sd).

    Features of a value x (in units of the mean of all): 1, x − 1, (x − 1)². Taking the mean off
    keeps the variance free of cancellation where the values differ little.
    """

    floor: float
    name: str = "exponential + normal"
    free_parameters: int = 4

    def features(self, values: Array) -> Array:
        """(n,) → (3, n)."""
        return np.stack([np.ones_like(values), values - 1, (values - 1) ** 2])

    def coefficients(self, parameters: Array) -> Array:
        """See `em.Model`."""
        odds, log_scale, offset, log_sd = map(float, parameters)
        weight, scale, precision = float(expit(odds)), math.exp(log_scale), math.exp(-2 * log_sd)
        constant = math.log1p(-weight) - log_sd - 0.5 * math.log(2 * math.pi)
        return np.array(
            [
                [math.log(weight) - log_scale - 1 / scale, -1 / scale, 0.0],
                [constant - 0.5 * offset**2 * precision, offset * precision, -0.5 * precision],
            ]
        )

    def maximise(self, sums: Array) -> Array:
        """Weighted means; the variance of the normal is cut at the floor, which is its maximum."""
        (count_1, sum_1, _), (count_2, sum_2, squares_2) = sums
        offset = sum_2 / count_2
        variance = max(float(squares_2 / count_2 - offset**2), self.floor**2)
        weight = count_1 / (count_1 + count_2)
        scale = max(float(1 + sum_1 / count_1), 1e-300)
        return np.array([logit(weight), math.log(scale), offset, 0.5 * math.log(variance)])

    def starts(self, values: Array, features: Array) -> list[Array]:
        """Hard splits with the exponential below, then above; then a broad exponential under all.

        The last pair is a normal as narrow as the middle half, and the journal's own start.
        """
        starts = []
        for exponential_below, quantile in _SPLITS:
            below = values <= np.quantile(values, quantile)
            if below.any() and not below.all():
                starts.append(split(self, features, below if exponential_below else ~below))
        low, middle, high = np.quantile(values, [0.25, 0.5, 0.75])
        sd = float(np.std(values))
        narrow = max((high - low) / 1.349, sd / 10)
        starts.append(np.array([0.0, 0.0, middle - 1, math.log(narrow)]))
        starts.append(np.array([0.0, 0.0, 0.0, math.log(sd)]))
        return [self.clip(start) for start in starts]

    def clip(self, parameters: Array) -> Array:
        """See `em.Model`."""
        clipped = np.clip(parameters, [-30, -600, -np.inf, -np.inf], [30, 600, np.inf, 300])
        clipped[3] = max(clipped[3], math.log(self.floor))
        return clipped

    def on_floor(self, parameters: Array) -> bool:
        """See `em.Model`."""
        return bool(parameters[3] <= math.log(self.floor) + 1e-3)

    def components(self, parameters: Array, unit: float) -> tuple[Component, Component]:
        """See `em.Model`."""
        _, log_scale, offset, log_sd = map(float, parameters)
        normal = Normal(unit * (1 + offset), unit * math.exp(log_sd))
        return Exponential(unit * math.exp(log_scale)), normal


_SPLITS = [(True, 0.05), (True, 0.2), (True, 0.4), (True, 0.6), (True, 0.8), (False, 0.5)]
_SPLITS += [(False, 0.8), (False, 0.95)]
