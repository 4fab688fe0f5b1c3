"""A head with the network of a synthesizer of gradients, as in the DGL repository's comparison with DNI.

Synthesizer – global average – Linear, so that decoupled greedy learning and synthetic gradients have
auxiliary networks of one size (Belilovsky et al. 2020). Its last convolution is zero at first, as there:
the stage's first gradient is zero.
"""

from torch import nn

from sidestep.contract import Site
from sidestep.heads.shared.synthesizers import Synthesizer
from sidestep.settings import Natural


def build(site: Site, *, hidden: Natural = 0, depth: Natural = 2) -> nn.Module:
    """Logits N×classes of outputs N×…; vectors pass the dense synthesizer and no average.

    Args:
        site: of the stage, with outputs (C, H, W) or (D,).
        hidden: channels or neurons of the hidden layers; 0 for as many as the output has.
        depth: number of hidden layers.
    """
    maps = len(site.output_shape) == 3
    network = Synthesizer(
        site.output_shape, convolutional=maps, hidden=hidden, depth=depth, classes=0
    )
    average = [nn.AdaptiveAvgPool2d(1), nn.Flatten()] if maps else []
    return nn.Sequential(network, *average, nn.Linear(site.output_shape[0], site.classes))
