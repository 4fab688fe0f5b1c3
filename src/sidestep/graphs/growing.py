"""An evolving layer that knows what it may grow by: the kinds of operations, and how often they have a constant.

What is allowed comes from the config and stays the same; what has grown is in the layer's graph.
"""

from collections.abc import Sequence

import torch
from torch import Generator, nn

from sidestep.errors import UserError
from sidestep.graphs.graph import Graph
from sidestep.graphs.layer import FRESH, EvolvingLayer
from sidestep.graphs.mutation import Mutation, grow, mutate
from sidestep.registry import load, names


class GrowingLayer(EvolvingLayer):
    """An evolving layer that begins with random operations, or none.

    Attributes:
        allowed: names of the operations.
        constant: probability that a new operation has a constant.
        size: number of operations at the start.
    """

    def __init__(self, inputs: int, size: int, allowed: Sequence[str], constant: float) -> None:
        """Make the layer, with operations drawn from PyTorch's generator as it stands.

        Raises:
            UserError: there are no inputs, no kind or an unknown one is allowed, or there are not so
                many different operations.
        """
        if not allowed:
            raise UserError(f"no operations allowed: name at least one of {_known()}")
        for kind in allowed:
            load("operations", kind)
        super().__init__(Graph(inputs))
        self.allowed, self.constant, self.size = tuple(allowed), constant, size
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the operations of the start anew, and forget everything else."""
        empty = Graph(self.graph.inputs)
        graph, made = grow(empty, torch.default_generator, self.allowed, self.constant, self.size)
        start = [value for drawn in made for value in drawn.start]
        like = self.constants.detach()
        statistics = {name: like.new_full((self.size,), value) for name, value in FRESH.items()}
        self.become(graph, like.new_tensor(start), statistics)

    def draw(self, generator: Generator) -> Mutation:
        """A random operation that the graph does not have yet; the layer stays as it is.

        Raises:
            UserError: nothing new is found.
        """
        return mutate(self.graph, generator, self.allowed, self.constant)


def growing(network: nn.Sequential) -> dict[str, GrowingLayer]:
    """The layers that may grow by stage, in the network's order; one a stage."""
    found = {}
    for name, stage in network.named_children():
        for part in stage.modules():
            if isinstance(part, GrowingLayer):
                found[name] = part
    return found


def _known() -> str:
    return ", ".join(names("operations"))
