"""End-to-end back-propagation: one phase, one objective that reaches every stage (Rumelhart et al. 1986)."""

from torch import nn

from sidestep.contract import Objective, Phase
from sidestep.signals import cross_entropy


def phases(
    network: nn.Sequential, output_shapes: tuple[tuple[int, ...], ...], classes: int
) -> tuple[Phase, ...]:
    """The single phase.

    Args:
        network: its stages in order.
        output_shapes: shape of each stage's output without the batch.
        classes: number of classes.
    """
    last = len(network) - 1
    signal = cross_entropy.build(output_shapes[last], classes)
    return (Phase("all", (Objective(signal, first=0, at=last),)),)
