"""The larger of two columns.

A constant starts where a column in [0, 1] and one of mean 0 and deviation 1 both have values on either
side; at 0 the larger of a column of one sign could be 0 for every row and learn nothing (as in trap T4-8).
"""

import torch
from torch import Tensor

ARITY = 2
SYMBOL = "max"
SYMMETRIC = True
OF_ITSELF = False
START = (0.5, 0.5)


def forward(left: Tensor, right: Tensor, out: Tensor | None = None) -> Tensor:
    """The larger of each pair, all of one shape; into `out` if it is given."""
    return torch.maximum(left, right, out=out)


def derivative(
    gradient: Tensor, left: Tensor, right: Tensor, into_left: Tensor, into_right: Tensor
) -> None:
    """Write the gradients of the operands, from that of the result, into tensors of the same shape.

    Equal operands get half each.
    """
    # 1, 0 or −1; half the gradient and that times half the gradient.
    torch.sub(left, right, out=into_left).sign_()
    torch.addcmul(gradient, gradient, into_left, out=into_left).mul_(0.5)
    torch.sub(gradient, into_left, out=into_right)
