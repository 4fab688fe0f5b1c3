"""The table of all variants: where they start, what they pay, how large they end, and what they reach."""

import math
from collections.abc import Iterator
from typing import Any

from sidestep import sizing
from sidestep.paper.parts import formats as f
from sidestep.paper.parts import sentences as say
from sidestep.paper.parts.decoupled_family import diverged
from sidestep.paper.parts.decoupled_words import pages
from sidestep.paper.parts.layerwise_words import ABOVE, ALONE, BELOW, OPEN, code
from sidestep.paper.parts.layerwise_words import plain as name_cell
from sidestep.paper.parts.resizing_study import ResizingStudy, interval
from sidestep.paper.parts.resizing_words import NAMES, amount, estimated, outcomes
from sidestep.paper.parts.words import dataset_name
from sidestep.statistics.intervals import Interval, paired_difference, separates

HEAD = (
    *("Method", "Variant", "Start", "Price", "$L_2$", "Final size", "Accuracy %", "To baseline"),
    *("Loss + price", "To static", "Parameters", "n"),
)
# Rows on one page, of which names may take two lines.
MOST_ROWS = 40
CHEAPER = {BELOW: "lower", OPEN: "not separated", ABOVE: "higher", ALONE: "without interval"}
BESIDE = {BELOW: "lower", OPEN: "not separated", ABOVE: "higher"}


def tables(study: ResizingStudy) -> list[dict[str, Any]]:
    """One table a data set, in parts that fit on a page."""
    every = []
    for dataset in study.datasets:
        table = {"head": list(HEAD), "rows": list(_rows(study, dataset))}
        every += [
            {**part, "dataset": dataset, "name": dataset_name(dataset)}
            for part in pages(table, MOST_ROWS)
        ]
    return every


def _rows(study: ResizingStudy, dataset: str) -> Iterator[list[str]]:
    """Those of one data set, the variants of a method together."""
    rows = study.records("final_sizes", dataset)
    apart = beside_baseline(study, dataset)
    paying = beside_static(study, dataset)
    place = {method: index for index, method in enumerate(sizing.METHODS)}
    for row in sorted(rows, key=lambda each: place.get(str(each.method), len(place))):
        yield [
            NAMES.get(str(row.method), name_cell(str(row.method))),
            name_cell(str(row.variant)),
            f.count(row.start) if f.defined(row.start) else "–",
            amount(row.price) if row.price else "–",
            amount(row.decay) if row.decay else "–",
            f.cell(interval(row, "size"), lambda size: f.decimal(size, 1)),
            f.cell(interval(row, "accuracy"), f.bare_percent),
            _difference(apart.get(str(row.variant)), f.bare_percent),
            f.cell(interval(row, "objective"), _sum),
            _difference(paying.get(str(row.variant)), _sum),
            f.count(row.parameters) if f.defined(row.parameters) else "–",
            f.count(row.n) + (f" ({f.count(row.diverged)} diverged)" if row.diverged else ""),
        ]


def _difference(found: Interval | None, show: f.Show) -> str:
    """A difference with its interval; a star where it does not hold zero."""
    if found is None or not f.defined(found.mean):
        return "–"
    return f.cell(found, show) + "\\*" * separates(found)


def beside_baseline(study: ResizingStudy, dataset: str) -> dict[str, Interval]:
    """Variant → its test accuracy minus the baseline's, over the seeds that finished in both."""
    return study.final_differences(dataset, "accuracy", study.baseline, list(study.runs))


# Sentences


def accuracies(study: ResizingStudy) -> Iterator[str]:
    """The baseline, how layers that size themselves compare with it, and lost seeds."""
    if not study.records("final_sizes"):
        yield say.absent("how large layers become and what they reach")
        return
    for dataset in study.datasets:
        rows = {str(row.variant): row for row in study.records("final_sizes", dataset)}
        base = rows.get(study.baseline)
        if base is not None and f.defined(base.accuracy):
            size = f" of {f.count(base.size)} neurons" if f.defined(base.size) else ""
            reached = estimated(interval(base, "accuracy"), f.percent)
            yield (
                f"On {dataset_name(dataset)}, {code(study.baseline)}{size} ends at a test accuracy of {reached}."
            )
        yield from compared(study, dataset)
        lost = {name: int(row.diverged) for name, row in rows.items() if row.diverged}
        yield diverged(dataset_name(dataset), lost, len(study.study.seeds))


def compared(study: ResizingStudy, dataset: str) -> Iterator[str]:
    """Who among those whose size moves is above the baseline, and who below."""
    apart = beside_baseline(study, dataset)
    moving = {code(name): apart[name] for name in study.moving() if name in apart}
    if said := outcomes(moving, BESIDE, f.points):
        yield f"Beside it, of layers whose size moves, test accuracy is {said}."


# What neurons cost in the same currency as the loss


def beside_static(study: ResizingStudy, dataset: str) -> dict[str, Interval]:
    """Variant that pays → its test loss plus price minus that of a static network that pays the same, in nats.

    The static network is the one for which the sum is least at that price, on the test images that are compared, among
    those of matched size too.
    """
    static = [name for method in sizing.STILL for name in study.by_method().get(method, [])]
    found: dict[str, Interval] = {}
    for name in study.moving():
        price = sizing.price(study.study.variant(name).run)
        if not price:
            continue
        sums = [study.objective(dataset, other, price) for other in static]
        known = [each for each in sums if each]
        if known:
            best = min(known, key=lambda each: math.fsum(each.values()) / len(each))
            found[name] = paired_difference(study.objective(dataset, name, price), best)
    return found


def objectives(study: ResizingStudy) -> Iterator[str]:
    """By data set: whose test loss plus price is below that of the best static network at the same price."""
    told = False
    for dataset in study.datasets:
        apart = {code(name): each for name, each in beside_static(study, dataset).items()}
        if said := outcomes(apart, CHEAPER, lambda value: _sum(value) + "\N{NO-BREAK SPACE}nats"):
            told = True
            yield f"On {dataset_name(dataset)}, the sum is {said}."
    if not told:
        yield say.absent("a price of a neuron beside a static network that could pay it")


def _sum(value: float) -> str:
    return f.decimal(value, 3)
