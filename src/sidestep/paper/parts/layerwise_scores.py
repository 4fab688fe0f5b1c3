"""What came out: final loss and accuracy of every variant, and the seconds of its run."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sidestep.paper.parts import formats as f
from sidestep.paper.parts import sentences as say
from sidestep.paper.parts.layerwise_study import ACCURACY, LOSS, LayerwiseStudy
from sidestep.paper.parts.layerwise_words import (
    ABOVE,
    ALONE,
    BELOW,
    MISSING,
    OPEN,
    code,
    compared,
    named,
    plain,
    sorted_out,
)
from sidestep.paper.parts.words import dataset_name
from sidestep.statistics.intervals import Interval

TO_BASELINE = {
    BELOW: "lower",
    ABOVE: "higher",
    OPEN: "not separated",
    ALONE: "without interval, as there is one pair of seeds,",
    MISSING: "not defined, as no pair of seeds finished,",
}


def score_tables(study: LayerwiseStudy) -> list[dict[str, Any]]:
    """One table a data set: accuracy and loss at the end, seconds, and seconds over the baseline's."""
    return [_table(study, dataset) for dataset in study.datasets]


def _table(study: LayerwiseStudy, dataset: str) -> dict[str, Any]:
    rows = []
    seeds = len(study.tables.study.seeds)
    timed = study.timed(dataset)
    for name in study.runs:
        lost = study.lost(dataset, name)
        cells = [
            plain(name),
            f.cell(study.final(dataset, name, ACCURACY), f.bare_percent, seeds),
            f.cell(study.final(dataset, name, LOSS), _show_loss, seeds),
            f.count(lost) if lost else "–",
        ]
        if timed:
            cells.append(_or_dash(study.seconds(dataset, name)))
            cells.append(_or_dash(study.relative_seconds(dataset, name)))
        rows.append(cells)
    head = ["Variant", "Accuracy %", "Loss", "Diverged"]
    head += ["Seconds", "Relative"] if timed else []
    return {"dataset": dataset, "name": dataset_name(dataset), "head": head, "rows": rows}


def _show_loss(value: float) -> str:
    return f.decimal(value, 3)


def _or_dash(value: float) -> str:
    return f.significant(value) if f.defined(value) else "–"


def finals(study: LayerwiseStudy) -> Iterator[str]:
    """On each data set the lowest loss and the highest accuracy, and what stands against the baseline."""
    for dataset in study.datasets:
        where = dataset_name(dataset)
        for quantity in (LOSS, ACCURACY):
            yield best(where, quantity, *_ranked(study, dataset, quantity))
        differences = study.final_differences(dataset, LOSS, study.baseline, list(study.runs))
        yield against_baseline(where, code(study.baseline), sorted_out(differences))


def lowest(study: LayerwiseStudy, dataset: str, quantity: str) -> tuple[str, list[str]]:
    """The best variant by mean, and those whose paired difference to it does not exclude zero."""
    name, _, groups = _ranked(study, dataset, quantity)
    return name, [other for key in (OPEN, ALONE) for other in groups[key]]


def _ranked(
    study: LayerwiseStudy, dataset: str, quantity: str
) -> tuple[str, Interval, Mapping[str, list[str]]]:
    """Best by mean of the variants whose every seed finished, its mean, and the others against it."""
    means = {name: study.final(dataset, name, quantity) for name in study.runs}
    finished = {name: each for name, each in means.items() if each.n and f.defined(each.mean)}
    all_of_them = {n: each for n, each in finished.items() if not study.lost(dataset, n)}
    among = all_of_them or finished
    if not among:
        return "", study.final(dataset, "", quantity), sorted_out({})
    sign = 1 if quantity == LOSS else -1
    name = min(among, key=lambda each: sign * among[each].mean)
    differences = study.final_differences(dataset, quantity, name, list(study.runs))
    return name, means[name], sorted_out(differences)


def best(
    where: str, quantity: str, name: str, mean: Interval, groups: Mapping[str, Sequence[str]]
) -> str:
    """Who is best by mean, and from whom its intervals do not separate it."""
    which, show = (
        ("lowest final test loss", _nats)
        if quantity == LOSS
        else ("highest final test accuracy", f.percent)
    )
    if not name:
        return f"On {where}, no run finished, so that there is no {which}."
    text = (
        f"On {where}, {code(name)} has the {which} on average, "
        f"{f.estimate(mean.mean, mean.low, mean.high, show)}"
    )
    others = sum(len(groups[key]) for key in (ABOVE, BELOW, OPEN, ALONE))
    if not others:
        return text + "; there is no other variant to hold it against."
    if groups[ALONE]:
        return text + "; with one pair of seeds there is no interval that could separate it."
    if groups[OPEN]:
        return text + f", and the intervals do not separate it from {named(groups[OPEN])}."
    return text + ", and the paired intervals separate it from every other variant."


def _nats(value: float) -> str:
    return f.decimal(value, 3)


def against_baseline(where: str, baseline: str, groups: Mapping[str, Sequence[str]]) -> str:
    """The final loss of every variant against the baseline's."""
    text = compared(groups, TO_BASELINE)
    if not text:
        return f"On {where}, there is nothing to compare to {baseline}."
    return f"Against {baseline}, the final loss on {where} is {text}."


def diverged(study: LayerwiseStudy) -> Iterator[str]:
    """Which variants lost seeds."""
    seeds = len(study.tables.study.seeds)
    for dataset in study.datasets:
        lost = {name: study.lost(dataset, name) for name in study.runs}
        yield diverged_sentence(dataset_name(dataset), {n: k for n, k in lost.items() if k}, seeds)


def diverged_sentence(where: str, lost: Mapping[str, int], seeds: int) -> str:
    """How many seeds of which variants diverged on a data set."""
    if not lost:
        return f"On {where}, no run diverged."
    parts = [
        f"{f.count(count)} of {f.count(seeds)} in {code(name)}" for name, count in lost.items()
    ]
    return f"On {where}, seeds diverged: {f.listed(parts)}."


def seconds(study: LayerwiseStudy) -> Iterator[str]:
    """How long the runs take, by the timing job."""
    for dataset in study.datasets:
        if not study.timed(dataset):
            yield f"No step was timed on {dataset_name(dataset)}."
            continue
        every = {name: study.relative_seconds(dataset, name) for name in study.local}
        found = {name: value for name, value in every.items() if f.defined(value)}
        yield seconds_sentence(dataset_name(dataset), code(study.baseline), found)


def seconds_sentence(where: str, baseline: str, relative: Mapping[str, float]) -> str:
    """The range of the runs' seconds over those of the baseline, for the same number of steps."""
    if not relative:
        return say.absent(f"the seconds of a run with local signals on {where}")
    cheap = min(relative, key=lambda name: relative[name])
    dear = max(relative, key=lambda name: relative[name])
    if cheap == dear:
        return f"On {where}, a run of {code(cheap)} takes {_times(relative[cheap])} the seconds of {baseline}."
    return (
        f"On {where}, for as many steps, runs with local signals take from {_times(relative[cheap])} "
        f"({code(cheap)}) to {_times(relative[dear])} ({code(dear)}) the seconds of {baseline}."
    )


def _times(value: float) -> str:
    return f"{f.significant(value)} times"
