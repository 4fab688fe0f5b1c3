"""A depthwise convolution, then a 1×1 convolution of all channels (Sifre 2014; Howard et al. 2017)."""

import math

from torch import nn

from sidestep.convolution import Convolution
from sidestep.layers.shared.separated import (
    Dense,
    Separated,
    bias_parameters,
    check_size,
    depthwise_mult_adds,
    depthwise_parameters,
    refuse_groups,
)
from sidestep.settings import Count


def sizes(convolution: Convolution) -> tuple[int, ...]:
    """It has one.

    Raises:
        UserError: the convolution has groups.
    """
    refuse_groups(convolution, "separable")
    return (1,)


def parameters(convolution: Convolution, size: int) -> int:
    """Of both parts and the bias; `size` is 1."""
    del size
    mixing = convolution.inputs * convolution.outputs
    return depthwise_parameters(convolution) + mixing + bias_parameters(convolution)


def mult_adds(convolution: Convolution, size: int, height: int, width: int) -> int:
    """Of one image of that input size; `size` is 1."""
    del size
    mixing = convolution.inputs * convolution.outputs
    places = math.prod(convolution.output_size(height, width))
    return depthwise_mult_adds(convolution, height, width) + mixing * places


def build(convolution: Convolution, *, size: Count) -> nn.Module:
    """Depthwise, then 1×1.

    Args:
        convolution: what it replaces.
        size: 1.

    Raises:
        UserError: the convolution has groups, or the size is another.
    """
    check_size(size, sizes(convolution), "separable")
    pointwise = Dense(convolution.inputs, convolution.outputs, gain=2, bias=convolution.bias)
    return Separated(convolution, pointwise)
