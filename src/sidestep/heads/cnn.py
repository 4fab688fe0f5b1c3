"""The “CNN” of Belilovsky et al. (2020): convolutions at the output's own resolution, then a linear layer.

[conv 3×3 – BN – ReLU] – average to 2 × 2 – BN – Linear. The dearest of their three heads.
"""

import math

from torch import nn

from sidestep.contract import Site
from sidestep.heads.shared.pooling import as_maps, average, two_by_two
from sidestep.settings import Count, Natural


def build(site: Site, *, depth: Count = 2, width: Natural = 0) -> nn.Module:
    """Logits N×classes of outputs N×…; a vector (D,) counts as D maps of 1 × 1.

    Args:
        site: of the stage, with outputs (C, H, W) or (D,).
        depth: number of convolutions, without bias.
        width: channels of each; 0 for as many as the output has.
    """
    channels, *size = as_maps(site.output_shape)
    whole = (size[0], size[1])
    small = two_by_two(whole)
    parts: list[nn.Module] = []
    if len(site.output_shape) == 1:
        parts.append(nn.Unflatten(1, (channels, 1, 1)))
    width = width or channels
    for _ in range(depth):
        parts += [
            nn.Conv2d(channels, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
        ]
        channels = width
    return nn.Sequential(
        *parts,
        average(whole, small),
        nn.BatchNorm2d(width),
        nn.Flatten(),
        nn.Linear(width * math.prod(small), site.classes),
    )
