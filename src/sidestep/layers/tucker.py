"""A depthwise convolution, then a 1×1 convolution whose matrix is a Tucker decomposition (Tucker 1966).

The matrix is seen as a tensor as in `tensor_train`; it is a smaller core that a matrix for each dimension
enlarges. The older work kept the core as a tensor train, which has more parameters than the core itself
where ranks are small; here it is kept as it is. Its ranks were shares of the sides; here all have one cap.
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


class Tucker(Decomposed):
    """Mixes channels by a matrix with the entries of a Tucker tensor; factors: core, then side × rank."""

    def tensor(self) -> Tensor:
        """The core, enlarged along one dimension after the other.

        Each turn takes the first dimension away and puts the enlarged one last, so that in the end
        they are in order again.
        """
        core, *enlarge = self.factors
        tensor: Tensor = core
        for factor in enlarge:
            tensor = (tensor.flatten(1).mT @ factor.mT).reshape(*tensor.shape[1:], -1)
        return tensor


def shapes_of(sides: tuple[int, ...], cap: int) -> list[tuple[int, ...]]:
    """Shapes of the core, whose sides are at most the cap, and of the matrices."""
    ranks = tuple(min(cap, side) for side in sides)
    return [ranks, *zip(sides, ranks, strict=True)]


def sizes(convolution: Convolution, *, dimensions: Count = 3) -> range:
    """Caps on the core's sides, from 1 to the largest side of the tensor.

    Raises:
        UserError: the convolution has groups, or there are too few dimensions.
    """
    refuse_groups(convolution, "tucker")
    return range(1, max(sides_of(convolution, dimensions)) + 1)


def parameters(convolution: Convolution, size: int, *, dimensions: Count = 3) -> int:
    """Of the depthwise part, the core, the matrices and the bias."""
    factors = sum(map(math.prod, shapes_of(sides_of(convolution, dimensions), size)))
    return depthwise_parameters(convolution) + factors + bias_parameters(convolution)


def mult_adds(convolution: Convolution, size: int, height: int, width: int) -> int:
    """As many as `separable`, of one image of that input size.

    The matrix is assembled once for any number of images and places, and kept out of the count.
    """
    del size
    mixing = convolution.inputs * convolution.outputs
    places = math.prod(convolution.output_size(height, width))
    return depthwise_mult_adds(convolution, height, width) + mixing * places


def build(convolution: Convolution, *, size: Count, dimensions: Count = 3) -> nn.Module:
    """Depthwise, then 1×1 with the matrix of a Tucker tensor.

    Args:
        convolution: what it replaces.
        size: the cap on the core's sides.
        dimensions: of the tensor, at least 2.

    Raises:
        UserError: the convolution has groups, there is no such size, or there are too few dimensions.
    """
    check_size(size, sizes(convolution, dimensions=dimensions), "tucker")
    sides = sides_of(convolution, dimensions)
    return Separated(convolution, Tucker(convolution, shapes_of(sides, size), sides))
