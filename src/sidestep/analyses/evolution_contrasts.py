"""Does a graph of operations that evolves beat one that never did, a perceptron, a linear model, boosted trees?"""

from collections.abc import Iterator
from typing import Any

import pandas as pd

from sidestep.analyses.shared.evolution import Scores, average, boosted, contrasts, minus
from sidestep.analyses.shared.finals import Values
from sidestep.evolution import ACCURACY, ALL_CLASSES, BOOSTING
from sidestep.statistics.intervals import corrected_interval, mean_interval, separates
from sidestep.study import Study
from sidestep.tables import Tables

NEEDS = ("boosting",)
READS = ("table", "data")
COLUMNS = [
    *("study", "dataset", "variant", "other", "measure", "n", "difference", "low", "high"),
    *("plain_low", "plain_high", "separates", "loss_difference", "loss_low", "loss_high"),
]


def analyse(tables: Tables) -> pd.DataFrame:
    """One row per data set, variant that evolves and what it is held against.

    Columns: `study`; `dataset`, or `all classes`, of which each seed's value is its mean over all data sets of classes
    (if there are several); `variant`, and `other`: each control (a random graph that never evolves), perceptron of as
    many parameters and linear network, `boosting` (the analysis of that name), and for a variant whose operations the
    validation part judges, each that evolves without; further members of a population have no rows. `measure`,
    `accuracy` or `r2`; over the `n` seeds that finished in both, the `difference` of the test score at the end, variant
    minus other, paired by split, with a 95 % t interval (`low`, `high`) that is corrected for the overlap of the splits
    where runs draw their own (Nadeau & Bengio 2003), and the plain one (`plain_low`, `plain_high`), which takes seeds
    for independent; `separates`, 1 where the corrected one excludes 0. `loss_difference` of the test loss, with a
    corrected interval (`loss_low`, `loss_high`); below 0 the variant is better. Over all data sets the overlap is the
    largest of any of them.
    """
    study, scores = tables.study, Scores.of(tables)
    pairs = contrasts(study)
    fits = boosted(tables.analysis(BOOSTING)) if pairs else {}

    def of(dataset: str, name: str, quantity: str) -> Values:
        if name == BOOSTING:
            return fits.get((dataset, quantity), {})
        one = scores.score if quantity == "test" else scores.loss
        return one(dataset, name)

    classes = [name for name in study.datasets if scores.measures[name] == ACCURACY]
    rows: list[dict[str, Any]] = []
    for dataset, parts in _cells(study, classes):
        overlap = max(scores.overlaps[part] for part in parts)
        for variant, other in pairs:
            apart, losses = (
                average(
                    minus(of(part, variant.name, quantity), of(part, other, quantity))
                    for part in parts
                )
                for quantity in ("test", "loss")
            )
            found = corrected_interval(list(apart.values()), overlap)
            plain = mean_interval(list(apart.values()))
            loss = corrected_interval(list(losses.values()), overlap)
            rows.append(
                {
                    "study": study.name,
                    "dataset": dataset,
                    "variant": variant.name,
                    "other": other,
                    "measure": scores.measures[parts[0]],
                    "n": found.n,
                    "difference": found.mean,
                    "low": found.low,
                    "high": found.high,
                    "plain_low": plain.low,
                    "plain_high": plain.high,
                    "separates": int(separates(found)),
                    "loss_difference": loss.mean,
                    "loss_low": loss.low,
                    "loss_high": loss.high,
                }
            )
    return pd.DataFrame(rows, columns=COLUMNS)


def _cells(study: Study, classes: list[str]) -> Iterator[tuple[str, list[str]]]:
    """Name of a row's data set, and those over which it is a mean."""
    for dataset in study.datasets:
        yield dataset, [dataset]
    if len(classes) > 1:
        yield ALL_CLASSES, classes
