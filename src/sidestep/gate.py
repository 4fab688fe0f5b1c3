"""Gates: what decides how many neurons of a hidden layer are used, the contract of `gates/`.

A gate stands at the end of a stage and scales its neurons, or its channels; its size is how many are
used, and each used one has a price, in nats of the loss. Gates give one number per neuron and know
nothing of the layers around them: those who add and remove neurons do (`sidestep.surgery`).
"""

from typing import ClassVar

import torch
from torch import Tensor, nn


class Gate(nn.Module):
    """Scales the neurons of a stage.

    Attributes:
        price: of one used neuron, in nats of the loss.
        as_teacher: whether the stage is made as large as the same one of the run's teacher has become.
        PER_NEURON: names of the parameters that have one value per neuron.
    """

    PER_NEURON: ClassVar[tuple[str, ...]] = ()
    count: Tensor
    as_teacher: bool = False

    def __init__(self, neurons: int, price: float = 0.0) -> None:
        super().__init__()
        # A buffer, so that a checkpoint knows how many there are.
        self.register_buffer("count", torch.tensor(neurons))
        self.neurons = neurons
        self.price = price

    def forward(self, output: Tensor) -> Tensor:
        """The stage's output, N×neurons×…, scaled."""
        scales = self.scales()
        return output * scales.view(-1, *(1 for _ in output.shape[2:]))

    def scales(self) -> Tensor:
        """The factor of each neuron, (neurons,)."""
        raise TypeError(f"{type(self).__name__} has no scales()")

    def size(self) -> Tensor:
        """How many neurons are used: the sum of their factors, a scalar."""
        return self.scales().sum()

    def position(self) -> Tensor | None:
        """The trained parameter that says where the used neurons end, a scalar; None if none does."""
        return None

    def penalty(self) -> Tensor | None:
        """What is added to the loss, a scalar in nats; None if nothing ever is."""
        return self.price * self.size() if self.price else None

    def settings_of(self) -> dict[str, dict[str, float]]:
        """Settings of the optimiser by which parameters depart from the network's, by name."""
        return {}

    def dead(self) -> Tensor:
        """Which neurons contribute exactly nothing and never will again, (neurons,) of bool."""
        return torch.zeros(self.neurons, dtype=torch.bool, device=self.count.device)

    def resized(self, neurons: int) -> None:
        """Take note that the stage has another number of neurons now."""
        self.neurons = neurons
        self.count.fill_(neurons)

    def newcomers(self, name: str, count: int) -> Tensor:
        """Values of the per-neuron parameter of that name for new neurons, (count,)."""
        raise KeyError(f"{type(self).__name__} has no per-neuron parameter '{name}' for {count}")
