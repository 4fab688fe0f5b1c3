"""VGG16 with batch normalisation for small images (Simonyan & Zisserman 2015, column D).

Thirteen 3×3 convolutions and a linear classifier: 14,728,266 parameters at 32 × 32 in colour. One stage per
convolution, pools included; see `shared/vgg.py`.

The older work's decoupled version left its last convolution with a hidden layer of its own before the
classes (trap T1-4), so that it was not the network that it was compared with. Here blocks that end
after every convolution but the last leave `conv13` to learn with the linear classifier, as it does
end to end.
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
    "conv9",
    "conv10",
    "conv11",
    "conv12",
    "conv13",
    "classifier",
)
GROUPS = ((1, 1), (2, 2), (4, 4, 4), (8, 8, 8), (8, 8, 8))


def build(input_shape: tuple[int, int, int], classes: int, *, width: Count = 64) -> nn.Sequential:
    """Stages `conv1` to `conv13` and `classifier`, with PyTorch's default initialisation.

    Args:
        input_shape: channels, height and width of an image.
        classes: number of outputs.
        width: channels of the first convolution; the others have two, four and eight times as many.
    """
    return vgg.linear_network(input_shape, classes, STAGES, GROUPS, width)
