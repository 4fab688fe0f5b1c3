"""Whether fewer multiply-adds are less time: the speed-up that is counted beside the one that a clock shows."""

import math
from typing import Any

import pandas as pd

from sidestep import variants
from sidestep.analyses.pareto import costs, ratio
from sidestep.tables import Tables

COLUMNS = [
    *("study", "dataset", "variant", "layer", "taught", "counted"),
    *("real_forward", "real_forward_low", "real_forward_high", "real_step", "slower"),
]


def analyse(tables: Tables) -> pd.DataFrame:
    """One row per data set and variant whose inference was timed.

    Columns: `study`, `dataset`, `variant`; `layer` in the place of convolutions, `narrower`, `shallower` or `dense`;
    `taught`, 1 if it had a teacher; `counted`, the baseline's multiply-adds of an image by closed forms over its own;
    `real_forward`, the baseline's seconds of inference of an image over its own, both medians, with `real_forward_low`
    and `real_forward_high`, where each is at the quartile that makes the ratio least or most (no interval of the
    mean; of the baseline itself all are 1); `real_step`, the baseline's seconds of a training step over its own, a
    taught one's with its teacher; `slower`, 1 where multiply-adds are fewer and inference takes longer all the same.
    All ratios are empty where the baseline was not timed or counted.
    """
    study, known = tables.study, costs(tables)
    rows: list[dict[str, Any]] = []
    for dataset in study.datasets:
        whole = known[dataset, study.baseline]
        for variant in study.variants:
            cost = known[dataset, variant.name]
            if math.isnan(cost["seconds_forward"]):
                continue
            low, high = "seconds_forward_low", "seconds_forward_high"
            if variant.name == study.baseline:
                low = high = "seconds_forward"
            counted = ratio(whole["mult_adds"], cost["mult_adds"])
            real = ratio(whole["seconds_forward"], cost["seconds_forward"])
            rows.append(
                {
                    "study": study.name,
                    "dataset": dataset,
                    "variant": variant.name,
                    "layer": variants.layer(variant.run),
                    "taught": int(variants.taught(variant.run)),
                    "counted": counted,
                    "real_forward": real,
                    "real_forward_low": ratio(whole[low], cost[high]),
                    "real_forward_high": ratio(whole[high], cost[low]),
                    "real_step": ratio(whole["seconds_per_step"], cost["seconds_per_step"]),
                    "slower": int(counted > 1 > real),
                }
            )
    return pd.DataFrame(rows, columns=COLUMNS)
