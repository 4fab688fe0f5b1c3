"""A multilayer perceptron on the flattened output, or on its averages over 2 × 2 places.

As it stands, with one hidden layer of 256 neurons, it is the head of AlonNT's decoupled greedy
learning. With `pool: two_by_two`, `depth: 3`, `width: 0` and `batch_norm: true` it is the “MLP” of
Belilovsky et al. (2020), without the batch norm that their code made and never used (trap T1-8).
"""

import math
from typing import Literal

from torch import nn

from sidestep.contract import Site
from sidestep.heads.shared.pooling import as_maps, average, quarter, two_by_two
from sidestep.settings import Natural


def build(
    site: Site,
    *,
    depth: Natural = 1,
    width: Natural = 256,
    batch_norm: bool = False,
    pool: Literal["none", "two_by_two"] = "none",
) -> nn.Module:
    """Logits N×classes of outputs N×…

    Args:
        site: of the stage, with outputs of any shape.
        depth: number of hidden layers; 0 for a linear head.
        width: neurons of each hidden layer; 0 for as many as there are inputs.
        batch_norm: whether a hidden layer normalises before its ReLU.
        pool: `two_by_two`: maps are averaged to a quarter of their size, rounded up, and these to
            2 × 2, or less where there is less; vectors stay as they are.
    """
    parts: list[nn.Module] = []
    features = math.prod(site.output_shape)
    if pool == "two_by_two" and len(site.output_shape) == 3:
        channels, *size = as_maps(site.output_shape)
        whole = (size[0], size[1])
        middle = quarter(whole)
        small = two_by_two(middle)
        parts += [average(whole, middle), average(middle, small)]
        features = channels * math.prod(small)
    layers = dense(features, site.classes, depth=depth, width=width, batch_norm=batch_norm)
    return nn.Sequential(*parts, nn.Flatten(), *layers)


def dense(
    features: int, classes: int, *, depth: int, width: int, batch_norm: bool
) -> list[nn.Module]:
    """`depth` times Linear (– BatchNorm) – ReLU, then Linear to the classes; `width` as in `build`."""
    layers: list[nn.Module] = []
    width = width or features
    for _ in range(depth):
        layers.append(nn.Linear(features, width))
        if batch_norm:
            layers.append(nn.BatchNorm1d(width))
        layers.append(nn.ReLU())
        features = width
    return [*layers, nn.Linear(features, classes)]
