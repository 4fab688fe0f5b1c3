"""What each network reaches on rows that it never saw, how far it overfits, and what it costs."""

from typing import Any

import pandas as pd

from sidestep.analyses.shared.evolution import INFERENCE, Scores, last_probed, minus, plain
from sidestep.analyses.shared.finals import mean
from sidestep.analyses.shared.sizes import lasts
from sidestep.tables import Tables

READS = ("table", "data")
# Columns that are means over seeds → metrics of the study's table.
COSTS = {
    "parameters": "parameters",
    "stored_bytes": "stored_bytes",
    "peak_memory_bytes": "peak_memory_bytes",
    "mult_adds": "mult_adds_forward_per_image",
}
PROBED = ("operations", "depth", *INFERENCE)
COLUMNS = [
    *("study", "dataset", "variant", "measure", "n", "diverged"),
    *("test", "test_low", "test_high", "train", "gap", "gap_low", "gap_high"),
    *("loss", "loss_low", "loss_high", "loss_gap", "parameters", "operations", "depth"),
    *("seconds_train", "seconds_train_low", "seconds_train_high", *INFERENCE),
    *("stored_bytes", "peak_memory_bytes", "mult_adds"),
]


def analyse(tables: Tables) -> pd.DataFrame:
    """One row per data set and variant.

    Columns: `study`, `dataset`, `variant`; `measure`, `accuracy` of classes or `r2` of numbers; over the `n` seeds that
    finished (`diverged`, those that did not), at the last evaluation: the `test` score (`test_low`, `test_high`), the
    `train` score, and the `gap` between them, train minus test (`gap_low`, `gap_high`); the test `loss` (`loss_low`,
    `loss_high`) in nats, or in variances of the training part's target, and `loss_gap`, test minus train. Bounds are of
    95 % t intervals, where runs draw their own split corrected for its overlap (Nadeau & Bengio 2003).

    Means of costs over the same seeds, empty where unknown: `parameters`; `operations` of the graph and its `depth`,
    empty without one; `seconds_train` by the clock of the training jobs, which run side by side, with a plain t
    interval (`seconds_train_low`, `seconds_train_high`); `seconds_1` and `seconds_256`, median seconds of a forward
    pass of 1 and of 256 rows; `stored_bytes`; `peak_memory_bytes` of training; `mult_adds` of one row.
    """
    study, scores = tables.study, Scores.of(tables)
    costs = lasts(tables, scores.ends, {*COSTS.values(), "seconds_train"})
    looked = last_probed(tables, scores.ends, PROBED)
    rows: list[dict[str, Any]] = []
    for dataset in study.datasets:
        for variant in study.variants:
            name = variant.name
            test, train = (scores.score(dataset, name, part) for part in ("test", "train"))
            loss, fitted = (scores.loss(dataset, name, part) for part in ("test", "train"))
            row: dict[str, Any] = {
                "study": study.name,
                "dataset": dataset,
                "variant": name,
                "measure": scores.measures[dataset],
                "n": len(test),
                "diverged": scores.ends.diverged(dataset, name),
                **scores.spread(dataset, test, "test"),
                "train": mean(train)["mean"],
                **scores.spread(dataset, minus(train, test), "gap"),
                **scores.spread(dataset, loss, "loss"),
                "loss_gap": mean(minus(loss, fitted))["mean"],
                **plain(costs.get((dataset, name, "seconds_train"), {}), "seconds_train"),
            }
            for column, metric in COSTS.items():
                row[column] = mean(costs.get((dataset, name, metric), {}))["mean"]
            for column in PROBED:
                row[column] = mean(looked.get((dataset, name, column), {}))["mean"]
            rows.append(row)
    return pd.DataFrame(rows, columns=COLUMNS)
