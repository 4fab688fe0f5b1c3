"""The columns of a graph for a batch, and their gradients: operations of one depth and kind at once.

Columns are rows of memory here, one value per image or other row of the data: inputs, then constants,
then operations sorted by depth and kind. A level gathers all that its operations
read in one go, computes kind by kind and normalises; the results are the next rows. On the way back a
level sums what its rows get from the outputs and from their readers in one go, and each reader leaves
its gradients at a place of its own, so that no sum depends on the order of threads. The cost is linear
in the number of operations, and the number of calls depends on depth and kinds alone.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby, islice
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from sidestep.graphs.graph import Column, Graph
from sidestep.registry import load


class Batch(NamedTuple):
    """Normalisation by the batch's own mean and variance, of which the gradient knows."""

    eps: float


class Stored(NamedTuple):
    """Normalisation by given means and variances, (ops,) each."""

    eps: float
    mean: Tensor
    variance: Tensor


class Columns(NamedTuple):
    """What a graph gives for a batch.

    Attributes:
        values: inputs and results of the operations, N×columns.
        mean: of each operation's result over the batch before normalisation, (ops,), if the batch's
            own were asked for, and 0 for operations that are not normalised; else empty.
        variance: alike, divisor N; 1 for operations that are not normalised.
    """

    values: Tensor
    mean: Tensor
    variance: Tensor


class _Kind(NamedTuple):
    """What a file of `operations/` defines; functions, unlike modules, can be copied with the layer."""

    arity: int
    forward: Callable[..., Tensor]
    derivative: Callable[..., None]


class _Bags(NamedTuple):
    """For rows that follow each other, the places of all gradients that add up to each one's."""

    places: Tensor
    begins: Tensor


class _Level(NamedTuple):
    """Operations of one depth, sorted by kind.

    Attributes:
        rows: of the results.
        ops: indices of the operations in the graph.
        normalised: 1 for each that is normalised and 0 for the others, rows×1; None if none is.
        mixed: whether some are not.
        kinds: of the operations.
        counts: how many there are of each kind.
        read: rows that are read, operand by operand of each kind.
        reads: how many of them are one operand of one kind.
        places: of the gradients of what is read.
        bags: of the gradients of the results.
    """

    rows: slice
    ops: Tensor
    normalised: Tensor | None
    mixed: bool
    kinds: tuple[_Kind, ...]
    counts: list[int]
    read: Tensor
    reads: list[int]
    places: slice
    bags: _Bags


@dataclass(frozen=True)
class Schedule:
    """A graph worked out for a device.

    Attributes:
        inputs: number of input columns.
        constants: number of constants.
        ops: number of operations.
        levels: in order of depth.
        columns: the row of each column.
        normalised: whether each operation is, (ops,).
        bags: of the gradients of inputs and constants.
        edges: number of operands.
    """

    inputs: int
    constants: int
    ops: int
    levels: tuple[_Level, ...]
    columns: Tensor
    normalised: Tensor
    bags: _Bags
    edges: int


def schedule(graph: Graph, device: torch.device | None = None) -> Schedule:
    """Work out a graph; the result may be used for any number of batches."""
    depth = graph.levels
    place = [(level, op.kind) for level, op in zip(depth, graph.ops, strict=True)]
    order = sorted(range(len(graph.ops)), key=lambda k: (place[k], k))
    first = graph.inputs + graph.constants
    rows = list(range(graph.inputs)) + [0] * len(order)
    for row, k in enumerate(order):
        rows[graph.inputs + k] = first + row
    edges = _Edges(graph, rows)
    parts = []
    for _, members in groupby(order, key=lambda k: depth[k]):
        level = [(kind, list(ops)) for (_, kind), ops in groupby(members, key=lambda k: place[k])]
        parts.append((level, *edges.of(level)))
    levels = []
    row = first
    # All readers of a row are known only now.
    for level, read, places in parts:
        ops = [k for _, alike in level for k in alike]
        mask = [[float(graph.normalised[k])] for k in ops]
        results = slice(row, row + len(ops))
        modules = [load("operations", kind) for kind, _ in level]
        levels.append(
            _Level(
                rows=results,
                ops=_index(ops, device),
                normalised=torch.tensor(mask, device=device) if [1.0] in mask else None,
                mixed=[0.0] in mask,
                kinds=tuple(_Kind(m.ARITY, m.forward, m.derivative) for m in modules),
                counts=[len(alike) for _, alike in level],
                read=_index(read, device),
                reads=[
                    len(alike)
                    for (_, alike), module in zip(level, modules, strict=True)
                    for _ in range(module.ARITY)
                ],
                places=places,
                bags=_bags(edges.readers[results], device),
            )
        )
        row = results.stop
    return Schedule(
        inputs=graph.inputs,
        constants=graph.constants,
        ops=len(graph.ops),
        levels=tuple(levels),
        columns=_index(rows, device),
        normalised=torch.tensor(graph.normalised, dtype=torch.bool, device=device),
        bags=_bags(edges.readers[:first], device),
        edges=edges.next - graph.columns,
    )


class _Edges:
    """Who reads which row: each operand has a place for its gradient, behind those of the output.

    Attributes:
        next: the first place that is free.
        readers: of each row, the places of the gradients that add up to its own.
    """

    def __init__(self, graph: Graph, rows: Sequence[int]) -> None:
        self.graph, self.rows, self.next = graph, rows, graph.columns
        self.readers: list[list[int]] = [[] for _ in range(graph.columns + graph.constants)]
        for column, row in enumerate(rows):
            self.readers[row].append(column)

    def of(self, level: Sequence[tuple[str, Sequence[int]]]) -> tuple[list[int], slice]:
        """Rows that the operations of a level read, by kind, operand and operation, and the places."""
        begin, read = self.next, []
        for kind, ops in level:
            for slot in range(load("operations", kind).ARITY):
                for k in ops:
                    one = self.graph.ops[k].operands[slot]
                    column = isinstance(one, Column)
                    row = self.rows[one.index] if column else self.graph.inputs + one.index
                    self.readers[row].append(self.next)
                    read.append(row)
                    self.next += 1
        return read, slice(begin, self.next)


def evaluate(
    worked_out: Schedule,
    inputs: Tensor,
    constants: Tensor,
    normalisation: Batch | Stored | None = None,
) -> Columns:
    """Compute all columns for a batch; later operations read earlier results normalised.

    Args:
        worked_out: the graph.
        inputs: N×inputs, floating.
        constants: (constants,).
        normalisation: of the operations that `Graph.normalised` names: (x − mean) / √(variance + eps);
            None for the results as they are.

    Raises:
        ValueError: shapes that do not fit, or a batch of one row that is to be normalised by itself.
    """
    if inputs.ndim != 2 or inputs.shape[1] != worked_out.inputs:
        raise ValueError(f"inputs {tuple(inputs.shape)} are not rows of {worked_out.inputs}")
    if constants.shape != (worked_out.constants,):
        raise ValueError(f"constants {tuple(constants.shape)} are not {worked_out.constants}")
    if isinstance(normalisation, Batch) and len(inputs) < 2:
        raise ValueError(f"a batch of {len(inputs)} has no variance to be normalised by")
    # One type for all that is inside; bfloat16 would be too coarse for sums over the batch.
    dtype = torch.promote_types(inputs.dtype, constants.dtype)
    inputs, constants = inputs.to(dtype), constants.to(dtype)
    apply: Callable[..., tuple[Tensor, Tensor, Tensor]] = _Evaluate.apply
    return Columns(*apply(inputs, constants, worked_out, normalisation))


class _Evaluate(torch.autograd.Function):
    """Forward and backward pass over a whole graph."""

    @staticmethod
    def forward(
        ctx: Any,
        inputs: Tensor,
        constants: Tensor,
        worked_out: Schedule,
        normalisation: Batch | Stored | None,
    ) -> tuple[Tensor, Tensor, Tensor]:
        count = len(inputs)
        first = worked_out.inputs + worked_out.constants
        rows = inputs.new_empty((first + worked_out.ops, count))
        rows[: worked_out.inputs] = inputs.t()
        rows[worked_out.inputs : first] = constants[:, None]
        saved: list[Tensor | None] = []
        views, means = [], []
        for level in worked_out.levels:
            read = rows.index_select(0, level.read).split(level.reads)
            results = rows[level.rows]
            norm = None if level.normalised is None else normalisation
            raw = results if norm is None else torch.empty_like(results)
            operands = iter(read)
            for kind, out in zip(level.kinds, raw.split(level.counts), strict=True):
                kind.forward(*islice(operands, kind.arity), out)
            views.append(read)
            if norm is None or level.normalised is None:
                continue
            mask = level.normalised.to(raw.dtype)
            if isinstance(norm, Batch):
                # Over the batch, which is what the last dimension is here.
                normal, mean, scale = torch.native_layer_norm(raw, [count], None, None, norm.eps)
                means.append((level.ops, mean[:, 0], scale[:, 0]))
                saved += [raw, mean, scale]
            else:
                variance, mean = norm.variance[level.ops, None], norm.mean[level.ops, None]
                scale = (variance.to(raw.dtype) + norm.eps).rsqrt()
                normal = (raw - mean.to(raw.dtype)) * scale
                saved += [None, None, scale]
            if level.mixed:
                torch.lerp(raw, normal, mask, out=results)
            else:
                results.copy_(normal)
        ctx.worked_out, ctx.views, ctx.normalises = worked_out, views, normalisation is not None
        ctx.save_for_backward(*saved)
        mean, variance = rows.new_empty(0), rows.new_empty(0)
        if isinstance(normalisation, Batch):
            mean, variance = rows.new_zeros(worked_out.ops), rows.new_ones(worked_out.ops)
        if means and normalisation is not None:
            ops, found, scale = (torch.cat(parts) for parts in zip(*means, strict=True))
            mean[ops] = found
            variance[ops] = (scale.pow(-2) - normalisation.eps).clamp_(min=0.0)
            mean = mean.where(worked_out.normalised, 0.0)
            variance = variance.where(worked_out.normalised, 1.0)
        ctx.mark_non_differentiable(mean, variance)
        return rows.index_select(0, worked_out.columns).t(), mean, variance

    @staticmethod
    @once_differentiable
    def backward(
        ctx: Any, gradient: Tensor, *_: Tensor
    ) -> tuple[Tensor | None, Tensor | None, None, None]:
        worked_out: Schedule = ctx.worked_out
        saved = list(ctx.saved_tensors)
        columns, count = gradient.shape[1], len(gradient)
        gradients = gradient.new_empty((columns + worked_out.edges, count))
        gradients[:columns] = gradient.t()
        for level, read in zip(reversed(worked_out.levels), reversed(ctx.views), strict=True):
            got = _summed(gradients, level.bags)
            if level.normalised is not None and ctx.normalises:
                scale, mean, raw = saved.pop(), saved.pop(), saved.pop()
                inner = got * scale if raw is None else _through_batch(got, raw, mean, scale)
                mask = level.normalised.to(got.dtype)
                got = torch.lerp(got, inner, mask) if level.mixed else inner
            operands = iter(read)
            left = iter(gradients[level.places].split(level.reads))
            for kind, part in zip(level.kinds, got.split(level.counts), strict=True):
                kind.derivative(part, *islice(operands, kind.arity), *islice(left, kind.arity))
        got = _summed(gradients, worked_out.bags)
        return got[: worked_out.inputs].t(), got[worked_out.inputs :].sum(1), None, None


def _through_batch(gradient: Tensor, raw: Tensor, mean: Tensor, scale: Tensor) -> Tensor:
    """Gradient of normalisation over the last dimension, rows×N."""
    found: Tensor = torch.ops.aten.native_layer_norm_backward(
        gradient, raw, [raw.shape[1]], mean, scale, None, None, [True, False, False]
    )[0]
    return found


def _summed(gradients: Tensor, bags: _Bags) -> Tensor:
    """Sum of the rows of each bag; an empty bag gives zeros."""
    return torch.embedding_bag(gradients, bags.places, bags.begins)[0]


def _bags(places: Sequence[Sequence[int]], device: torch.device | None) -> _Bags:
    begins, flat = [], list[int]()
    for each in places:
        begins.append(len(flat))
        flat.extend(each)
    return _Bags(_index(flat, device), _index(begins, device))


def _index(values: Sequence[int], device: torch.device | None) -> Tensor:
    return torch.tensor(values, dtype=torch.int64, device=device)
