"""Grouped 1×1 to a quarter of the outputs, channels shuffled, depthwise, grouped 1×1 (Zhang et al. 2018).

The older work's `Shuffle`: the unit of ShuffleNet without its batch norms, ReLU and shortcut, so linear.
Fewer groups are more parameters; the sizes are the places of the possible numbers of groups, from the
largest, 1, to one group.
"""

import math

from torch import Tensor, nn

from sidestep.convolution import Convolution
from sidestep.layers.shared.separated import (
    Dense,
    bias_parameters,
    check_size,
    refuse_groups,
    spatial,
)
from sidestep.settings import Count


class Shuffled(nn.Module):
    """The unit.

    Attributes:
        compressed: as in `Separated`.
    """

    compressed: tuple[str, ...] = ("contract.weight", "expand.weight")

    def __init__(self, convolution: Convolution, groups: int) -> None:
        """The unit in place of a convolution."""
        super().__init__()
        self.groups = groups
        middle = _middle(convolution)
        self.contract = Dense(convolution.inputs, middle, gain=1, groups=groups)
        self.depthwise = spatial(convolution, middle)
        self.expand = Dense(
            middle, convolution.outputs, gain=2, groups=groups, bias=convolution.bias
        )

    def forward(self, images: Tensor) -> Tensor:
        """N×C×H×W → N×C'×H'×W'."""
        hidden = nn.functional.channel_shuffle(self.contract(images), self.groups)
        mixed: Tensor = self.expand(self.depthwise(hidden))
        return mixed


def group_counts(convolution: Convolution) -> tuple[int, ...]:
    """Numbers of groups that divide inputs, outputs and the channels between; from the largest."""
    common = math.gcd(convolution.inputs, convolution.outputs, _middle(convolution))
    return tuple(count for count in range(common, 0, -1) if common % count == 0)


def sizes(convolution: Convolution) -> range:
    """Places in `group_counts`, from 1.

    Raises:
        UserError: the convolution has groups itself.
    """
    refuse_groups(convolution, "shuffle")
    return range(1, len(group_counts(convolution)) + 1)


def parameters(convolution: Convolution, size: int) -> int:
    """Of the three convolutions and the bias."""
    depthwise = _depthwise(convolution)
    return depthwise + _mixing(convolution, size) + bias_parameters(convolution)


def mult_adds(convolution: Convolution, size: int, height: int, width: int) -> int:
    """Of one image of that input size; the first convolution is at the input's resolution."""
    groups = group_counts(convolution)[size - 1]
    first = convolution.inputs * _middle(convolution) // groups
    rest = _depthwise(convolution) + _mixing(convolution, size) - first
    return first * height * width + rest * math.prod(convolution.output_size(height, width))


def depthwise_parameters(convolution: Convolution) -> int:
    """Of the part that mixes no channels."""
    return _depthwise(convolution)


def build(convolution: Convolution, *, size: Count) -> nn.Module:
    """The unit, which has stride and padding in its depthwise part.

    Args:
        convolution: what it replaces.
        size: the place of the number of groups among the possible ones, from the largest.

    Raises:
        UserError: the convolution has groups itself, or there are not so many sizes.
    """
    check_size(size, sizes(convolution), "shuffle")
    return Shuffled(convolution, group_counts(convolution)[size - 1])


def _middle(convolution: Convolution) -> int:
    return max(1, convolution.outputs // 4)


def _depthwise(convolution: Convolution) -> int:
    return 0 if convolution.kernel == 1 else _middle(convolution) * convolution.kernel**2


def _mixing(convolution: Convolution, size: int) -> int:
    ends = convolution.inputs + convolution.outputs
    return ends * _middle(convolution) // group_counts(convolution)[size - 1]
