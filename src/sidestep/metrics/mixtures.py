"""Mixtures of small and large spread in one network: exponential + normal, and two gammas."""

from collections.abc import Iterator

import numpy as np

from sidestep.measuring.mixture_rows import mixture_rows
from sidestep.measuring.rows import Row
from sidestep.measuring.snapshot import Snapshot


def measure(snapshot: Snapshot, *, images: str = "train") -> Iterator[Row]:
    """Both fits, on the living neurons.

    Args:
        snapshot: the network.
        images: split to look at.
    """
    yield from mixture_rows(np.sqrt(snapshot.activations(images).variance), images)
