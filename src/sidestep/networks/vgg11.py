"""VGG11 with batch normalisation for small images (Simonyan & Zisserman 2015, column A).

Eight 3×3 convolutions and a linear classifier: 9,231,114 parameters at 32 × 32 in colour. One stage per
convolution, pools included; see `shared/vgg.py`.
"""

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
GROUPS = ((1,), (2,), (4, 4), (8, 8), (8, 8))


def build(input_shape: tuple[int, int, int], classes: int, *, width: Count = 64) -> nn.Sequential:
    """Stages `conv1` to `conv8` and `classifier`, with PyTorch's default initialisation.

    Args:
        input_shape: channels, height and width of an image.
        classes: number of outputs.
        width: channels of the first convolution; the others have two, four and eight times as many.
    """
    return vgg.linear_network(input_shape, classes, STAGES, GROUPS, width)
