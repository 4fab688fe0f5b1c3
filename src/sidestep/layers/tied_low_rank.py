"""A depthwise convolution, then a matrix of low rank whose one factor is the other's transpose.

The older work's `LR`. The factor has as many columns as the larger number of channels: where outputs are
more, the input is repeated until there are enough, where inputs are more, only the first outputs are made.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from sidestep.convolution import Convolution
from sidestep.layers.shared.separated import (
    Separated,
    bias_parameters,
    check_size,
    depthwise_mult_adds,
    depthwise_parameters,
    refuse_groups,
)
from sidestep.settings import Count


class TiedLowRank(nn.Module):
    """Mixes channels by a matrix and its transpose.

    Attributes:
        compressed: as in `Separated`.
    """

    compressed: tuple[str, ...] = ("weight",)
    bias: nn.Parameter | None

    def __init__(self, inputs: int, outputs: int, rank: int, *, bias: bool) -> None:
        """Channels in and out, and between."""
        super().__init__()
        self.inputs = inputs
        self.outputs = outputs
        self.weight = nn.Parameter(torch.empty(rank, max(inputs, outputs)))
        self.register_parameter("bias", nn.Parameter(torch.empty(outputs)) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Normal weights whose product with their transpose has rows of square 2; no bias.

        Of variance v, with n columns and rank r: n - 1 entries of a row have the mean square r v², and
        the one on the diagonal, a sum of squares, (r² + 2r) v².
        """
        rank, columns = self.weight.shape
        nn.init.normal_(self.weight, std=(2 / (rank * (columns + rank + 1))) ** 0.25)
        if self.bias is not None:
            nn.init.zeros_(self.bias)

    def forward(self, images: Tensor) -> Tensor:
        """N×C×H×W → N×C'×H×W.

        Columns that meet the same channel of a repeated input are added up first, which is the same
        and needs fewer products.
        """
        rank, columns = self.weight.shape
        contract: Tensor = self.weight
        if columns > self.inputs:
            contract = functional.pad(contract, (0, -columns % self.inputs))
            contract = contract.view(rank, -1, self.inputs).sum(1)
        expand = self.weight[:, : self.outputs].mT
        hidden = functional.conv2d(images, contract[:, :, None, None])
        return functional.conv2d(hidden, expand[:, :, None, None], self.bias)


def sizes(convolution: Convolution) -> range:
    """Ranks from 1 to the larger number of channels.

    Raises:
        UserError: the convolution has groups.
    """
    refuse_groups(convolution, "tied_low_rank")
    return range(1, max(convolution.inputs, convolution.outputs) + 1)


def parameters(convolution: Convolution, size: int) -> int:
    """Of the depthwise part, the one matrix and the bias."""
    mixing = size * max(convolution.inputs, convolution.outputs)
    return depthwise_parameters(convolution) + mixing + bias_parameters(convolution)


def mult_adds(convolution: Convolution, size: int, height: int, width: int) -> int:
    """Of one image of that input size; the matrix is used twice."""
    mixing = size * (convolution.inputs + convolution.outputs)
    places = math.prod(convolution.output_size(height, width))
    return depthwise_mult_adds(convolution, height, width) + mixing * places


def build(convolution: Convolution, *, size: Count) -> nn.Module:
    """Depthwise, then 1×1 down and up by one matrix.

    Args:
        convolution: what it replaces.
        size: the rank.

    Raises:
        UserError: the convolution has groups, or there is no such rank.
    """
    check_size(size, sizes(convolution), "tied_low_rank")
    inputs, outputs = convolution.inputs, convolution.outputs
    return Separated(convolution, TiedLowRank(inputs, outputs, size, bias=convolution.bias))
