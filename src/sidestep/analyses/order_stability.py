"""How much an order of neurons changes while the network learns.

The journal asks that "the number of swaps is low and that neurons move a small distance" (seeds/003):
the distance is that of Spearman's footrule (Diaconis & Graham 1977), swaps are what Kendall's tau counts.
"""

import itertools
import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from sidestep import sizing
from sidestep.analyses.shared.finals import Values, finals, spread
from sidestep.analyses.shared.sizes import MEASURES
from sidestep.tables import Tables

Array = npt.NDArray[np.float64]

IMPORTANCE = "importance_"
# Share of the neurons by which a rank must change for its neuron to have moved.
MOVED = 0.01
CHANGES = ("distance", "moved", "tau")
COLUMNS = [
    *("study", "dataset", "variant", "method", "measure", "epoch", "epochs_apart", "n"),
    *(f"{change}{bound}" for change in CHANGES for bound in ("", "_low", "_high")),
]


def analyse(tables: Tables) -> pd.DataFrame:
    """One row per data set, variant whose neurons stay the same ones, measure, and two epochs that follow each other.

    A run whose edits let neurons go and come has no such neurons; nor has, of any other, a seed whose number of
    neurons differs between the two epochs.

    Columns: `study`, `dataset`, `variant`, its `method`; `measure` of importance (`zeroing` is exact); `epoch`, the
    later of two recorded ones, and `epochs_apart`; `n` seeds that finished and have both. Neurons are ranked by their
    importance, equal ones sharing their mean rank. With 95 % t intervals over the seeds: `distance`, the mean absolute
    change of rank of the w neurons over the largest possible, w − 1, times 100 (`distance_low`, `distance_high`; about
    33 between two unrelated orders); `moved`, the share of neurons whose rank changed by more than 1 % of w
    (`moved_low`, `moved_high`); `tau`, Kendall's tau-b between the two orders (`tau_low`, `tau_high`). The distance of
    a single neuron is empty, and so is tau where all neurons of some seed are equal.
    """
    study, ends = tables.study, finals(tables)
    kept = [variant for variant in study.variants if not sizing.edit(variant.run)]
    cells = _cells(tables, [variant.name for variant in kept])
    rows: list[dict[str, Any]] = []
    for dataset in study.datasets:
        for variant in kept:
            lost = ends.lost.get((dataset, variant.name), set())
            for measure in MEASURES:
                its = cells.get((dataset, variant.name, measure), {})
                for earlier, later in itertools.pairwise(sorted(its)):
                    both = {
                        seed: (its[earlier][seed], its[later][seed])
                        for seed in sorted(its[earlier].keys() & its[later].keys() - lost)
                        if len(its[earlier][seed]) == len(its[later][seed])
                    }
                    if not both:
                        continue
                    place = {
                        "study": study.name,
                        "dataset": dataset,
                        "variant": variant.name,
                        "method": sizing.method(variant.run),
                        "measure": measure,
                        "epoch": later,
                        "epochs_apart": later - earlier,
                        "n": len(both),
                    }
                    rows.append(place | _spreads(both))
    return pd.DataFrame(rows, columns=COLUMNS)


def changes(before: Array, after: Array) -> dict[str, float]:
    """How an order changes, each of `CHANGES`.

    Args:
        before: importance of each neuron, (w,).
        after: the same neurons, (w,).
    """
    from scipy import stats  # a second of start-up, for those who need it

    w = len(before)
    moves = np.abs(stats.rankdata(before) - stats.rankdata(after))
    alike = w < 2 or bool(np.ptp(before) == 0) or bool(np.ptp(after) == 0)
    tau = math.nan if alike else float(stats.kendalltau(before, after, variant="b").statistic)
    return {
        "distance": 100 * float(moves.mean()) / (w - 1) if w > 1 else math.nan,
        "moved": float((moves > MOVED * w).mean()),
        "tau": tau,
    }


def _spreads(both: dict[int, tuple[Array, Array]]) -> dict[str, float]:
    each = {seed: changes(*orders) for seed, orders in both.items()}
    found: dict[str, float] = {}
    for change in CHANGES:
        values: Values = {seed: its[change] for seed, its in each.items()}
        found |= spread(values, change)
    return found


def _cells(
    tables: Tables, names: list[str]
) -> dict[tuple[str, str, str], dict[int, dict[int, Array]]]:
    """Data set, variant and measure → epoch → seed → importance of each neuron."""
    frame = tables.main
    metrics = [IMPORTANCE + measure for measure in MEASURES]
    chosen = frame[frame["metric"].isin(metrics) & frame["variant"].isin(names)]
    chosen = chosen[~chosen["seed"].isin(["", "pooled"])].sort_values("component", kind="stable")
    found: dict[tuple[str, str, str], dict[int, dict[int, Array]]] = {}
    keys = ["dataset", "variant", "metric", "epoch", "seed"]
    for key, cell in chosen.groupby(keys, sort=False):
        dataset, variant, metric, _, seed = key
        place = str(dataset), str(variant), str(metric).removeprefix(IMPORTANCE)
        values = cell["value"].to_numpy(dtype=np.float64)
        epoch = int(cell["epoch"].iloc[0])
        found.setdefault(place, {}).setdefault(epoch, {})[int(str(seed))] = values
    return found
