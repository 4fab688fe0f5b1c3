"""A linear layer alone: multinomial logistic regression, or linear regression where numbers are predicted."""

import math
from collections import OrderedDict

from torch import nn

STAGES = ("output",)


def build(input_shape: tuple[int, int, int], classes: int) -> nn.Sequential:
    """One stage, `output`, with PyTorch's default initialisation U(±1/√inputs).

    Args:
        input_shape: channels, height and width of an image.
        classes: number of outputs.
    """
    parts = OrderedDict(flatten=nn.Flatten(), linear=nn.Linear(math.prod(input_shape), classes))
    return nn.Sequential(OrderedDict(output=nn.Sequential(parts)))
