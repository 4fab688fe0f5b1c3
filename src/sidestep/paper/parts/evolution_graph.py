"""One final graph in formulas: its most important operations, and the inputs beside them."""

import math
from collections.abc import Sequence
from typing import Any

from sidestep.paper.parts import formats as f
from sidestep.paper.parts import sentences as say
from sidestep.paper.parts.decoupled_words import plain, text
from sidestep.paper.parts.evolution_study import EvolutionStudy
from sidestep.paper.parts.evolution_words import on
from sidestep.paper.parts.layerwise_words import code

HEAD = ("Column", "Formula", "Level", "Leaf", "Importance", "Share %")
INPUT = "input"
# Operations that are written out.
SHOWN = 10


def graph(study: EvolutionStudy) -> dict[str, Any]:
    """The table of the most important operations of a graph, and its sentences."""
    rows = chosen(study)
    operations = [row for row in rows if str(row.kind) != INPUT]
    if not operations:
        absent = say.absent("the operations of a graph that has evolved")
        return {"table": {"head": [], "rows": []}, "place": "", "sentences": [absent]}
    whole = math.fsum(row.importance for row in rows if f.defined(row.importance))
    largest = _largest(operations)[:SHOWN]
    return {
        "table": {"head": list(HEAD), "rows": [_row(row, whole) for row in largest]},
        "place": _place(study, rows[0]),
        "sentences": _sentences(study, rows, operations, whole),
    }


def chosen(study: EvolutionStudy) -> list[Any]:
    """The columns of the graph shown: of the data set with the fewest inputs and the first seed that has one."""
    variant = study.best_rule
    rows = [row for row in study.records("final_graphs") if str(row.variant) == variant]
    graphs: dict[tuple[str, int], list[Any]] = {}
    for row in rows:
        graphs.setdefault((str(row.dataset), int(row.seed)), []).append(row)
    if not graphs:
        return []
    inputs = {key: sum(str(row.kind) == INPUT for row in found) for key, found in graphs.items()}
    return graphs[min(graphs, key=lambda key: (inputs[key], study.datasets.index(key[0]), key[1]))]


def _largest(rows: Sequence[Any]) -> list[Any]:
    known = [row for row in rows if f.defined(row.importance)]
    return sorted(known, key=lambda row: -row.importance)


def _row(row: Any, whole: float) -> list[str]:
    return [
        plain(text(row.name)),
        plain(text(row.formula)),
        f.count(row.level),
        "yes" if row.leaf == 1 else "no",
        f.significant(row.importance),
        f.bare_percent(row.importance / whole, 1) if whole > 0 else "–",
    ]


def _place(study: EvolutionStudy, row: Any) -> str:
    return f"{code(study.best_rule)} {on(str(row.dataset))}, seed {f.count(row.seed)}"


def _sentences(
    study: EvolutionStudy, rows: Sequence[Any], operations: Sequence[Any], whole: float
) -> list[str]:
    inputs = [row for row in rows if str(row.kind) == INPUT]
    own = math.fsum(row.importance for row in operations if f.defined(row.importance))
    read = {int(each) for row in operations for each in _indices(row.reads)}
    found = [
        f"The graph of {_place(study, rows[0])} has {f.plural(len(operations), 'operation')} on "
        f"{f.plural(len(inputs), 'input')}, of which {_number(sum(int(r.column) in read for r in inputs))} "
        f"{'is' if sum(int(r.column) in read for r in inputs) == 1 else 'are'} read by some operation."
    ]
    if whole > 0:
        kinds: dict[str, int] = {}
        for row in operations:
            kinds[str(row.kind)] = kinds.get(str(row.kind), 0) + 1
        counts = [
            f"{f.count(number)} {plain(kind.replace('_', ' '))}"
            for kind, number in sorted(kinds.items(), key=lambda item: -item[1])
        ]
        found.append(
            f"Operations ({f.listed(counts)}) hold {f.percent(own / whole, 0)} of the importance of all columns."
        )
        first = _largest(inputs)
        if first:
            found.append(
                f"The most important input is {code(text(first[0].name))}, with "
                f"{f.percent(first[0].importance / whole, 1)}."
            )
    return found


def _indices(reads: Any) -> list[float]:
    if isinstance(reads, int | float):
        return [reads] if f.defined(reads) else []
    return [float(part) for part in str(reads).split(";") if part.strip()]


def _number(count: int) -> str:
    return f.count(count) if count else "none"
