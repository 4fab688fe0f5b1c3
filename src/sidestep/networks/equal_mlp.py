"""A multilayer perceptron with one hidden layer and as many parameters as a graph of operations, or just fewer."""

import math

from torch import nn

from sidestep.networks import mlp
from sidestep.settings import Count, Fraction

STAGES = ("hidden", "output")


def build(
    input_shape: tuple[int, int, int],
    classes: int,
    *,
    operations: Count,
    constants: Fraction = 0.5556,
) -> nn.Sequential:
    """Stages `hidden` and `output`; the widest that a graph's parameters pay for, one neuron at least.

    A graph of S operations on F inputs with K outputs has (F + S + 1) K parameters and, if a share p
    of its operations has a constant, p S more; a perceptron of width h has (F + 1) h + (h + 1) K.

    Args:
        input_shape: channels, height and width of an image.
        classes: number of outputs.
        operations: of the graph.
        constants: share of its operations that have a constant.
    """
    inputs = math.prod(input_shape)
    paid = (inputs + operations + 1) * classes + round(constants * operations)
    width = max(1, (paid - classes) // (inputs + 1 + classes))
    return mlp.build(input_shape, classes, width=width)
