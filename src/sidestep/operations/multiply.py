"""The product of two columns, or the square of one.

A constant starts at 1: at 0 the product and the read-out of it would both be 0, and with them both
gradients, for ever (trap T4-8).
"""

import torch
from torch import Tensor

ARITY = 2
SYMBOL = "×"
SYMMETRIC = True
OF_ITSELF = True
START = (1.0, 1.0)


def forward(left: Tensor, right: Tensor, out: Tensor | None = None) -> Tensor:
    """left × right, all of one shape; into `out` if it is given."""
    return torch.mul(left, right, out=out)


def derivative(
    gradient: Tensor, left: Tensor, right: Tensor, into_left: Tensor, into_right: Tensor
) -> None:
    """Write the gradients of the operands, from that of the result, into tensors of the same shape."""
    torch.mul(gradient, right, out=into_left)
    torch.mul(gradient, left, out=into_right)
