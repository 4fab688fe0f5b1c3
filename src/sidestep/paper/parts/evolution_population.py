"""What several runs of the same algorithm are worth together: the best of them, and their mean."""

from collections.abc import Iterator
from typing import Any

from sidestep.paper.parts import formats as f
from sidestep.paper.parts import sentences as say
from sidestep.paper.parts.decoupled_words import pages
from sidestep.paper.parts.evolution_study import EvolutionStudy, bounded
from sidestep.paper.parts.evolution_words import (
    by_side,
    other_cell,
    place,
    score_cell,
    starred,
)
from sidestep.paper.parts.layerwise_words import code
from sidestep.statistics.intervals import Interval

HEAD = (
    "Data set",
    "Variant",
    "Members",
    "Single",
    "Chosen",
    "Ensemble",
    "Gain, chosen",
    "Gain, ensemble",
)
MOST_ROWS = 40
CHOSEN, ENSEMBLE = "gain_chosen", "gain_ensemble"
_MANY = "more runs of the same variant beside each other"


def population(study: EvolutionStudy) -> dict[str, Any]:
    """The table of populations in parts, and its sentences."""
    table = {"head": list(HEAD), "rows": [_row(row) for row in rows(study)]}
    return {"tables": pages(table, MOST_ROWS), "sentences": list(sentences(study))}


def rows(study: EvolutionStudy) -> list[Any]:
    """Those of more than one member, of which some seed finished."""
    return [row for row in study.records("population") if row.members > 1 and row.n > 0]


def gain(row: Any, name: str) -> Interval:
    """A gain of a row with its interval over seeds."""
    return bounded(row, name)


def _row(row: Any) -> list[str]:
    show = score_cell(str(row.measure))
    return [
        place(str(row.dataset)),
        other_cell(str(row.variant)),
        f.count(row.members),
        *(_mean(row, name, show) for name in ("single", "chosen", "ensemble")),
        *(starred(gain(row, name), show) for name in (CHOSEN, ENSEMBLE)),
    ]


def _mean(row: Any, name: str, show: f.Show) -> str:
    value = getattr(row, name)
    return show(value) if f.defined(value) else "–"


def largest(study: EvolutionStudy) -> dict[str, dict[str, Any]]:
    """Variant → data set → the row of its largest population, of more than one member."""
    found: dict[str, dict[str, Any]] = {}
    for row in rows(study):
        known = found.setdefault(str(row.variant), {})
        before = known.get(str(row.dataset))
        if before is None or row.members > before.members:
            known[str(row.dataset)] = row
    return found


def sentences(study: EvolutionStudy) -> Iterator[str]:
    """What choosing among the members of the largest population gains, and what averaging them does."""
    every = largest(study)
    if not every:
        yield say.absent(_MANY)
        return
    for variant, found in every.items():
        measures = {dataset: str(row.measure) for dataset, row in found.items()}
        members = f.listed(
            [f.count(number) for number in sorted({int(row.members) for row in found.values()})],
            "or",
        )
        for name, what in (
            (CHOSEN, "the one of least validation loss"),
            (ENSEMBLE, "their averaged predictions"),
        ):
            gains = {dataset: gain(row, name) for dataset, row in found.items()}
            yield (
                f"Of {members} members of {code(variant)}, beside the mean of single ones, the score of {what} is "
                f"{by_side(gains, measures)}."
            )
