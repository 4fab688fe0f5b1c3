"""What every model scores on test rows, how large it is, and how far the training part runs ahead."""

import math
from collections.abc import Iterator
from typing import Any

from sidestep.evolution import BOOSTING, EXACT_LINEAR, LINEAR, R2
from sidestep.paper.parts import formats as f
from sidestep.paper.parts import sentences as say
from sidestep.paper.parts.decoupled_family import diverged
from sidestep.paper.parts.decoupled_words import pages
from sidestep.paper.parts.evolution_study import EvolutionStudy, bounded, method_rows, seeds_of
from sidestep.paper.parts.evolution_words import (
    METHODS,
    apart,
    by_side,
    estimated,
    missing,
    on,
    other_cell,
    place,
    score,
    score_cell,
)
from sidestep.paper.parts.layerwise_words import code
from sidestep.statistics.intervals import Interval, mean_interval, separates

HEAD = (
    *("Data set", "Model", "Test", "Train", "Gap", "Test loss", "Operations", "Depth"),
    *("Parameters", "n"),
)
# Rows on one page.
MOST_ROWS = 44


def scores(study: EvolutionStudy) -> dict[str, Any]:
    """The table of all models, and its sentences."""
    table = {"head": list(HEAD), "rows": list(_rows(study))}
    return {
        "tables": pages(table, MOST_ROWS),
        "sentences": list(sentences(study)),
        "exact": list(exact(study)),
        "gaps": list(gaps(study)),
    }


def _rows(study: EvolutionStudy) -> Iterator[list[str]]:
    """First members, then what `boosting` adds, by data set."""
    for dataset in study.datasets:
        for row in study.records("final_scores", dataset):
            if str(row.variant) in study.first:
                yield _row(dataset, row)
        for method in (BOOSTING, EXACT_LINEAR):
            for name, rows in method_rows(study, method):
                if name == dataset:
                    yield _method(study, dataset, method, rows)


def _row(dataset: str, row: Any) -> list[str]:
    show = score_cell(str(row.measure))
    lost = int(row.diverged)
    return [
        place(dataset),
        other_cell(str(row.variant)),
        f.cell(bounded(row, "test"), show),
        show(row.train) if f.defined(row.train) else "–",
        f.cell(bounded(row, "gap"), show),
        f.cell(bounded(row, "loss"), _loss),
        f.decimal(row.operations, 1) if f.defined(row.operations) else "–",
        f.decimal(row.depth, 1) if f.defined(row.depth) else "–",
        f.count(row.parameters) if f.defined(row.parameters) else "–",
        f.count(row.n) + (f" ({f.count(lost)} diverged)" if lost else ""),
    ]


def _method(study: EvolutionStudy, dataset: str, method: str, rows: list[Any]) -> list[str]:
    show = score_cell(str(rows[0].measure))
    train, test = seeds_of(rows, "train"), seeds_of(rows, "test")
    gap = {seed: train[seed] - test[seed] for seed in train.keys() & test.keys()}
    nodes = list(seeds_of(rows, "nodes").values())
    return [
        place(dataset),
        METHODS[method],
        f.cell(study.over_seeds(dataset, test), show),
        show(mean_interval(list(train.values())).mean),
        f.cell(study.over_seeds(dataset, gap), show),
        f.cell(study.over_seeds(dataset, seeds_of(rows, "loss")), _loss),
        "–",
        "–",
        f"{f.count(math.fsum(nodes) / len(nodes))} nodes" if nodes else "–",
        f.count(len(test)),
    ]


def _loss(value: float) -> str:
    return f.decimal(value, 3)


# Sentences


def sentences(study: EvolutionStudy) -> Iterator[str]:
    """By data set the best and the worst model by their means, and lost seeds."""
    told = False
    for dataset in study.datasets:
        found: dict[str, Interval] = {}
        for row in study.records("final_scores", dataset):
            if str(row.variant) in study.first and f.defined(row.test):
                found[code(str(row.variant))] = bounded(row, "test")
        for name, rows in method_rows(study, BOOSTING):
            if name == dataset:
                found[METHODS[BOOSTING]] = study.over_seeds(dataset, seeds_of(rows, "test"))
        found = {name: each for name, each in found.items() if f.defined(each.mean)}
        if not found:
            continue
        told = True
        show = score(study.measure(dataset))
        best, worst = (pick(found, key=lambda name: found[name].mean) for pick in (max, min))
        text = f"{on(dataset)}, the highest mean is that of {best}, {estimated(found[best], show)}"
        if worst != best:
            text += f", and the lowest that of {worst}, {estimated(found[worst], show)}"
        yield f"{text[0].upper()}{text[1:]}."
    if not told:
        yield say.absent("what models score on test rows")
    for dataset in study.datasets:
        lost = {name: count for name in study.runs if (count := study.lost(dataset, name))}
        if lost:
            yield diverged(place(dataset), lost, len(study.study.seeds))


def exact_apart(study: EvolutionStudy) -> dict[str, Interval]:
    """Data set → test score of our linear model minus that of the same model fitted by scikit-learn, by seed."""
    ours = study.one(LINEAR)
    return {
        dataset: study.apart(dataset, study.finals(dataset, ours, "test"), seeds_of(rows, "test"))
        for dataset, rows in method_rows(study, EXACT_LINEAR)
        if ours
    }


def exact(study: EvolutionStudy) -> Iterator[str]:
    """Whether our linear model does what an independent fit of it does."""
    found = exact_apart(study)
    if not found or len(missing(found)) == len(found):
        return
    measures = {dataset: study.measure(dataset) for dataset in found}
    yield (
        "As a check, scikit-learn @pedregosa2011scikit fits linear models to the same splits until they converge, "
        "those of classes with its usual penalty: beside its scores, those of "
        f"{code(study.one(LINEAR))} are {by_side(found, measures)}."
    )


def gap_apart(study: EvolutionStudy, variant: str, other: str) -> dict[str, Interval]:
    """Data set → how much larger the gap between training and test score is than another variant's."""
    return {
        dataset: study.apart(dataset, study.gap(dataset, variant), study.gap(dataset, other))
        for dataset in study.datasets
    }


def gaps(study: EvolutionStudy) -> Iterator[str]:
    """By data set how far the score of training rows is above that of test rows, of those that evolve."""
    for variant in study.evolving:
        parts = []
        for dataset in study.datasets:
            found = study.over_seeds(dataset, study.gap(dataset, variant))
            if f.defined(found.mean):
                parts.append(f"{estimated(found, apart(study.measure(dataset)))} {on(dataset)}")
        if parts:
            yield f"The score of {code(variant)} on training rows is above that on test rows by {f.listed(parts)}."


def own_fit_is_worse(study: EvolutionStudy) -> Iterator[str]:
    """Where our linear model stays behind the exact one, against us."""
    parts = [
        f"{on(dataset)} ({estimated(each, apart(study.measure(dataset)))})"
        for dataset, each in exact_apart(study).items()
        if separates(each) and each.mean < 0
    ]
    if parts:
        yield (
            f"Our linear model {code(study.one(LINEAR))} stays behind scikit-learn's, {f.listed(parts)}: it is a "
            "weak opponent there."
        )


def is_number(study: EvolutionStudy, dataset: str) -> bool:
    """Whether a data set's target is a number."""
    return study.measure(dataset) == R2
