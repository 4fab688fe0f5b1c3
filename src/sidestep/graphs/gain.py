"""How much a new column can lower the loss of a read-out, before it is trained."""

from collections.abc import Sequence

import torch
from torch import Tensor

from sidestep import targets
from sidestep.graphs.graph import Column
from sidestep.graphs.mutation import Mutation
from sidestep.registry import load


@torch.no_grad()
def gains(
    columns: Tensor, candidates: Sequence[Mutation], outputs: Tensor, labels: Tensor
) -> Tensor:
    """The decrease of the mean loss that is sure for each new operation's column alone.

    With the column's deviations x from its mean (the bias takes the mean), its weights at 0 and the
    errors e (softmax − onehot, or prediction − number), the gradient of the weights is g = mean of e·x,
    times 2/K for K predicted numbers. The cross-entropy is convex and its curvature at most mean(x²) / 2
    (Böhning 1992, Ann. Inst. Stat. Math. 44, 197–200: the softmax's Hessian is at most half the
    identity), so that one step of the right length lowers it by at least ‖g‖² / mean(x²). The squared
    error is lowered by ‖mean of e·x‖² / (K mean(x²)) by its best step. Neither scale nor shift of the
    column matters.

    Args:
        columns: N×C, as a layer in training gives them.
        candidates: operations that read them.
        outputs: of the network as it is, N×outputs.
        labels: N, int64; or N×outputs, float32.

    Returns:
        (candidates,), in units of the loss, float64; 0 for a column that does not vary.
    """
    errors = targets.errors(outputs.double(), labels)
    share = 1 / outputs.shape[1] if targets.of_numbers(labels) else 1.0
    found = []
    for drawn in candidates:
        apart = _apart(_result(drawn, columns))
        variance = apart.square().mean()
        gradient = apart @ errors / len(apart)
        found.append(torch.where(variance > 0, gradient.square().sum() / variance * share, 0.0))
    return torch.stack(found)


@torch.no_grad()
def held_out_gains(
    columns: tuple[Tensor, Tensor],
    candidates: Sequence[Mutation],
    outputs: tuple[Tensor, Tensor],
    labels: tuple[Tensor, Tensor],
) -> Tensor:
    """The decrease of the mean loss on held-out rows by the step that `gains` is sure of on the others.

    A column that fits the training rows alone gains nothing here, or loses.

    Args:
        columns: of the training and of the held-out rows, N×C each, on one scale.
        candidates: operations that read them.
        outputs: of the network as it is, for both.
        labels: of both.

    Returns:
        (candidates,), in units of the loss, float64; 0 for a column that does not vary in training.
    """
    errors = targets.errors(outputs[0].double(), labels[0])
    length = 1.0 if targets.of_numbers(labels[0]) else 2.0
    held = outputs[1].double()
    before = targets.loss(held, labels[1])
    found = []
    for drawn in candidates:
        seen, new = (_result(drawn, part).double() for part in columns)
        apart = _apart(seen)
        variance = apart.square().mean()
        step = -length * (apart @ errors) / len(apart) / variance.clamp(min=1e-300)
        after = targets.loss(held + torch.outer(new - seen.mean(), step), labels[1])
        found.append(torch.where(variance > 0, before - after, 0.0))
    return torch.stack(found)


def _apart(column: Tensor) -> Tensor:
    """A column's deviations from its mean; around the first value, so that what does not vary is 0."""
    apart = column.double() - column[0].double()
    return apart - apart.mean()


def _result(drawn: Mutation, columns: Tensor) -> Tensor:
    """The operation's column, (N,), before normalisation."""
    starts = iter(drawn.start)
    operands = [
        columns[:, one.index]
        if isinstance(one, Column)
        else columns.new_full((len(columns),), next(starts))
        for one in drawn.op.operands
    ]
    result: Tensor = load("operations", drawn.op.kind).forward(*operands)
    return result
