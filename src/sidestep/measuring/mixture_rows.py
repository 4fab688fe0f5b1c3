"""Mixture fits of spread as rows: what the single network and the pool of seeds both report."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from sidestep.measuring.rows import Row
from sidestep.statistics.mixtures import exponential_normal, two_gammas

MODELS = {"exponential_normal": exponential_normal.fit, "two_gammas": two_gammas.fit}


def mixture_rows(spread: NDArray[np.float64], images: str) -> Iterator[Row]:
    """Both mixtures fitted to the living neurons' spread.

    `<model>_identifiable` is 1 or 0; where it is 0 the other values are NaN. Component 1 is the one
    with the smaller mean (trap T3-4), so `<model>_share` never flips to the other component.

    Args:
        spread: standard deviation of each neuron, zeros included.
        images: split that it was measured on.
    """
    living = spread[spread > 0]
    if not np.isfinite(living).all():
        # The outputs of a network that exploded: nothing can be fitted to them.
        living = living[:0]
    for name, fit in MODELS.items():
        found = fit(living)
        yield Row(f"{name}_identifiable", float(found.fitted), images)
        yield Row(f"{name}_share", found.weights[0], images)
        for index, mean in enumerate(found.means, start=1):
            yield Row(f"{name}_mean", mean, images, index)
        yield Row(f"{name}_aic", found.aic, images)
        yield Row(f"{name}_bic", found.bic, images)
        for parameter, value in found.parameters.items():
            yield Row(f"{name}_{parameter}", value, images)
