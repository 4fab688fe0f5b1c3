"""The convolution itself, as a layer like the others, with the weights of He's rule (He et al. 2015)."""

import math

from torch import nn

from sidestep.convolution import Convolution
from sidestep.layers.shared.separated import check_groups, check_size
from sidestep.settings import Count


class DenseConvolution(nn.Conv2d):
    """A convolution whose weights keep the second moment of activations through a ReLU."""

    def reset_parameters(self) -> None:
        """Normal weights of variance 2 / fan-in, no bias."""
        fan_in = self.in_channels // self.groups * math.prod(self.kernel_size)
        nn.init.normal_(self.weight, std=math.sqrt(2 / fan_in))
        if self.bias is not None:
            nn.init.zeros_(self.bias)


def sizes(convolution: Convolution) -> tuple[int, ...]:
    """It has one.

    Raises:
        UserError: groups do not divide the channels.
    """
    check_groups(convolution, "dense")
    return (1,)


def parameters(convolution: Convolution, size: int) -> int:
    """Weights and bias; `size` is 1."""
    del size
    return convolution.parameters


def mult_adds(convolution: Convolution, size: int, height: int, width: int) -> int:
    """Of one image of that input size; `size` is 1."""
    del size
    return convolution.mult_adds(height, width)


def build(convolution: Convolution, *, size: Count) -> nn.Module:
    """The convolution; no weight decay is scaled by a compression that it does not have.

    Args:
        convolution: what it is.
        size: 1.

    Raises:
        UserError: groups do not divide the channels, or the size is another.
    """
    check_size(size, sizes(convolution), "dense")
    return DenseConvolution(
        convolution.inputs,
        convolution.outputs,
        convolution.kernel,
        convolution.stride,
        convolution.padding,
        groups=convolution.groups,
        bias=convolution.bias,
    )
