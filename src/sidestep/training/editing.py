"""Edits of the network at the start of a phase, with the optimiser's state of what stays."""

from dataclasses import dataclass

import torch
from torch import Generator, Tensor, nn

from sidestep import surgery
from sidestep.contract import Batch
from sidestep.seeds import derive
from sidestep.training.optimiser import Optimiser


@dataclass
class Surgery:
    """What an edit sees and may do: `sidestep.contract.Editing`."""

    network: nn.Sequential
    train: Batch
    validation: Batch | None
    seed: int
    index: int
    last: bool
    optimiser: Optimiser

    @property
    def state(self) -> dict[str, list[Tensor]]:
        """The optimiser's slots by name of the parameter."""
        return self.optimiser.state

    def generator(self) -> Generator:
        """A generator with a stream of the phase; PyTorch's own stays where it is."""
        return Generator().manual_seed(derive(self.seed, "evolution", self.index))

    def keep(self, stage: str, chosen: Tensor) -> None:
        """Keep the chosen neurons of a gated stage, in that order, and the optimiser's state of them."""
        surgery.keep(self.network, stage, chosen, self.optimiser.state)

    def grow(self, stage: str, count: int) -> None:
        """Add neurons to a gated stage, drawn from a stream of the phase and the stage."""
        state = torch.get_rng_state()
        torch.manual_seed(derive(self.seed, "growth", self.index, stage))
        surgery.grow(self.network, stage, count, self.optimiser.state)
        torch.set_rng_state(state)
