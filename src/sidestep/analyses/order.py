"""Which variant of a setting ends better than which: every pair, over the seeds that finished in both."""

import itertools
import math
from typing import Any

import pandas as pd

from sidestep import variants
from sidestep.analyses.shared.finals import finals
from sidestep.statistics.intervals import paired_difference, separates
from sidestep.tables import Tables

COLUMNS = [
    *("study", "dataset", "setting", "better", "worse", "better_method", "worse_method"),
    *("pairs", "difference", "low", "high", "separates"),
]


def analyse(tables: Tables) -> pd.DataFrame:
    """One row per data set, setting and unordered pair of its variants.

    Columns: `study`, `dataset`; `setting`, the network and what is done to images, in words; `better`, the
    variant with the higher mean test accuracy at the last evaluation over the `pairs` of seeds that
    finished in both (the earlier one of the study where they are equal or there is no pair), and `worse`;
    `better_method`, `worse_method`; `difference` of these means (at least 0) with `low` and `high`, its
    95 % t interval, paired by seed; `separates`, 1 where that excludes 0.
    """
    study, ends = tables.study, finals(tables)
    rows: list[dict[str, Any]] = []
    for dataset in study.datasets:
        for setting, group in variants.by_setting(study).items():
            for pair in itertools.combinations(group, 2):
                better, worse = pair
                values = {
                    variant.name: ends.of(dataset, variant.name, "test", "accuracy")
                    for variant in pair
                }
                found = paired_difference(values[better.name], values[worse.name])
                if not math.isnan(found.mean) and found.mean < 0:
                    better, worse = worse, better
                    found = paired_difference(values[better.name], values[worse.name])
                rows.append(
                    {
                        "study": study.name,
                        "dataset": dataset,
                        "setting": setting,
                        "better": better.name,
                        "worse": worse.name,
                        "better_method": variants.method(better.run),
                        "worse_method": variants.method(worse.run),
                        "pairs": found.n,
                        "difference": found.mean,
                        "low": found.low,
                        "high": found.high,
                        "separates": int(separates(found)),
                    }
                )
    return pd.DataFrame(rows, columns=COLUMNS)
