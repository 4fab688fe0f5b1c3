"""A depthwise convolution, then a 1×1 convolution whose matrix is a tensor train (Oseledets 2011).

The matrix, in row-major order, is seen as a tensor of three dimensions by the older work's rule
(`dimensions_of`), which pairs no side with inputs or outputs alone; so it is assembled and then used as
any 1×1 convolution. The older work's ranks were shares of the sides; here all have one cap.
"""

import math

from torch import Tensor, nn

from sidestep.convolution import Convolution
from sidestep.layers.shared.decomposed import Decomposed, sides_of
from sidestep.layers.shared.separated import (
    Separated,
    bias_parameters,
    check_size,
    depthwise_mult_adds,
    depthwise_parameters,
    refuse_groups,
)
from sidestep.settings import Count


class TensorTrain(Decomposed):
    """Mixes channels by a matrix with the entries of a tensor train; core k has r(k-1) × side × r(k)."""

    def tensor(self) -> Tensor:
        """Cores multiplied from left to right."""
        first, *rest = self.factors
        train: Tensor = first.flatten(0, 1)
        for core in rest:
            train = (train @ core.flatten(1)).reshape(-1, core.shape[-1])
        return train


def ranks_of(sides: tuple[int, ...], cap: int) -> tuple[int, ...]:
    """Ranks between the cores and, as 1, at both ends: at most the cap and what any tensor needs."""
    needed = (
        min(math.prod(sides[:place]), math.prod(sides[place:])) for place in range(1, len(sides))
    )
    return (1, *(min(cap, rank) for rank in needed), 1)


def shapes_of(sides: tuple[int, ...], ranks: tuple[int, ...]) -> list[tuple[int, ...]]:
    """Shapes of the cores."""
    return list(zip(ranks[:-1], sides, ranks[1:], strict=True))


def sizes(convolution: Convolution, *, dimensions: Count = 3) -> range:
    """Caps on the ranks, from 1 to what any matrix needs.

    Raises:
        UserError: the convolution has groups, or there are too few dimensions.
    """
    refuse_groups(convolution, "tensor_train")
    sides = sides_of(convolution, dimensions)
    return range(1, max(ranks_of(sides, math.prod(sides))) + 1)


def parameters(convolution: Convolution, size: int, *, dimensions: Count = 3) -> int:
    """Of the depthwise part, the cores and the bias."""
    sides = sides_of(convolution, dimensions)
    cores = sum(map(math.prod, shapes_of(sides, ranks_of(sides, size))))
    return depthwise_parameters(convolution) + cores + bias_parameters(convolution)


def mult_adds(convolution: Convolution, size: int, height: int, width: int) -> int:
    """As many as `separable`, of one image of that input size.

    The matrix is assembled once for any number of images and places, and kept out of the count.
    """
    del size
    mixing = convolution.inputs * convolution.outputs
    places = math.prod(convolution.output_size(height, width))
    return depthwise_mult_adds(convolution, height, width) + mixing * places


def build(convolution: Convolution, *, size: Count, dimensions: Count = 3) -> nn.Module:
    """Depthwise, then 1×1 with the matrix of a tensor train.

    Args:
        convolution: what it replaces.
        size: the cap on its ranks.
        dimensions: of the tensor, at least 2.

    Raises:
        UserError: the convolution has groups, there is no such size, or there are too few dimensions.
    """
    check_size(size, sizes(convolution, dimensions=dimensions), "tensor_train")
    sides = sides_of(convolution, dimensions)
    shapes = shapes_of(sides, ranks_of(sides, size))
    return Separated(convolution, TensorTrain(convolution, shapes, sides))
