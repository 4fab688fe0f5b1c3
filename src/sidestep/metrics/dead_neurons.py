"""Neurons that are never active: their pre-activation is above zero on none of the images."""

from collections.abc import Iterator

from sidestep.measuring.rows import Row
from sidestep.measuring.snapshot import Snapshot


def measure(snapshot: Snapshot, *, images: str = "train") -> Iterator[Row]:
    """Number and share of dead neurons.

    Args:
        snapshot: the network.
        images: split to look at.
    """
    dead = snapshot.activations(images).largest_before <= 0
    yield Row("dead_neurons", float(dead.sum()), images)
    yield Row("dead_share", float(dead.mean()), images)
