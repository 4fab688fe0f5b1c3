"""How important each hidden neuron is by several measures, and which order of neurons keeps most.

The journal left two questions open (seeds/003): whether the increase of the loss without a neuron is
easy to evaluate, and whether a proxy gives the same order. The increase is exact here
(`sidestep.importance`); each order is judged by the accuracy and the loss of the network that keeps
only its first k neurons, without training again.
"""

import math
from collections.abc import Iterator
from itertools import pairwise
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from sidestep.errors import UserError
from sidestep.importance import MEASURES, PROXIES, importances
from sidestep.measuring.activations import batches
from sidestep.measuring.rows import Row
from sidestep.measuring.snapshot import Snapshot, geometric_grid
from sidestep.seeds import derive
from sidestep.settings import Count

RATIO = 1.5
ORDERS = (*MEASURES, "random")


def measure(
    snapshot: Snapshot,
    *,
    images: Literal["train", "validation", "test"] = "train",
    count: Count = 2000,
) -> Iterator[Row]:
    """The importance of each neuron; at the last epoch also how the orders agree and what they keep.

    `importance_<measure>` has the neuron's index as its component. `rank_correlation_<proxy>` is
    Kendall's tau-b with the exact increase. `accuracy_kept_<order>` and `loss_kept_<order>` (nats)
    have as component the number of most important neurons kept, on the test images if the run has
    some, else on all `images`; the order `random` is a control. `area_kept_<order>` is the mean of
    the former over log2 of that number, from 1 to all. Where a neuron's output passes a gate, what
    leaves the gate counts, but for the norm of the incoming weights.

    Args:
        snapshot: of a network of one hidden layer and a linear output.
        images: split on which importance is measured.
        count: of them, the first ones.

    Raises:
        UserError: the network is another one, or the run has no such split.
    """
    output = _output(snapshot)
    hidden = _hidden(snapshot, snapshot.library.normalised(images)[:count])
    labels = snapshot.labels(images)[:count]
    found = importances(hidden, snapshot.hidden.weight, output.weight, output.bias, labels)
    for name, each in found.items():
        for neuron, value in enumerate(each.tolist()):
            yield Row(f"importance_{name}", value, images, neuron)
    if not snapshot.last:
        return
    for name in PROXIES:
        agreement = kendall(found[name], found["zeroing"])
        yield Row(f"rank_correlation_{name}", agreement, images)
    orders = {name: each.argsort(descending=True, stable=True) for name, each in found.items()}
    orders["random"] = _random_order(len(found["zeroing"]), snapshot.seed)
    judged = "test" if "test" in snapshot.splits else images
    yield from _kept(snapshot, output, orders, judged)


def kendall(x: Tensor, y: Tensor) -> float:
    """Kendall's tau-b of two rows of numbers (n,), ties accounted for (Kendall 1945).

    `nan` for fewer than 3 pairs, or where one side does not vary.
    """
    if len(x) < 3 or bool((x == x[0]).all()) or bool((y == y[0]).all()):
        return math.nan

    import scipy.stats  # a second of start-up, for those who need it

    return float(scipy.stats.kendalltau(x.numpy(), y.numpy(), variant="b").statistic)


def area(kept: list[int], accuracies: list[float]) -> float:
    """Mean of accuracy over log2 of the neurons kept, by trapezoids; numbers below 1 are left out."""
    points = [(math.log2(k), value) for k, value in zip(kept, accuracies, strict=True) if k >= 1]
    if len(points) == 1:
        return points[0][1]
    sums = ((b - a) * (left + right) / 2 for (a, left), (b, right) in pairwise(points))
    return math.fsum(sums) / (points[-1][0] - points[0][0])


def _output(snapshot: Snapshot) -> nn.Linear:
    """The linear layer that the hidden layer's outputs go into.

    Raises:
        UserError: the network is not one hidden linear layer and a linear output.
    """
    width = snapshot.hidden.out_features
    stages = list(snapshot.network)
    # A stage of one module and no more: its only descendant is the layer.
    layers = list(stages[-1].children())
    output = layers[0] if len(layers) == 1 else stages[-1]
    if len(stages) == 2 and isinstance(output, nn.Linear) and output.in_features == width:
        return output
    raise UserError(
        "this metric needs a network of one hidden linear layer and a linear output, such as 'mlp'"
    )


def _hidden(snapshot: Snapshot, images: Tensor) -> Tensor:
    """Outputs of the first stage, N×width."""
    with torch.no_grad():
        parts = [
            snapshot.network[0](part) for _, part in batches(images, snapshot.hidden.out_features)
        ]
    return torch.cat(parts)


def _random_order(width: int, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(derive(seed, "neuron importance", "random"))
    return torch.randperm(width, generator=generator)


def _kept(
    snapshot: Snapshot, output: nn.Linear, orders: dict[str, Tensor], images: str
) -> Iterator[Row]:
    """What each order keeps, on a split; logits grow by the neurons between two numbers kept."""
    width = output.in_features
    grid = list(geometric_grid(width, RATIO))
    data = snapshot.batch(images)
    loss = {name: np.zeros(len(grid)) for name in orders}
    right = {name: np.zeros(len(grid), dtype=np.int64) for name in orders}
    with torch.no_grad():
        for begin, part in batches(data.images, width):
            labels = data.labels[begin : begin + len(part)]
            hidden = snapshot.network[0](part)
            for name, order in orders.items():
                sorted_hidden, weight = hidden[:, order], output.weight[:, order]
                logits = output.bias.expand(len(part), -1).clone()
                done = 0
                for index, k in enumerate(grid):
                    logits.addmm_(sorted_hidden[:, done:k], weight[:, done:k].T)
                    done = k
                    cost = functional.cross_entropy(logits, labels, reduction="sum")
                    loss[name][index] += float(cost)
                    right[name][index] += int((logits.argmax(1) == labels).sum())
    n = len(data.labels)
    for name in orders:
        accuracies = (right[name] / n).tolist()
        for k, accuracy, cost in zip(grid, accuracies, (loss[name] / n).tolist(), strict=True):
            yield Row(f"accuracy_kept_{name}", accuracy, images, k)
            yield Row(f"loss_kept_{name}", cost, images, k)
        yield Row(f"area_kept_{name}", area(grid, accuracies), images)
