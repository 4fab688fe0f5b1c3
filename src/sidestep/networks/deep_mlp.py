"""A multilayer perceptron with three hidden layers of equal width, ReLU after each."""

import math
from collections import OrderedDict

from torch import nn

from sidestep.settings import Count

STAGES = ("hidden1", "hidden2", "hidden3", "output")


def build(input_shape: tuple[int, int, int], classes: int, *, width: Count) -> nn.Sequential:
    """Stages `hidden1` to `hidden3` and `output`, with PyTorch's default initialisation U(±1/√fan_in).

    Args:
        input_shape: channels, height and width of an image.
        classes: number of outputs.
        width: neurons of each hidden layer.
    """
    stages: list[nn.Sequential] = []
    inputs = math.prod(input_shape)
    for index in range(3):
        parts = OrderedDict[str, nn.Module](linear=nn.Linear(inputs, width), activation=nn.ReLU())
        if index == 0:
            parts["flatten"] = nn.Flatten()
            parts.move_to_end("flatten", last=False)
        stages.append(nn.Sequential(parts))
        inputs = width
    stages.append(nn.Sequential(OrderedDict(linear=nn.Linear(width, classes))))
    return nn.Sequential(OrderedDict(zip(STAGES, stages, strict=True)))
