"""What models cost: seconds, bytes, operations; and what it takes to reach the score of another one."""

import math
from collections.abc import Iterator
from typing import Any

from sidestep.evolution import BOOSTING, CONTROL, MLP
from sidestep.paper.parts import formats as f
from sidestep.paper.parts import sentences as say
from sidestep.paper.parts.decoupled_words import pages
from sidestep.paper.parts.evolution_study import (
    EvolutionStudy,
    bounded,
    method_rows,
    ratio,
    seeds_of,
)
from sidestep.paper.parts.evolution_words import (
    METHODS,
    between,
    estimated,
    microseconds,
    other_cell,
    other_words,
    place,
    score_cell,
)
from sidestep.paper.parts.layerwise_words import code
from sidestep.statistics.intervals import Interval, mean_interval

HEAD = (
    *("Data set", "Model", "Training s", "One row µs", "Many rows µs", "Stored kB"),
    *("Peak memory MB", "Operations a row"),
)
RATIO_HEAD = ("Variant", "Over", "Data set", "Training", "Many rows", "One row", "Stored bytes")
EQUAL_HEAD = (
    *("Data set", "Score of", "Score", "Model", "Reached", "Seconds", "Steps"),
    *("Parameters", "Stored kB"),
)
MOST_ROWS = 44
_KILO, _MEGA = 1e3, 1e6
# Seconds that a whole run takes, and those of a forward pass of many rows and of one.
TRAINING, MANY, ONE = "seconds_train", "probe_seconds_256.", "probe_seconds_1."
STORED = "stored_bytes"


# What a finished model costs


def models(study: EvolutionStudy) -> dict[str, Any]:
    """The table of all models, and its sentences."""
    table = {"head": list(HEAD), "rows": list(_models(study))}
    return {
        "tables": pages(table, MOST_ROWS),
        "ratios": pages({"head": list(RATIO_HEAD), "rows": list(_ratios(study))}, MOST_ROWS),
        "sentences": list(sentences(study)),
    }


def _models(study: EvolutionStudy) -> Iterator[list[str]]:
    for dataset in study.datasets:
        for row in study.records("final_scores", dataset):
            if str(row.variant) in study.first:
                yield _model(dataset, row)
        for name, rows in method_rows(study, BOOSTING):
            if name == dataset:
                yield _boosting(dataset, rows)


def _model(dataset: str, row: Any) -> list[str]:
    return [
        place(dataset),
        other_cell(str(row.variant)),
        f.cell(bounded(row, "seconds_train"), f.significant),
        _shown(row.seconds_1, microseconds),
        _shown(row.seconds_256, microseconds),
        _shown(row.stored_bytes, _kilo),
        _shown(row.peak_memory_bytes, _mega),
        _shown(row.mult_adds, f.count),
    ]


def _boosting(dataset: str, rows: list[Any]) -> list[str]:
    fit, one, many, stored = (
        mean_interval(list(seeds_of(rows, name).values()))
        for name in ("seconds_fit", "seconds_1", "seconds_256", "stored_bytes")
    )
    return [
        place(dataset),
        METHODS[BOOSTING],
        f.cell(fit, f.significant),
        _shown(one.mean, microseconds),
        _shown(many.mean, microseconds),
        _shown(stored.mean, _kilo),
        "–",
        "–",
    ]


def _shown(value: float, show: f.Show) -> str:
    return show(value) if f.defined(value) else "–"


def _kilo(value: float) -> str:
    return f.decimal(value / _KILO, 1)


def _mega(value: float) -> str:
    return f.decimal(value / _MEGA, 0)


def ratios(study: EvolutionStudy, variant: str, other: str, metric: str) -> dict[str, Interval]:
    """Data set → a cost of a variant over that of another one, paired by seed; those known alone."""
    found = {
        dataset: ratio(study.value(dataset, variant, metric), study.value(dataset, other, metric))
        for dataset in study.datasets
    }
    return {dataset: each for dataset, each in found.items() if f.defined(each.mean)}


_COSTS = ((TRAINING, "to train"), (MANY, "for a forward pass of many rows"), (ONE, "for one row"))
_BESIDE = ((MLP, "the perceptron"), (CONTROL, "the control"))


def _ratios(study: EvolutionStudy) -> Iterator[list[str]]:
    """Costs of evolving graphs over those of the perceptron and the control."""
    for variant in study.evolving:
        for role, _ in _BESIDE:
            other = study.one(role)
            if not other:
                continue
            found = [ratios(study, variant, other, name) for name in (TRAINING, MANY, ONE, STORED)]
            for dataset in study.datasets:
                if any(dataset in each for each in found):
                    cells = (each.get(dataset) for each in found)
                    yield [
                        other_cell(variant),
                        other_cell(other),
                        place(dataset),
                        *("–" if each is None else estimated(each, _ratio) for each in cells),
                    ]


def _ratio(value: float) -> str:
    return f.decimal(value, 2)


def sentences(study: EvolutionStudy) -> Iterator[str]:
    """How many times the seconds of a perceptron and of the control evolving graphs take, over the data sets."""
    told = False
    for variant in study.evolving:
        for role, words in _BESIDE:
            other = study.one(role)
            parts = []
            for metric, what in _COSTS if other else ():
                if found := ratios(study, variant, other, metric):
                    means = {dataset: each.mean for dataset, each in found.items()}
                    parts.append(f"{between(means, _ratio)} times {what}")
            if parts:
                told = True
                yield f"Of the seconds of {words} {code(other)}, {code(variant)} takes {f.listed(parts)}."
    if not told:
        yield say.absent("what evolving costs beside other models")


# What it takes to reach a score


def equal_score(study: EvolutionStudy) -> dict[str, Any]:
    """The table of what it takes to reach the mean score of models that do not evolve, and its sentences."""
    table = {"head": list(EQUAL_HEAD), "rows": [_row(study, row) for row in rows(study)]}
    return {"tables": pages(table, MOST_ROWS), "sentences": list(reached(study))}


def rows(study: EvolutionStudy) -> list[Any]:
    """Those of first members that evolve, and of what sets the score itself."""
    return [
        row
        for row in study.records("equal_score")
        if f.defined(row.target)
        and (str(row.variant) in study.evolving or row.variant == row.target_of)
    ]


def _row(study: EvolutionStudy, row: Any) -> list[str]:
    show = score_cell(study.measure(str(row.dataset)))
    return [
        place(str(row.dataset)),
        other_cell(str(row.target_of)),
        show(row.target),
        other_cell(str(row.variant)),
        f"{f.count(row.reached)} of {f.count(row.runs)}",
        quartiles(row) or "–",
        _shown(row.steps, f.count),
        _shown(row.parameters, f.count),
        _shown(row.stored_bytes, _kilo),
    ]


def quartiles(row: Any) -> str:
    """Median seconds with quartiles in brackets; empty where no run reached the score."""
    if not f.defined(row.seconds):
        return ""
    return f.estimate(row.seconds, row.seconds_low, row.seconds_high)


def reached(study: EvolutionStudy) -> Iterator[str]:
    """In how many runs evolving graphs reach the scores of what does not evolve, and with how many parameters."""
    places: dict[tuple[str, str], list[Any]] = {}
    for row in rows(study):
        if str(row.variant) in study.evolving:
            places.setdefault((str(row.variant), str(row.target_of)), []).append(row)
    if not places:
        yield say.absent("what it takes to reach another model's score")
    for (variant, target), found in places.items():
        runs, times = (
            int(sum(getattr(row, name) for row in found)) for name in ("runs", "reached")
        )
        text = (
            f"{code(variant)} reaches the mean score of {other_words(target)} in "
            f"{f.count(times) if times else 'none'} of {f.plural(runs, 'run')}"
        )
        shares = {str(row.dataset): parameter_share(study, target, row) for row in found}
        shares = {name: share for name, share in shares.items() if f.defined(share)}
        if shares:
            text += f", then with {between(shares, _ratio)} times its parameters in the median"
        yield f"{text}."


def parameter_share(study: EvolutionStudy, target: str, row: Any) -> float:
    """Parameters when a row's score is reached over those of the finished model that sets it; `nan` for others."""
    if target not in study.runs or not row.reached:
        return math.nan
    found = [
        each
        for each in study.records("final_scores", str(row.dataset))
        if str(each.variant) == target and f.defined(each.parameters) and each.parameters > 0
    ]
    return float(row.parameters / found[0].parameters) if found else math.nan
