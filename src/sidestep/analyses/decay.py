"""What scaling the weight decay of substituted layers by their compression brings, in pairs of variants."""

from typing import Any

import pandas as pd

from sidestep import variants
from sidestep.analyses.shared.finals import apart, common, finals, mean
from sidestep.tables import Tables

SETTING = "substituted_decay"
COLUMNS = [
    *("study", "dataset", "layer", "full", "scaled", "taught", "pairs"),
    *("accuracy_full", "accuracy_scaled", "difference", "low", "high", "separates"),
]


def analyse(tables: Tables) -> pd.DataFrame:
    """One row per data set and pair of variants that differ in the decay of substituted layers alone.

    Columns: `study`, `dataset`; `layer` in the place of convolutions; the variants `full`, with the optimiser's
    weight decay in all weights, and `scaled`, with that times the layer's share of the convolution's parameters in
    those that stand for it; `taught`, 1 if both have a teacher; over the `pairs` of seeds that finished in both
    `accuracy_full` and `accuracy_scaled`, means of test accuracy at the last evaluation, and the `difference`,
    scaled minus full, with its 95 % t interval (`low`, `high`); `separates`, 1 where that excludes 0.
    """
    study, ends = tables.study, finals(tables)
    rows: list[dict[str, Any]] = []
    for dataset in study.datasets:
        for group in variants.differing_in(study, SETTING):
            by_value = {
                value: [v for v in group if (variants.USUAL | v.run)[SETTING] == value]
                for value in ("full", "scaled")
            }
            for full in by_value["full"]:
                for scaled in by_value["scaled"]:
                    mine = ends.of(dataset, scaled.name, "test", "accuracy")
                    theirs = ends.of(dataset, full.name, "test", "accuracy")
                    found = apart(mine, theirs)
                    of_scaled, of_full = (mean(values)["mean"] for values in common(mine, theirs))
                    rows.append(
                        {
                            **found,
                            "study": study.name,
                            "dataset": dataset,
                            "layer": variants.layer(full.run),
                            "full": full.name,
                            "scaled": scaled.name,
                            "taught": int(variants.taught(full.run)),
                            "accuracy_full": of_full,
                            "accuracy_scaled": of_scaled,
                            "low": found["difference_low"],
                            "high": found["difference_high"],
                        }
                    )
    return pd.DataFrame(rows, columns=COLUMNS)
