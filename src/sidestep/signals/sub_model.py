"""A sub-model: one dense layer from the stage's output to the classes, trained with it by cross-entropy.

The older work's plainest idea: the stage is optimised for a linear classifier of its own, which is
thrown away afterwards.
"""

import math

from torch import Tensor, nn
from torch.nn import functional

from sidestep.contract import Batch, Signal


class SubModel(Signal):
    """Mean cross-entropy in nats of a linear classifier on the flattened output."""

    in_nats = True

    def __init__(self, features: int, classes: int) -> None:
        """One dense layer of `features` inputs and `classes` outputs, with a bias."""
        super().__init__()
        self.linear = nn.Linear(features, classes)

    def forward(self, output: Tensor, batch: Batch) -> Tensor:
        """The scalar loss of outputs N×…"""
        return functional.cross_entropy(self.linear(output.flatten(1)), batch.labels)


def build(output_shape: tuple[int, ...], classes: int) -> Signal:
    """The signal for a stage with outputs of that shape, without the batch."""
    return SubModel(math.prod(output_shape), classes)
