"""Cutout: a square of each image, at a place of its own, is blanked out (DeVries & Taylor 2017).

As published, the square's centre is uniform over the image, so that squares are clipped at the borders,
and it is filled with zeros after normalisation: with the usual normalisation that is the mean colour,
which leaves the mean of what the network sees where it is. A black square would move it.
"""

import torch
from torch import Generator, Tensor

from sidestep.settings import Count


def augment(images: Tensor, generator: Generator, black: Tensor, *, size: Count = 16) -> Tensor:
    """The images, each with a square of zeros: N×C×H×W.

    Args:
        images: N×C×H×W, normalised, on any device.
        generator: of the CPU, so that every device sees the same draws.
        black: not needed.
        size: side of the square, in pixels; of an even one the centre is the first pixel of its second half.
    """
    del black
    count, _, height, width = images.shape
    rows = _covered(count, height, size, generator)[:, None, :, None]
    columns = _covered(count, width, size, generator)[:, None, None, :]
    return images.masked_fill((rows & columns).to(images.device, non_blocking=True), 0.0)


def _covered(count: int, length: int, size: int, generator: Generator) -> Tensor:
    """Which places of an axis the squares cover: N×length."""
    firsts = torch.randint(length, (count, 1), generator=generator) - size // 2
    places = torch.arange(length)
    return (places >= firsts) & (places < firsts + size)
