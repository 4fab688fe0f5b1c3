"""A gate that is open for all neurons: the layer has the size that it was given, or that an edit gives it."""

import torch
from torch import Tensor

from sidestep.gate import Gate


class Open(Gate):
    """The gate; `as_teacher` says whether the stage takes the size of the teacher's."""

    def __init__(self, neurons: int, *, as_teacher: bool) -> None:
        super().__init__(neurons)
        self.as_teacher = as_teacher

    def forward(self, output: Tensor) -> Tensor:
        """The stage's output as it is."""
        return output

    def scales(self) -> Tensor:
        """Ones, (neurons,)."""
        return torch.ones(self.neurons, device=self.count.device)


def build(neurons: int, *, as_teacher: bool = False) -> Gate:
    """The gate.

    Args:
        neurons: number of neurons or channels of the stage.
        as_teacher: whether the stage is made as large as the same stage of the run's teacher has
            become, rounded to whole neurons, and initialised anew at that size.
    """
    return Open(neurons, as_teacher=as_teacher)
