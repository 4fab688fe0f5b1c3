"""Evolving graphs against each model beside them: a table of paired differences, and its sentences."""

from collections.abc import Iterator, Sequence
from typing import Any

from sidestep.evolution import ALL_CLASSES, BOOSTING, CONTROL, EVOLVED, JUDGED, LINEAR, MLP
from sidestep.paper.parts import formats as f
from sidestep.paper.parts import sentences as say
from sidestep.paper.parts.decoupled_words import pages
from sidestep.paper.parts.evolution_study import POST, EvolutionStudy, difference
from sidestep.paper.parts.evolution_words import (
    apart,
    by_side,
    other_cell,
    other_words,
    place,
    places,
    score_cell,
    spelled,
    starred,
)
from sidestep.paper.parts.layerwise_words import ABOVE, BELOW, OPEN, code, sorted_out
from sidestep.paper.parts.layerwise_words import plain as name_cell
from sidestep.statistics.intervals import Interval

HEAD = (*("Variant", "Beside", "Data set", "Score", "Uncorrected", "Test loss", "n", "Score is"),)
MOST_ROWS = 40
_SAYS = {ABOVE: "higher", BELOW: "lower", OPEN: "open"}
_UNKNOWN = "no interval"


def contrasts(study: EvolutionStudy) -> dict[str, Any]:
    """The table in parts, and a sentence a pair."""
    table = {"head": list(HEAD), "rows": [_row(row) for row in rows(study)]}
    return {"tables": pages(table, MOST_ROWS), "sentences": list(sentences(study))}


def rows(study: EvolutionStudy) -> list[Any]:
    """Those of first members that have a seed in common, the pairs together."""
    found = [
        row
        for row in study.records("evolution_contrasts")
        if str(row.variant) in study.first and row.n > 0 and f.defined(row.difference)
    ]
    order = list(dict.fromkeys((str(row.variant), str(row.other)) for row in found))
    return sorted(found, key=lambda row: order.index((str(row.variant), str(row.other))))


def _row(row: Any) -> list[str]:
    found = difference(row)
    show = score_cell(str(row.measure))
    loss = Interval(row.loss_difference, float("nan"), int(row.n), row.loss_low, row.loss_high)
    side = next(key for key, names in sorted_out({"": found}).items() if names)
    return [
        name_cell(str(row.variant)),
        other_cell(str(row.other)),
        place(str(row.dataset)),
        starred(found, show),
        f.interval(row.plain_low, row.plain_high, show),
        starred(loss, lambda value: f.decimal(value, 3)),
        f.count(row.n),
        _SAYS.get(side, _UNKNOWN),
    ]


def pairs(study: EvolutionStudy) -> dict[tuple[str, str], dict[str, Any]]:
    """Variant and the one beside it → row by data set."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for row in rows(study):
        found.setdefault((str(row.variant), str(row.other)), {})[str(row.dataset)] = row
    return found


def _intervals(found: dict[str, Any]) -> dict[str, Interval]:
    return {dataset: difference(row) for dataset, row in found.items()}


def _measures(found: dict[str, Any]) -> dict[str, str]:
    return {dataset: str(row.measure) for dataset, row in found.items()}


def sentences(study: EvolutionStudy) -> Iterator[str]:
    """For each pair where the score is higher, lower and not separated."""
    every = pairs(study)
    if not every:
        yield say.absent("an evolving graph beside a model that does not evolve")
    for (variant, other), found in every.items():
        said = by_side(_intervals(found), _measures(found))
        yield f"Beside {_who(study, other)}, the score of {code(variant)} is {said}."


_ROLES = {CONTROL: "the control", MLP: "the perceptron", LINEAR: "the linear model"}


def _who(study: EvolutionStudy, other: str) -> str:
    """A model with its role where a reader may not know its name."""
    role = _ROLES.get(study.role(other)) if other in study.runs else None
    return f"{role} {code(other)}" if role else other_words(other)


# Findings


def single(found: dict[str, Any]) -> dict[str, Any]:
    """Without the mean over data sets, which is none of its own."""
    return {dataset: row for dataset, row in found.items() if dataset != ALL_CLASSES}


def told(study: EvolutionStudy, side: str, others: Sequence[str]) -> Iterator[str]:
    """A sentence for each pair of which the difference lies on that side on some data set.

    Args:
        study: the study.
        side: `above` or `below`.
        others: roles of what stands beside the evolving graph; `boosting` is one.
    """
    verb = {ABOVE: "scores higher than", BELOW: "scores lower than"}[side]
    for (variant, other), found in pairs(study).items():
        if role_of(study, other) not in others:
            continue
        known = _intervals(found)
        names = sorted_out(known)[side]
        if names:
            where = spelled({name: known[name] for name in names}, _measures(found))
            yield f"{code(variant)} {verb} {_who(study, other)} {where}."


def role_of(study: EvolutionStudy, other: str) -> str:
    """The role of a variant, or the name of a method that is none."""
    return study.role(other) if other in study.runs else other


# What an evolving graph is held against, by what a reader asks first.
AGAINST = (CONTROL, MLP, LINEAR, BOOSTING)
RULES = (POST, EVOLVED, JUDGED)


def unshown(study: EvolutionStudy) -> Iterator[str]:
    """Graphs that nothing shows to score higher than the control, on any data set: that goes against evolving."""
    for (variant, other), every in pairs(study).items():
        groups = sorted_out(_intervals(every))
        known = groups[ABOVE] + groups[BELOW] + groups[OPEN]
        if role_of(study, other) == CONTROL and known and not groups[ABOVE]:
            yield (
                f"On no data set is {code(variant)} shown to score higher than {_who(study, other)}, which never "
                "evolved."
            )


def left_open(study: EvolutionStudy) -> Iterator[str]:
    """By variant what it is not told apart from, and where."""
    parts: dict[str, list[str]] = {}
    for (variant, other), found in pairs(study).items():
        if names := sorted_out(_intervals(found))[OPEN]:
            parts.setdefault(variant, []).append(f"{_who(study, other)} {places(names)}")
    for variant, said in parts.items():
        yield f"Whether {code(variant)} scores higher than {'; than '.join(said)}."


def counted(study: EvolutionStudy, others: Sequence[str]) -> Iterator[str]:
    """On how many data sets a graph that evolves is better or worse than what stands beside it; and the mean."""
    parts: dict[str, list[str]] = {}
    for (variant, other), every in pairs(study).items():
        groups = sorted_out(_intervals(single(every)))
        known = sum(len(groups[key]) for key in (ABOVE, BELOW, OPEN))
        if role_of(study, other) in others and known:
            parts.setdefault(variant, []).append(
                f"beside {_who(study, other)} higher on {_number(len(groups[ABOVE]))} of {f.plural(known, 'data set')} "
                f"and lower on {_number(len(groups[BELOW]))}{_mean(every)}"
            )
    for variant, said in parts.items():
        yield f"The score of {code(variant)} is {'; '.join(said)}."


def _mean(every: dict[str, Any]) -> str:
    row = every.get(ALL_CLASSES)
    if row is None:
        return ""
    found = difference(row)
    text = f.estimate(found.mean, found.low, found.high, apart(str(row.measure)))
    return f" (mean over those with classes: {text})"


def _number(count: int) -> str:
    return f.count(count) if count else "none"
