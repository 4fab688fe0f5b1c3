"""AdaMax, Adam under the infinity norm (Kingma & Ba 2015, algorithm 2)."""

import torch
from torch import Tensor

from sidestep.settings import Fraction, NonNegative, Positive

SLOTS = ("mean", "largest")


def update(
    parameters: list[Tensor],
    gradients: list[Tensor],
    slots: list[list[Tensor]],
    steps: list[Tensor],
    factor: float,
    *,
    lr: Positive = 2e-3,
    beta1: Fraction = 0.9,
    beta2: Fraction = 0.999,
    eps: Positive = 1e-8,
    weight_decay: NonNegative = 0.0,
) -> None:
    """One step, in place.

    Args:
        parameters: tensors to move.
        gradients: their gradients, same shapes.
        slots: running means of gradients and decayed largest magnitudes, per parameter.
        steps: number of this update per parameter, counted from 1 (scalars, float32).
        factor: the schedule's factor of the learning rate.
        lr: learning rate.
        beta1: decay of the running mean.
        beta2: decay of the largest magnitude.
        eps: added to a gradient's magnitude, so that the first division is defined.
        weight_decay: coupled L2, added to the gradient.
    """
    mean, largest = slots
    if weight_decay:
        gradients = list(torch._foreach_add(gradients, parameters, alpha=weight_decay))
    torch._foreach_lerp_(mean, gradients, 1 - beta1)
    magnitudes = torch._foreach_abs(gradients)
    torch._foreach_add_(magnitudes, eps)
    torch._foreach_mul_(largest, beta2)
    torch._foreach_maximum_(largest, magnitudes)
    rates = [-lr * factor / (1 - beta1 ** int(step)) for step in steps]
    torch._foreach_addcdiv_(parameters, mean, largest, rates)
