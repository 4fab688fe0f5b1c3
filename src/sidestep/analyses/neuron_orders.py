"""Which order of a layer's neurons keeps most, and do cheap orders agree with the exact one?

The journal's perfect order is that of the loss's increase without the neuron; whether a proxy gives the
same order was left open (seeds/003).
"""

from typing import Any

import pandas as pd

from sidestep import sizing
from sidestep.analyses.shared.finals import apart, finals, spread
from sidestep.analyses.shared.sizes import EXACT, MEASURES, PROXIES, RANDOM, lasts
from sidestep.tables import Tables

ORDERS = (*MEASURES, RANDOM)
AREA, CORRELATION = "area_kept_", "rank_correlation_"
COLUMNS = [
    *("study", "dataset", "variant", "method", "measure", "n"),
    *("rank_correlation", "rank_low", "rank_high", "area", "area_low", "area_high"),
    *("below_exact", "below_low", "below_high", "above_random", "above_low", "above_high"),
    "separates",
]


def analyse(tables: Tables) -> pd.DataFrame:
    """One row per data set, variant and measure of importance by which neurons are ordered, if measured.

    Columns: `study`, `dataset`, `variant`, its `method`; `measure`: `zeroing`, the exact increase of the loss without
    the neuron, its proxies `spread`, `incoming_norm`, `outgoing_norm`, `gradient_times_activation` and `fisher`, and
    `random`, the control; `n` seeds that finished. At the last epoch, with 95 % t intervals over these: the
    `rank_correlation` of the proxy with the exact measure (Kendall's tau-b; `rank_low`, `rank_high`), empty for
    `zeroing` and `random`, and where it is not defined for some seed; the `area` (`area_low`, `area_high`), the mean
    accuracy over log2 of the number of neurons kept, most important ones first; `below_exact`, the area of `zeroing`
    minus this one (`below_low`, `below_high`), and `above_random`, this one minus the area of `random` (`above_low`,
    `above_high`), both paired by seed and empty for the measure itself; `separates`, 1 where the interval of
    `above_random` excludes 0.
    """
    study = tables.study
    names = [f"{AREA}{order}" for order in ORDERS] + [f"{CORRELATION}{name}" for name in PROXIES]
    found = lasts(tables, finals(tables), names)
    rows: list[dict[str, Any]] = []
    for dataset in study.datasets:
        for variant in study.variants:
            place = dataset, variant.name
            areas = {order: found.get((*place, AREA + order), {}) for order in ORDERS}
            for order, its in areas.items():
                if not its:
                    continue
                below = apart(areas[EXACT], its if order != EXACT else {})
                above = apart(its if order != RANDOM else {}, areas[RANDOM])
                agreement = spread(found.get((*place, CORRELATION + order), {}), "rank")
                rows.append(
                    {
                        "study": study.name,
                        "dataset": dataset,
                        "variant": variant.name,
                        "method": sizing.method(variant.run),
                        "measure": order,
                        "n": len(its),
                        **agreement,
                        "rank_correlation": agreement["rank"],
                        **spread(its, "area"),
                        "below_exact": below["difference"],
                        "below_low": below["difference_low"],
                        "below_high": below["difference_high"],
                        "above_random": above["difference"],
                        "above_low": above["difference_low"],
                        "above_high": above["difference_high"],
                        "separates": above["separates"],
                    }
                )
    return pd.DataFrame(rows, columns=COLUMNS)
