"""Whether a layer that sizes itself comes to the same size from every start, as the journal claimed.

The journal's plots of before 4 November 2017 cannot tell: the starting size was ignored (trap T3-5).
"""

from typing import Any

import pandas as pd

from sidestep import sizing
from sidestep.analyses.pareto import ratio
from sidestep.analyses.shared.finals import apart, finals, mean
from sidestep.analyses.shared.sizes import bare, sizes
from sidestep.tables import Tables

COLUMNS = [
    *("study", "dataset", "method", "price", "decay", "members", "low_variant", "high_variant"),
    *("low_start", "high_start", "pairs", "low_size", "high_size"),
    *("difference", "low", "high", "separates", "ratio"),
    *("dependence", "dependence_low", "dependence_high"),
    *("accuracy_difference", "accuracy_low", "accuracy_high", "accuracy_separates"),
]


def analyse(tables: Tables) -> pd.DataFrame:
    """One row per data set and group of variants that differ in where they start alone.

    Columns: `study`, `dataset`; `method`, `price` (nats a used neuron) and weight `decay` of the group's `members`, a
    number of variants; of these the two that start lowest and highest, `low_variant` and `high_variant`, with
    their starts `low_start` and `high_start` in neurons. Of the first gated stage at the last evaluation: `low_size`
    and `high_size`, mean sizes in neurons over the seeds of each that finished, and `ratio`, the latter over the
    former; over the `pairs` of seeds that finished in both, the `difference` of sizes, from the high start minus
    from the low one, with its 95 % t interval (`low`, `high`) and `separates`, 1 where that excludes 0.
    `dependence` is the difference over that of the starts (`dependence_low`, `dependence_high`): 0 where the start
    is forgotten, 1 where nothing moved, or moved alike; empty where the starts are equal. `accuracy_difference` is
    that of test accuracy, paired alike, with its interval (`accuracy_low`, `accuracy_high`) and `accuracy_separates`.
    """
    study, ends = tables.study, finals(tables)
    known = sizes(tables, ends)
    rows: list[dict[str, Any]] = []
    for dataset in study.datasets:
        for group in sizing.from_every_start(study):
            least, most = group[0], group[-1]
            from_low, from_high = (known[dataset, v.name]["size"] for v in (least, most))
            starts = sizing.start(least.run), sizing.start(most.run)
            between = bare(apart(from_high, from_low))
            accuracy = bare(
                apart(*(ends.of(dataset, v.name, "test", "accuracy") for v in (most, least)))
            )
            sizes_of = mean(from_low)["mean"], mean(from_high)["mean"]
            distance = starts[1] - starts[0]
            rows.append(
                {
                    "study": study.name,
                    "dataset": dataset,
                    "method": sizing.method(least.run),
                    "price": sizing.price(least.run),
                    "decay": sizing.decay(least.run),
                    "members": len(group),
                    "low_variant": least.name,
                    "high_variant": most.name,
                    "low_start": starts[0],
                    "high_start": starts[1],
                    "low_size": sizes_of[0],
                    "high_size": sizes_of[1],
                    **between,
                    "ratio": ratio(sizes_of[1], sizes_of[0]),
                    "dependence": ratio(between["difference"], distance),
                    "dependence_low": ratio(between["low"], distance),
                    "dependence_high": ratio(between["high"], distance),
                    **{
                        f"accuracy_{key}": accuracy[key]
                        for key in ("difference", "low", "high", "separates")
                    },
                }
            )
    return pd.DataFrame(rows, columns=COLUMNS)
