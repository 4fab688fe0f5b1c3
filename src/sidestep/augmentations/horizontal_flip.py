"""Horizontal flip: each image is mirrored, left to right, or not, by a draw of its own."""

import torch
from torch import Generator, Tensor

from sidestep.settings import Fraction


def augment(
    images: Tensor, generator: Generator, black: Tensor, *, probability: Fraction = 0.5
) -> Tensor:
    """The images, some of them mirrored: N×C×H×W.

    Args:
        images: N×C×H×W, on any device.
        generator: of the CPU, so that every device sees the same draws.
        black: not needed.
        probability: of each image to be mirrored.
    """
    del black
    drawn = torch.rand(len(images), 1, 1, 1, generator=generator) < probability
    return torch.where(drawn.to(images.device, non_blocking=True), images.flip(3), images)
