"""The four-layer network in which decoupled greedy learning was trained at once and in turn.

conv 3×3×64 | max-pool 2 – conv 3×3×128 | conv 3×3×128 | max-pool 2 – conv 3×3×256, each convolution with a
bias, batch normalisation and ReLU; a pool opens the stage of the convolution after it. The classifier
averages the map to 2 × 2 and has two dense layers as wide as the 4 × 256 values that this leaves, each
with batch normalisation and ReLU, before the last one (Belilovsky et al. 2020): 2,633,098
parameters at 32 × 32 in colour.
"""

from collections import OrderedDict

from torch import nn

from sidestep.errors import UserError
from sidestep.settings import Count

STAGES = ("conv1", "conv2", "conv3", "conv4", "classifier")
# Whether a pool opens the stage, which then has twice the channels.
POOLED = (False, True, False, True)
LEAST = 8


def build(
    input_shape: tuple[int, int, int], classes: int, *, channels: Count = 64
) -> nn.Sequential:
    """Stages `conv1` to `conv4` and `classifier`, with PyTorch's default initialisation.

    Args:
        input_shape: channels, height and width of an image, at least 8 × 8.
        classes: number of outputs.
        channels: of the first convolution; the others have two, two and four times as many.

    Raises:
        UserError: the image is smaller.
    """
    depth, height, width = input_shape
    if min(height, width) < LEAST:
        raise UserError(
            f"network 'four_layer_cnn' needs images of at least {LEAST} × {LEAST} pixels, but these "
            f"have {height} × {width}"
        )
    stages = []
    for pooled in POOLED:
        stage = OrderedDict[str, nn.Module]()
        if pooled:
            stage["pool"] = nn.MaxPool2d(2)
            channels, height, width = 2 * channels, height // 2, width // 2
        stage["convolution"] = nn.Conv2d(depth, channels, 3, padding=1)
        stage["normalisation"] = nn.BatchNorm2d(channels)
        stage["activation"] = nn.ReLU()
        depth = channels
        stages.append(nn.Sequential(stage))
    wide = 4 * channels
    classifier = OrderedDict[str, nn.Module](
        pool=_halves(height, width),
        flatten=nn.Flatten(),
        hidden1=nn.Linear(wide, wide),
        normalisation1=nn.BatchNorm1d(wide),
        activation1=nn.ReLU(),
        hidden2=nn.Linear(wide, wide),
        normalisation2=nn.BatchNorm1d(wide),
        activation2=nn.ReLU(),
        linear=nn.Linear(wide, classes),
    )
    stages.append(nn.Sequential(classifier))
    return nn.Sequential(OrderedDict(zip(STAGES, stages, strict=True)))


def _halves(height: int, width: int) -> nn.AvgPool2d:
    """The average of a map to 2 × 2; the windows overlap by one where a side is odd.

    These are the windows of adaptive pooling, whose gradient has no deterministic kernel on a GPU.
    """
    window = height - height // 2, width - width // 2
    return nn.AvgPool2d(window, stride=(height // 2, width // 2))
