"""Pixels and the results of operations on them, read by one linear layer; the operations evolve (seeds/004).

Without an edit that adds operations or takes them out (`evolve`), it is a linear classifier of the pixels and of
`size` random features.
"""

import math
from collections import OrderedDict

from torch import nn

from sidestep.graphs.growing import GrowingLayer
from sidestep.graphs.read_out import ReadOut
from sidestep.settings import Fraction, Natural, Operations

STAGES = ("graph", "output")


def build(
    input_shape: tuple[int, int, int],
    classes: int,
    *,
    operations: Operations = ("add", "multiply"),
    size: Natural = 0,
    constants: Fraction = 0.5556,
) -> nn.Sequential:
    """Stages `graph`, [pixels, operations], and `output`, which gives the logits, U(±1/√columns) at first.

    Args:
        input_shape: channels, height and width of an image.
        classes: number of outputs.
        operations: kinds that are allowed, now and whenever the graph grows.
        size: random operations at the start.
        constants: probability that a new operation of two operands has a constant for one of them;
            5/9 in the older work.

    Raises:
        UserError: no operation or an unknown one is allowed, or there are not so many different ones.
    """
    layer = GrowingLayer(math.prod(input_shape), size, operations, constants)
    graph = OrderedDict[str, nn.Module](flatten=nn.Flatten(), layer=layer)
    output = OrderedDict[str, nn.Module](linear=ReadOut(layer.columns, classes))
    return nn.Sequential(OrderedDict(graph=nn.Sequential(graph), output=nn.Sequential(output)))
