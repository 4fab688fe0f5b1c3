"""Moments of a hidden layer's activations over a whole split, streamed in bounded memory."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

Vector = NDArray[np.float64]
# Values of one batch's hidden layer: small enough to stay near the core between passes over it.
BATCH_VALUES = 1 << 20


@dataclass(frozen=True)
class Activations:
    """A stage's hidden activations over n images, after its nonlinearity, and the network's score.

    Attributes:
        mean: per neuron, shape (width,).
        variance: per neuron, divisor n.
        largest_before: per neuron, the largest value before the nonlinearity.
        loss: mean cross-entropy in nats.
        accuracy: share of images classified right.
        n: number of images.
        logits: of every image, float32, (n, classes).
    """

    mean: Vector
    variance: Vector
    largest_before: Vector
    loss: float
    accuracy: float
    n: int
    logits: Tensor


def batches(images: Tensor, width: int) -> Iterator[tuple[int, Tensor]]:
    """Begin and images of each batch, sized so that a layer of `width` stays small."""
    size = min(1000, max(64, BATCH_VALUES // width))
    for begin in range(0, len(images), size):
        yield begin, images[begin : begin + size]


def stream(
    parts: tuple[nn.Module, nn.Module, nn.Module], width: int, images: Tensor, labels: Tensor
) -> Activations:
    """One pass over the images.

    Sums are taken around the first batch's mean in float32 within a batch, and in float64 across
    batches, which keeps the variance exact to about 1e-6 (Chan, Golub & LeVeque 1983).

    Args:
        parts: in evaluation mode: what comes before the hidden layer's nonlinearity, the
            nonlinearity, and what comes after it.
        width: neurons of the hidden layer.
        images: normalised, N×C×H×W.
        labels: N.
    """
    before, activation, rest = parts
    shift: Tensor | None = None
    first = torch.zeros(width, dtype=torch.float64)
    second = torch.zeros(width, dtype=torch.float64)
    largest = torch.full((width,), -torch.inf)
    loss, right = 0.0, 0
    outputs: list[Tensor] = []
    with torch.no_grad():
        for begin, part in batches(images, width):
            target = labels[begin : begin + len(part)]
            inner = before(part)
            largest = torch.maximum(largest, inner.amax(0))
            after = activation(inner)
            logits = rest(after)
            outputs.append(logits)
            loss += float(functional.cross_entropy(logits, target, reduction="sum"))
            right += int((logits.argmax(1) == target).sum())
            if shift is None:
                shift = after.mean(0)
            apart = after - shift
            first += apart.sum(0)
            second += apart.square_().sum(0)
    n = len(labels)
    assert shift is not None
    offset = first / n
    variance = (second / n - offset.square()).clamp_(min=0.0)
    # A neuron that never fired has no spread at all, not a rounding error's worth.
    variance[largest <= 0] = 0.0
    return Activations(
        mean=(shift.double() + offset).numpy(),
        variance=variance.numpy(),
        largest_before=largest.double().numpy(),
        loss=loss / n,
        accuracy=right / n,
        n=n,
        logits=torch.cat(outputs),
    )
