"""The smallest rank to which the hidden weights can be cut without losing accuracy.

W is replaced by its best approximation of rank r (Eckart & Young 1936), as two factors r × d and
width × r; ranks are tried upwards from 1, so the answer is the smallest rank and not just one of
which r − 1 fails.
"""

from collections.abc import Iterator

import torch
from torch import Tensor

from sidestep.measuring.rows import Row
from sidestep.measuring.snapshot import Snapshot
from sidestep.settings import Fraction

BLOCK = 500
# Blocks whose pre-activations are kept from one rank to the next, a bound of the memory.
HELD_BLOCKS = 8


def measure(snapshot: Snapshot, *, images: str = "test", margin: Fraction = 0.001) -> Iterator[Row]:
    """The rank, and the share of the layer's parameters that its two factors need.

    Args:
        snapshot: the network.
        images: split whose accuracy is taken.
        margin: accuracy that may be lost, 0.001 for a tenth of a point.
    """
    width, inputs = snapshot.hidden.weight.shape
    accuracy = snapshot.activations(images).accuracy
    rank = smallest_rank(snapshot, images, accuracy - margin)
    yield Row("low_rank", float(rank), images)
    yield Row("low_rank_parameters", rank * (width + inputs) / (width * inputs), images)


def smallest_rank(snapshot: Snapshot, images: str, needed: float) -> int:
    """The smallest rank at which the accuracy on a split is at least `needed`.

    The images that the whole network finds hardest come first, and a rank is given up once its
    errors exceed what `needed` allows, so that a low rank costs one or two blocks of images.

    Args:
        snapshot: the network.
        images: split.
        needed: accuracy, a share.
    """
    data = snapshot.batch(images)
    hardest_first = _margins(snapshot, images).argsort()
    flat = data.images.flatten(1)[hardest_first].split(BLOCK)
    labels = data.labels[hardest_first].split(BLOCK)
    # A rounding error's worth of slack: needed × n is a whole number of images in exact arithmetic.
    allowed = int(len(data.labels) * (1 - needed) + 1e-6)
    left, values, right = snapshot.weight_factors()
    left = left * values
    held: dict[int, tuple[int, Tensor]] = {}

    def inner(block: int, rank: int) -> Tensor:
        """Pre-activations of a block at a rank, grown from the last rank that it was asked for."""
        bias = snapshot.hidden.bias
        done, grown = held.get(block) or (0, bias.expand(len(flat[block]), -1).clone())
        grown.addmm_(flat[block] @ right[done:rank].T, left[:, done:rank].T)
        if block < HELD_BLOCKS:
            held[block] = (rank, grown)
        return grown

    _, activation, rest = snapshot.split_hidden()
    with torch.no_grad():
        for rank in range(1, left.shape[1]):
            wrong = 0
            for block, target in enumerate(labels):
                wrong += int((rest(activation(inner(block, rank))).argmax(1) != target).sum())
                if wrong > allowed:
                    break
            else:
                return rank
    return left.shape[1]


def _margins(snapshot: Snapshot, images: str) -> Tensor:
    """Per image, the label's logit minus the largest other one; negative where wrong."""
    logits, labels = snapshot.activations(images).logits, snapshot.labels(images)
    own = logits.gather(1, labels[:, None])[:, 0]
    others = logits.scatter(1, labels[:, None], -torch.inf)
    return own - others.amax(1)
