"""A convolution whose weights share fewer values, by fixed random indices (Chen et al. 2015, HashedNets).

Each weight reads one of `size` values, its bucket, and with `sign` a fixed sign besides. The older work's
indices were drawn below the last bucket, which so was never used (trap T2-1), it had no signs (T2-8) and
always a bias (T2-2); here every bucket is used and the bias is that of the convolution.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from sidestep.convolution import Convolution
from sidestep.layers.shared.separated import bias_parameters, check_groups, check_size
from sidestep.seeds import derive
from sidestep.settings import Count, Natural


class Hashed(nn.Module):
    """A convolution whose weights are read from fewer values.

    Attributes:
        compressed: as in `Separated`.
    """

    compressed: tuple[str, ...] = ("weight",)
    bias: nn.Parameter | None
    indices: Tensor
    signs: Tensor | None

    def __init__(
        self, convolution: Convolution, size: int, *, sign: bool, seed: int, mean: float
    ) -> None:
        """The convolution with `size` values.

        Args:
            convolution: what it replaces.
            size: number of buckets.
            sign: whether each weight has a fixed random sign.
            seed: of indices and signs, together with the shape.
            mean: the square of the inputs' mean, over their mean square, that the initial weights
                are to allow for.
        """
        super().__init__()
        self.convolution = convolution
        self.mean = mean
        inputs = convolution.inputs // convolution.groups
        self.shape = (convolution.outputs, inputs, convolution.kernel, convolution.kernel)
        self.weight = nn.Parameter(torch.empty(size))
        bias = nn.Parameter(torch.empty(convolution.outputs)) if convolution.bias else None
        self.register_parameter("bias", bias)
        weights = math.prod(self.shape)
        generator = torch.Generator().manual_seed(derive(seed, "hashed", *self.shape, size))
        self.register_buffer("indices", _indices(size, weights, generator))
        # As many values as weights: nothing is shared, and the layer is the convolution itself.
        signs = _signs(weights, generator) if sign and size < weights else None
        self.register_buffer("signs", signs)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Normal values with which the layer keeps the second moment through a ReLU, no bias.

        Two weights of an output that share a value, and have no signs, add up the product of their
        inputs' means. Signs make that vanish on average; without them the values are smaller for it.
        """
        fan_in = math.prod(self.shape[1:])
        moment = float(fan_in)
        if self.signs is None:
            sharing = 1 / len(self.weight) - 1 / math.prod(self.shape)
            moment *= 1 + (fan_in - 1) * sharing * self.mean
        nn.init.normal_(self.weight, std=math.sqrt(2 / moment))
        if self.bias is not None:
            nn.init.zeros_(self.bias)

    def dense_weight(self) -> Tensor:
        """The weights of the convolution, C'×C/groups×k×k."""
        weight = self.weight.index_select(0, self.indices)
        if self.signs is not None:
            weight = weight * self.signs
        return weight.view(self.shape)

    def forward(self, images: Tensor) -> Tensor:
        """N×C×H×W → N×C'×H'×W'."""
        shape = self.convolution
        return functional.conv2d(
            images,
            self.dense_weight(),
            self.bias,
            stride=shape.stride,
            padding=shape.padding,
            groups=shape.groups,
        )


def _indices(size: int, weights: int, generator: torch.Generator) -> Tensor:
    """A bucket for each weight: each once, the rest at random, in random order; int32 to save memory."""
    if size == weights:
        return torch.arange(weights, dtype=torch.int32)
    rest = torch.randint(size, (weights - size,), generator=generator, dtype=torch.int32)
    every = torch.cat([torch.arange(size, dtype=torch.int32), rest])
    return every[torch.randperm(weights, generator=generator)]


def _signs(weights: int, generator: torch.Generator) -> Tensor:
    return torch.randint(2, (weights,), generator=generator, dtype=torch.int8) * 2 - 1


# Of a Gaussian value behind a ReLU: (1/√2π)² over 1/2.
MEAN_BEHIND_RELU = 1 / math.pi


def sizes(convolution: Convolution) -> range:
    """From one bucket to one for each weight.

    Raises:
        UserError: groups do not divide the channels.
    """
    check_groups(convolution, "hashed")
    return range(1, convolution.parameters - bias_parameters(convolution) + 1)


def parameters(convolution: Convolution, size: int) -> int:
    """Values and bias."""
    return size + bias_parameters(convolution)


def mult_adds(convolution: Convolution, size: int, height: int, width: int) -> int:
    """As many as the dense convolution: reading the weights multiplies nothing that an image brings."""
    del size
    return convolution.mult_adds(height, width)


def build(
    convolution: Convolution, *, size: Count, sign: bool = True, seed: Natural = 0
) -> nn.Module:
    """The convolution with shared values; with one for each weight it is the dense one, without signs.

    Args:
        convolution: what it replaces.
        size: number of buckets.
        sign: whether each weight has a fixed random sign.
        seed: of indices and signs, together with the shape.

    Raises:
        UserError: groups do not divide the channels, or there are not so many sizes.
    """
    check_size(size, sizes(convolution), "hashed")
    return Hashed(convolution, size, sign=sign, seed=seed, mean=MEAN_BEHIND_RELU)
