"""A depthwise convolution, then a 1×1 convolution whose matrix is a sum of outer products (CP).

Canonical polyadic decomposition (Hitchcock 1927; Kolda and Bader 2009): the matrix is seen as a tensor as
in `tensor_train`, and is the sum of `size` outer products of one vector a dimension.
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


class Polyadic(Decomposed):
    """Mixes channels by a matrix with the entries of a sum of outer products; factors: side × terms."""

    def tensor(self) -> Tensor:
        """All products of the first factors' rows, then a matrix product with the last."""
        first, *middle, last = self.factors
        rows: Tensor = first
        for factor in middle:
            rows = (rows[:, None] * factor).flatten(0, 1)
        tensor: Tensor = rows @ last.mT
        return tensor


def sizes(convolution: Convolution, *, dimensions: Count = 3) -> range:
    """Numbers of terms, from 1 to as many as give any matrix.

    Raises:
        UserError: the convolution has groups, or there are too few dimensions.
    """
    refuse_groups(convolution, "cp")
    sides = sides_of(convolution, dimensions)
    return range(1, math.prod(sides) // max(sides) + 1)


def parameters(convolution: Convolution, size: int, *, dimensions: Count = 3) -> int:
    """Of the depthwise part, the vectors and the bias."""
    vectors = size * sum(sides_of(convolution, dimensions))
    return depthwise_parameters(convolution) + vectors + bias_parameters(convolution)


def mult_adds(convolution: Convolution, size: int, height: int, width: int) -> int:
    """As many as `separable`, of one image of that input size.

    The matrix is assembled once for any number of images and places, and kept out of the count.
    """
    del size
    mixing = convolution.inputs * convolution.outputs
    places = math.prod(convolution.output_size(height, width))
    return depthwise_mult_adds(convolution, height, width) + mixing * places


def build(convolution: Convolution, *, size: Count, dimensions: Count = 3) -> nn.Module:
    """Depthwise, then 1×1 with the matrix of a sum of outer products.

    Args:
        convolution: what it replaces.
        size: the number of terms.
        dimensions: of the tensor, at least 2.

    Raises:
        UserError: the convolution has groups, there is no such size, or there are too few dimensions.
    """
    check_size(size, sizes(convolution, dimensions=dimensions), "cp")
    sides = sides_of(convolution, dimensions)
    shapes = [(side, size) for side in sides]
    return Separated(convolution, Polyadic(convolution, shapes, sides))
