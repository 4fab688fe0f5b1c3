"""A depthwise convolution, then a 1×1 convolution whose weights share fewer values (`hashed`).

The older work's `SepHashed`, and its `HalfHashed` if the depthwise part counts against the budget; that
is a question to `sidestep.budgets.size_for`. What is counted here is always everything.
"""

import dataclasses
import math

from torch import nn

from sidestep.convolution import Convolution
from sidestep.layers.hashed import Hashed
from sidestep.layers.shared.separated import (
    Separated,
    bias_parameters,
    check_size,
    depthwise_mult_adds,
    depthwise_parameters,
    refuse_groups,
)
from sidestep.settings import Count, Natural

# A depthwise output has either sign with equal chance.
MEAN_BEHIND_DEPTHWISE = 0.0


def sizes(convolution: Convolution) -> range:
    """From one bucket to one for each weight of the 1×1 convolution.

    Raises:
        UserError: the convolution has groups.
    """
    refuse_groups(convolution, "separable_hashed")
    return range(1, convolution.inputs * convolution.outputs + 1)


def parameters(convolution: Convolution, size: int) -> int:
    """Of the depthwise part, the shared values and the bias."""
    return depthwise_parameters(convolution) + size + bias_parameters(convolution)


def mult_adds(convolution: Convolution, size: int, height: int, width: int) -> int:
    """As many as without sharing: reading the weights multiplies nothing that an image brings."""
    del size
    mixing = convolution.inputs * convolution.outputs
    places = math.prod(convolution.output_size(height, width))
    return depthwise_mult_adds(convolution, height, width) + mixing * places


def build(
    convolution: Convolution, *, size: Count, sign: bool = True, seed: Natural = 0
) -> nn.Module:
    """Depthwise, then 1×1 with shared values; with one for each weight it is `separable`.

    Args:
        convolution: what it replaces.
        size: number of buckets of the 1×1 convolution.
        sign: whether each weight of it has a fixed random sign.
        seed: of indices and signs, together with the shape.

    Raises:
        UserError: the convolution has groups, or there are not so many sizes.
    """
    check_size(size, sizes(convolution), "separable_hashed")
    place = dataclasses.replace(convolution, kernel=1, stride=1, padding=0)
    pointwise = Hashed(place, size, sign=sign, seed=seed, mean=MEAN_BEHIND_DEPTHWISE)
    return Separated(convolution, pointwise)
