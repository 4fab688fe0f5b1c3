"""What a teacher brings: pairs of variants, one taught and one not, that are otherwise the same."""

from collections.abc import Iterator
from typing import Any

import pandas as pd

from sidestep import variants
from sidestep.analyses.shared.finals import apart, common, finals, mean
from sidestep.study import Study, Variant
from sidestep.tables import Tables

COLUMNS = [
    *("study", "dataset", "layer", "alone", "taught", "teacher", "pairs"),
    *("accuracy_alone", "accuracy_taught", "difference", "low", "high", "separates"),
    *("loss_difference", "loss_low", "loss_high"),
]


def analyse(tables: Tables) -> pd.DataFrame:
    """One row per data set and pair of variants that differ in teacher and strategy alone.

    Columns: `study`, `dataset`; `layer` in the place of convolutions, `narrower`, `shallower` or `dense`; the
    variants `alone`, without a teacher, and `taught`, by the variant `teacher`; over the `pairs` of seeds that
    finished in both `accuracy_alone` and `accuracy_taught`, means of test accuracy at the last evaluation, and
    taught minus alone: the `difference` of test accuracy with its 95 % t interval (`low`, `high`) and `separates`,
    1 where that excludes 0; the `loss_difference` of test loss (nats) with its interval (`loss_low`, `loss_high`).
    """
    study, ends = tables.study, finals(tables)
    rows: list[dict[str, Any]] = []
    for dataset in study.datasets:
        for alone, taught in pairs(study):
            accuracies, losses = (
                [ends.of(dataset, variant.name, "test", quantity) for variant in (taught, alone)]
                for quantity in ("accuracy", "loss")
            )
            better, loss = apart(*accuracies), apart(*losses)
            of_taught, of_alone = (mean(values)["mean"] for values in common(*accuracies))
            rows.append(
                {
                    "study": study.name,
                    "dataset": dataset,
                    "layer": variants.layer(alone.run),
                    "alone": alone.name,
                    "taught": taught.name,
                    "teacher": taught.run["teacher"],
                    "pairs": better["pairs"],
                    "accuracy_alone": of_alone,
                    "accuracy_taught": of_taught,
                    "difference": better["difference"],
                    "low": better["difference_low"],
                    "high": better["difference_high"],
                    "separates": better["separates"],
                    "loss_difference": loss["difference"],
                    "loss_low": loss["difference_low"],
                    "loss_high": loss["difference_high"],
                }
            )
    return pd.DataFrame(rows, columns=COLUMNS)


def pairs(study: Study) -> Iterator[tuple[Variant, Variant]]:
    """Each variant without a teacher with each that has one and is otherwise the same."""
    for group in variants.differing_in(study, "teacher", "strategy"):
        for alone in group:
            for taught in group:
                if variants.taught(taught.run) and not variants.taught(alone.run):
                    yield alone, taught
