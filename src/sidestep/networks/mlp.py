"""A multilayer perceptron with one hidden layer: pixels → Linear(width) → ReLU → Linear(classes)."""

import math
from collections import OrderedDict

from torch import nn

from sidestep.settings import Count

STAGES = ("hidden", "output")


def build(input_shape: tuple[int, int, int], classes: int, *, width: Count) -> nn.Sequential:
    """Two stages, `hidden` and `output`, with PyTorch's default initialisation U(±1/√fan_in).

    Args:
        input_shape: channels, height and width of an image.
        classes: number of outputs.
        width: number of hidden neurons.
    """
    hidden = OrderedDict(
        flatten=nn.Flatten(), linear=nn.Linear(math.prod(input_shape), width), activation=nn.ReLU()
    )
    output: OrderedDict[str, nn.Module] = OrderedDict(linear=nn.Linear(width, classes))
    return nn.Sequential(OrderedDict(hidden=nn.Sequential(hidden), output=nn.Sequential(output)))
