"""A depthwise convolution, then a 1×1 convolution whose matrix is a Monarch one (Dao et al. 2022).

Two block-diagonal matrices with a fixed permutation between and one behind: P' L P R. With b blocks, R
takes C / b inputs to h channels in each block and L takes h to C' / b outputs, h being the smaller of the
two; P deals the channels of each block of R out to all blocks of L, and P' does the same with the outputs.
Where b does not divide a number of channels, blocks are rounded up: the input is padded with zeros and
surplus outputs are dropped. Fewer blocks are more parameters; from b > h on an output no longer sees
every input.
"""

import math
from functools import cache

from torch import Tensor, nn
from torch.nn import functional

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


class Monarch(nn.Module):
    """Mixes channels by two block-diagonal matrices, which are grouped 1×1 convolutions.

    Attributes:
        compressed: as in `Separated`.
    """

    compressed: tuple[str, ...] = ("first.weight", "second.weight")
    bias: nn.Parameter | None

    def __init__(self, inputs: int, outputs: int, blocks: int, *, bias: bool) -> None:
        """Channels in and out, and the number of blocks."""
        super().__init__()
        self.inputs = inputs
        self.outputs = outputs
        self.blocks = blocks
        into, middle, out = _sides(inputs, outputs, blocks)
        # The padding brings nothing, so that there are fewer inputs to add up than a block has.
        self.first = Dense(
            into * blocks, middle * blocks, gain=into * blocks / inputs, groups=blocks
        )
        self.second = Dense(middle * blocks, out * blocks, gain=2, groups=blocks)
        # By itself, since surplus outputs have none.
        self.register_parameter(
            "bias", nn.Parameter(self.first.weight.new_zeros(outputs)) if bias else None
        )

    def reset_parameters(self) -> None:
        """The weights are reset by the convolutions that own them; no bias."""
        if self.bias is not None:
            nn.init.zeros_(self.bias)

    def forward(self, images: Tensor) -> Tensor:
        """N×C×H×W → N×C'×H×W."""
        missing = self.first.in_channels - self.inputs
        if missing:
            images = functional.pad(images, (0, 0, 0, 0, 0, missing))
        hidden = functional.channel_shuffle(self.first(images), self.blocks)
        mixed = functional.channel_shuffle(self.second(hidden), self.blocks)[:, : self.outputs]
        return mixed if self.bias is None else mixed + self.bias[:, None, None]


@cache
def block_counts(inputs: int, outputs: int) -> tuple[int, ...]:
    """Numbers of blocks, from the most; any is left out to which a smaller one is no dearer."""
    kept: list[int] = []
    least = math.inf
    for blocks in range(1, min(inputs, outputs) + 1):
        if (weights := _weights(inputs, outputs, blocks)) < least:
            least = weights
            kept.append(blocks)
    return tuple(reversed(kept))


def sizes(convolution: Convolution) -> range:
    """Places in `block_counts`, from 1.

    Raises:
        UserError: the convolution has groups.
    """
    refuse_groups(convolution, "monarch")
    return range(1, len(block_counts(convolution.inputs, convolution.outputs)) + 1)


def parameters(convolution: Convolution, size: int) -> int:
    """Of the depthwise part, the blocks and the bias."""
    mixing = _mixing(convolution, size)
    return depthwise_parameters(convolution) + mixing + bias_parameters(convolution)


def mult_adds(convolution: Convolution, size: int, height: int, width: int) -> int:
    """Of one image of that input size, products with padding and of surplus outputs included."""
    places = math.prod(convolution.output_size(height, width))
    mixing = _mixing(convolution, size) * places
    return depthwise_mult_adds(convolution, height, width) + mixing


def build(convolution: Convolution, *, size: Count) -> nn.Module:
    """Depthwise, then 1×1 with a Monarch matrix.

    Args:
        convolution: what it replaces.
        size: the place of the number of blocks among the possible ones, from the most.

    Raises:
        UserError: the convolution has groups, or there are not so many sizes.
    """
    check_size(size, sizes(convolution), "monarch")
    inputs, outputs = convolution.inputs, convolution.outputs
    blocks = block_counts(inputs, outputs)[size - 1]
    return Separated(convolution, Monarch(inputs, outputs, blocks, bias=convolution.bias))


def _sides(inputs: int, outputs: int, blocks: int) -> tuple[int, int, int]:
    """Channels of a block: in, between, out."""
    into, out = -(-inputs // blocks), -(-outputs // blocks)
    return into, min(into, out), out


def _weights(inputs: int, outputs: int, blocks: int) -> int:
    into, middle, out = _sides(inputs, outputs, blocks)
    return blocks * middle * (into + out)


def _mixing(convolution: Convolution, size: int) -> int:
    inputs, outputs = convolution.inputs, convolution.outputs
    return _weights(inputs, outputs, block_counts(inputs, outputs)[size - 1])
