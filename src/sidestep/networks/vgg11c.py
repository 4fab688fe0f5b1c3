"""VGG11c, the older work's last network: eight 3×3 convolutions, three pools, one hidden layer.

Channels 64, 128, pool, 256, 256, pool, four times 512, pool, each convolution with batch normalisation
and ReLU, then dense 1024 – ReLU – dense 10: 17,625,866 parameters at 32 × 32 in colour. One stage per
convolution, pools included; see `shared/vgg.py`.
"""

import math
from collections import OrderedDict

from torch import nn

from sidestep.networks.shared import vgg
from sidestep.settings import Count

STAGES = (
    "conv1",
    "conv2",
    "conv3",
    "conv4",
    "conv5",
    "conv6",
    "conv7",
    "conv8",
    "classifier",
)
GROUPS = ((1, 2), (4, 4), (8, 8, 8, 8))


def build(
    input_shape: tuple[int, int, int], classes: int, *, width: Count = 64, hidden: Count = 1024
) -> nn.Sequential:
    """Stages `conv1` to `conv8` and `classifier`, with PyTorch's default initialisation.

    Args:
        input_shape: channels, height and width of an image.
        classes: number of outputs.
        width: channels of the first convolution; the others have two, four and eight times as many.
        hidden: neurons of the classifier's hidden layer.
    """
    stages, shape = vgg.convolutions(input_shape, GROUPS, width)
    classifier = OrderedDict[str, nn.Module](
        flatten=nn.Flatten(),
        hidden=nn.Linear(math.prod(shape), hidden),
        activation=nn.ReLU(),
        linear=nn.Linear(hidden, classes),
    )
    stages.append(nn.Sequential(classifier))
    return nn.Sequential(OrderedDict(zip(STAGES, stages, strict=True)))
