"""Are the outgoing weights of a flexible layer's unused neurons gone, or as they were drawn?

The journal explained why its flexible layer stopped growing by a picture of them: with weight decay they are
0, so that letting one more neuron in costs and brings nothing; without it they are as noisy as at first.
"""

import math
from typing import Any

import numpy as np
import pandas as pd

from sidestep import sizing
from sidestep.analyses.shared.finals import Finals, Values, finals
from sidestep.statistics.intervals import mean_interval
from sidestep.tables import Tables
from sidestep.variants import Run

COLUMNS = [
    *("study", "dataset", "variant", "decay", "price", "n", "inside", "outside"),
    *("ratio", "ratio_low", "ratio_high", "initial", "outside_share", "share_low", "share_high"),
]
# A neuron with a factor above the first is used, one with a factor below the second is switched off.
ON, OFF = 0.99, 0.01


def analyse(tables: Tables) -> pd.DataFrame:
    """One row per data set and variant with a flexible layer.

    Columns: `study`, `dataset`, `variant`; the optimiser's `decay` and the `price` of a neuron (nats); `n`, seeds that
    finished and have neurons of both kinds, over which all means are: `inside` and `outside`, the mean absolute
    outgoing weight of neurons with a factor above 0.99 and below 0.01 at the last epoch; `ratio`, outside / inside,
    with its 95 % t interval (`ratio_low`, `ratio_high`); `initial`, what PyTorch's initialisation gives a layer that
    reads N neurons on average, 1 / (2 √N); `outside_share`, outside / initial, with its interval (`share_low`,
    `share_high`).

    Args:
        tables: of the study, with the metric `gate_profile`.
    """
    study, its = tables.study, weights(tables, finals(tables))
    rows = []
    for dataset in study.datasets:
        for variant in study.variants:
            if not sizing.method(variant.run).startswith("flexible"):
                continue
            drawn = initial(variant.run)
            rows.append(
                {
                    "study": study.name,
                    "dataset": dataset,
                    "variant": variant.name,
                    "decay": sizing.decay(variant.run),
                    "price": sizing.price(variant.run),
                    "initial": drawn,
                    **_weights(its.get((dataset, variant.name), ({}, {})), drawn),
                }
            )
    return pd.DataFrame(rows, columns=COLUMNS)


def initial(run: Run) -> float:
    """Mean absolute weight that reads a neuron before training, 1 / (2 √N); `nan` without a known N."""
    count = sizing.neurons(run)
    return 0.5 / math.sqrt(count) if count else math.nan


def weights(tables: Tables, ends: Finals) -> dict[tuple[str, str], tuple[Values, Values]]:
    """Data set and variant → seed → mean absolute outgoing weight of used neurons, and of those switched off.

    Seeds that diverged are left out, and those without a neuron of either kind.
    """
    frame = tables.main
    chosen = frame[frame["metric"].isin(["gate_scale", "gate_outgoing"])]
    found: dict[tuple[str, str], tuple[Values, Values]] = {}
    keys = ["dataset", "variant", "seed"]
    for (dataset, variant, number), its in chosen.groupby(keys, sort=False):
        place, seed = (str(dataset), str(variant)), int(str(number))
        both = its.pivot(index="component", columns="metric", values="value")
        used = both["gate_outgoing"][both["gate_scale"] > ON]
        off = both["gate_outgoing"][both["gate_scale"] < OFF]
        # Where all weights inside are 0 there is no ratio.
        if seed not in ends.lost.get(place, ()) and len(off) and used.any():
            inside, outside = found.setdefault(place, ({}, {}))
            inside[seed], outside[seed] = float(used.mean()), float(off.mean())
    return found


def _weights(both: tuple[Values, Values], drawn: float) -> dict[str, Any]:
    inside, outside = both
    ratio = mean_interval([outside[seed] / inside[seed] for seed in inside])
    share = mean_interval([value / drawn for value in outside.values()])
    return {
        "n": len(inside),
        "inside": float(np.mean([*inside.values()])) if inside else math.nan,
        "outside": float(np.mean([*outside.values()])) if outside else math.nan,
        "ratio": ratio.mean,
        "ratio_low": ratio.low,
        "ratio_high": ratio.high,
        "outside_share": share.mean,
        "share_low": share.low,
        "share_high": share.high,
    }
