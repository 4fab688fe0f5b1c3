"""Do layers that size themselves become larger on a harder data set?

The journal's flexible layers became smaller, its sparsified ones larger.
"""

import itertools
from typing import Any

import pandas as pd

from sidestep import sizing
from sidestep.analyses.shared.finals import apart, common, finals, mean
from sidestep.analyses.shared.sizes import bare, sizes, start
from sidestep.tables import Tables

COLUMNS = [
    *("study", "variant", "method", "start", "price", "harder", "easier", "pairs"),
    *("harder_size", "easier_size", "difference", "low", "high", "separates"),
]


def analyse(tables: Tables) -> pd.DataFrame:
    """One row per variant whose size moves and pair of data sets.

    Columns: `study`, `variant`, its `method`, `start` (neurons) and `price` (nats a used neuron); the data sets
    `harder` and `easier`, the former being that on which the study's baseline has the lower mean test accuracy at
    the last evaluation (a data set without any is left out); over the `pairs` of seeds that finished on both
    `harder_size` and `easier_size`, mean sizes of the first gated stage at the last evaluation, in neurons, and the
    `difference` of sizes, on the harder minus on the easier one, with its 95 % t interval (`low`, `high`) and
    `separates`, 1 where that excludes 0.
    """
    study, ends = tables.study, finals(tables)
    known = sizes(tables, ends)
    reached = {
        dataset: mean(ends.of(dataset, study.baseline, "test", "accuracy"))["mean"]
        for dataset in study.datasets
    }
    # What is not known is below nothing.
    ordered = [
        (harder, easier)
        for harder, easier in itertools.permutations(study.datasets, 2)
        if reached[harder] < reached[easier]
    ]
    rows: list[dict[str, Any]] = []
    for variant in study.variants:
        if sizing.method(variant.run) in sizing.STILL:
            continue
        for harder, easier in ordered:
            on_harder, on_easier = common(
                *(known[d, variant.name]["size"] for d in (harder, easier))
            )
            rows.append(
                {
                    "study": study.name,
                    "variant": variant.name,
                    "method": sizing.method(variant.run),
                    "start": start(variant.run),
                    "price": sizing.price(variant.run),
                    "harder": harder,
                    "easier": easier,
                    "harder_size": mean(on_harder)["mean"],
                    "easier_size": mean(on_easier)["mean"],
                    **bare(apart(on_harder, on_easier)),
                }
            )
    return pd.DataFrame(rows, columns=COLUMNS)
