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
    device = images.device
    drawn = torch.randint(0, 2 * padding + 1, (2, count, 1), generator=generator)
    tops, lefts = drawn.to(device, non_blocking=True)
    larger = (count, channels, height + 2 * padding, width + 2 * padding)
    padded = black.view(1, -1, 1, 1).expand(larger).clone()
    padded[:, :, padding : padding + height, padding : padding + width] = images
    rows = tops + torch.arange(height, device=device)
    columns = lefts + torch.arange(width, device=device)
    which = torch.arange(count, device=device).view(-1, 1, 1, 1)
    channel = torch.arange(channels, device=device).view(1, -1, 1, 1)
    return padded[which, channel, rows[:, None, :, None], columns[:, None, None, :]]
