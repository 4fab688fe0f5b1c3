"""The difference of two columns."""

import torch
from torch import Tensor

ARITY = 2
SYMBOL = "−"
SYMMETRIC = False
OF_ITSELF = False
START = (0.0, 0.0)


def forward(left: Tensor, right: Tensor, out: Tensor | None = None) -> Tensor:
    """left − right, all of one shape; into `out` if it is given."""
    return torch.sub(left, right, out=out)


def derivative(
    gradient: Tensor, left: Tensor, right: Tensor, into_left: Tensor, into_right: Tensor
) -> None:
    """Write the gradients of the operands, from that of the result, into tensors of the same shape."""
    del left, right
    into_left.copy_(gradient)
    torch.neg(gradient, out=into_right)
