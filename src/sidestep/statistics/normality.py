"""How normal values look: Shapiro and Wilk's W (Biometrika 52, 1965; Royston's AS R94).

Only W is reported. SciPy's p-value is an extrapolation above 5,000 values, where any deviation is
significant anyway; the journal reads W itself (and calls it "t-value").
"""

import math
import warnings
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class ShapiroWilk:
    """W in ]0, 1] on `n` values, 1 for the most normal; `nan` with a reason where undefined."""

    w: float
    n: int
    reason: str = ""


def shapiro(values: npt.NDArray[np.float64]) -> ShapiroWilk:
    """W of `values` (any shape, any unit), which does not change with their unit or origin.

    Refused for fewer than 3 values, for values that are all equal, and for any that is not finite.
    """
    array = np.sort(np.asarray(values, dtype=np.float64).ravel())
    n = len(array)
    if n < 3:
        return ShapiroWilk(math.nan, n, f"{n} values, fewer than 3")
    if not np.isfinite(array).all():
        return ShapiroWilk(math.nan, n, "values that are not finite")
    # SciPy calls a range below 1e-19 zero, whatever the unit.
    centred = array - array[n // 2]
    spread = float(centred[-1] - centred[0])
    if not spread > 0:
        return ShapiroWilk(math.nan, n, "all values are equal")

    import scipy.stats  # a second of start-up, for those who need it

    with warnings.catch_warnings():
        # That the p-value may be inaccurate above 5,000 values: it is not used.
        warnings.filterwarnings("ignore", message=".*p-value may not be accurate")
        return ShapiroWilk(float(scipy.stats.shapiro(centred / spread).statistic), n)
