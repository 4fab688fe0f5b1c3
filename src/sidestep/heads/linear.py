"""A linear head: one dense layer from the flattened output to the classes."""

import math

from torch import nn

from sidestep.contract import Site


def build(site: Site) -> nn.Module:
    """Logits N×classes of outputs N×…, as PyTorch initialises a dense layer."""
    return nn.Sequential(nn.Flatten(), nn.Linear(math.prod(site.output_shape), site.classes))
