"""How many parameters a dense wide residual network has, and smaller ones that meet a number of them.

The plainest way to have fewer parameters is a narrower or a shallower network, without any layer of another
kind; the older work never tried it. All numbers are closed forms and all searches are over every network
that there is, so nothing is built and nothing is left to a tolerance.
"""

from collections.abc import Sequence
from fractions import Fraction

from sidestep.errors import UserError

FIRST = 16  # channels of the first convolution, whatever the width


def group_channels(width: int) -> tuple[int, ...]:
    """Channels of the three groups of a network `width` times as wide as a residual network."""
    return (FIRST * width, 2 * FIRST * width, 4 * FIRST * width)


def blocks_of(depth: int) -> int:
    """Blocks in each of the three groups: n, where the depth is 6n + 4.

    Raises:
        UserError: there is no such n of at least 1.
    """
    blocks, rest = divmod(depth - 4, 6)
    if blocks >= 1 and not rest:
        return blocks
    near = f"nearest are {6 * blocks + 4} and {6 * blocks + 10}" if blocks >= 1 else "least is 10"
    raise UserError(
        f"network 'wide_resnet' needs a depth of 6n + 4, which {depth} is not; the {near}"
    )


def projected(inputs: int, outputs: int, stride: int) -> bool:
    """Whether a block needs a convolution on its shortcut, because its output has another shape."""
    return inputs != outputs or stride != 1


def parameters(
    depth: int, channels: Sequence[int], image_channels: int = 3, classes: int = 10
) -> int:
    """Of the dense network.

    Args:
        depth: 6n + 4.
        channels: of the three groups.
        image_channels: of its images.
        classes: number of outputs.

    Raises:
        UserError: the depth is no such number.
    """
    more = blocks_of(depth) - 1
    total = 9 * image_channels * FIRST
    inputs = FIRST
    for stride, outputs in zip((1, 2, 2), channels, strict=True):
        shortcut = inputs * outputs if projected(inputs, outputs, stride) else 0
        first = 9 * outputs * (inputs + outputs) + 2 * (inputs + outputs)
        total += shortcut + first + more * (18 * outputs**2 + 4 * outputs)
        inputs = outputs
    return total + 2 * inputs + (inputs + 1) * classes


def narrowed(
    depth: int, width: int, target: int, image_channels: int = 3, classes: int = 10
) -> tuple[int, ...]:
    """Channels of the groups, all scaled by one factor, of the largest network that is not too large.

    The factor is at most 1 and the products are rounded to whole numbers, halves up and to at least 1.
    Every factor at which some rounding changes is tried. That is needed: a first group with as many
    channels as the first convolution has no shortcut and may so be smaller than one that is narrower.

    Args:
        depth: 6n + 4.
        width: of the network that is made narrower.
        target: number of parameters that it may have.
        image_channels: of its images.
        classes: number of outputs.

    Raises:
        UserError: the depth is no such number, or even one channel a group is too much.
    """
    full = group_channels(width)
    factors = {Fraction(1)} | {Fraction(2 * n - 1, 2 * c) for c in full for n in range(1, c + 1)}
    scaled = {tuple(max(1, int(c * factor + Fraction(1, 2))) for c in full) for factor in factors}
    sizes = {channels: parameters(depth, channels, image_channels, classes) for channels in scaled}
    fitting = [(size, channels) for channels, size in sizes.items() if size <= target]
    if not fitting:
        least = parameters(depth, (1, 1, 1), image_channels, classes)
        raise UserError(
            f"network 'wide_resnet' of depth {depth} cannot have {target} parameters by being "
            f"narrower, since one channel a group needs {least}"
        )
    return max(fitting)[1]


def shallower(
    depth: int, width: int, target: int, image_channels: int = 3, classes: int = 10
) -> int:
    """The largest depth, 6n + 4 and not above `depth`, of a network that is not too large.

    Args:
        depth: of the network that is made shallower.
        width: times 16 the channels of the first group.
        target: number of parameters that it may have.
        image_channels: of its images.
        classes: number of outputs.

    Raises:
        UserError: the depth is no such number, or one block a group is too much.
    """
    channels = group_channels(width)
    for blocks in range(blocks_of(depth), 0, -1):
        if parameters(6 * blocks + 4, channels, image_channels, classes) <= target:
            return 6 * blocks + 4
    least = parameters(10, channels, image_channels, classes)
    raise UserError(
        f"network 'wide_resnet' of width {width} cannot have {target} parameters by being "
        f"shallower, since one block a group needs {least}"
    )
