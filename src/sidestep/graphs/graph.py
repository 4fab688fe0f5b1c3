"""A growing graph of operations on columns: what is computed from what, without any numbers.

The columns are the inputs, then one for each operation in the order in which they were added; an
operation reads columns before its own, or trainable constants, each of which belongs to one operand
(seeds/004). An operation is a *leaf* if no later one reads its column: only a leaf may be removed.

The older work left index 0 out as an operand (trap T4-1), marked the wrong operations as leaves (T4-3)
and rewired later ones when it removed one (T4-5); here what an index means is in its type.
"""

from collections.abc import Sequence, Set
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sidestep.errors import UserError
from sidestep.registry import load


@dataclass(frozen=True, order=True)
class Column:
    """An operand that is a column: an input, or the result of an earlier operation.

    Attributes:
        index: in [inputs, operations], from 0.
    """

    index: int


@dataclass(frozen=True, order=True)
class Constant:
    """An operand that is a trainable number.

    Attributes:
        index: in the order of the operands that are constants, from 0.
    """

    index: int


Operand = Column | Constant
Key = tuple[str, tuple[tuple[bool, int], ...]]


@dataclass(frozen=True)
class Op:
    """One operation of a graph.

    Attributes:
        kind: name of a file of `operations/`.
        operands: as many as the kind takes, at least one of them a column.
    """

    kind: str
    operands: tuple[Operand, ...]

    @property
    def columns(self) -> tuple[int, ...]:
        """Indices of the columns that it reads."""
        return tuple(one.index for one in self.operands if isinstance(one, Column))

    @property
    def constants(self) -> tuple[int, ...]:
        """Indices of its constants."""
        return tuple(one.index for one in self.operands if isinstance(one, Constant))

    @property
    def key(self) -> Key:
        """What is equal for operations that compute the same: the order of operands may not matter."""
        found = [(isinstance(one, Constant), one.index) for one in self.operands]
        return self.kind, tuple(sorted(found) if load("operations", self.kind).SYMMETRIC else found)


@dataclass(frozen=True)
class Graph:
    """Operations on columns.

    Attributes:
        inputs: number of input columns, at least 1.
        ops: in the order of their columns, which follow the inputs'.

    Raises:
        UserError: there are no inputs, or an operation has an unknown kind.
        ValueError: an operation reads what is not before it, has the wrong number of operands, says
            nothing new, or its constants are not the next ones.
    """

    inputs: int
    ops: tuple[Op, ...] = ()

    def __post_init__(self) -> None:
        """Check everything."""
        if self.inputs < 1:
            raise UserError(
                f"a graph of operations needs at least one input column but has {self.inputs}"
            )
        keys: set[Key] = set()
        constants = 0
        for index, op in enumerate(self.ops):
            if found := fault(op, self.inputs + index, constants, keys):
                raise ValueError(f"operation {index} {found}")
            keys.add(op.key)
            constants += len(op.constants)

    @cached_property
    def constants(self) -> int:
        """Number of trainable constants."""
        return sum(len(op.constants) for op in self.ops)

    @property
    def columns(self) -> int:
        """Number of columns: inputs and operations."""
        return self.inputs + len(self.ops)

    @cached_property
    def keys(self) -> frozenset[Key]:
        """Of all operations."""
        return frozenset(op.key for op in self.ops)

    @cached_property
    def leaves(self) -> tuple[bool, ...]:
        """Whether no later operation reads the operation's column."""
        read = {column for op in self.ops for column in op.columns}
        return tuple(self.inputs + index not in read for index in range(len(self.ops)))

    @cached_property
    def levels(self) -> tuple[int, ...]:
        """Depth of each operation: 1 if it reads nothing but inputs, one more than the deepest it reads."""
        found = [0] * self.inputs
        for op in self.ops:
            found.append(1 + max(found[column] for column in op.columns))
        return tuple(found[self.inputs :])

    @cached_property
    def normalised(self) -> tuple[bool, ...]:
        """Which operations' results are brought to mean 0 and standard deviation 1 in a layer.

        Not those with a constant: they say of one column, which is normalised itself or an input,
        something of the same scale, and normalisation would take the constant away again: of c + x
        all of it, of c × x all but the sign (trap T4-8).
        """
        return tuple(not op.constants for op in self.ops)

    def add(self, op: Op) -> "Graph":
        """The graph with one more operation, the last column.

        Raises:
            ValueError: the operation does not fit.
        """
        return Graph(self.inputs, (*self.ops, op))

    def remove(self, index: int) -> "Graph":
        """The graph without a leaf; later columns and constants move up.

        Raises:
            ValueError: there is no such operation, or a later one reads it.
        """
        if not 0 <= index < len(self.ops):
            raise ValueError(f"operation {index} is none of the {len(self.ops)} operations")
        if not self.leaves[index]:
            column = self.inputs + index
            reader = next(k for k, op in enumerate(self.ops) if column in op.columns)
            raise ValueError(f"operation {index} cannot be removed: operation {reader} reads it")
        gone = frozenset(self.ops[index].constants)
        kept = self.ops[:index] + self.ops[index + 1 :]
        return Graph(self.inputs, tuple(_moved(op, self.inputs + index, gone) for op in kept))


def fault(op: Op, columns: int, constants: int, keys: Set[Key]) -> str | None:
    """What is wrong with an operation as the next one of a graph, as the end of a sentence, or None.

    Args:
        op: the operation.
        columns: number of columns before it.
        constants: number of constants before it.
        keys: of the operations before it.

    Raises:
        UserError: the kind is unknown.
    """
    operation = load("operations", op.kind)
    if len(op.operands) != operation.ARITY:
        return f"('{op.kind}') has {len(op.operands)} operands, not {operation.ARITY}"
    for column in op.columns:
        if not 0 <= column < columns:
            return f"('{op.kind}') reads column {column}, but there are {columns} before it"
    if not op.columns:
        return f"('{op.kind}') reads constants alone and is a constant"
    expected = tuple(range(constants, constants + len(op.constants)))
    if op.constants != expected:
        return f"('{op.kind}') has the constants {op.constants}, but the next are {expected}"
    alike = len(op.operands) > 1 and len(set(op.operands)) == 1
    if alike and not operation.OF_ITSELF:
        return f"('{op.kind}') says nothing new of column {op.columns[0]} with itself"
    if op.key in keys:
        return f"('{op.kind}' of {_said(op.operands)}) is a duplicate of an earlier one"
    return None


def _said(operands: Sequence[Operand]) -> str:
    return " and ".join(f"{type(one).__name__.lower()} {one.index}" for one in operands)


def _moved(op: Op, column: int, gone: frozenset[int]) -> Op:
    """An operation after a column and some constants are gone."""

    def moved(one: Operand) -> Any:
        if isinstance(one, Column):
            return Column(one.index - (one.index > column))
        return Constant(one.index - sum(index < one.index for index in gone))

    return Op(op.kind, tuple(moved(one) for one in op.operands))
