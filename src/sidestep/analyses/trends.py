"""Does the sum of spread grow like a logarithm of the width, as the journal says, or like a power?

Journal of fastdeepnets, "we obtain a perfect logarithm" (its "variance" is a standard deviation, trap T3-3; both
sums are here).
"""

import math

import numpy as np
import pandas as pd

from sidestep.analyses.shared.curves import Array, Curves
from sidestep.statistics.intervals import mean_interval, separates
from sidestep.statistics.trends import LOGARITHMIC, POWER_LAW, better, logarithmic, power_law
from sidestep.tables import Tables

METRICS = ("sum_of_spread", "sum_of_variance")
NUMBERS = (
    "logarithmic_a",
    "logarithmic_b",
    "logarithmic_b_low",
    "logarithmic_b_high",
    "logarithmic_r_squared",
    "power_a",
    "power_b",
    "power_b_low",
    "power_b_high",
    "power_r_squared",
    "difference",
    "difference_low",
    "difference_high",
)


def analyse(tables: Tables) -> pd.DataFrame:
    """One row per data set, recorded epoch and metric (`sum_of_spread`, `sum_of_variance`; training images).

    Columns: `study, dataset, epoch, metric`; `widths` and `seeds`, how many entered the fits (a seed that diverged
    at some width is left out); on the mean over seeds the fits y = a + b·log₂ w (`logarithmic_a`, `logarithmic_b`,
    growth per octave, `logarithmic_r_squared`) and y = a·w^b (`power_a`, `power_b`, `power_r_squared`); t intervals
    of b over the seeds' own fits (`logarithmic_b_low`, `logarithmic_b_high`, `power_b_low`, `power_b_high`);
    `better` on the mean (`logarithmic`, `power law`, `neither`) and `agreeing`, how many seeds have the same better
    curve; `difference`, `difference_low`, `difference_high`: R²(logarithmic) − R²(power law) over seeds with its t
    interval; `outcome`: `logarithmic` or `power law` where that interval excludes 0, else `not separated`, or
    `not defined` (fewer than 3 widths, no or one seed).
    """
    curves = Curves.of(tables)
    rows = [
        {
            "study": curves.study,
            "dataset": dataset,
            "epoch": epoch,
            "metric": metric,
            **_fits(curves.widths, curves.values(dataset, epoch, metric, "train")),
        }
        for dataset in curves.datasets
        for epoch in curves.epochs
        for metric in METRICS
    ]
    return pd.DataFrame(rows)


def _fits(widths: Array, values: Array) -> dict[str, float | str]:
    """Columns of one data set, epoch and metric; `values` is (widths, seeds)."""
    measured = np.isfinite(values).any(axis=1)
    widths, values = widths[measured], values[measured]
    values = values[:, np.isfinite(values).all(axis=0) & measured.any()]
    count = {"widths": len(widths), "seeds": values.shape[1]}
    if len(widths) < 3 or values.shape[1] == 0:
        empty = dict.fromkeys(NUMBERS, math.nan)
        return count | empty | {"better": "neither", "agreeing": 0, "outcome": "not defined"}
    found = better(widths, values)
    slope = mean_interval([logarithmic(widths, each).b for each in values.T])
    power = mean_interval([power_law(widths, each).b for each in values.T])
    apart = found.difference
    outcome = "not defined" if math.isnan(apart.low) else "not separated"
    if separates(apart):
        outcome = LOGARITHMIC if apart.low > 0 else POWER_LAW
    numbers = (
        found.logarithmic.a,
        found.logarithmic.b,
        slope.low,
        slope.high,
        found.logarithmic.r_squared,
        found.power_law.a,
        found.power_law.b,
        power.low,
        power.high,
        found.power_law.r_squared,
        apart.mean,
        apart.low,
        apart.high,
    )
    words = {"better": found.better, "agreeing": found.agreeing, "outcome": outcome}
    return count | dict(zip(NUMBERS, numbers, strict=True)) | words
