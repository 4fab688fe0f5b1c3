"""Maximum difference: a stage's outputs should differ between labels, by the cosine of pairs of images.

The older work's first idea, with its losses by their names, as means over pairs (its sums made the
step grow with the batch, trap T0-8) over its own pairs: image i of a batch of N with image i + N/2.
Its first loss pushed pairs of the *same* label apart by mistake (T0-1), and that with absolute
values of all cosines does so too (T0-2); `pairs` is what was meant. Outputs of a ReLU have cosines
from 0 to 1, so the absolute values of `abs_diff` change nothing there (T0-6). `equal`, `mean_squared`
and `mean_cosine` have no term between classes: their minimum is total collapse, all outputs in one
direction or one point (T0-4); the squares are ours, since plain deviations from a mean add up to
zero (T0-3).

**What is unstable, and the cure.** A cosine does not change with the norm of an output h: its gradient
is orthogonal to h and grows as 1/‖h‖. Behind a ReLU no cosine is negative, so that outputs of
different labels can only be pushed apart by making their active units disjoint. Units die; what is
left of ‖h‖ for some images goes to zero, their gradients grow without bound, and one step takes the
weights anywhere. `stabilised` takes cosines of outputs centred over the batch, which need no dead
unit to point apart, and of different labels counts the positive ones only, for ten classes cannot
all be opposite to each other; divides by √(‖h‖² + the mean of ‖h‖² over the batch · `floor`), which
bounds the gradient of each output; takes every pair of the batch; and holds the root mean square of
the centred outputs near 1.
"""

from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

from sidestep.contract import Batch, Signal, Site
from sidestep.settings import NonNegative, Positive

# Under square roots: with a smaller one the gradient at total collapse would overflow.
FLOOR = 1e-12


class MaximumDifference(Signal):
    """One of the losses, of outputs N×… and their labels."""

    def __init__(self, loss: str, floor: float, scale: float) -> None:
        """`floor` and `scale` are of `stabilised` alone."""
        super().__init__()
        self.loss, self.floor, self.scale = loss, floor, scale

    def forward(self, output: Tensor, batch: Batch) -> Tensor:
        """The scalar loss; kinds of pairs that the batch lacks contribute zero."""
        hidden, labels = output.flatten(1), batch.labels
        match self.loss:
            case "stabilised":
                return self._stabilised(hidden, labels)
            case "mean_squared":
                return (hidden - _class_means(hidden, labels)).square().sum(1).mean()
            case "mean_cosine":
                return (1 - _cosine(hidden, _class_means(hidden, labels))).mean()
        half = len(hidden) // 2
        cosine = _cosine(hidden[:half], hidden[half : 2 * half])
        same = labels[:half] == labels[half : 2 * half]
        match self.loss:
            case "pairs":
                return _mean(cosine, ~same) + _mean(1 - cosine, same)
            case "abs_diff":
                return _mean(cosine.abs(), ~same)
            case "equal":
                return -_mean(cosine, same)
            case _:
                return torch.where(same, -cosine, cosine).mean()

    def _stabilised(self, hidden: Tensor, labels: Tensor) -> Tensor:
        centred = hidden - hidden.mean(0)
        squared = centred.square().sum(1, keepdim=True)
        unit = centred / (squared + self.floor * squared.mean() + FLOOR).sqrt()
        cosine = unit @ unit.T
        same = labels[:, None] == labels[None, :]
        itself = torch.eye(len(labels), dtype=torch.bool, device=labels.device)
        apart = _mean(cosine.relu(), ~same) + _mean(1 - cosine, same & ~itself)
        size = (centred.square().mean() + FLOOR).sqrt()
        return apart + self.scale * size.log().square()


def _cosine(first: Tensor, second: Tensor) -> Tensor:
    return functional.cosine_similarity(first, second, dim=1, eps=1e-6)


def _mean(values: Tensor, chosen: Tensor) -> Tensor:
    """Mean of the chosen values; zero, with a gradient of zero, if there are none."""
    return (values * chosen).sum() / chosen.sum().clamp_min(1)


def _class_means(hidden: Tensor, labels: Tensor) -> Tensor:
    """The mean output of each row's class in the batch, N×D."""
    same = (labels[:, None] == labels[None, :]).to(hidden.dtype)
    return same @ hidden / same.sum(1, keepdim=True)


def build(
    site: Site,
    *,
    loss: Literal[
        "pairs", "abs_diff", "equal", "all", "mean_squared", "mean_cosine", "stabilised"
    ] = "pairs",
    floor: Positive = 0.25,
    scale: NonNegative = 0.1,
) -> Signal:
    """The signal for a stage, whatever its outputs' shape.

    Args:
        site: of the stage.
        loss: `pairs`: mean cosine of pairs of different labels + mean of 1 − cosine of pairs of the
            same label. `abs_diff`: mean absolute cosine of different labels. `equal`: minus the mean
            cosine of the same label. `all`: mean over all pairs of the cosine, negative for the same
            label. `mean_squared`, `mean_cosine`: squared distance from, or 1 − cosine to, the mean
            output of the class. `stabilised`: see above.
        floor: share of the batch's mean squared norm that is added to every squared norm.
        scale: weight of the squared logarithm of the centred outputs' root mean square.
    """
    del site
    return MaximumDifference(loss, floor, scale)
