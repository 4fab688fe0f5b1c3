"""What the tensor decompositions share: a matrix seen as a tensor, and its scale at the start."""

import math
from abc import abstractmethod
from collections.abc import Sequence
from functools import cache

import torch
from torch import Tensor, nn

from sidestep.convolution import Convolution
from sidestep.errors import UserError
from sidestep.layers.shared.separated import Assembled


@cache
def dimensions_of(entries: int, dimensions: int) -> tuple[int, ...]:
    """Sides of a tensor with so many entries, each near the root that would make all equal.

    The rule of the older work: the first side is the smallest divisor that is not below the rounded
    root, the others follow in the same way from what is left (160·160 → 32, 32, 25).

    Raises:
        UserError: fewer than two dimensions are asked for.
    """
    if dimensions < 2:
        raise UserError(f"a decomposition needs at least 2 dimensions, not {dimensions}")
    sides = []
    for left in range(dimensions, 1, -1):
        root = round(entries ** (1 / left))
        side = next(n for n in range(max(root, 1), entries + 1) if entries % n == 0)
        sides.append(side)
        entries //= side
    return (*sides, entries)


def sides_of(convolution: Convolution, dimensions: int) -> tuple[int, ...]:
    """Sides of the tensor that the matrix from inputs to outputs is seen as, in its row-major order."""
    return dimensions_of(convolution.inputs * convolution.outputs, dimensions)


class Decomposed(Assembled):
    """Mixes channels by a matrix whose entries, in row-major order, are those of a small tensor network.

    A subclass has `tensor` and registers its factors as `factors`.
    """

    factors: nn.ParameterList

    def __init__(
        self, convolution: Convolution, shapes: Sequence[tuple[int, ...]], sides: tuple[int, ...]
    ) -> None:
        """The matrix of a convolution's channels, with factors of these shapes."""
        super().__init__()
        self.inputs = convolution.inputs
        self.outputs = convolution.outputs
        self.sides = sides
        self.factors = nn.ParameterList([torch.empty(shape) for shape in shapes])
        self.compressed = tuple(f"factors.{index}" for index in range(len(shapes)))
        self.add_bias(convolution.bias)
        self.reset_parameters()

    @abstractmethod
    def tensor(self) -> Tensor:
        """The tensor, of any shape with its entries in order."""

    def matrix(self) -> Tensor:
        """The matrix, C'×C."""
        return self.tensor().reshape(self.outputs, self.inputs)

    @torch.no_grad()
    def reset_parameters(self) -> None:
        """Normal factors, then scaled so that the matrix has the mean square of He's rule, 2/C, exactly.

        Without that the few numbers of a small core would make the scale of a layer a matter of luck.
        """
        for factor in self.factors:
            nn.init.normal_(factor)
        scale = math.sqrt(2 / self.inputs) / self.tensor().square().mean().sqrt()
        for factor in self.factors:
            factor.mul_(scale ** (1 / len(self.factors)))
        if self.bias is not None:
            nn.init.zeros_(self.bias)
