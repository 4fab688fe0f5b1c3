"""Mean, spread and interval of every scalar metric over seeds, and its paired difference to the baseline."""

import pandas as pd

from sidestep.statistics.intervals import mean_interval, paired_difference
from sidestep.tables import Tables


def analyse(tables: Tables) -> pd.DataFrame:
    """One row per data set, variant, epoch, images and metric.

    Columns: `mean`, `sd`, `n`, `low` and `high` (95 % t interval), and, against the study's
    baseline on the same seeds, `difference`, `difference_low`, `difference_high`. Curves are left
    out.
    """
    study, frame = tables.study, tables.main
    single = frame[
        frame["component"].isna() & ~frame["seed"].isin(["", "pooled"]) & frame["value"].notna()
    ]
    single = single.astype({"epoch": int})
    keys = ["dataset", "variant", *study.columns, "epoch", "images", "metric"]
    shared = ["dataset", "epoch", "images", "metric"]
    baselines = {
        key: dict(zip(group["seed"].astype(int), group["value"], strict=True))
        for key, group in single[single["variant"] == study.baseline].groupby(shared)
    }
    rows = []
    for key, group in single.groupby(keys, sort=False, dropna=False):
        place = dict(zip(keys, key, strict=True))
        values = dict(zip(group["seed"].astype(int), group["value"], strict=True))
        found = mean_interval(list(values.values()))
        row = {
            "study": study.name,
            **place,
            "mean": found.mean,
            "sd": found.sd,
            "n": found.n,
            "low": found.low,
            "high": found.high,
        }
        baseline = baselines.get(tuple(place[column] for column in shared), {})
        if set(values) & set(baseline):
            apart = paired_difference(values, baseline)
            row |= {
                "difference": apart.mean,
                "difference_low": apart.low,
                "difference_high": apart.high,
            }
        rows.append(row)
    return pd.DataFrame(rows)
