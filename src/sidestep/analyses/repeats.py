"""How much of a result is the seed's: spread over seeds, and variants that are the same but for their names.

The older work had one run of each network; two of its networks were the same without it being noticed.
"""

import itertools
import math
from typing import Any

import pandas as pd

from sidestep import variants
from sidestep.analyses.shared.finals import apart, finals
from sidestep.statistics.intervals import mean_interval
from sidestep.tables import Tables

COLUMNS = [
    *("study", "dataset", "variant", "layer", "taught", "n", "accuracy", "sd", "range"),
    *("other", "pairs", "difference", "low", "high", "separates"),
]


def analyse(tables: Tables) -> pd.DataFrame:
    """One row per data set and variant; then one per data set and pair of variants of equal settings.

    Columns: `study`, `dataset`, `variant`; `layer` in the place of convolutions, `narrower`, `shallower` or `dense`;
    `taught`, 1 if it had a teacher; test accuracy at the last evaluation over its `n` seeds that finished:
    the mean `accuracy`, `sd` (divisor n − 1, empty for one seed) and `range`, the largest minus the least;
    `other`, in rows of pairs the later variant of the study whose runs are equal but for the name, else empty, and then
    so is all that follows: over the `pairs` of seeds that finished in both, the `difference` of test accuracy,
    `variant` minus `other`, with its 95 % t interval (`low`, `high`), and `separates`, 1 where that excludes 0. With
    equal seeds such runs should be equal to the last bit, so a difference tells of what is not repeatable.
    """
    study, ends = tables.study, finals(tables)
    rows: list[dict[str, Any]] = []
    for dataset in study.datasets:
        its: dict[str, dict[str, Any]] = {}
        for variant in study.variants:
            values = ends.of(dataset, variant.name, "test", "accuracy")
            found = mean_interval(list(values.values()))
            its[variant.name] = {
                "study": study.name,
                "dataset": dataset,
                "variant": variant.name,
                "layer": variants.layer(variant.run),
                "taught": int(variants.taught(variant.run)),
                "n": found.n,
                "accuracy": found.mean,
                "sd": found.sd,
                "range": max(values.values()) - min(values.values()) if values else math.nan,
                "other": "",
            }
        rows += its.values()
        for group in variants.differing_in(study):
            for one, other in itertools.combinations(group, 2):
                both = [ends.of(dataset, v.name, "test", "accuracy") for v in (one, other)]
                between = apart(*both)
                between |= {key: between[f"difference_{key}"] for key in ("low", "high")}
                rows.append({**its[one.name], **between, "other": other.name})
    return pd.DataFrame(rows, columns=COLUMNS)
