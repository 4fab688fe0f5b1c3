"""The table of all variants, and what it says: accuracy, operations and bytes at the same budget."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sidestep.paper.parts import formats as f
from sidestep.paper.parts import sentences as say
from sidestep.paper.parts.decoupled_family import diverged
from sidestep.paper.parts.decoupled_words import pages
from sidestep.paper.parts.layerwise_words import code, named, verb
from sidestep.paper.parts.layerwise_words import plain as name_cell
from sidestep.paper.parts.substitution_findings import comparisons, verdicts
from sidestep.paper.parts.substitution_study import (
    SMALLER,
    SubstitutionStudy,
    budget_of,
    difference,
    is_substitute,
)
from sidestep.paper.parts.substitution_words import layer_words, times
from sidestep.paper.parts.words import dataset_name
from sidestep.statistics.intervals import Interval, separates

# Rows on one page, of which names take two lines or three.
MOST_ROWS = 32


def tables(study: SubstitutionStudy) -> list[dict[str, Any]]:
    """One table a data set, in parts that fit on a page."""
    every = []
    for dataset in study.datasets:
        every += [
            {**part, "dataset": dataset, "name": dataset_name(dataset)}
            for part in pages(_table(study, dataset), MOST_ROWS)
        ]
    return every


def _table(study: SubstitutionStudy, dataset: str) -> f.Table:
    rows = study.records("pareto", dataset)
    several, timed = len(study.budgets()) > 1, study.with_inference(dataset)
    # Variants of one budget stand together, in the order in which budgets come.
    order = list(dict.fromkeys(budget_of(row) for row in rows))
    rows.sort(key=lambda row: order.index(budget_of(row)))
    head = ["Budget"] * several + ["Variant", "Layer", "Parameters", "Share %", "Operations"]
    head += ["Bytes", "Accuracy %", "n", "To narrower", "To shallower"]
    head += ["ms per image", "ms per step"] * timed
    cells = [[budget_of(row) or "none"] * several + _row(row, timed=timed) for row in rows]
    return {"head": head, "rows": cells, "several": several, "timed": timed}


def _row(row: Any, *, timed: bool) -> list[str]:
    accuracy = Interval(row.accuracy, float("nan"), int(row.n), row.accuracy_low, row.accuracy_high)
    cells = [
        name_cell(str(row.variant)),
        _layer(row),
        _or_dash(row.parameters, f.count),
        _or_dash(row.reached, lambda share: f.bare_percent(share, 1)),
        _or_dash(row.mult_adds, f.scaled),
        _or_dash(row.stored_bytes, f.scaled),
        f.cell(accuracy, f.bare_percent),
        f.count(row.n) + (f" ({f.count(row.diverged)} diverged)" if row.diverged else ""),
        *(_difference(row, which) for which in SMALLER),
    ]
    if timed:
        cells += [
            _or_dash(value, f.milliseconds) for value in (row.seconds_forward, row.seconds_per_step)
        ]
    return cells


def _layer(row: Any) -> str:
    more = ", taught" * bool(row.taught) + ", scaled decay" * bool(row.decay == "scaled")
    return layer_words(str(row.layer)) + more


def _difference(row: Any, which: str) -> str:
    """Points to the smaller dense network with their interval; a star where it does not hold zero."""
    if row.layer == which:
        return "itself"
    found = difference(row, which)
    if not f.defined(found.mean):
        return "–"
    return f.cell(found, f.bare_percent) + "\\*" * separates(found)


def _or_dash(value: float, show: f.Show) -> str:
    return show(float(value)) if f.defined(value) else "–"


# Sentences


def accuracies(study: SubstitutionStudy) -> Iterator[str]:
    """The baseline, then every place: who is better than the smaller dense networks; and lost seeds."""
    if not study.records("pareto"):
        yield say.absent("the accuracy that each budget buys")
        return
    for dataset in study.datasets:
        base = study.row(dataset, study.baseline)
        if base is not None and f.defined(base.accuracy):
            size = f.estimate(base.accuracy, base.accuracy_low, base.accuracy_high, f.percent)
            yield (
                f"On {dataset_name(dataset)}, {code(study.baseline)} with all its "
                f"{f.count(base.parameters)} parameters ends at a test accuracy of {size}."
            )
    yield from verdicts(comparisons(study))
    for dataset in study.datasets:
        lost = {
            str(r.variant): int(r.diverged) for r in study.records("pareto", dataset) if r.diverged
        }
        yield diverged(dataset_name(dataset), lost, len(study.tables.study.seeds))


def costs(study: SubstitutionStudy) -> Iterator[str]:
    """Operations and bytes of substitutes against those of the smaller dense networks and the baseline."""
    for dataset in study.datasets:
        rows = study.records("pareto", dataset)
        base = study.row(dataset, study.baseline)
        mine = [row for row in rows if is_substitute(row)]
        if base is None or not mine:
            continue
        where = dataset_name(dataset)
        work = {
            str(r.variant): r.mult_adds / base.mult_adds
            for r in mine
            if _positive(r, base, "mult_adds")
        }
        kept = {
            str(r.variant): r.stored_bytes / base.stored_bytes
            for r in mine
            if _positive(r, base, "stored_bytes")
        }
        dense = {
            str(r.variant): r.mult_adds / base.mult_adds
            for r in rows
            if r.layer in SMALLER and _positive(r, base, "mult_adds")
        }
        if work:
            text = f"On {where}, substitutes count {_range(work)} the operations of {code(study.baseline)}"
            if dense:
                text += f", and dense networks made smaller {_range(dense)}"
            yield f"{text}."
        if kept:
            hashed = [str(r.variant) for r in mine if "hashed" in str(r.layer)]
            yield stored(where, study.baseline, kept, hashed)


def stored(where: str, baseline: str, kept: Mapping[str, float], hashed: Sequence[str]) -> str:
    """Bytes as stored over the baseline's, and whose are more for all that they have fewer parameters."""
    text = (
        f"In bytes as stored on {where}, substitutes have {_range(kept)} those of {code(baseline)}"
    )
    more = [name for name, share in kept.items() if share > 1]
    if more:
        text += f"; {named(more)} {verb(more, 'takes', 'take')} more than the dense network"
    if more and set(more) <= set(hashed):
        text += (
            ", because an index for each weight is stored, which could be drawn again from a seed"
        )
    return f"{text}."


def _positive(row: Any, base: Any, name: str) -> bool:
    ours, theirs = getattr(row, name), getattr(base, name)
    return f.defined(ours) and f.defined(theirs) and theirs > 0


def _range(values: Mapping[str, float]) -> str:
    low, high = min(values, key=lambda n: values[n]), max(values, key=lambda n: values[n])
    if values[low] == values[high]:
        return times(values[low])
    return f"from {times(values[low])} ({code(low)}) to {times(values[high])} ({code(high)})"
