"""Does a quantity grow like a logarithm or like a power of the width?

Both curves are least-squares fits in the original units, so that their R² are of the same kind. (A
power law fitted on log-log axes minimises relative errors and would be compared by another
measure.)
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sidestep.statistics.bootstrap import mean_over_seeds
from sidestep.statistics.intervals import Interval, mean_interval

Array = npt.NDArray[np.float64]

LOGARITHMIC, POWER_LAW, NEITHER = "logarithmic", "power law", "neither"


@dataclass(frozen=True)
class Trend:
    """A fitted curve: `logarithmic` y = a + b·log₂ x, or `power law` y = a·x^b.

    `r_squared` is 1 − Σ(y − ŷ)² / Σ(y − ȳ)² in the units of y, `nan` where y does not vary.
    """

    name: str
    a: float
    b: float
    r_squared: float

    def at(self, x: Array) -> Array:
        """The curve at positive `x`, any shape, in the units of y."""
        positions = np.asarray(x, dtype=np.float64)
        if self.name == LOGARITHMIC:
            return self.a + self.b * np.log2(positions)
        power: Array = self.a * positions**self.b
        return power


@dataclass(frozen=True)
class Comparison:
    """Both fits to the mean over seeds, the better one, and whether the seeds agree.

    `better` is `neither` where both R² are undefined or equal. `agreeing` of `seeds` seeds have the
    same better curve on their own; `difference` is R²(logarithmic) − R²(power law) over them.
    """

    better: str
    logarithmic: Trend
    power_law: Trend
    seeds: int
    agreeing: int
    difference: Interval


def logarithmic(x: Array, y: Array) -> Trend:
    """Least squares of y = a + b·log₂ x; b is the growth per octave, in the units of y.

    `x` and `y` have shape (n,), finite, n ≥ 3, x positive and not all equal (ValueError otherwise).
    """
    x, y = _checked(x, y)
    octaves = np.log2(x)
    centred = octaves - octaves.mean()
    b = float(centred @ y / (centred @ centred))
    a = float(y.mean() - b * octaves.mean())
    return Trend(LOGARITHMIC, a, b, _r_squared(y, a + b * octaves))


def power_law(x: Array, y: Array) -> Trend:
    """Least squares of y = a·x^b in the units of y; a is the value at x = 1.

    Levenberg–Marquardt from the straight line on log-log axes through the positive y (from b = 0
    where there are fewer than two of them). Same conditions as `logarithmic`.
    """
    from scipy.optimize import least_squares

    x, y = _checked(x, y)
    # Around the middle of x and in units of y, both parameters are of order one.
    origin = float(np.exp(np.log(x).mean()))
    unit = float(np.abs(y).max())
    if unit == 0:
        return Trend(POWER_LAW, 0.0, 0.0, math.nan)
    logs, scaled = np.log(x / origin), y / unit
    positive = scaled > 0
    start = np.array([scaled.mean(), 0.0])
    if len(np.unique(logs[positive])) >= 2:
        slope, height = np.polyfit(logs[positive], np.log(scaled[positive]), 1)
        start = np.array([math.exp(height), slope])

    def residuals(parameters: Array) -> Array:
        curve: Array = parameters[0] * np.exp(parameters[1] * logs) - scaled
        return curve

    def jacobian(parameters: Array) -> Array:
        powers = np.exp(parameters[1] * logs)
        return np.stack([powers, parameters[0] * logs * powers], axis=1)

    solved = least_squares(
        residuals, start, jac=jacobian, method="lm", xtol=1e-14, ftol=1e-14, gtol=1e-14
    )
    height, b = map(float, solved.x)
    fitted = unit * height * np.exp(b * logs)
    return Trend(POWER_LAW, unit * height * origin**-b, b, _r_squared(y, fitted))


def better(x: Array, y: Array) -> Comparison:
    """Which curve describes y(x) better: the one with the larger R², as both have two parameters.

    `y` has shape (n,) or (n, seeds); with seeds the curves are fitted to their mean, and again to
    each. Conditions as `logarithmic`.
    """
    columns = np.asarray(y, dtype=np.float64)
    columns = columns.reshape(len(columns), -1)
    log_fit, power_fit = _both(x, mean_over_seeds(columns))
    winner = _winner(log_fit, power_fit)
    each = [_both(x, column) for column in columns.T]
    return Comparison(
        winner,
        log_fit,
        power_fit,
        seeds=len(each),
        agreeing=sum(_winner(*fits) == winner for fits in each),
        difference=mean_interval([one.r_squared - other.r_squared for one, other in each]),
    )


def _both(x: Array, y: Array) -> tuple[Trend, Trend]:
    return logarithmic(x, y), power_law(x, y)


def _winner(log_fit: Trend, power_fit: Trend) -> str:
    if log_fit.r_squared > power_fit.r_squared:
        return LOGARITHMIC
    return POWER_LAW if power_fit.r_squared > log_fit.r_squared else NEITHER


def _r_squared(y: Array, fitted: Array) -> float:
    total = float(((y - y.mean()) ** 2).sum())
    if total <= 1e-30 * float((y * y).sum()):  # equal up to rounding
        return math.nan
    return 1 - float(((y - fitted) ** 2).sum()) / total


def _checked(x: Array, y: Array) -> tuple[Array, Array]:
    x, y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    if x.ndim != 1 or x.shape != y.shape or len(x) < 3:
        raise ValueError(f"x {x.shape} and y {y.shape}; needed: the same length, at least 3")
    if not (np.isfinite(x).all() and np.isfinite(y).all() and (x > 0).all()):
        raise ValueError("x must be positive and both x and y finite")
    if x.min() == x.max():
        raise ValueError("x does not vary")
    return x, y
