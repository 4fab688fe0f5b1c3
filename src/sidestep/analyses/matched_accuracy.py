"""Is a layer that sized itself better than a plain one of the size that it came to?

The journal compared networks with different weight decay (trap T3-11). Here a plain layer is built as
large as the other has become, with the same seed, optimiser and decay, and is trained as long.
"""

import math
from typing import Any

import pandas as pd

from sidestep import sizing
from sidestep.analyses.shared.finals import Finals, apart, finals, mean
from sidestep.analyses.shared.sizes import bare, sizes
from sidestep.study import Study
from sidestep.tables import Tables

MATCHED, BEST = "matched", "best"
IMAGES = ("train", "test")
COLUMNS = [
    *("study", "dataset", "variant", "method", "price", "decay", "size", "against", "other"),
    *("images", "pairs", "difference", "low", "high", "separates"),
]


def analyse(tables: Tables) -> pd.DataFrame:
    """Four rows per data set and variant that has a matched one: against two others, on two splits.

    Columns: `study`, `dataset`, `variant`, its `method`, `price` (nats a used neuron) and weight `decay`; `size`, the
    mean number of neurons used at the last evaluation over the seeds that finished; `against`, `matched`, the plain
    layer of the size that the variant has come to with the same seed, or `best`, the static variant of the highest
    mean test accuracy on the data set, whatever its size; `other`, the name of that variant, empty if there is none;
    `images`, `train` or `test`; over the `pairs` of seeds that finished in both, the `difference` of accuracy on them
    at the last evaluation, `variant` minus `other`, with its 95 % t interval (`low`, `high`) and `separates`, 1
    where that excludes 0. The best one is chosen by the test images on which it is compared, which favours it.
    """
    study, ends = tables.study, finals(tables)
    known = sizes(tables, ends)
    rows: list[dict[str, Any]] = []
    for dataset in study.datasets:
        others = {BEST: best(study, ends, dataset)}
        for variant in study.variants:
            others[MATCHED] = sizing.matched(study, variant.name)
            if not others[MATCHED]:
                continue
            for against in (MATCHED, BEST):
                for images in IMAGES:
                    accuracies = [
                        ends.of(dataset, name, images, "accuracy")
                        for name in (variant.name, others[against])
                    ]
                    rows.append(
                        {
                            "study": study.name,
                            "dataset": dataset,
                            "variant": variant.name,
                            "method": sizing.method(variant.run),
                            "price": sizing.price(variant.run),
                            "decay": sizing.decay(variant.run),
                            "size": mean(known[dataset, variant.name]["size"])["mean"],
                            "against": against,
                            "other": others[against],
                            "images": images,
                            **bare(apart(*accuracies)),
                        }
                    )
    return pd.DataFrame(rows, columns=COLUMNS)


def best(study: Study, ends: Finals, dataset: str) -> str:
    """The static variant of the highest mean test accuracy, the first of equals; empty if none is known."""
    found = {
        variant.name: mean(ends.of(dataset, variant.name, "test", "accuracy"))["mean"]
        for variant in study.variants
        if sizing.method(variant.run) == "static"
    }
    known = {name: accuracy for name, accuracy in found.items() if not math.isnan(accuracy)}
    return max(known, key=lambda name: known[name], default="")
