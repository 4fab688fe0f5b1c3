"""What layers can express of random matrices, and how much seeds alone change accuracy."""

import math
import statistics
from collections.abc import Iterator, Sequence
from typing import Any

from sidestep.paper.parts import formats as f
from sidestep.paper.parts import sentences as say
from sidestep.paper.parts.decoupled_words import text
from sidestep.paper.parts.layerwise_words import code
from sidestep.paper.parts.substitution_study import DENSE, SubstitutionStudy
from sidestep.paper.parts.substitution_words import layer_words
from sidestep.paper.parts.words import dataset_name

# The least error of a rank by singular values, which is no layer.
SVD = "low_rank_svd"
# Standard deviations of a difference of two single runs that it stays within, at the level of all intervals.
BEYOND = 1.96 * math.sqrt(2)


# Random matrices


def fits(study: SubstitutionStudy) -> Iterator[str]:
    """Errors of each layer at its most parameters and at about half of the matrix's, and the check."""
    rows = [row for row in study.records("matrix_fit") if f.defined(row.error)]
    if not rows:
        yield say.absent("fits of random matrices")
        return
    layers: dict[str, list[Any]] = {}
    for row in rows:
        layers.setdefault(str(row.layer), []).append(row)
    whole = _entries(layers)
    mine = {name: each for name, each in layers.items() if name not in (SVD, DENSE)}
    half = {name: found for name, each in mine.items() if (found := _nearest(each, whole / 2))}
    if half:
        order = sorted(half, key=lambda name: float(half[name].error))
        parts = [
            f"{layer_words(name)} {_error(half[name])} with {f.count(half[name].parameters)}"
            for name in order
        ]
        yield (
            f"With the number of parameters nearest to half of a matrix's {f.count(whole)} entries, the relative "
            f"squared error is, rising, {f.listed(parts)}."
        )
    yield from most(mine, whole)
    yield from check(layers.get("low_rank", []), layers.get(SVD, []))


def _entries(layers: dict[str, list[Any]]) -> float:
    """Entries of the matrices: parameters of the dense layer, else the most of any."""
    rows = layers.get(DENSE) or [row for each in layers.values() for row in each]
    return max(float(row.parameters) for row in rows)


def _nearest(rows: Sequence[Any], wanted: float) -> Any:
    """The row of that many parameters, within a factor of two; None if there is none."""
    found = min(rows, key=lambda row: abs(math.log(row.parameters / wanted)))
    return found if wanted / 2 <= found.parameters <= 2 * wanted else None


def most(layers: dict[str, list[Any]], whole: float) -> Iterator[str]:
    """Layers that do not come near any matrix, for all the parameters that they can have."""
    short = []
    for name, rows in layers.items():
        last = max(rows, key=lambda row: float(row.parameters))
        if last.error > 0.01 and last.parameters >= whole:
            short.append(
                f"{layer_words(name)} ({_error(last)} with {f.count(last.parameters)} parameters)"
            )
    if short:
        yield (
            "With as many parameters as a matrix has entries, or more, an error above "
            f"{f.percent(0.01, 0)} is left to {f.listed(short)}: what gradient descent finds in the steps "
            "that it has, not what exists."
        )


def check(fitted: Sequence[Any], least: Sequence[Any]) -> Iterator[str]:
    """Low rank by gradient descent against the singular values, which is the best that there is."""
    best = {int(row.size): float(row.error) for row in least}
    over = [float(row.error) - best[int(row.size)] for row in fitted if int(row.size) in best]
    if over:
        yield (
            "As a check, low rank by gradient descent ends at most "
            f"{f.points(max(max(over), 0.0))} above the least error that singular values allow."
        )


def _error(row: Any) -> str:
    return f.estimate(row.error, row.low, row.high, f.percent)


# Seeds


def noise(study: SubstitutionStudy) -> Iterator[str]:
    """Standard deviations over seeds, what they say of single runs, and variants that are the same."""
    for dataset in study.datasets:
        rows = study.records("repeats", dataset)
        deviations = {
            str(row.variant): float(row.sd)
            for row in rows
            if not text(row.other) and f.defined(row.sd)
        }
        yield spread(dataset_name(dataset), deviations, len(study.tables.study.seeds))
        for row in rows:
            if text(row.other):
                yield same(dataset_name(dataset), row)


def spread(where: str, deviations: dict[str, float], seeds: int) -> str:
    """The spread over seeds on one data set."""
    if not deviations:
        return say.absent(f"two seeds of a variant on {where}, and so no noise of seeds")
    low = min(deviations, key=lambda name: deviations[name])
    high = max(deviations, key=lambda name: deviations[name])
    usual = statistics.median(deviations.values())
    said = (
        f"On {where}, the standard deviation of test accuracy over {f.plural(seeds, 'seed')} is {f.points(usual)} at "
        "the median of the variants"
    )
    if len(deviations) > 1:
        said += f", from {f.points(deviations[low])} ({code(low)}) to {f.points(deviations[high])} ({code(high)})"
    return (
        f"{said}. Two single runs with that deviation would have to differ by more than {f.points(BEYOND * usual)} to "
        "say that their variants do; each published figure is of a single run."
    )


def same(where: str, row: Any) -> str:
    """Two variants that are the same by their settings."""
    both = f"On {where}, {code(row.variant)} and {code(row.other)} are the same but for their names"
    if not f.defined(row.difference):
        return f"{both}, and have no seed in common."
    if row.difference == 0 and not (f.defined(row.low) and row.low < row.high):
        return f"{both}, and end the same."
    size = f.estimate(row.difference, row.low, row.high, f.points)
    return f"{both}, and differ by {size}: so much is not repeatable."
