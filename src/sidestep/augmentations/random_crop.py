"""Random crop: each image is shifted by a draw of its own, over a border of black pixels.

The usual augmentation of CIFAR-10 (He et al. 2016): pad by 4 pixels, cut out a window of the old size.
"""

import torch
from torch import Generator, Tensor

from sidestep.settings import Count


def augment(images: Tensor, generator: Generator, black: Tensor, *, padding: Count = 4) -> Tensor:
    """The images, each shifted by up to `padding` pixels along both axes: N×C×H×W.

    Args:
        images: N×C×H×W, normalised, on any device.
        generator: of the CPU, so that every device sees the same draws.
        black: C, the normalised value of a black pixel in each channel.
        padding: width of the border, in pixels.
    """
    count, channels, height, width = images.shape
    drawn = torch.randint(0, 2 * padding + 1, (2, count), generator=generator)
    tops, lefts = drawn.to(images.device, non_blocking=True)
    larger = (count, channels, height + 2 * padding, width + 2 * padding)
    padded = black.view(1, -1, 1, 1).expand(larger).clone()
    padded[:, :, padding : padding + height, padding : padding + width] = images
    # All windows as a view, N×C×places×places×H×W; gathering those drawn copies whole rows.
    windows = padded.unfold(2, height, 1).unfold(3, width, 1)
    return windows[torch.arange(count, device=images.device), :, tops, lefts]
