"""A depthwise convolution, then a 1×1 convolution whose matrix is a product of ACDC factors.

Moczulski et al. (2016): a factor multiplies each channel by a number (A), takes the cosine transform of
all channels (C), multiplies each frequency by a number (D) and transforms back; a riffle of the channels,
as of two halves of a pack of cards, stands between factors. `size` factors are `size` factors (the older
work dropped one, trap T2-3).

The matrix can be assembled at every step, with the transform as a matrix, and used as any 1×1
convolution, or each place can go through fast transforms (Makhoul 1980). Fewer products are not less
time: with 12 factors a step with 2048 places (a batch of 128 at 4 × 4) took, on one core, 30 ms
assembled and 306 ms fast with 256 channels, 1.7 and 2.9 s with 1024, 7.9 and 3.5 s with 2048; more places
favour the assembled matrix. So `auto` is fast from 2048 channels on, whatever the number of factors.
"""

import math
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from sidestep.convolution import Convolution
from sidestep.layers.shared import cosine
from sidestep.layers.shared.separated import (
    Assembled,
    Separated,
    bias_parameters,
    check_size,
    depthwise_mult_adds,
    depthwise_parameters,
    refuse_groups,
)
from sidestep.settings import Count

# Channels from which `auto` takes the fast transform.
FAST_FROM = 2048
# Standard deviation of the numbers around ±1, as published.
SPREAD = 0.1


class Acdc(Assembled):
    """Mixes channels by a product of ACDC factors.

    With N channels, the larger of both numbers: where outputs are more, the input is repeated until
    there are enough; where inputs are more, those that are a multiple of the outputs apart are added
    up behind the last factor.
    """

    compressed: tuple[str, ...] = ("channels", "frequencies")
    riffle: Tensor
    cosines: Tensor

    def __init__(
        self, convolution: Convolution, factors: int, *, riffle: bool, signed: bool, fast: bool
    ) -> None:
        """The product of so many factors."""
        super().__init__()
        self.inputs = convolution.inputs
        self.outputs = convolution.outputs
        self.riffled = riffle
        self.signed = signed
        self.fast = fast
        wide = max(self.inputs, self.outputs)
        self.channels = nn.Parameter(torch.empty(factors, wide))
        self.frequencies = nn.Parameter(torch.empty(factors, wide))
        # Both follow from the shape, so that no file needs them.
        self.register_buffer("riffle", _riffle(wide), persistent=False)
        cosines = torch.empty(0) if fast else cosine.matrix(wide)
        self.register_buffer("cosines", cosines, persistent=False)
        self.add_bias(convolution.bias)
        self.reset_parameters()

    @torch.no_grad()
    def reset_parameters(self) -> None:
        """Numbers near ±1, or near 1, scaled so that outputs have twice the second moment of inputs.

        Near ±1 the product is near an orthogonal matrix that mixes all channels. Near 1, as
        published, it is near a permutation, and channels that one layer kills stay dead.
        """
        factors, wide = self.channels.shape
        # Rows of the folded matrix have wide / outputs times the square of an orthogonal one's.
        square = (2 * self.outputs / wide) ** (1 / (2 * factors)) / (1 + SPREAD**2)
        for numbers in (self.channels, self.frequencies):
            nn.init.normal_(numbers, mean=1, std=SPREAD)
            if self.signed:
                numbers.mul_(torch.randint(2, numbers.shape, device=numbers.device) * 2 - 1)
            numbers.mul_(math.sqrt(square))
        if self.bias is not None:
            nn.init.zeros_(self.bias)

    def mix(self, values: Tensor) -> Tensor:
        """The product, for every …×C, to …×C'."""
        wide = self.channels.shape[1]
        if self.inputs < wide:
            repeats = -(-wide // self.inputs)
            values = values.repeat(*[1] * (values.ndim - 1), repeats)[..., :wide]
        for index, (channels, frequencies) in enumerate(
            zip(self.channels, self.frequencies, strict=True)
        ):
            if index and self.riffled:
                values = values.index_select(-1, self.riffle)
            values = values * channels
            if self.fast:
                values = cosine.inverse(cosine.transform(values) * frequencies)
            else:
                values = (values @ self.cosines.mT * frequencies) @ self.cosines
        if self.outputs < wide:
            values = functional.pad(values, (0, -wide % self.outputs))
            values = values.unflatten(-1, (-1, self.outputs)).sum(-2)
        return values

    def matrix(self) -> Tensor:
        """The matrix, C'×C."""
        channels = self.channels
        return self.mix(torch.eye(self.inputs, dtype=channels.dtype, device=channels.device)).mT

    def forward(self, images: Tensor) -> Tensor:
        """N×C×H×W → N×C'×H×W."""
        if not self.fast:
            return super().forward(images)
        # Fourier transforms have no 16-bit floats of any size.
        values = images.movedim(1, -1)
        wide = values if values.dtype in (torch.float32, torch.float64) else values.float()
        mixed = self.mix(wide)
        if self.bias is not None:
            mixed = mixed + self.bias
        return mixed.to(images.dtype).movedim(-1, 1)


def sizes(convolution: Convolution) -> range:
    """Numbers of factors, from 1 to the number of channels, which is twice what a matrix has.

    Raises:
        UserError: the convolution has groups.
    """
    refuse_groups(convolution, "acdc")
    return range(1, _wide(convolution) + 1)


def parameters(convolution: Convolution, size: int) -> int:
    """Of the depthwise part, two numbers a channel and factor, and the bias."""
    factors = 2 * size * _wide(convolution)
    return depthwise_parameters(convolution) + factors + bias_parameters(convolution)


def mult_adds(
    convolution: Convolution,
    size: int,
    height: int,
    width: int,
    *,
    transform: Literal["auto", "matrix", "fast"] = "auto",
) -> int:
    """Of one image of that input size, as it is computed.

    Fast: a factor has two transforms of N log₂ N products each and two of each channel. Otherwise the
    matrix is dense; it is assembled once for any number of images and places, and kept out of the
    count.
    """
    wide = _wide(convolution)
    mixing = convolution.inputs * convolution.outputs
    if _fast(convolution, transform):
        mixing = size * (2 * cosine.mult_adds(wide) + 2 * wide)
    places = math.prod(convolution.output_size(height, width))
    return depthwise_mult_adds(convolution, height, width) + mixing * places


def build(
    convolution: Convolution,
    *,
    size: Count,
    riffle: bool = True,
    signs: bool = True,
    transform: Literal["auto", "matrix", "fast"] = "auto",
) -> nn.Module:
    """Depthwise, then 1×1 with a product of ACDC factors.

    Args:
        convolution: what it replaces.
        size: number of factors.
        riffle: whether channels are riffled between factors.
        signs: whether the numbers are near ±1 at first, rather than near 1 as published.
        transform: `fast` for fast transforms at each place, `matrix` for an assembled matrix, `auto`
            for what took less time with so many channels.

    Raises:
        UserError: the convolution has groups, or there are not so many sizes.
    """
    check_size(size, sizes(convolution), "acdc")
    fast = _fast(convolution, transform)
    return Separated(convolution, Acdc(convolution, size, riffle=riffle, signed=signs, fast=fast))


def _wide(convolution: Convolution) -> int:
    return max(convolution.inputs, convolution.outputs)


def _fast(convolution: Convolution, transform: str) -> bool:
    return transform == "fast" or (transform == "auto" and _wide(convolution) >= FAST_FROM)


def _riffle(size: int) -> Tensor:
    """The places 0, ⌈N/2⌉, 1, ⌈N/2⌉ + 1, …"""
    half = (size + 1) // 2
    return torch.arange(2 * half).view(2, half).mT.flatten()[:size]
