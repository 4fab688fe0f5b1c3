"""Which setting of a search does best on the validation part, for each variant: never on the test set."""

import numpy as np
import pandas as pd

from sidestep.statistics.intervals import mean_interval
from sidestep.tables import Tables


def analyse(tables: Tables) -> pd.DataFrame:
    """One row per data set, variant and setting: the validation loss at the end of training.

    Columns: `of` (the variant), the settings that were tried, `mean`, `low`, `high` (95 % t
    interval) and `n` of the finite losses (nats), `accuracy`, `diverged` (number of seeds without
    one), and `chosen`: the lowest mean among the settings with the fewest diverged seeds.
    """
    study, frame = tables.study, tables.main
    settings = [column for column in study.columns if column != "of"]
    held_out = frame[frame["images"] == "validation"]
    rows = []
    for key, cell in held_out.groupby(["dataset", "of", *settings], sort=False):
        losses, accuracies = _last(cell, "history_loss"), _last(cell, "history_accuracy")
        finite = losses[np.isfinite(losses)]
        found = mean_interval(list(finite)) if len(finite) else None
        rows.append(
            {
                **dict(zip(["dataset", "of", *settings], key, strict=True)),
                "mean": found.mean if found else np.nan,
                "low": found.low if found else np.nan,
                "high": found.high if found else np.nan,
                "n": len(finite),
                "accuracy": accuracies.mean(),
                "diverged": len(study.seeds) - len(finite),
            }
        )
    table = pd.DataFrame(rows)
    ranked = table.sort_values(["diverged", "mean"], kind="stable", na_position="last")
    best = ranked.groupby(["dataset", "of"], sort=False).head(1).index
    table["chosen"] = [int(index in best) for index in table.index]
    return table


def _last(cell: pd.DataFrame, metric: str) -> pd.Series:
    """Each seed's value at its last evaluation, whether it is a number or not."""
    rows = cell[cell["metric"] == metric].sort_values("component", kind="stable")
    return rows.drop_duplicates("seed", keep="last")["value"]
