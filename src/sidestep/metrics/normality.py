"""How normal the spread of a network's neurons is: Shapiro and Wilk's W (1965).

Only W is reported, with its n: the p-value is unreliable above 5,000 values.
"""

from collections.abc import Iterator

import numpy as np

from sidestep.measuring.rows import Row
from sidestep.measuring.snapshot import Snapshot
from sidestep.statistics.normality import shapiro


def measure(snapshot: Snapshot, *, images: str = "train") -> Iterator[Row]:
    """W and n on all neurons and on the living ones.

    Args:
        snapshot: the network.
        images: split to look at.
    """
    spread = np.sqrt(snapshot.activations(images).variance)
    for name, values in (("all", spread), ("living", spread[spread > 0])):
        found = shapiro(values)
        yield Row(f"normality_{name}", found.w, images)
        yield Row(f"normality_{name}_n", float(found.n), images)
