"""Random new operations for a graph; every column, the first included, is read as often as any other."""

from collections.abc import Sequence, Set
from typing import NamedTuple

import torch
from torch import Generator

from sidestep.errors import UserError
from sidestep.graphs.graph import Column, Constant, Graph, Key, Op, Operand, fault
from sidestep.registry import load, names

# Draws before it is believed that there is no new operation.
TRIES = 1000


class Mutation(NamedTuple):
    """A new operation and the values at which its constants start."""

    op: Op
    start: tuple[float, ...]


def mutate(graph: Graph, generator: Generator, kinds: Sequence[str], constant: float) -> Mutation:
    """Draw an operation that the graph does not have yet.

    The kind is uniform over `kinds`; one operand of an operation that takes several is a constant
    with the probability given, at either place alike; columns are uniform over inputs and operations.
    An operation that would say nothing new is drawn again.

    Args:
        graph: to which it may be added.
        generator: of the CPU; the draws leave it moved on.
        kinds: names of operations, at least one.
        constant: probability of a constant, from 0 to 1; 5/9 in the older work.

    Raises:
        UserError: no kind or an unknown one is allowed, the probability is none, or nothing new is
            found.
    """
    _check(kinds, constant)
    return _new(graph.columns, graph.constants, graph.keys, generator, kinds, constant)


def grow(
    graph: Graph, generator: Generator, kinds: Sequence[str], constant: float, count: int
) -> tuple[Graph, list[Mutation]]:
    """Add `count` random operations one after the other; arguments and errors as of `mutate`."""
    _check(kinds, constant)
    ops, keys, constants = list(graph.ops), set(graph.keys), graph.constants
    made = []
    for _ in range(count):
        drawn = _new(graph.inputs + len(ops), constants, keys, generator, kinds, constant)
        made.append(drawn)
        ops.append(drawn.op)
        keys.add(drawn.op.key)
        constants += len(drawn.start)
    return Graph(graph.inputs, tuple(ops)), made


def _check(kinds: Sequence[str], constant: float) -> None:
    if not kinds:
        known = ", ".join(names("operations"))
        raise UserError(f"no operations are allowed: name at least one of {known}")
    if not 0 <= constant <= 1:
        raise UserError(f"the probability of a constant is {constant:g}, not from 0 to 1")


def _new(
    columns: int,
    constants: int,
    keys: Set[Key],
    generator: Generator,
    kinds: Sequence[str],
    constant: float,
) -> Mutation:
    for _ in range(TRIES):
        drawn = _draw(columns, constants, generator, kinds, constant)
        if fault(drawn.op, columns, constants, keys) is None:
            return drawn
    raise UserError(
        f"found no new operation for {columns} columns among the kinds {', '.join(kinds)}: "
        f"allow more kinds, or constants"
    )


def _draw(
    columns: int, constants: int, generator: Generator, kinds: Sequence[str], constant: float
) -> Mutation:
    def below(count: int) -> int:
        return int(torch.randint(count, (), generator=generator))

    kind = kinds[below(len(kinds))]
    operation = load("operations", kind)
    operands: list[Operand] = [Column(below(columns)) for _ in range(operation.ARITY)]
    if operation.ARITY == 1 or float(torch.rand((), generator=generator)) >= constant:
        return Mutation(Op(kind, tuple(operands)), ())
    place = below(operation.ARITY)
    operands[place] = Constant(constants)
    return Mutation(Op(kind, tuple(operands)), (operation.START[place],))
