"""How much a new column can lower the loss of a softmax read-out, before it is trained: a sure lower bound."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from sidestep.graphs.graph import Column
from sidestep.graphs.mutation import Mutation
from sidestep.registry import load


@torch.no_grad()
def gains(
    columns: Tensor, candidates: Sequence[Mutation], logits: Tensor, labels: Tensor
) -> Tensor:
    """The decrease of the mean cross-entropy that is sure for each new operation's column alone.

    With the column's deviations x from its mean (the bias takes the mean), its weights at 0 and the
    errors e = softmax − onehot, the gradient of the weights is g = mean of e·x. The loss is convex and
    its curvature at most mean(x²) / 2 (Böhning 1992, Ann. Inst. Stat. Math. 44, 197–200: the softmax's
    Hessian is at most half the identity), so that one step of the right length lowers it by at least
    ‖g‖² / mean(x²). Neither scale nor shift of the column matters.

    Args:
        columns: N×K, as a layer in training gives them.
        candidates: operations that read them.
        logits: of the network as it is, N×classes.
        labels: N, int64.

    Returns:
        (candidates,), nats, float64; 0 for a column that does not vary.
    """
    error = logits.double().softmax(1) - functional.one_hot(labels, logits.shape[1])
    found = [_gain(_result(drawn, columns), error) for drawn in candidates]
    return torch.stack(found)


def _gain(column: Tensor, error: Tensor) -> Tensor:
    # Around the first value, so that what does not vary is exactly 0.
    apart = column.double() - column[0].double()
    apart = apart - apart.mean()
    variance = apart.square().mean()
    gradient = apart @ error / len(apart)
    return torch.where(variance > 0, gradient.square().sum() / variance, 0.0)


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
