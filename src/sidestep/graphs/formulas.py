"""What a graph computes, as formulas in plain text."""

import re
from collections.abc import Sequence

from sidestep.graphs.graph import Column, Graph, Op
from sidestep.registry import load

# What needs no brackets as an operand: a name, a number without a sign, a function of something.
_ATOM = re.compile(r"[^\W\d]\w*|[\d.]+(e[−+]?\d+)?")


def formulas(
    graph: Graph,
    constants: Sequence[float],
    names: Sequence[str],
    *,
    statistics: tuple[Sequence[float], Sequence[float]] | None = None,
    digits: int = 3,
    longest: int = 60,
) -> tuple[str, ...]:
    """The formula of each operation's column.

    An operation stands in others by its own formula, or by its name, `z1` for the first, where that
    formula is longer than `longest`: a graph's formulas written out would grow exponentially.

    Args:
        graph: with `inputs` columns.
        constants: values, as many as the graph has.
        names: of the inputs, all different and none the name of an operation.
        statistics: means and standard deviations of the operations' results, by which those that
            `Graph.normalised` names are normalised; None for the results as they are.
        digits: significant digits of numbers.
        longest: characters of a formula that stands in another.

    Raises:
        ValueError: numbers of constants, names or statistics that do not fit, or names that are not
            unique.
    """
    own = [f"z{index + 1}" for index in range(len(graph.ops))]
    if len(constants) != graph.constants:
        raise ValueError(f"{len(constants)} constants for a graph of {graph.constants}")
    if len(names) != graph.inputs or len({*names, *own}) != graph.columns:
        raise ValueError(
            f"{len(names)} names for {graph.inputs} inputs, or names that are not unique"
        )
    if statistics is not None and any(len(values) != len(graph.ops) for values in statistics):
        raise ValueError(f"statistics do not fit the graph's {len(graph.ops)} operations")
    texts = list(names)
    shown = list(names)
    for index, op in enumerate(graph.ops):
        text = _text(op, shown, constants, digits)
        if statistics is not None and graph.normalised[index]:
            mean, deviation = (number(values[index], digits) for values in statistics)
            text = f"({_operand(text)} − {_operand(mean)}) / {_operand(deviation)}"
        texts.append(text)
        shown.append(text if len(text) <= longest else own[index])
    return tuple(texts[graph.inputs :])


def number(value: float, digits: int) -> str:
    """A number with a true minus sign."""
    return f"{float(value):.{digits}g}".replace("-", "−")


def _text(op: Op, shown: Sequence[str], constants: Sequence[float], digits: int) -> str:
    operands = [
        shown[one.index] if isinstance(one, Column) else number(constants[one.index], digits)
        for one in op.operands
    ]
    symbol = load("operations", op.kind).SYMBOL
    if symbol.isalpha():
        return f"{symbol}({', '.join(operands)})"
    return f" {symbol} ".join(_operand(text) for text in operands)


def _operand(text: str) -> str:
    """In brackets, unless it is one name, number or function."""
    return text if _ATOM.fullmatch(text) or _is_call(text) else f"({text})"


def _is_call(text: str) -> bool:
    """Whether a text is `name(…)` and the first bracket is closed by the last."""
    found = re.match(r"[^\W\d]\w*\(", text)
    if not found or not text.endswith(")"):
        return False
    depth = 0
    for place, letter in enumerate(text):
        depth += (letter == "(") - (letter == ")")
        if letter == ")" and depth == 0:
            return place == len(text) - 1
    return False
