"""How long each variant takes to a loss or an accuracy, and how much loss it has on the way.

A target is reached at the first evaluation that shows it, as benchmarks of training speed count it
(Mattson et al. 2020, MLPerf; Dahl et al. 2023, AlgoPerf), and nothing is interpolated: what happens
between two evaluations was not seen. The evaluation before bounds the moment from the other side.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from sidestep.analyses.shared import timeline
from sidestep.settings import Fractions, Positives
from sidestep.statistics.intervals import Interval, mean_interval
from sidestep.tables import Tables

LOSS, ACCURACY, AREA = "loss", "accuracy", "area"
COLUMNS = [
    *("study", "dataset", "variant", "quantity", "target", "unit", "horizon", "seeds", "reached"),
    *("never", "mean", "low", "high", "before", "steps", "pairs", "difference"),
    *("difference_low", "difference_high", "ratio", "ratio_low", "ratio_high", "separates"),
]


@dataclass(frozen=True)
class _Reached:
    """What one seed took: at the first evaluation that shows it, and at the one before."""

    value: float
    before: float
    step: float


def analyse(
    tables: Tables, *, losses: Positives = (0.5, 0.2, 0.1), accuracies: Fractions = (0.9, 0.95)
) -> pd.DataFrame:
    """One row per data set, variant and target; on the test images, which choose nothing.

    Columns: `study`, `dataset`, `variant`; `quantity`: `loss` (nats, at most the target), `accuracy`
    (at least the target), or `area`, under the curve of loss against seconds, straight between
    evaluations, up to the `horizon` (seconds of the data set's longest variant) with the last loss
    held; `target` (empty for the area); `unit` (`s`, or `nats s`); `seeds` with a curve; `reached`,
    how many reached it, or have an area, and `never`, the others: a run that diverged reaches what it
    reached before and has no area. Over the seeds that reached it: `mean`, with `low` and
    `high`, a 95 % t interval that covers the time between two evaluations too: from the lower bound
    for the evaluations before, when it was not reached yet, to the upper bound for those that show it;
    `before` (the mean of the former); `steps` (the mean). Against the study's baseline, over the
    `pairs` of seeds where both reached it: `difference` and geometric-mean `ratio`, each with `_low`
    and `_high` that cover the time between evaluations of both in the same way; `separates`, 1 where
    the interval of the difference excludes 0. A data set that was not timed has `steps` alone.

    Args:
        tables: of the study.
        losses: targets of the loss.
        accuracies: targets of the accuracy.
    """
    study = tables.study
    curves = timeline.history(tables)
    wrong = timeline.diverged(curves)
    phases = timeline.phases(tables)
    curves = curves[curves["split"] == "test"]
    rows: list[dict[str, Any]] = []
    for dataset in study.datasets:
        whole = curves[curves["dataset"] == dataset]
        cells = {
            variant.name: whole[whole["variant"] == variant.name] for variant in study.variants
        }
        ends = [
            timeline.boundaries(phases[dataset, variant.name])[-1:] for variant in study.variants
        ]
        horizon = max((end[0] for end in ends if end), default=math.nan)
        targets = [(LOSS, goal) for goal in losses] + [(ACCURACY, goal) for goal in accuracies]
        for quantity, goal in (*targets, (AREA, math.nan)):
            found = {}
            for variant in study.variants:
                its = cells[variant.name]
                seeds = {
                    seed for name, other, seed in wrong if (name, other) == (dataset, variant.name)
                }
                if quantity == AREA:
                    found[variant.name] = _areas(its, horizon, seeds)
                else:
                    found[variant.name] = _times(its, quantity, goal)
            for name, mine in found.items():
                rows.append(
                    {
                        "study": study.name,
                        "dataset": dataset,
                        "variant": name,
                        "quantity": quantity,
                        "target": goal,
                        "unit": "nats s" if quantity == AREA else "s",
                        "horizon": horizon,
                        **_row(mine, found[study.baseline]),
                    }
                )
    return pd.DataFrame(rows, columns=COLUMNS)


def _times(cell: pd.DataFrame, quantity: str, goal: float) -> dict[int, _Reached | None]:
    """Per seed, when the quantity first is as good as the goal; None where it never is."""
    found: dict[int, _Reached | None] = {}
    for seed, curve in cell[cell["quantity"] == quantity].groupby("seed", sort=False):
        curve = curve.sort_values("step")
        good = curve["value"] <= goal if quantity == LOSS else curve["value"] >= goal
        found[int(str(seed))] = None
        if good.any():
            first = int(np.argmax(good.to_numpy()))
            seconds = curve["seconds"].to_numpy(dtype=float)
            found[int(str(seed))] = _Reached(
                seconds[first], seconds[max(first - 1, 0)], float(curve["step"].iloc[first])
            )
    return found


def _areas(cell: pd.DataFrame, horizon: float, diverged: set[int]) -> dict[int, _Reached | None]:
    """Per seed, the area under the loss in nats times seconds; None for a run that diverged."""
    found: dict[int, _Reached | None] = {}
    for seed, curve in cell[cell["quantity"] == LOSS].groupby("seed", sort=False):
        curve = curve.sort_values("step")
        seconds, values = (curve[name].to_numpy(dtype=float) for name in ("seconds", "value"))
        area = float(np.trapezoid(values, seconds) + values[-1] * (horizon - seconds[-1]))
        key = int(str(seed))
        found[key] = None if key in diverged else _Reached(area, area, math.nan)
    return found


def _row(
    cells: dict[int, _Reached | None], baseline: dict[int, _Reached | None]
) -> dict[str, float]:
    mine, theirs = _reached(cells), _reached(baseline)
    seeds = sorted(mine.keys() & theirs.keys())
    value = mean_interval([each.value for each in mine.values()])
    before = mean_interval([each.before for each in mine.values()])
    found = {
        "seeds": len(cells),
        "reached": len(mine),
        "never": len(cells) - len(mine),
        "mean": value.mean,
        "low": before.low,
        "high": value.high,
        "before": before.mean,
        "steps": mean_interval([each.step for each in mine.values()]).mean,
        "pairs": len(seeds),
    }
    if cells is baseline:
        # To itself it is equal, however coarse its evaluations; `nan` where it was not timed.
        known = [0.0 * each.value for each in mine.values()]
        least = most = apart = mean_interval(known)
        smallest = largest = ratio = mean_interval([1.0 + zero for zero in known])
    else:
        pairs = [(mine[seed], theirs[seed]) for seed in seeds]
        apart = mean_interval([a.value - b.value for a, b in pairs])
        least = mean_interval([a.before - b.value for a, b in pairs])
        most = mean_interval([a.value - b.before for a, b in pairs])
        ratio = _ratio([(a.value, b.value) for a, b in pairs])
        smallest = _ratio([(a.before, b.value) for a, b in pairs])
        largest = _ratio([(a.value, b.before) for a, b in pairs])
    return found | {
        "difference": apart.mean,
        "difference_low": least.low,
        "difference_high": most.high,
        "ratio": ratio.mean,
        "ratio_low": smallest.low,
        "ratio_high": largest.high,
        "separates": int(least.low > 0 or most.high < 0),
    }


def _reached(cells: dict[int, _Reached | None]) -> dict[int, _Reached]:
    return {seed: each for seed, each in cells.items() if each is not None}


def _ratio(pairs: list[tuple[float, float]]) -> Interval:
    """Geometric mean of the ratios with its interval; without a bound where a part of them is 0."""
    if any(a <= 0 and b <= 0 for a, b in pairs):
        return mean_interval([math.nan] * len(pairs))
    if any(a <= 0 or b <= 0 for a, b in pairs):
        end = 0.0 if any(a <= 0 for a, _ in pairs) else math.inf
        bound = end if len(pairs) > 1 else math.nan
        return Interval(end, math.nan, len(pairs), bound, bound)
    found = mean_interval([math.log(a / b) for a, b in pairs])
    low, high = math.exp(found.low), math.exp(found.high)
    return Interval(math.exp(found.mean), found.sd, found.n, low, high)
