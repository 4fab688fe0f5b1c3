"""What most layers share: a convolution of each channel by itself, then a mixing of the channels.

The first part has the kernel, stride and padding of the convolution that is replaced; the second works
at each place by itself, at the output's resolution. A kernel of one place leaves nothing to the first
part, which then only pads and strides: a factor per channel would be one that the second part has too.
"""

import math
from abc import ABC, abstractmethod
from typing import Protocol, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from sidestep.convolution import Convolution
from sidestep.errors import UserError


class Pointwise(Protocol):
    """A module that mixes channels, N×C×H×W → N×C'×H×W, and names the parameters that compress it."""

    compressed: tuple[str, ...]


class Depthwise(nn.Conv2d):
    """One square kernel a channel, without bias."""

    def __init__(self, channels: int, convolution: Convolution) -> None:
        """With the kernel, stride and padding of a convolution."""
        super().__init__(
            channels,
            channels,
            convolution.kernel,
            convolution.stride,
            convolution.padding,
            groups=channels,
            bias=False,
        )

    def reset_parameters(self) -> None:
        """Normal weights that keep the second moment of what they sum.

        Each sums k² values, whatever the number of channels; the older work divided by that number
        too (trap T2-6). The factor 2 for the ReLU belongs to the layer's last part.
        """
        nn.init.normal_(self.weight, std=1 / self.kernel_size[0])


class Places(nn.Module):
    """What is left of a convolution with a kernel of one place: padding and stride."""

    def __init__(self, convolution: Convolution) -> None:
        """With the stride and padding of a convolution."""
        super().__init__()
        self.stride = convolution.stride
        self.padding = convolution.padding

    def forward(self, images: Tensor) -> Tensor:
        """Every `stride`-th place of N×C×H×W with zeros around it."""
        if self.padding:
            images = functional.pad(images, (self.padding,) * 4)
        return images if self.stride == 1 else images[:, :, :: self.stride, :: self.stride]


class Separated(nn.Module):
    """A convolution of each channel, then a mixing of the channels.

    Attributes:
        compressed: names of the parameters on which a weight decay that is scaled by the compression
            acts, here those of the mixing part; the depthwise part is what it is in any layer.
    """

    def __init__(self, convolution: Convolution, pointwise: Pointwise) -> None:
        """The layer in place of a convolution, given its mixing part, which has the bias if any."""
        super().__init__()
        self.depthwise = spatial(convolution, convolution.inputs)
        self.pointwise = cast(nn.Module, pointwise)
        self.compressed = tuple(f"pointwise.{name}" for name in pointwise.compressed)

    def forward(self, images: Tensor) -> Tensor:
        """N×C×H×W → N×C'×H'×W'."""
        mixed: Tensor = self.pointwise(self.depthwise(images))
        return mixed


class Dense(nn.Conv2d):
    """A convolution of one place that mixes all channels, or those of each group, by free weights."""

    compressed: tuple[str, ...] = ("weight",)

    def __init__(
        self, inputs: int, outputs: int, *, gain: float, groups: int = 1, bias: bool = False
    ) -> None:
        """Channels in and out; an output's second moment is `gain` times the mean one of its inputs."""
        self.gain = gain
        super().__init__(inputs, outputs, 1, groups=groups, bias=bias)

    def reset_parameters(self) -> None:
        """Normal weights, no bias."""
        nn.init.normal_(self.weight, std=math.sqrt(self.gain * self.groups / self.in_channels))
        if self.bias is not None:
            nn.init.zeros_(self.bias)


class Assembled(nn.Module, ABC):
    """Mixes channels by a matrix that is assembled from the parameters at every forward pass.

    A subclass sets `inputs` and `outputs`, has `matrix` and `reset_parameters`, and calls `add_bias`.
    """

    inputs: int
    outputs: int
    bias: nn.Parameter | None
    compressed: tuple[str, ...]

    def add_bias(self, bias: bool) -> None:
        """Register the bias, or that there is none; `reset_parameters` fills it."""
        self.register_parameter("bias", nn.Parameter(torch.empty(self.outputs)) if bias else None)

    @abstractmethod
    def matrix(self) -> Tensor:
        """The matrix, C'×C."""

    def forward(self, images: Tensor) -> Tensor:
        """N×C×H×W → N×C'×H×W."""
        return functional.conv2d(images, self.matrix()[:, :, None, None], self.bias)


def spatial(convolution: Convolution, channels: int) -> nn.Module:
    """The first part of a layer: depthwise, or without parameters if the kernel is one place."""
    return Places(convolution) if convolution.kernel == 1 else Depthwise(channels, convolution)


def depthwise_parameters(convolution: Convolution) -> int:
    """Of the part of a layer that does not mix the channels of the input."""
    return 0 if convolution.kernel == 1 else convolution.inputs * convolution.kernel**2


def depthwise_mult_adds(convolution: Convolution, height: int, width: int) -> int:
    """Of the same part, for one image of that input size."""
    return depthwise_parameters(convolution) * math.prod(convolution.output_size(height, width))


def bias_parameters(convolution: Convolution) -> int:
    """One an output channel, or none."""
    return convolution.outputs if convolution.bias else 0


def refuse_groups(convolution: Convolution, layer: str) -> None:
    """Say that a layer has no form for grouped convolutions.

    Raises:
        UserError: the convolution has groups.
    """
    if convolution.groups != 1:
        raise UserError(
            f"layer '{layer}' cannot replace a convolution with {convolution.groups} groups, only "
            "one with 1"
        )


def check_groups(convolution: Convolution, layer: str) -> None:
    """Say that groups do not divide the channels.

    Raises:
        UserError: they do not.
    """
    if convolution.inputs % convolution.groups or convolution.outputs % convolution.groups:
        raise UserError(
            f"layer '{layer}' cannot divide {convolution.inputs} input and {convolution.outputs} "
            f"output channels into {convolution.groups} groups"
        )


def check_size(size: int, sizes: range | tuple[int, ...], layer: str) -> None:
    """Say that a layer has no such size.

    Raises:
        UserError: it is not one of those that the layer may have there.
    """
    if size not in sizes:
        raise UserError(
            f"layer '{layer}' cannot have size {size} there, only {sizes[0]} to {sizes[-1]}"
        )
