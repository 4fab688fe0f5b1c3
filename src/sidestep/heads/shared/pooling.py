"""Averages of maps over few places, which heads of many parameters read instead of the maps."""

import math

from torch import nn


def as_maps(shape: tuple[int, ...]) -> tuple[int, int, int]:
    """Channels, height and width of an output (C, H, W); a vector (D,) counts as D maps of 1 × 1."""
    channels, height, width = shape if len(shape) == 3 else (shape[0], 1, 1)
    return channels, height, width


def quarter(size: tuple[int, int]) -> tuple[int, int]:
    """A quarter of a height and a width, rounded up."""
    return math.ceil(size[0] / 4), math.ceil(size[1] / 4)


def two_by_two(size: tuple[int, int]) -> tuple[int, int]:
    """2 × 2, or less where there is less."""
    return min(2, size[0]), min(2, size[1])


def average(size: tuple[int, int], target: tuple[int, int]) -> nn.Module:
    """Adaptive average pooling of maps of `size` to `target`.

    Two of these in a row are not the same as one if sizes do not divide, since windows then overlap.
    """
    if size[0] % target[0] or size[1] % target[1]:
        return nn.AdaptiveAvgPool2d(target)
    # The same averages; unlike the adaptive pool's, its gradient on a GPU has the same bits each time.
    return nn.AvgPool2d((size[0] // target[0], size[1] // target[1]))
