"""How graphs grow from generation to generation: operations, depth, and what the read-out hears."""

from collections.abc import Iterator
from typing import Any

from sidestep.paper.parts import formats as f
from sidestep.paper.parts import sentences as say
from sidestep.paper.parts.decoupled_words import pages
from sidestep.paper.parts.evolution_study import EvolutionStudy
from sidestep.paper.parts.evolution_words import between, place, score_cell
from sidestep.paper.parts.layerwise_words import code
from sidestep.paper.parts.layerwise_words import plain as name_cell

HEAD = (
    *("Variant", "Data set", "Phases", "Operations", "Depth", "Constants", "Importance %"),
    *("First score", "Last score"),
)
QUANTITIES = ("depth", "constants")


def ends(
    study: EvolutionStudy, dataset: str, variant: str, quantity: str, *, first: bool = False
) -> Any | None:
    """The row of a quantity at the last evaluation, or the first; None if there is none."""
    rows = [
        row
        for row in study.records("generations", dataset)
        if str(row.variant) == variant and str(row.quantity) == quantity and f.defined(row.mean)
    ]
    if not rows:
        return None
    pick = min if first else max
    return pick(rows, key=lambda row: row.step)


def generations(study: EvolutionStudy) -> dict[str, Any]:
    """The table of what graphs have become at the last evaluation, and its sentences."""
    table = {"head": list(HEAD), "rows": list(_rows(study))}
    return {"tables": pages(table), "sentences": list(sentences(study))}


def _rows(study: EvolutionStudy) -> Iterator[list[str]]:
    for variant in study.evolving:
        for dataset in study.datasets:
            size = ends(study, dataset, variant, "operations")
            if size is None:
                continue
            show = score_cell(study.measure(dataset))
            share = heard(study, dataset, variant)
            scores = (ends(study, dataset, variant, "test", first=first) for first in (True, False))
            yield [
                name_cell(variant),
                place(dataset),
                f.count(size.round),
                _estimate(size),
                *(_estimate(ends(study, dataset, variant, name)) for name in QUANTITIES),
                "–" if share is None else f.bare_percent(share, 0),
                *("–" if row is None else show(row.mean) for row in scores),
            ]


def _estimate(row: Any | None) -> str:
    if row is None:
        return "–"
    return f.estimate(row.mean, row.low, row.high, lambda value: f.decimal(value, 1))


def sentences(study: EvolutionStudy) -> Iterator[str]:
    """By variant how large graphs become, and of how much the read-out makes use, over the data sets."""
    told = False
    for variant in study.evolving:
        sizes, shares = {}, {}
        for dataset in study.datasets:
            size = ends(study, dataset, variant, "operations")
            if size is not None:
                sizes[dataset] = float(size.mean)
            share = heard(study, dataset, variant)
            if share is not None:
                shares[dataset] = share
        if sizes:
            told = True
            text = f"{code(variant)} ends with {between(sizes, _one)} operations"
            if shares:
                text += (
                    f", which hold {between(shares, lambda value: f.percent(value, 0))} of the importance of all "
                    "columns"
                )
            yield f"{text}."
    if not told:
        yield say.absent("how graphs grow from generation to generation")


def _one(value: float) -> str:
    return f.decimal(value, 1)


def heard(study: EvolutionStudy, dataset: str, variant: str) -> float | None:
    """The operations' share of the importance of all columns at the end; None where it is not known."""
    inputs, own = (
        ends(study, dataset, variant, f"importance_{name}") for name in ("inputs", "operations")
    )
    if inputs is None or own is None or inputs.mean + own.mean <= 0:
        return None
    return float(own.mean / (inputs.mean + own.mean))
