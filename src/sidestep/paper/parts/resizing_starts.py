"""Whether sizes depend on where they start: the table, the sentences, and what is left for sorting by worth."""

from collections.abc import Iterator
from typing import Any

from sidestep.paper.parts import formats as f
from sidestep.paper.parts import sentences as say
from sidestep.paper.parts.decoupled_words import pages
from sidestep.paper.parts.layerwise_words import (
    ABOVE,
    ALONE,
    BELOW,
    MISSING,
    OPEN,
    sorted_out,
)
from sidestep.paper.parts.resizing_study import (
    FLEXIBLE,
    WORTH,
    ResizingStudy,
    accuracy_apart,
    dependence,
    group_names,
    price_words,
)
from sidestep.paper.parts.resizing_words import NAMES, amount, estimated, neurons, outcomes
from sidestep.paper.parts.substitution_study import paired
from sidestep.paper.parts.words import dataset_name
from sidestep.statistics.intervals import Interval, separates

HEAD = (
    *("Data set", "Method", "Price", "$L_2$", "Starts", "From low", "From high", "Difference"),
    *("Left %", "Accuracy"),
)
MOST_ROWS = 40
LARGER = {
    ABOVE: "larger from the higher start",
    BELOW: "smaller from the higher start",
    OPEN: "not separated",
    ALONE: "without interval",
    MISSING: "without a common seed",
}
HIGHER = {
    ABOVE: "higher from the higher start",
    BELOW: "lower from the higher start",
    OPEN: "not separated",
    ALONE: "without interval",
}


def tables(study: ResizingStudy) -> list[dict[str, Any]]:
    """Every group of variants that differ in their start alone, in parts that fit on a page."""
    rows = [
        _row(dataset, row)
        for dataset in study.datasets
        for row in study.records("start_dependence", dataset)
    ]
    return pages({"head": list(HEAD), "rows": rows}, MOST_ROWS)


def _row(dataset: str, row: Any) -> list[str]:
    apart, accuracy = paired(row), accuracy_apart(row)
    return [
        dataset_name(dataset),
        NAMES.get(str(row.method), str(row.method).replace("_", " ")),
        amount(row.price) if row.price else "–",
        amount(row.decay) if row.decay else "–",
        f"{f.count(row.low_start)} and {f.count(row.high_start)}",
        _one(row.low_size),
        _one(row.high_size),
        f.cell(apart, lambda size: f.decimal(size, 1)) + "\\*" * separates(apart),
        f.cell(dependence(row), lambda share: f.bare_percent(share, 1)),
        f.cell(accuracy, f.bare_percent) + "\\*" * separates(accuracy),
    ]


def _one(size: float) -> str:
    return f.decimal(size, 1) if f.defined(size) else "–"


def groups(study: ResizingStudy, dataset: str) -> dict[str, Any]:
    """Name of a group → its row of `start_dependence`."""
    rows = study.records("start_dependence", dataset)
    return dict(zip(group_names(rows), rows, strict=True))


def starts(study: ResizingStudy) -> Iterator[str]:
    """By data set: whose final sizes depend on the start, and whose accuracies."""
    if not study.records("start_dependence"):
        yield say.absent("one method from two starts")
        return
    for dataset in study.datasets:
        every = groups(study, dataset)
        where = dataset_name(dataset)
        sizes = outcomes({name: paired(row) for name, row in every.items()}, LARGER, neurons)
        if sizes:
            yield f"On {where}, the final size is {sizes}."
        accuracy = {name: accuracy_apart(row) for name, row in every.items()}
        if said := outcomes(accuracy, HIGHER, f.points):
            yield f"Test accuracy there is {said}."


def left(study: ResizingStudy) -> Iterator[str]:
    """How much of the distance between the starts is left at the end, method by method."""
    for dataset in study.datasets:
        shares = {name: dependence(row) for name, row in groups(study, dataset).items()}
        known = {name: each for name, each in shares.items() if f.defined(each.mean)}
        if not known:
            continue
        ordered = sorted(known, key=lambda name: abs(known[name].mean))
        parts = [f"{_share(known[name].mean)} for {name}" for name in ordered]
        if len(parts) > _MOST:
            parts = [*parts[: _MOST - 1], parts[-1]]
            text = f"least, {f.listed(parts[:-1])}, and most, {parts[-1]}"
        else:
            text = f.listed(parts)
        yield f"Of the distance between the starts, this is left on {dataset_name(dataset)}: {text}."


# Groups of starts whose shares one sentence can hold.
_MOST = 5


def _share(share: float) -> str:
    return f.percent(share, 1)


def worth(study: ResizingStudy) -> Iterator[str]:
    """Whether sorting by worth comes to a size that does not depend on the start, by data set."""
    found = False
    for dataset in study.datasets:
        every = {n: row for n, row in groups(study, dataset).items() if row.method == WORTH}
        if every:
            found = True
            yield f"On {dataset_name(dataset)}, {'; '.join(_ends(n, row) for n, row in every.items())}."
            yield from _verdict(sorted_out({name: paired(row) for name, row in every.items()}))
    if not found:
        yield say.absent("layers sorted by worth from two starts")


def _ends(name: str, row: Any) -> str:
    apart = paired(row)
    if not f.defined(apart.mean):
        return f"{name} have no seed that finished from both starts"
    return (
        f"{name} end at {_one(row.low_size)} neurons from {f.count(row.low_start)} and at {_one(row.high_size)} from "
        f"{f.count(row.high_start)}, a difference of {estimated(apart, neurons)}, which is "
        f"{_share(row.dependence)} of that of the starts"
    )


def _verdict(found: dict[str, list[str]]) -> Iterator[str]:
    """What the intervals say, for all groups at once or for those of each outcome."""
    apart, alike = found[ABOVE] + found[BELOW], found[OPEN]
    many = sum(map(bool, (apart, alike, found[ALONE], found[MISSING]))) > 1
    if apart:
        whose = f"For {f.listed(apart)} the" if many else "The"
        yield (
            f"{whose} interval leaves zero out: *they do not come to a size that does not depend on the start.*"
        )
    if alike:
        whose = f"For {f.listed(alike)} the" if many else "The"
        yield (
            f"{whose} interval holds zero: a dependence on the start is not shown, nor is one within the interval "
            "excluded."
        )
    if found[ALONE]:
        yield "Of a single seed nothing can be said."


def worth_counted(study: ResizingStudy) -> Iterator[str]:
    """In how many cases the size of layers sorted by worth still depends on the start, and by how much."""
    rows = [row for row in study.records("start_dependence") if row.method == WORTH]
    known = [row for row in rows if f.defined(row.dependence)]
    if not known:
        yield say.absent("layers sorted by worth from two starts")
        return
    shares = sorted(row.dependence for row in known)
    least, most = _share(shares[0]), _share(shares[-1])
    between = least if least == most else f"{least} to {most}"
    text = f"To layers sorted by worth, {between} of the distance between their starts is left"
    intervals = [paired(row) for row in known if f.defined(row.low)]
    if not intervals:
        yield f"{text}, without intervals."
        return
    apart = sum(separates(each) for each in intervals)
    cases = f.plural(len(intervals), "case")
    if apart:
        yield (
            f"{text}; in {f.count(apart)} of {cases} the interval leaves zero out: *they do not come to a size that "
            "does not depend on the start.*"
        )
    else:
        yield f"{text}; the interval holds zero in all of {cases}."


def beside_flexible(study: ResizingStudy) -> Iterator[str]:
    """How the part of the start that is left compares with that of flexible layers; means alone."""
    for dataset in study.datasets:
        rows = study.records("start_dependence", dataset)
        ours, theirs = (
            [
                abs(row.dependence)
                for row in rows
                if row.method == each and f.defined(row.dependence)
            ]
            for each in (WORTH, FLEXIBLE)
        )
        if not ours or not theirs:
            continue
        most, least = max(ours), min(theirs)
        if most < least:
            text = "less of the start is left to layers sorted by worth than to any flexible layer"
        elif min(ours) > max(theirs):
            text = "more of the start is left to layers sorted by worth than to any flexible layer"
        else:
            text = (
                "what is left of the start to layers sorted by worth and to flexible ones overlaps"
            )
        yield f"By these means, on {dataset_name(dataset)} {text}."


def against(study: ResizingStudy) -> Iterator[str]:
    """Where the size of layers sorted by worth depends on the start, against us."""
    parts = []
    for dataset in study.datasets:
        every = {n: r for n, r in groups(study, dataset).items() if r.method == WORTH}
        apart = {name: paired(row) for name, row in every.items() if separates(paired(row))}
        if not apart:
            continue
        said = [
            estimated(each, neurons) + (f" {_at(every, name)}" if len(every) > 1 else "")
            for name, each in apart.items()
        ]
        parts.append(f"by {f.listed(said)} on {dataset_name(dataset)}")
    if parts:
        yield (
            "We expected that layers sorted by worth forget where they start. But from the highest start to the "
            f"lowest, their final sizes still differ {f.listed(parts)}."
        )
    parts = []
    for dataset in study.datasets:
        every = {n: r for n, r in groups(study, dataset).items() if r.method == WORTH}
        found = {name: accuracy_apart(row) for name, row in every.items()}
        said = [
            estimated(each, f.points) + (f" {_at(every, name)}" if len(every) > 1 else "")
            for name, each in found.items()
            if separates(each)
        ]
        if said:
            parts.append(f"by {f.listed(said)} on {dataset_name(dataset)}")
    if parts:
        yield f"Nor are layers sorted by worth as accurate from every start: they differ {f.listed(parts)}."


def _at(every: dict[str, Any], name: str) -> str:
    """What tells one of several groups of a method: the price, where that is enough."""
    prices = [row.price for row in every.values()]
    alone = len(set(prices)) == len(prices)
    return f"at {price_words(every[name].price)}" if alone else f"for {name}"


def counted(study: ResizingStudy) -> str:
    """In how many groups of starts the interval tells the final sizes apart."""
    every: list[Interval] = [paired(row) for row in study.records("start_dependence")]
    known = [each for each in every if f.defined(each.low)]
    if not known:
        return say.absent("sizes from several starts with an interval")
    apart = sum(separates(each) for each in known)
    return (
        f"Of {f.plural(len(known), 'comparison')} of layers that differ in where they start alone, the interval tells "
        f"the final sizes apart in {f.count(apart) if apart else 'none'}."
    )
