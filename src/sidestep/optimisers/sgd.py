"""Stochastic gradient descent with momentum, plain or Nesterov's (Sutskever et al. 2013), and L2."""

import torch
from torch import Tensor

from sidestep.settings import Fraction, NonNegative, Positive

SLOTS = ("momentum",)


def update(
    parameters: list[Tensor],
    gradients: list[Tensor],
    slots: list[list[Tensor]],
    steps: list[Tensor],
    factor: float,
    *,
    lr: Positive = 0.1,
    momentum: Fraction = 0.0,
    nesterov: bool = False,
    weight_decay: NonNegative = 0.0,
) -> None:
    """One step, in place.

    Args:
        parameters: tensors to move.
        gradients: their gradients, same shapes.
        slots: momentum buffers, one per parameter; zero before the first step.
        steps: not used.
        factor: the schedule's factor of the learning rate.
        lr: learning rate.
        momentum: decay of the momentum buffer.
        nesterov: look ahead along the momentum.
        weight_decay: coupled L2, added to the gradient.
    """
    del steps
    torch._fused_sgd_(
        parameters,
        gradients,
        slots[0] if momentum else [],
        weight_decay=weight_decay,
        momentum=momentum,
        lr=lr * factor,
        dampening=0.0,
        nesterov=nesterov and momentum > 0,
        maximize=False,
        is_first_step=False,
    )
