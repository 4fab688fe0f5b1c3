"""Mixtures of two components by expectation–maximisation, refused where they mean nothing.

The method is Dempster, Laird and Rubin (1977), sped up by the squared extrapolation of Varadhan and
Roland (2008, scheme S3). An extrapolated step is kept only where the likelihood does not fall;
otherwise the plain step, which cannot lower it, is taken. Nothing is random and nothing depends on
the order of the values.

**Starts.** A model names several fixed starts (quantile splits and moments). Each is run until a
cycle gains less than 10⁻⁷ per value, the best admissible one is run on until a cycle gains less
than 10⁻¹⁰ per value. Above 20,000 values the starts are compared on every m-th of the sorted values
(10,000 to 20,000 of them), and only the best is run on all values.

**Refusal.** The status is `not identifiable`, with a reason, where one of these holds:

1. there are fewer than 20 values, or all are equal;
2. every start ends inadmissible: a component holds fewer than 5 values' worth of weight, or its
   standard deviation sits on the floor that keeps the likelihood bounded (each model states its
   floor; a mixture with a normal or a gamma has no maximum without one);
3. no convergence within 3,000 EM steps;
4. the mixture's BIC is not lower by at least 10 than that of the best single exponential, normal or
   gamma ("very strong" evidence on the scale of Kass and Raftery, 1995);
5. the components overlap so much that a value says nearly nothing about its component: the
   separation, 1 − (mean entropy of the posterior) / (entropy of the weights), which is the share of
   the label's entropy that the value removes, is below 0.05. (Two equal Gaussians one standard
   deviation apart have 0.16, two standard deviations apart 0.49.);
6. the values do not tell the weight: the standard error of its log odds is above 0.5, so that a
   95 % interval of the odds spans a factor of 7 or more. The error follows from the empirical
   information, the sum over values of the outer product of their scores (McLachlan and Peel,
   "Finite mixture models", 2000, section 2.15).

A refused fit has no weights, means or parameters (`nan`, empty), so that nobody can plot them; its
likelihood, AIC and BIC stay where there are any.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np
import numpy.typing as npt
from scipy.special import entr, expit

from sidestep.statistics.mixtures.components import Array, Component, single_fits

FEWEST_VALUES = 20
FEWEST_VALUES_PER_COMPONENT = 5.0
BIC_MARGIN = 10.0
SMALLEST_SEPARATION = 0.05
LARGEST_ERROR_OF_LOG_ODDS = 0.5
SUBSAMPLE_ABOVE = 20_000
SUBSAMPLE_AT_LEAST = 10_000
MOST_STEPS = 3_000
GAIN_PER_VALUE_START, GAIN_PER_VALUE = 1e-7, 1e-10

#: Component standard deviations are kept above this share of the standard deviation of all values.
FLOOR = 1e-4


class Model(Protocol):
    """Two families whose weighted log densities are linear in a few features of a value.

    A model sees values divided by their mean. Its parameters are a vector without constraints,
    because the extrapolation adds and subtracts them; entry 0 is the logit of the first weight.
    """

    @property
    def name(self) -> str:
        """For tables and messages."""

    @property
    def free_parameters(self) -> int:
        """The number that AIC and BIC count."""

    def features(self, values: Array) -> Array:
        """(n,) → (m, n); row 0 is ones."""

    def coefficients(self, parameters: Array) -> Array:
        """(2, m): log(weight × density) of each component as a linear function of the features."""

    def maximise(self, sums: Array) -> Array:
        """The M step: parameters from (2, m) responsibility-weighted sums of the features."""

    def starts(self, values: Array, features: Array) -> list[Array]:
        """Fixed starting parameters; the number depends on ties only."""

    def clip(self, parameters: Array) -> Array:
        """The nearest parameters inside the bounds."""

    def on_floor(self, parameters: Array) -> bool:
        """Whether a component's standard deviation is at its floor."""

    def components(self, parameters: Array, unit: float) -> tuple[Component, Component]:
        """The two densities, rescaled to values that were divided by `unit`."""


@dataclass(frozen=True)
class Information:
    """How well one family alone describes the values; natural logarithms, summed over values."""

    log_likelihood: float
    aic: float
    bic: float


@dataclass(frozen=True)
class MixtureFit:
    """A mixture of two components, ordered by mean (component 1 has the smaller one), or a refusal.

    `status` is `fitted` or `not identifiable`, and then `reason` says why. `weights`, `means` and
    `components` follow the order of the means and are `nan` or empty after a refusal, as is
    `weight_error`, the standard error of either weight.
    `log_likelihoods` is the trace of EM on all values from the best start (above 20,000 values:
    from where that start ended on the subsample); it never falls and its last entry is
    `log_likelihood`. `iterations` counts its EM steps, `starts` how many starts were compared.
    `single` holds the fits of one exponential, one normal and one gamma.
    """

    model: str
    status: str
    reason: str
    n: int
    weights: tuple[float, float] = (math.nan, math.nan)
    means: tuple[float, float] = (math.nan, math.nan)
    weight_error: float = math.nan
    components: tuple[Component, ...] = ()
    separation: float = math.nan
    log_likelihood: float = math.nan
    log_likelihoods: tuple[float, ...] = ()
    aic: float = math.nan
    bic: float = math.nan
    single: dict[str, Information] = field(default_factory=dict)
    iterations: int = 0
    starts: int = 0

    @property
    def fitted(self) -> bool:
        """Whether there is a fit to report."""
        return self.status == "fitted"

    @property
    def parameters(self) -> dict[str, float]:
        """Parameters as `component1_gamma_shape` → value; empty after a refusal."""
        return {
            f"component{index}_{component.family}_{name}": value
            for index, component in enumerate(self.components, start=1)
            for name, value in component.parameters.items()
        }

    def density(self, x: Array) -> Array:
        """(k,) positive positions → (3, k): weighted density of components 1 and 2, and their sum.

        Raises ValueError after a refusal.
        """
        if not self.fitted:
            raise ValueError(f"there is no density: {self.model} is not identifiable")
        positions = np.asarray(x, dtype=np.float64)
        parts = np.stack(
            [
                weight * np.exp(component.log_density(positions))
                for weight, component in zip(self.weights, self.components, strict=True)
            ]
        )
        return np.concatenate([parts, parts.sum(axis=0, keepdims=True)])


@dataclass(frozen=True)
class Expectation:
    """The E step: log-likelihood and (2, m) responsibility-weighted sums of the features."""

    log_likelihood: float
    sums: Array


@dataclass(frozen=True)
class Run:
    """Where EM went from one start."""

    parameters: Array
    expectation: Expectation
    trace: tuple[float, ...]
    steps: int
    converged: bool


def expectation(features: Array, totals: Array, coefficients: Array) -> Expectation:
    """One pass over the (m, n) features; `totals` are their (m,) sums."""
    first, second = coefficients @ features
    odds = first - second
    ratio = np.exp(-np.abs(odds))  # of the smaller to the larger: never overflows
    log_likelihood = np.maximum(first, second).sum() + np.log1p(ratio).sum()
    responsibility = np.where(odds >= 0, 1.0, ratio) / (1.0 + ratio)
    sums = features @ responsibility
    return Expectation(float(log_likelihood), np.stack([sums, totals - sums]))


def run(model: Model, features: Array, start: Array, gain_per_value: float, most: int) -> Run:
    """EM from `start` until one cycle of two or three steps gains at most `gain_per_value` × n.

    Stops early, unconverged, where a component holds less than one value's worth of weight. The
    trace has the likelihood of each accepted parameter vector and never falls: a fall could only be
    rounding at the maximum, and the run ends before it.
    """
    n = features.shape[1]
    totals = features.sum(axis=1)

    def look(parameters: Array) -> Expectation:
        return expectation(features, totals, model.coefficients(parameters))

    parameters, seen = start, look(start)
    trace = [seen.log_likelihood]
    steps, longest = 0, 1.0
    while steps < most and not _empty(seen):
        before = seen.log_likelihood
        first = model.maximise(seen.sums)
        seen_first = look(first)
        steps += 1
        if seen_first.log_likelihood <= before:
            return Run(parameters, seen, tuple(trace), steps, converged=True)
        trace.append(seen_first.log_likelihood)
        if _empty(seen_first):
            return Run(first, seen_first, tuple(trace), steps, converged=False)

        second = model.maximise(seen_first.sums)
        step = first - parameters
        bend = (second - first) - step
        curvature = float(np.linalg.norm(bend))
        wanted = float(np.linalg.norm(step)) / curvature if curvature > 0 else 1.0
        length = min(max(wanted, 1.0), longest)  # length 1 is the plain second step
        ahead = second
        if length > 1.0:
            ahead = model.clip(parameters + 2 * length * step + length**2 * bend)
        seen_ahead = look(ahead)
        steps += 1
        if length > 1.0 and (
            not seen_ahead.log_likelihood >= seen_first.log_likelihood or _empty(seen_ahead)
        ):
            ahead, seen_ahead = second, look(second)
            steps += 1
            longest = max(1.0, longest / 4)
        elif length == longest:
            longest *= 4
        if seen_ahead.log_likelihood < seen_first.log_likelihood:
            return Run(first, seen_first, tuple(trace), steps, converged=True)
        parameters, seen = ahead, seen_ahead
        trace.append(seen.log_likelihood)
        if seen.log_likelihood - before <= gain_per_value * n:
            return Run(parameters, seen, tuple(trace), steps, converged=True)
    return Run(parameters, seen, tuple(trace), steps, converged=False)


def fit(make_model: Callable[[Array], Model], values: Array) -> MixtureFit:
    """Fit the mixture that `make_model` gives for values divided by their mean.

    `values` has shape (n,), any unit, and must be finite and positive (ValueError otherwise).
    """
    values = np.sort(np.asarray(values, dtype=np.float64).ravel())
    n = len(values)
    if n and not (np.isfinite(values[-1]) and values[0] > 0):
        raise ValueError("the values of a mixture must be finite and positive")
    name = make_model(np.array([0.5, 1.5])).name
    if n < FEWEST_VALUES:
        return _refusal(name, n, f"{n} values, fewer than {FEWEST_VALUES}")
    if values[0] == values[-1]:
        return _refusal(name, n, "all values are equal")

    single = {}
    for family, (component, count) in single_fits(values).items():
        single[family] = _information(float(component.log_density(values).sum()), count, n)
    unit = float(values.mean())
    scaled = values / unit
    if not float(np.std(scaled)) > 1e-12:
        return _refusal(name, n, "the values differ by rounding only", single=single)
    model = make_model(scaled)
    features = model.features(scaled)

    few, few_features = scaled, features
    if n > SUBSAMPLE_ABOVE:
        stride = n // SUBSAMPLE_AT_LEAST
        few = scaled[stride // 2 :: stride]
        few_features = features[:, stride // 2 :: stride]
    starts = model.starts(few, few_features)
    runs = [run(model, few_features, start, GAIN_PER_VALUE_START, MOST_STEPS) for start in starts]
    runs.sort(key=lambda one: -one.expectation.log_likelihood)  # stable: ties keep their order
    faults = [_inadmissible(model, one) for one in runs]
    sound = [one for one, fault in zip(runs, faults, strict=True) if not fault]
    if not sound:
        reason = faults[0] if faults else "no start splits the values in two"
        return _refusal(name, n, reason, single=single, starts=len(starts))
    best = run(model, features, sound[0].parameters, GAIN_PER_VALUE, MOST_STEPS)
    if few is scaled:  # the same values, so that both runs are one
        trace = sound[0].trace + best.trace[1:]
        best = replace(best, trace=trace, steps=sound[0].steps + best.steps)

    information = _information(
        best.expectation.log_likelihood - n * math.log(unit), model.free_parameters, n
    )
    separation = _separation(model, features, best)
    rival = min(single, key=lambda family: single[family].bic)
    reason = _inadmissible(model, best)
    if not reason and not best.converged:
        reason = f"no convergence within {MOST_STEPS} steps"
    if not reason and information.bic > single[rival].bic - BIC_MARGIN:
        reason = (
            f"one {rival} alone has a BIC of {single[rival].bic:.1f}, "
            f"the mixture {information.bic:.1f}, not lower by {BIC_MARGIN:g}"
        )
    if not reason and separation < SMALLEST_SEPARATION:
        reason = f"a separation of {separation:.3f}, below {SMALLEST_SEPARATION:g}"

    error = _error_of_log_odds(model, features, best.parameters) if not reason else math.nan
    if error > LARGEST_ERROR_OF_LOG_ODDS:
        reason = (
            f"the log odds of the weight have a standard error of {error:.2f}, "
            f"above {LARGEST_ERROR_OF_LOG_ODDS:g}"
        )

    weight = float(expit(best.parameters[0]))
    parts = sorted(
        zip((weight, 1 - weight), model.components(best.parameters, unit), strict=True),
        key=lambda part: part[1].mean,
    )
    (weight_1, first), (weight_2, second) = parts
    fitted = MixtureFit(
        model=name,
        status="fitted",
        reason="",
        n=n,
        weights=(weight_1, weight_2),
        means=(first.mean, second.mean),
        weight_error=weight * (1 - weight) * error,
        components=(first, second),
        separation=separation,
        log_likelihood=information.log_likelihood,
        log_likelihoods=tuple(one - n * math.log(unit) for one in best.trace),
        aic=information.aic,
        bic=information.bic,
        single=single,
        iterations=best.steps,
        starts=len(starts),
    )
    if not reason:
        return fitted
    return replace(
        fitted,
        status="not identifiable",
        reason=reason,
        weights=(math.nan, math.nan),
        means=(math.nan, math.nan),
        weight_error=math.nan,
        components=(),
    )


def split(model: Model, features: Array, lower: npt.NDArray[np.bool_]) -> Array:
    """Starting parameters from a hard split: `lower` (n,) marks the values of the first family."""
    sums = features @ lower.astype(np.float64)
    return model.maximise(np.stack([sums, features.sum(axis=1) - sums]))


def _empty(seen: Expectation) -> bool:
    return not float(seen.sums[:, 0].min()) >= 1.0


def _inadmissible(model: Model, one: Run) -> str:
    if float(one.expectation.sums[:, 0].min()) < FEWEST_VALUES_PER_COMPONENT:
        return f"a component of fewer than {FEWEST_VALUES_PER_COMPONENT:g} values"
    if model.on_floor(one.parameters):
        return "a component as narrow as the floor of its standard deviation"
    return ""


def _separation(model: Model, features: Array, best: Run) -> float:
    first, second = model.coefficients(best.parameters) @ features
    responsibility = expit(first - second)
    weight = expit(best.parameters[0])
    uncertainty = float(np.mean(entr(responsibility) + entr(1 - responsibility)))
    return 1 - uncertainty / float(entr(weight) + entr(1 - weight))


def _error_of_log_odds(model: Model, features: Array, parameters: Array) -> float:
    """Standard error of parameter 0; infinite where the information is singular."""
    scores = np.empty((len(parameters), features.shape[1]))
    for index, parameter in enumerate(parameters):
        # Central differences: at 1e-5 their error and rounding are both about 1e-10.
        step = np.zeros(len(parameters))
        step[index] = 1e-5 * max(1.0, abs(float(parameter)))
        above, below = (
            np.logaddexp(*(model.coefficients(moved) @ features))
            for moved in (parameters + step, parameters - step)
        )
        scores[index] = (above - below) / (2 * step[index])
    information = scores @ scores.T
    scale = np.sqrt(np.diag(information))
    if not (scale > 0).all():
        return math.inf
    try:
        variance = float(np.linalg.inv(information / np.outer(scale, scale))[0, 0])
    except np.linalg.LinAlgError:
        return math.inf
    return math.sqrt(variance) / float(scale[0]) if variance > 0 else math.inf


def _information(log_likelihood: float, parameters: int, n: int) -> Information:
    aic = 2 * parameters - 2 * log_likelihood
    return Information(log_likelihood, aic, parameters * math.log(n) - 2 * log_likelihood)


def _refusal(
    name: str, n: int, reason: str, single: dict[str, Information] | None = None, starts: int = 0
) -> MixtureFit:
    return MixtureFit(name, "not identifiable", reason, n, single=single or {}, starts=starts)
