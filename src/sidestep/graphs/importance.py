"""How important each column is to a linear read-out: norms of its weights, and the exact effect on the loss.

A read-out gives logits or predictions x Wᵀ + b from columns x (N×K), W (outputs×K), b (outputs). Adding
the same number to all logits changes no probability, so that part of a column's weights counts for
nothing; the older work measured that very part (trap T4-7: the signed sum over classes).
"""

import torch
from torch import Tensor

from sidestep.graphs.graph import Graph
from sidestep.importance import outgoing_norm, spread, zeroing_increase


@torch.no_grad()
def for_classes(columns: Tensor, weight: Tensor) -> Tensor:
    """‖W_j − mean over classes of W_j‖₂ · sd(x_j) of each column j; (K,), float64.

    Args:
        columns: N×K; the standard deviation has the divisor N.
        weight: of the read-out, classes×K.

    Raises:
        ValueError: shapes that do not fit, or no rows.
    """
    _check(columns, weight)
    weight = weight.double()
    return outgoing_norm(weight - weight.mean(0)) * spread(columns)


@torch.no_grad()
def for_numbers(columns: Tensor, weight: Tensor) -> Tensor:
    """‖W_j‖₂ · sd(x_j) of each column j, for regression; arguments and errors as of `for_classes`."""
    _check(columns, weight)
    return outgoing_norm(weight) * spread(columns)


def increase_for_classes(columns: Tensor, weight: Tensor, bias: Tensor, labels: Tensor) -> Tensor:
    """Mean increase of the cross-entropy when a column is set to zero in the read-out; (K,), nats.

    Args:
        columns: N×K.
        weight: classes×K.
        bias: (classes,).
        labels: N, int64.

    Raises:
        ValueError: shapes that do not fit, or no rows.
    """
    return zeroing_increase(columns, weight, bias, labels)


@torch.no_grad()
def increase_for_numbers(columns: Tensor, weight: Tensor, bias: Tensor, targets: Tensor) -> Tensor:
    """Increase of the mean squared error when a column is set to zero in the read-out; (K,), float64.

    With the residuals r = x Wᵀ + b − y, the error over rows and outputs changes by the mean of
    x_j² ‖W_j‖² − 2 x_j (r · W_j), over the number of outputs.

    Args:
        columns: N×K.
        weight: outputs×K.
        bias: (outputs,).
        targets: N×outputs, y.

    Returns:
        In squared units of the targets; negative where the predictions are better without it.

    Raises:
        ValueError: shapes that do not fit, or no rows.
    """
    _check(columns, weight)
    if bias.shape != weight.shape[:1] or targets.shape != (len(columns), len(weight)):
        raise ValueError(
            f"bias {tuple(bias.shape)} or targets {tuple(targets.shape)} do not fit the "
            f"{len(weight)} outputs of {len(columns)} rows"
        )
    columns, weight = columns.double(), weight.double()
    residuals = columns @ weight.T + bias.double() - targets.double()
    own = columns.square().sum(0) * weight.square().sum(0)
    shared = (residuals.T @ columns * weight).sum(0)
    return (own - 2 * shared) / residuals.numel()


def weakest(graph: Graph, importance: Tensor) -> int:
    """The leaf whose column is least important; the earliest of equals.

    Args:
        graph: with at least one operation, the last of which is a leaf.
        importance: of each column, (inputs + ops,).

    Returns:
        The index of the operation.

    Raises:
        ValueError: there are no operations, or the shape does not fit.
    """
    if not graph.ops or importance.shape != (graph.columns,):
        raise ValueError(
            f"importance {tuple(importance.shape)} is not that of {graph.columns} columns, of which "
            f"{len(graph.ops)} are operations"
        )
    own = importance[graph.inputs :]
    leaves = torch.tensor(graph.leaves, device=own.device)
    return int(own.where(leaves, torch.inf).argmin())


def _check(columns: Tensor, weight: Tensor) -> None:
    if columns.ndim != 2 or weight.ndim != 2 or not len(columns) or not len(weight):
        raise ValueError(
            f"columns {tuple(columns.shape)} and weight {tuple(weight.shape)} are not both filled "
            f"matrices"
        )
    if columns.shape[1] != weight.shape[1]:
        raise ValueError(f"{columns.shape[1]} columns have weights for {weight.shape[1]}")
