"""What networks in the manner of VGG share (Simonyan & Zisserman 2015): 3×3 convolutions in groups.

Every convolution has a bias and is followed by batch normalisation and ReLU, as in the versions for
small images; a group ends with a max-pool that halves the map. There is one stage per convolution, and
a pool belongs to the stage of the convolution before it. A pool's window is no larger than its map: on
images under 32 × 32 the last pools find one value a channel and let it through.
"""

import math
from collections import OrderedDict
from collections.abc import Sequence

from torch import nn

Groups = Sequence[Sequence[int]]
Shape = tuple[int, int, int]


def convolutions(
    input_shape: Shape, groups: Groups, width: int
) -> tuple[list[nn.Sequential], Shape]:
    """One stage per convolution, and the shape of the last one's output.

    Args:
        input_shape: channels, height and width of an image.
        groups: of convolutions, each given by its channels in multiples of `width`.
        width: channels of a convolution that is given by 1.
    """
    channels, height, across = input_shape
    stages = []
    for group in groups:
        for index, multiple in enumerate(group):
            stage = OrderedDict[str, nn.Module](
                convolution=nn.Conv2d(channels, multiple * width, 3, padding=1),
                normalisation=nn.BatchNorm2d(multiple * width),
                activation=nn.ReLU(),
            )
            channels = multiple * width
            if index == len(group) - 1:
                window = min(2, height), min(2, across)
                stage["pool"] = nn.MaxPool2d(window)
                height, across = height // window[0], across // window[1]
            stages.append(nn.Sequential(stage))
    return stages, (channels, height, across)


def linear_network(
    input_shape: Shape, classes: int, names: Sequence[str], groups: Groups, width: int
) -> nn.Sequential:
    """The convolutions and a linear classifier as the last stage, under the names of the stages."""
    stages, shape = convolutions(input_shape, groups, width)
    classifier = OrderedDict[str, nn.Module](
        flatten=nn.Flatten(), linear=nn.Linear(math.prod(shape), classes)
    )
    stages.append(nn.Sequential(classifier))
    return nn.Sequential(OrderedDict(zip(names, stages, strict=True)))
