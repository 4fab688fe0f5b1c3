"""How long each variant takes to given losses and accuracies, and the area under its curve."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from sidestep.paper.parts import formats as f
from sidestep.paper.parts import sentences as say
from sidestep.paper.parts.layerwise_study import ACCURACY, LayerwiseStudy
from sidestep.paper.parts.layerwise_words import code, compared, named, plain
from sidestep.paper.parts.study import each_row
from sidestep.paper.parts.words import dataset_name

AREA = "area"
SOONER, LATER, EVEN, LONE, NEVER, FIRST = "sooner", "later", "even", "lone", "never", "first"
WORDS = {
    SOONER: "sooner",
    LATER: "later",
    EVEN: "not separated",
    LONE: "without interval, as fewer than two pairs of seeds reach it,",
}


@dataclass(frozen=True)
class Reach:
    """One variant and one target.

    Attributes:
        variant: its name.
        seeds: with a curve.
        reached: how many of them reached the target.
        time: seconds, or steps where nothing was timed; the mean over those that reached it.
        low: lower bound of its interval.
        high: upper bound.
        outcome: against the baseline: `sooner`, `later`, `even`, `lone`, `never` or `first` (the one of
            the two that reaches it at all).
    """

    variant: str
    seeds: int
    reached: int
    time: float
    low: float
    high: float
    outcome: str


def target_words(quantity: str, target: float) -> str:
    """`test loss 0.5` or `test accuracy 95 %`."""
    if quantity == ACCURACY:
        return f"test accuracy {f.setting(round(100 * target, 6))}\N{NO-BREAK SPACE}%"
    return f"test loss {f.setting(target)}"


def reaches(study: LayerwiseStudy, dataset: str) -> Iterator[tuple[tuple[str, float], list[Reach]]]:
    """Each target of a data set with what every variant does."""
    rows = study.rows("time_to_target", dataset=dataset)
    rows = rows[rows["quantity"] != AREA] if len(rows) else rows
    if rows.empty:
        return
    timed = study.timed(dataset)
    for (quantity, target), cell in rows.groupby(["quantity", "target"], sort=False):
        theirs = cell[cell["variant"] == study.baseline]
        base = bool(len(theirs) and theirs["reached"].iloc[0])
        found = [_reach(row, timed, base, study.baseline) for row in each_row(cell)]
        yield (str(quantity), float(str(target))), found


def _reach(row: Any, timed: bool, baseline_reaches: bool, baseline: str) -> Reach:
    if not row.reached:
        outcome = NEVER
    elif not baseline_reaches:
        outcome = FIRST
    elif row.variant == baseline or row.pairs < 2 or not timed:
        outcome = LONE
    elif not row.separates:
        outcome = EVEN
    else:
        outcome = LATER if row.difference > 0 else SOONER
    time = float(row.mean if timed else row.steps)
    bounds = (float(row.low), float(row.high)) if timed else (float("nan"), float("nan"))
    return Reach(
        str(row.variant),
        int(row.seeds),
        int(row.reached),
        time,
        max(bounds[0], 0.0),
        bounds[1],
        outcome,
    )


def targets(study: LayerwiseStudy) -> Iterator[str]:
    """A sentence on each target of each data set."""
    if study.analysis("time_to_target").empty:
        yield say.absent("the time to a loss or an accuracy")
        return
    for dataset in study.datasets:
        timed = study.timed(dataset)
        for (quantity, target), found in reaches(study, dataset):
            words = target_words(quantity, target)
            yield target_sentence(dataset_name(dataset), words, study.baseline, found, timed)


def target_sentence(
    where: str, target: str, baseline: str, found: Sequence[Reach], timed: bool
) -> str:
    """Who reaches a target, who first, and who sooner or later than the baseline."""
    some = [each for each in found if each.reached]
    start = f"{target[0].upper()}{target[1:]} on {where}"
    if not some:
        return f"{start} is reached by no variant."
    never = [each.variant for each in found if not each.reached]
    partly = [each.variant for each in some if each.reached < each.seeds]
    always = [each for each in some if each.reached == each.seeds]
    unit = "seconds" if timed else "steps (seconds were not measured)"
    show: f.Show = f.significant if timed else f.count
    text = start
    if always:
        first = min(always, key=lambda each: each.time)
        size = f.estimate(first.time, first.low, first.high, show) if timed else show(first.time)
        same = [each.variant for each in always if each.time == first.time]
        text += (
            f" is first reached in every seed, on average, by {named(same)}, after {size} {unit}"
        )
    else:
        text += " is reached in every seed by no variant"
    if partly:
        text += f"; in some seeds only by {named(partly)}"
    if never:
        text += f"; never by {named(never)}"
    text += ". "
    base = next((each for each in found if each.variant == baseline), None)
    if base is None or not base.reached:
        return text + f"As {code(baseline)} never does, no time can be held against its own."
    if not timed:
        return text.strip()
    groups = {
        key: [e.variant for e in some if e.outcome == key and e.variant != baseline]
        for key in WORDS
    }
    against = compared(groups, WORDS)
    return text + (f"Against {code(baseline)} it is {against}." if against else "")


def target_tables(study: LayerwiseStudy) -> list[dict[str, Any]]:
    """One table a data set: a column a target, and the area under the curve."""
    tables = []
    for dataset in study.datasets:
        every = list(reaches(study, dataset))
        if not every:
            continue
        timed = study.timed(dataset)
        areas = study.rows("time_to_target", dataset=dataset, quantity=AREA) if timed else None
        head = ["Variant", *(_head(quantity, target) for (quantity, target), _ in every)]
        rows = []
        for name in study.runs:
            cells = [plain(name)]
            for _, found in every:
                each = next((one for one in found if one.variant == name), None)
                cells.append(_cell(each, timed))
            if areas is not None:
                cells.append(_area(areas[areas["variant"] == name]))
            rows.append(cells)
        tables.append(
            {
                "dataset": dataset,
                "name": dataset_name(dataset),
                "unit": "Seconds" if timed else "Steps",
                "timed": timed,
                "head": [*head, "Area, nats s"] if timed else head,
                "rows": rows,
            }
        )
    return tables


def _head(quantity: str, target: float) -> str:
    if quantity == ACCURACY:
        return f"≥ {f.setting(round(100 * target, 6))}\N{NO-BREAK SPACE}%"
    return f"loss ≤ {f.setting(target)}"


def _cell(each: Reach | None, timed: bool) -> str:
    """Mean with its interval; how many seeds where not all reach it; `never`."""
    if each is None or not each.seeds:
        return "–"
    if not each.reached:
        return "never"
    show: f.Show = f.alike(each.time) if timed else f.count
    text = show(each.time)
    if f.defined(each.low) and f.defined(each.high):
        text += f" {f.interval(each.low, each.high, show)}"
    if each.reached < each.seeds:
        text += f" ({f.count(each.reached)} of {f.count(each.seeds)})"
    return text


def _area(rows: pd.DataFrame) -> str:
    row = next(each_row(rows), None)
    if row is None or not f.defined(row.mean):
        return "–"
    show = f.alike(row.mean)
    bounds = f.interval(row.low, row.high, show)
    return show(row.mean) + (f" {bounds}" if bounds != f.NO_INTERVAL else "")


def areas(study: LayerwiseStudy) -> Iterator[str]:
    """The area under the curve against the baseline's, on each data set."""
    found = study.rows("time_to_target", quantity=AREA)
    if found.empty:
        yield say.absent("the area under the curve of loss against time")
        return
    for dataset in study.datasets:
        rows = found[found["dataset"] == dataset]
        horizon = float(rows["horizon"].iloc[0]) if len(rows) else float("nan")
        groups: dict[str, list[str]] = {"smaller": [], "larger": [], "open": [], "alone": []}
        for row in each_row(rows[rows["variant"] != study.baseline]):
            if not f.defined(row.difference):
                continue
            if row.pairs < 2:
                key = "alone"
            elif not row.separates:
                key = "open"
            else:
                key = "smaller" if row.difference < 0 else "larger"
            groups[key].append(str(row.variant))
        yield area_sentence(dataset_name(dataset), code(study.baseline), horizon, groups)


def area_sentence(where: str, baseline: str, horizon: float, groups: dict[str, list[str]]) -> str:
    """Which variants have less loss on their way than the baseline."""
    words = {
        "smaller": "smaller",
        "larger": "larger",
        "open": "not separated",
        "alone": "without interval, as there is one pair of seeds,",
    }
    text = compared(groups, words)
    if not f.defined(horizon) or not text:
        return say.absent(f"areas to compare on {where}")
    return (
        f"Over the {f.duration(horizon)} of the longest run on {where}, the area is, against {baseline}, "
        f"{text}."
    )
