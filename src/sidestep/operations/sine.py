"""The sine of a column, in radians."""

import torch
from torch import Tensor

ARITY = 1
SYMBOL = "sin"
SYMMETRIC = True
OF_ITSELF = True
START = (0.0,)


def forward(angle: Tensor, out: Tensor | None = None) -> Tensor:
    """sin(angle); into `out` if it is given."""
    return torch.sin(angle, out=out)


def derivative(gradient: Tensor, angle: Tensor, into: Tensor) -> None:
    """Write the gradient of the operand, from that of the result, into a tensor of the same shape."""
    torch.cos(angle, out=into).mul_(gradient)
