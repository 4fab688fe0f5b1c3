"""The “MLP-SR” of Belilovsky et al. (2020): few places (spatially reduced), 1 × 1 convolutions, dense layers.

Average to a quarter of the size – [conv 1×1 – BN – ReLU] – average to 2 × 2 – [Linear – BN – ReLU]
– Linear.
"""

import math

from torch import nn

from sidestep.contract import Site
from sidestep.heads.mlp import dense
from sidestep.heads.shared.pooling import as_maps, average, quarter, two_by_two
from sidestep.settings import Natural


def build(site: Site, *, convolutions: Natural = 3, depth: Natural = 3) -> nn.Module:
    """Logits N×classes of outputs N×…; a vector (D,) counts as D maps of 1 × 1.

    Args:
        site: of the stage, with outputs (C, H, W) or (D,).
        convolutions: number of 1 × 1 convolutions, C to C and without bias.
        depth: number of hidden dense layers, each as wide as its input: 4 C behind 2 × 2 places.
    """
    channels, height, width = as_maps(site.output_shape)
    few = quarter((height, width))
    fewer = two_by_two(few)
    parts: list[nn.Module] = [average((height, width), few)]
    if len(site.output_shape) == 1:
        parts.insert(0, nn.Unflatten(1, (channels, 1, 1)))
    for _ in range(convolutions):
        parts += [
            nn.Conv2d(channels, channels, 1, bias=False),
            nn.BatchNorm2d(channels),
            nn.ReLU(),
        ]
    layers = dense(channels * math.prod(fewer), site.classes, depth=depth, width=0, batch_norm=True)
    return nn.Sequential(*parts, average(few, fewer), nn.Flatten(), *layers)
