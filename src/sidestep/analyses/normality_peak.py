"""At which width is the spread of the neurons most normal (the journal's "sweet spot")?"""

import math

import numpy as np
import pandas as pd

from sidestep.analyses.shared.curves import NETWORK, POOLED, Array, Curves
from sidestep.statistics.bootstrap import bootstrap_argmax, mean_over_seeds
from sidestep.statistics.intervals import mean_interval
from sidestep.tables import Tables

NUMBERS = (
    "n",
    "width",
    "low",
    "high",
    "share",
    "w",
    "w_low",
    "w_high",
    "width_below",
    "w_below",
    "width_above",
    "w_above",
)


def analyse(tables: Tables) -> pd.DataFrame:
    """One row per data set, recorded epoch, set of neurons and source.

    Columns: `study, dataset, epoch`; `neurons` (`all`, `living`); `source`: `network` (W of each network, mean over
    seeds) or `pooled` (one W on the neurons of all seeds, as the journal did: no interval, since one value a width is
    left); `n` seeds; `width` of the largest W, `low` and `high` (percentile bootstrap over seeds) and `share` of the
    resamples with that answer; `w` there with t interval `w_low`, `w_high`; `edge`: `smallest` or `largest` where
    the maximum is at the end of the widths and may lie beyond, else empty; the neighbours `width_below`, `w_below`,
    `width_above`, `w_above` (empty at an end). Undefined numbers are empty.
    """
    curves = Curves.of(tables)
    rows = [
        {
            "study": curves.study,
            "dataset": dataset,
            "epoch": epoch,
            "neurons": neurons,
            "source": source,
            **_peak(
                curves.widths,
                curves.values(dataset, epoch, f"normality_{neurons}", "train", source),
                curves.seeds_with(dataset, epoch, f"normality_{neurons}", "train"),
            ),
        }
        for dataset in curves.datasets
        for epoch in curves.epochs
        for neurons in ("all", "living")
        for source in (NETWORK, POOLED)
    ]
    return pd.DataFrame(rows)


def _peak(widths: Array, values: Array, n: int) -> dict[str, float | str]:
    """Columns of one curve, (widths, seeds), or (widths, 1) if pooled over `n` seeds."""
    defined = np.isfinite(values).any(axis=1)
    widths, values = widths[defined], values[defined]
    values = values[:, np.isfinite(values).any(axis=0)] if len(widths) else values[:, :0]
    columns = values.shape[1]
    row: dict[str, float | str] = dict.fromkeys(NUMBERS, math.nan)
    row |= {"n": n, "edge": ""}
    if not columns:
        return row
    w = mean_over_seeds(values)
    best = int(np.argmax(w))
    row |= {"width": widths[best], "w": w[best]}
    if columns > 1:
        found = bootstrap_argmax(values)
        at_best = mean_interval(values[best][np.isfinite(values[best])])
        row |= {"low": widths[found.low], "high": widths[found.high], "share": found.shares[best]}
        row |= {"w_low": at_best.low, "w_high": at_best.high}
    if best > 0:
        row |= {"width_below": widths[best - 1], "w_below": w[best - 1]}
    else:
        row["edge"] = "smallest"
    if best < len(widths) - 1:
        row |= {"width_above": widths[best + 1], "w_above": w[best + 1]}
    else:
        row["edge"] = "largest"
    return row
