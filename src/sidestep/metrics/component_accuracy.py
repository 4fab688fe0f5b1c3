"""Accuracy when only the first k principal components of the pre-activations are kept.

The mean is restored, ẑ = μ + C_kᵀ C_k (z − μ); the journal left it out (trap T3-2).
"""

from collections.abc import Iterator

import torch

from sidestep.measuring.activations import batches
from sidestep.measuring.rows import Row
from sidestep.measuring.snapshot import Snapshot, geometric_grid
from sidestep.settings import Positive


def measure(snapshot: Snapshot, *, images: str = "train", ratio: Positive = 1.4) -> Iterator[Row]:
    """Accuracy at a growing number of components of the training images, at the last epoch.

    Each batch's scores are computed once; the reconstruction grows by the components between two
    values of k, so that all values of k together cost about three forward passes.

    Args:
        snapshot: the network.
        images: split whose accuracy is taken.
        ratio: of neighbouring numbers of components, above 1.
    """
    if not snapshot.last:
        return
    found = snapshot.principal("train")
    components = torch.from_numpy(found.components).float()
    mean = torch.from_numpy(found.mean).float()
    linear = snapshot.hidden
    _, activation, rest = snapshot.split_hidden()
    # Scores are linear in the input: C (z − μ) = (C W) x + C (b − μ).
    to_scores = (components.T.double() @ linear.weight.double()).float().T.contiguous()
    offset = (components.T.double() @ (linear.bias.double() - mean.double())).float()
    grid = list(geometric_grid(components.shape[1], ratio))
    right = torch.zeros(len(grid), dtype=torch.int64)
    data = snapshot.batch(images)
    with torch.no_grad():
        for begin, part in batches(data.images, components.shape[0]):
            labels = data.labels[begin : begin + len(part)]
            scores = part.flatten(1) @ to_scores + offset
            rebuilt = mean.expand(len(part), -1).clone()
            done = 0
            for index, k in enumerate(grid):
                if k > done:
                    rebuilt.addmm_(scores[:, done:k], components[:, done:k].T)
                    done = k
                right[index] += (rest(activation(rebuilt)).argmax(1) == labels).sum()
    for k, count in zip(grid, right, strict=True):
        yield Row("component_accuracy", int(count) / len(data.labels), images, k)
