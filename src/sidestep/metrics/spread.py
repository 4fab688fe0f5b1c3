"""Spread of each hidden neuron's activation over the images: standard deviation and variance.

The journal measured standard deviations and called them variances (trap T3-3); both are here, before
and after the nonlinearity, exact instead of its running approximation.
"""

from collections.abc import Iterator

import numpy as np

from sidestep.measuring.rows import Row, Values
from sidestep.measuring.snapshot import Snapshot
from sidestep.statistics.density import reflected_density

POINTS = 128


def measure(snapshot: Snapshot, *, images: str = "train") -> Iterator[Row | Values]:
    """Sums and means over neurons, the density of the standard deviations, and all of them.

    Args:
        snapshot: the network.
        images: split to look at.
    """
    after = snapshot.activations(images).variance
    variance_before = snapshot.variance_before(images)
    spread = np.sqrt(after)
    yield Values(f"spread_{images}", spread)
    yield Values(f"spread_before_{images}", np.sqrt(variance_before))
    yield Row("sum_of_spread", float(spread.sum()), images)
    yield Row("sum_of_variance", float(after.sum()), images)
    yield Row("mean_spread", float(spread.mean()), images)
    yield Row("sum_of_spread_before", float(np.sqrt(variance_before).sum()), images)
    yield Row("sum_of_variance_before", float(variance_before.sum()), images)
    if np.ptp(spread) > 0:
        found = reflected_density(spread, points=POINTS)
        for x, density in zip(found.grid, found.density, strict=True):
            yield Row("spread_density", float(density), images, float(x))
