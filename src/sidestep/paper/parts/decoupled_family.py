"""The table of the family, and what it says: accuracy against the reference, divergence, cost."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sidestep.paper.parts import formats as f
from sidestep.paper.parts import sentences as say
from sidestep.paper.parts.decoupled_study import DecoupledStudy
from sidestep.paper.parts.decoupled_words import (
    few,
    groups,
    method_words,
    pages,
    text,
)
from sidestep.paper.parts.layerwise_words import (
    ABOVE,
    ALONE,
    BELOW,
    MISSING,
    OPEN,
    code,
    compared,
)
from sidestep.paper.parts.layerwise_words import (
    plain as name_cell,
)
from sidestep.paper.parts.words import dataset_name
from sidestep.statistics.intervals import Interval

TO_REFERENCE = {
    ABOVE: "higher",
    BELOW: "lower",
    OPEN: "not separated",
    ALONE: "without interval, as there is one pair of seeds,",
    MISSING: "not defined, as no pair of seeds finished,",
}
MEGA = 1e6


def tables(study: DecoupledStudy) -> list[dict[str, Any]]:
    """One table a data set, in parts that fit on a page."""
    found = study.analysis("family")
    every = []
    for dataset in study.datasets:
        rows = found[found["dataset"] == dataset] if len(found) else found
        parts = pages(_table(study, [rows for _, rows in groups(rows, ("setting",))]))
        every += [
            {**part, "dataset": dataset, "name": dataset_name(dataset), "parts": len(parts)}
            for part in parts
        ]
    return every


def _table(study: DecoupledStudy, settings: Sequence[Sequence[Any]]) -> f.Table:
    several = study.several()
    timed = any(f.defined(row.seconds_per_step) for rows in settings for row in rows)
    head = ["Setting"] * several + ["Variant", "Method", "Accuracy %", "n", "Difference"]
    head += ["Seconds", "ms per step", "Relative"] * timed
    head += ["Memory, MB", "Operations", "Network", "Heads"]
    rows = [
        [study.label(text(row.setting))] * several + _row(row, timed)
        for rows in settings
        for row in rows
    ]
    return {"head": head, "rows": rows, "several": several, "timed": timed}


def _row(row: Any, timed: bool) -> list[str]:
    cells = [
        name_cell(str(row.variant)),
        method_words(str(row.method)),
        f.cell(_interval(row, "accuracy"), f.bare_percent),
        f.count(row.n) + (f" ({f.count(row.diverged)} diverged)" if row.diverged else ""),
        _difference(row),
    ]
    if timed:
        cells += [
            _or_dash(row.seconds_run),
            f.milliseconds(row.seconds_per_step) if f.defined(row.seconds_per_step) else "–",
            _or_dash(row.relative_seconds),
        ]
    memory = row.peak_memory_bytes / MEGA if f.defined(row.peak_memory_bytes) else float("nan")
    return [
        *cells,
        f.count(memory) if f.defined(memory) else "–",
        *(
            f.scaled(value) if f.defined(value) else "–"
            for value in (row.mult_adds_per_step, row.parameters, row.parameters_of_signals)
        ),
    ]


def _interval(row: Any, name: str) -> Interval:
    low, high = getattr(row, f"{name}_low"), getattr(row, f"{name}_high")
    return Interval(getattr(row, name), float("nan"), int(row.n), low, high)


def _difference(row: Any) -> str:
    """Points to the reference with their interval; a star where it does not hold zero."""
    if text(row.reference) == str(row.variant):
        return "reference"
    if not f.defined(row.difference):
        return "–"
    size = f.bare_percent(row.difference)
    if not f.defined(row.difference_low):
        return size
    half = f.bare_percent((row.difference_high - row.difference_low) / 2)
    return f"{size} ± {half}" + ("\\*" if row.separates else "")


def _or_dash(value: float) -> str:
    return f.significant(value) if f.defined(value) else "–"


# Sentences


def accuracies(study: DecoupledStudy) -> Iterator[str]:
    """The difference of every variant to the reference of its setting, and the seeds that were lost."""
    found = study.analysis("family")
    if found.empty:
        yield say.absent("the accuracy of each member of the family")
        return
    for (dataset, setting), rows in groups(found, ("dataset", "setting")):
        where = study.place(dataset, setting)
        yield against_reference(where, rows)
    for dataset in study.datasets:
        rows = list(found[found["dataset"] == dataset].itertuples())
        lost = {str(row.variant): int(row.diverged) for row in rows if row.diverged}
        yield diverged(dataset_name(dataset), lost, len(study.tables.study.seeds))


def against_reference(where: str, rows: Sequence[Any]) -> str:
    """The test accuracy of the variants of a setting against its reference's."""
    reference = next((text(row.reference) for row in rows if text(row.reference)), "")
    if not reference:
        return f"On {where}, no variant is trained end to end, so that none has a reference."
    base = next((row for row in rows if row.variant == reference), None)
    said: dict[str, list[str]] = {key: [] for key in TO_REFERENCE}
    for row in rows:
        if row.variant != reference:
            said[_outcome(row)].append(str(row.variant))
    size = (
        f.estimate(base.accuracy, base.accuracy_low, base.accuracy_high, f.percent)
        if base
        else f.UNDEFINED
    )
    start = f"On {where}, {code(reference)} ends at a test accuracy of {size}"
    others = compared(said, TO_REFERENCE)
    return f"{start}; against that, it is {others}." if others else f"{start}."


def _outcome(row: Any) -> str:
    if not f.defined(row.difference):
        return MISSING
    if not f.defined(row.difference_low):
        return ALONE
    if not row.separates:
        return OPEN
    return ABOVE if row.difference > 0 else BELOW


def diverged(where: str, lost: Mapping[str, int], seeds: int) -> str:
    """Which variants lost seeds."""
    if not lost:
        return f"On {where}, no run diverged."
    parts = [
        f"{f.count(number)} of {f.count(seeds)} in {code(name)}" for name, number in lost.items()
    ]
    return f"On {where}, seeds diverged: {few(parts, 'variant')}."


def costs(study: DecoupledStudy) -> Iterator[str]:
    """Seconds and operations of a step against the reference's, and what heads add."""
    found = study.analysis("family")
    if found.empty:
        yield say.absent("what a step of each method costs")
        return
    for (dataset, setting), rows in groups(found, ("dataset", "setting")):
        where = study.place(dataset, setting)
        others = [row for row in rows if text(row.reference) not in ("", str(row.variant))]
        if others:
            yield steps(where, code(text(others[0].reference)), others)
    for dataset in study.datasets:
        yield heads(dataset_name(dataset), list(found[found["dataset"] == dataset].itertuples()))


def steps(where: str, reference: str, rows: Sequence[Any]) -> str:
    """The range of the seconds of a step over the reference's, and of its operations."""
    seconds = {
        str(r.variant): float(r.relative_seconds) for r in rows if f.defined(r.relative_seconds)
    }
    work = {
        str(r.variant): float(r.relative_mult_adds) for r in rows if f.defined(r.relative_mult_adds)
    }
    if not seconds and not work:
        return say.absent(f"the cost of a step on {where}")
    if not seconds:
        return f"On {where} no step was timed; by operations, a step takes {_range(work)} those of {reference}."
    text = f"On {where}, a step takes {_range(seconds)} the seconds of one of {reference}"
    if work:
        text += f", where the count of operations says {_range(work)}"
    return text + "."


def _range(values: Mapping[str, float]) -> str:
    low, high = min(values, key=lambda n: values[n]), max(values, key=lambda n: values[n])
    if values[low] == values[high]:
        return f"{f.significant(values[low])} times"
    return (
        f"from {f.significant(values[low])} times ({code(low)}) to {f.significant(values[high])} times "
        f"({code(high)})"
    )


def heads(where: str, rows: Sequence[Any]) -> str:
    """The variant whose signals have most parameters, as a multiple of the network's."""
    known = [row for row in rows if f.defined(row.parameters_of_signals) and row.parameters > 0]
    if not known:
        return say.absent(f"the parameters of heads and synthesizers on {where}")
    most = max(known, key=lambda row: float(row.parameters_of_signals))
    if not most.parameters_of_signals:
        return f"On {where}, no signal has a parameter."
    share = float(most.parameters_of_signals / most.parameters)
    return (
        f"What is thrown away after training is largest in {code(most.variant)} on {where}: heads, synthesizers or "
        f"decoders have {f.scaled(most.parameters_of_signals)} parameters, {f.significant(share)} times those of "
        "the network."
    )
