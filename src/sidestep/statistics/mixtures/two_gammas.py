"""Two gammas: the journal's second model of the spread of a layer's activations.

Seed 003, "Investigate distribution of the variance of activations". Starts, refusals and the order
of the components are those of `em`. Floor: a component's standard deviation, relative to its mean,
is at least 10⁻⁴ of that of all values relative to theirs.
"""

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, gammaln, logit

from sidestep.statistics.mixtures.components import (
    LARGEST_SHAPE,
    SMALLEST_SHAPE,
    Array,
    Component,
    Gamma,
    gamma_shape,
)
from sidestep.statistics.mixtures.em import FLOOR, MixtureFit, split
from sidestep.statistics.mixtures.em import fit as fit_by_em


def fit(values: Array) -> MixtureFit:
    """Maximum-likelihood mixture of two gammas.

    `values` (n,) must be finite and positive, in any unit; ValueError otherwise. Never raises for
    values without such a mixture: the status of the result says so.
    """
    return fit_by_em(
        lambda scaled: TwoGammas(min(LARGEST_SHAPE, 1 / (FLOOR * float(np.std(scaled))) ** 2)),
        values,
    )


@dataclass(frozen=True)
class TwoGammas:
    """`em.Model`; parameters (logit weight, log k₁, log m₁, log k₂, log m₂), k shape, m mean.

    Features of a value x (in units of the mean of all): 1, x, log x. The mean instead of the scale,
    because its estimate does not depend on the shape's.
    """

    largest_shape: float
    name: str = "two gammas"
    free_parameters: int = 5

    def features(self, values: Array) -> Array:
        """(n,) → (3, n)."""
        return np.stack([np.ones_like(values), values, np.log(values)])

    def coefficients(self, parameters: Array) -> Array:
        """See `em.Model`."""
        weight = float(expit(parameters[0]))
        rows = []
        for log_weight, log_shape, log_mean in (
            (math.log(weight), float(parameters[1]), float(parameters[2])),
            (math.log1p(-weight), float(parameters[3]), float(parameters[4])),
        ):
            shape, log_scale = math.exp(log_shape), log_mean - log_shape
            constant = log_weight - float(gammaln(shape)) - shape * log_scale
            rows.append([constant, -math.exp(-log_scale), shape - 1])
        return np.array(rows)

    def maximise(self, sums: Array) -> Array:
        """Weighted maximum likelihood of each gamma; the weight is the share of responsibility."""
        parameters = [float(logit(sums[0, 0] / sums[:, 0].sum()))]
        for count, total, total_log in sums:
            log_mean = math.log(max(total / count, 1e-300))
            shape = gamma_shape(log_mean - total_log / count, self.largest_shape)
            parameters += [math.log(shape), log_mean]
        return np.array(parameters)

    def starts(self, values: Array, features: Array) -> list[Array]:
        """Hard splits at quantiles; then a narrow and a broad gamma of the same mean."""
        starts = []
        for quantile in (0.02, 0.1, 0.3, 0.5, 0.7, 0.9, 0.98):
            below = values <= np.quantile(values, quantile)
            if below.any() and not below.all():
                starts.append(split(self, features, below))
        shape = gamma_shape(-float(np.mean(features[2])), self.largest_shape)
        starts.append(np.array([0.0, math.log(shape / 3), 0.0, math.log(shape * 3), 0.0]))
        return [self.clip(start) for start in starts]

    def clip(self, parameters: Array) -> Array:
        """See `em.Model`."""
        low, high = math.log(SMALLEST_SHAPE), math.log(self.largest_shape)
        return np.clip(parameters, [-30, low, -600, low, -600], [30, high, 600, high, 600])

    def on_floor(self, parameters: Array) -> bool:
        """See `em.Model`."""
        return bool(max(parameters[1], parameters[3]) >= math.log(self.largest_shape) - 1e-3)

    def components(self, parameters: Array, unit: float) -> tuple[Component, Component]:
        """See `em.Model`."""
        _, log_shape_1, log_mean_1, log_shape_2, log_mean_2 = map(float, parameters)
        return (
            Gamma(math.exp(log_shape_1), unit * math.exp(log_mean_1 - log_shape_1)),
            Gamma(math.exp(log_shape_2), unit * math.exp(log_mean_2 - log_shape_2)),
        )
