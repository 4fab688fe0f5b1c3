"""A depthwise convolution, then a matrix of low rank: 1×1 down to `size` channels, 1×1 up again.

The older work's `Generic`: with a 1×1 convolution for a separable one's mixing part it is the plainest
of all compressions. A rank above the smaller number of channels would add parameters and no functions,
so there is none; the older work had one where 16 channels became 160.
"""

import math

from torch import Tensor, nn

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


class LowRank(nn.Module):
    """Mixes channels by the product of two matrices.

    Attributes:
        compressed: as in `Separated`.
    """

    compressed: tuple[str, ...] = ("contract.weight", "expand.weight")

    def __init__(self, inputs: int, outputs: int, rank: int, *, bias: bool) -> None:
        """Channels in and out, and between."""
        super().__init__()
        self.contract = Dense(inputs, rank, gain=1)
        self.expand = Dense(rank, outputs, gain=2, bias=bias)

    def forward(self, images: Tensor) -> Tensor:
        """N×C×H×W → N×C'×H×W."""
        mixed: Tensor = self.expand(self.contract(images))
        return mixed


def sizes(convolution: Convolution) -> range:
    """Ranks from 1 to the smaller number of channels.

    Raises:
        UserError: the convolution has groups.
    """
    refuse_groups(convolution, "low_rank")
    return range(1, min(convolution.inputs, convolution.outputs) + 1)


def parameters(convolution: Convolution, size: int) -> int:
    """Of the depthwise part, both matrices and the bias."""
    mixing = size * (convolution.inputs + convolution.outputs)
    return depthwise_parameters(convolution) + mixing + bias_parameters(convolution)


def mult_adds(convolution: Convolution, size: int, height: int, width: int) -> int:
    """Of one image of that input size."""
    mixing = size * (convolution.inputs + convolution.outputs)
    places = math.prod(convolution.output_size(height, width))
    return depthwise_mult_adds(convolution, height, width) + mixing * places


def build(convolution: Convolution, *, size: Count) -> nn.Module:
    """Depthwise, then 1×1 down and up.

    Args:
        convolution: what it replaces.
        size: the rank.

    Raises:
        UserError: the convolution has groups, or there is no such rank.
    """
    check_size(size, sizes(convolution), "low_rank")
    inputs, outputs = convolution.inputs, convolution.outputs
    return Separated(convolution, LowRank(inputs, outputs, size, bias=convolution.bias))
