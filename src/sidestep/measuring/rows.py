"""What metrics give: tidy rows, and arrays of values per neuron or component."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Row(NamedTuple):
    """One value.

    Attributes:
        metric: name of the quantity.
        value: its value; NaN where it is not defined (a refused fit, say).
        images: split on which it was measured, or empty for a function of the weights alone.
        component: abscissa, for a metric that is a curve.
    """

    metric: str
    value: float
    images: str = ""
    component: float | None = None


class Values(NamedTuple):
    """Values per neuron or component, kept for group metrics and readers: `name` and its array."""

    name: str
    array: NDArray[np.float64]
