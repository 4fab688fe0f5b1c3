"""A column let through as far as another one opens its gate: left × sigmoid(right).

The gated linear unit of Dauphin et al. 2017 (arXiv:1612.08083), equation 1; of a column with itself it
is the sigmoid-weighted unit of Elfwing et al. 2018 (arXiv:1702.03118).
"""

import torch
from torch import Tensor

ARITY = 2
SYMBOL = "glu"
SYMMETRIC = False
OF_ITSELF = True
START = (1.0, 0.0)


def forward(left: Tensor, right: Tensor, out: Tensor | None = None) -> Tensor:
    """left × sigmoid(right), all of one shape; into `out` if it is given."""
    return torch.mul(left, torch.sigmoid(right), out=out)


def derivative(
    gradient: Tensor, left: Tensor, right: Tensor, into_left: Tensor, into_right: Tensor
) -> None:
    """Write the gradients of the operands, from that of the result, into tensors of the same shape."""
    gate = torch.sigmoid(right)
    torch.mul(gradient, gate, out=into_left)
    torch.mul(gradient, left, out=into_right)
    torch.ops.aten.sigmoid_backward.grad_input(into_right, gate, grad_input=into_right)
