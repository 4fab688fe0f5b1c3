"""The older work's convolutional network for decoupled learning: 1,357,066 parameters at 32 × 32 in colour.

Three times conv 5×5×128 – batch normalisation – ReLU – max-pool 2, then dense 256 – ReLU – dense 10.
It is near to the network of decoupled neural interfaces and of decoupled greedy learning (`dgl_cnn`),
but with smaller pools and a hidden layer in the classifier. A pool's window is no larger than its map.
"""

import math
from collections import OrderedDict

from torch import nn

from sidestep.settings import Count

STAGES = ("block1", "block2", "block3", "classifier")


def build(
    input_shape: tuple[int, int, int],
    classes: int,
    *,
    channels: Count = 128,
    hidden: Count = 256,
) -> nn.Sequential:
    """Stages `block1` to `block3` and `classifier`, with PyTorch's default initialisation.

    Args:
        input_shape: channels, height and width of an image.
        classes: number of outputs.
        channels: of each convolution.
        hidden: neurons of the classifier's hidden layer.
    """
    depth, height, width = input_shape
    stages = []
    for _ in STAGES[:-1]:
        window = min(2, height), min(2, width)
        block = OrderedDict[str, nn.Module](
            convolution=nn.Conv2d(depth, channels, 5, padding=2),
            normalisation=nn.BatchNorm2d(channels),
            activation=nn.ReLU(),
            pool=nn.MaxPool2d(window),
        )
        depth, height, width = channels, height // window[0], width // window[1]
        stages.append(nn.Sequential(block))
    classifier = OrderedDict[str, nn.Module](
        flatten=nn.Flatten(),
        hidden=nn.Linear(math.prod((depth, height, width)), hidden),
        activation=nn.ReLU(),
        linear=nn.Linear(hidden, classes),
    )
    stages.append(nn.Sequential(classifier))
    return nn.Sequential(OrderedDict(zip(STAGES, stages, strict=True)))
