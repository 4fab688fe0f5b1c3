"""The network in which decoupled greedy learning was compared with decoupled neural interfaces.

Three times conv 5×5×128 – batch normalisation – ReLU – pool 3, of maxima in the first block and of
means in the others, then one dense layer (Jaderberg et al. 2017; Belilovsky et al. 2020): 831,242
parameters at 32 × 32 in colour, where the map shrinks to 10, 3 and 1. A pool's window, and with it its
stride, is no larger than its map.
"""

import math
from collections import OrderedDict

from torch import nn

from sidestep.settings import Count

STAGES = ("block1", "block2", "block3", "classifier")


def build(
    input_shape: tuple[int, int, int], classes: int, *, channels: Count = 128
) -> nn.Sequential:
    """Stages `block1` to `block3` and `classifier`, with PyTorch's default initialisation.

    Args:
        input_shape: channels, height and width of an image.
        classes: number of outputs.
        channels: of each convolution.
    """
    depth, height, width = input_shape
    stages = []
    for pool in (nn.MaxPool2d, nn.AvgPool2d, nn.AvgPool2d):
        window = min(3, height), min(3, width)
        block = OrderedDict[str, nn.Module](
            convolution=nn.Conv2d(depth, channels, 5, padding=2),
            normalisation=nn.BatchNorm2d(channels),
            activation=nn.ReLU(),
            pool=pool(window),
        )
        depth, height, width = channels, height // window[0], width // window[1]
        stages.append(nn.Sequential(block))
    classifier = OrderedDict[str, nn.Module](
        flatten=nn.Flatten(), linear=nn.Linear(math.prod((depth, height, width)), classes)
    )
    stages.append(nn.Sequential(classifier))
    return nn.Sequential(OrderedDict(zip(STAGES, stages, strict=True)))
