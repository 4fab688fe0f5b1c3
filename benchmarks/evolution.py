"""A graph of operations computed level by level and kind by kind, against one module per operation.

The graphs are random ones on 64 inputs, with every kind of operation; an operation of two operands reads a
constant with the probability of the older work. Training mode: results are normalised by the batch.
"""

import copy
import functools
from collections.abc import Callable, Iterator

import torch
from common import Result, medians
from torch import Tensor, nn

from sidestep import registry
from sidestep.graphs.graph import Column, Graph, Op
from sidestep.graphs.layer import EPS, MOMENTUM, EvolvingLayer
from sidestep.graphs.mutation import grow

INPUTS, BATCH = 64, 256
FEW, MANY = 1000, 2000
CONSTANT = 5 / 9
# Passes that follow each other in one measurement, as they do in training.
PASSES = 4


class OneOperation(nn.Module):
    """One operation as a module, with its constant, if it has one, and else a normalisation."""

    def __init__(self, op: Op, start: tuple[float, ...]) -> None:
        super().__init__()
        self.compute: Callable[..., Tensor] = registry.load("operations", op.kind).forward
        self.read = [one.index if isinstance(one, Column) else None for one in op.operands]
        self.constant = nn.Parameter(torch.tensor(start[0])) if start else None
        self.normalise = None if start else nn.BatchNorm1d(1, EPS, MOMENTUM, affine=False)

    def forward(self, columns: list[Tensor]) -> Tensor:
        """The operation's column, N×1, from those before it."""
        operands = [self.constant if k is None else columns[k] for k in self.read]
        result = self.compute(*operands)
        return result if self.normalise is None else self.normalise(result)


class Loop(nn.Module):
    """One module per operation, evaluated in a loop; the columns are put together once, at the end."""

    def __init__(self, graph: Graph, starts: list[tuple[float, ...]]) -> None:
        super().__init__()
        pairs = zip(graph.ops, starts, strict=True)
        self.operations = nn.ModuleList(OneOperation(op, start) for op, start in pairs)

    def forward(self, inputs: Tensor) -> Tensor:
        """All columns, N×columns, from N×inputs."""
        columns = list(inputs.split(1, 1))
        for operation in self.operations:
            columns.append(operation(columns))
        return torch.cat(columns, 1)


def made(count: int) -> tuple[EvolvingLayer, Loop]:
    """A random graph of so many operations, both ways."""
    generator = torch.Generator().manual_seed(0)
    kinds = registry.names("operations")
    graph, mutations = grow(Graph(INPUTS), generator, kinds, CONSTANT, count)
    starts = [drawn.start for drawn in mutations]
    layer = EvolvingLayer(graph, [value for start in starts for value in start])
    return layer, Loop(graph, starts)


def run() -> Iterator[Result]:
    """The loop's seconds over the layer's, and the layer's with twice the operations over those with once."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    inputs = torch.randn(BATCH, INPUTS, requires_grad=True)
    few, loop = made(FEW)
    many, _ = made(MANY)
    # In float64: some columns hardly vary, and normalisation makes their rounding visible.
    both = (copy.deepcopy(module).double()(inputs.double()) for module in (few, loop))
    apart = functools.reduce(torch.sub, both).detach().abs().max()
    works = {
        name: functools.partial(_passes, module, inputs, torch.randn(BATCH, INPUTS + count))
        for name, module, count in (("few", few, FEW), ("many", many, MANY), ("loop", loop, FEW))
    }
    taken = {name: value / PASSES for name, value in medians(works, repeats=9).items()}
    what = f"{FEW:,} operations, {INPUTS} inputs, batch {BATCH}, {max(few.graph.levels)} levels"
    yield Result(
        "operations in a loop / by level and kind, forward and backward",
        taken["loop"] / taken["few"],
        8.0,
        None,
        f"{what}: {1000 * taken['loop']:.0f} and {1000 * taken['few']:.1f} ms; "
        f"values differ by {float(apart):.1g} at most in float64",
    )
    yield Result(
        f"{MANY:,} operations / {FEW:,}, by level and kind",
        taken["many"] / taken["few"],
        None,
        2.3,
        f"{1000 * taken['many']:.1f} and {1000 * taken['few']:.1f} ms",
    )


def _passes(module: nn.Module, inputs: Tensor, gradient: Tensor) -> None:
    for _ in range(PASSES):
        module(inputs).backward(gradient)
        inputs.grad = None
        for parameter in module.parameters():
            parameter.grad = None
