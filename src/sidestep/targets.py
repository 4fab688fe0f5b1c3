"""What outputs are held against: classes or numbers, told apart by the type of the labels.

Classes are int64, N, and outputs their logits, N×classes; numbers are float32, N×outputs, in standard
deviations from their mean over the training part, and outputs predict them.
"""

from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional


def of_numbers(labels: Tensor) -> bool:
    """Whether labels are numbers, not classes."""
    return labels.is_floating_point()


def loss(
    outputs: Tensor, labels: Tensor, reduction: Literal["mean", "sum", "none"] = "mean"
) -> Tensor:
    """Cross-entropy in nats, or squared error over the variance of the training part's target.

    Args:
        outputs: N×classes or N×outputs.
        labels: N or N×outputs.
        reduction: over rows; a row's squared error is the mean over its outputs.
    """
    if not of_numbers(labels):
        return functional.cross_entropy(outputs, labels, reduction=reduction)
    rows = (outputs - labels).square().mean(1)
    return rows if reduction == "none" else rows.mean() if reduction == "mean" else rows.sum()


def errors(outputs: Tensor, labels: Tensor) -> Tensor:
    """What the loss's gradient by the outputs is proportional to, N×outputs.

    softmax − onehot for classes, whose factor is 1; the prediction minus the number, whose factor is
    2 over the number of outputs.
    """
    if of_numbers(labels):
        return outputs - labels
    return outputs.softmax(1) - functional.one_hot(labels, outputs.shape[1])


def explained(outputs: Tensor, labels: Tensor) -> float:
    """R², the share of the variance of these very numbers that is explained; mean over the outputs.

    1 − Σ (ŷ − y)² / Σ (y − mean of y)²; negative for what is worse than their mean. NaN where the
    numbers do not vary.

    Args:
        outputs: N×outputs.
        labels: N×outputs.
    """
    outputs, labels = outputs.double(), labels.double()
    left = (outputs - labels).square().sum(0)
    whole = (labels - labels.mean(0)).square().sum(0)
    return float((1 - left / whole).mean()) if bool((whole > 0).all()) else torch.nan
