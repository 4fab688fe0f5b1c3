"""Adam with coupled L2 decay (Kingma & Ba 2015, algorithm 1).

PyTorch's fused kernel is called directly: constructing a `torch.optim` optimiser imports
`torch._dynamo`, which costs a second per process, and hides the state that an edit of the network
must move.
"""

import torch
from torch import Tensor

from sidestep.settings import Fraction, NonNegative, Positive

SLOTS = ("mean", "square")


def update(
    parameters: list[Tensor],
    gradients: list[Tensor],
    slots: list[list[Tensor]],
    steps: list[Tensor],
    factor: float,
    *,
    lr: Positive = 1e-3,
    beta1: Fraction = 0.9,
    beta2: Fraction = 0.999,
    eps: Positive = 1e-8,
    weight_decay: NonNegative = 0.0,
) -> None:
    """One step, in place.

    Args:
        parameters: tensors to move.
        gradients: their gradients, same shapes.
        slots: running means of gradients and of squared gradients, per parameter.
        steps: number of this update per parameter, counted from 1 (scalars, float32).
        factor: the schedule's factor of the learning rate.
        lr: learning rate.
        beta1: decay of the running mean.
        beta2: decay of the running mean of squares.
        eps: added to the denominator.
        weight_decay: coupled L2, added to the gradient.
    """
    mean, square = slots
    torch._fused_adam_(
        parameters,
        gradients,
        mean,
        square,
        [],
        steps,
        lr=lr * factor,
        beta1=beta1,
        beta2=beta2,
        weight_decay=weight_decay,
        eps=eps,
        amsgrad=False,
        maximize=False,
    )
