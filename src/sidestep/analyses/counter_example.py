"""Can a metric of a layer tell that it is large enough? The journal's counter-example, run for real.

The same networks look at noise that they have labelled themselves, on which they are perfect: whatever the size, it
is large enough now. Metrics of the weights cannot change; metrics of the activations can.
"""

import math
from collections.abc import Iterator

import numpy as np
import pandas as pd

from sidestep.analyses.shared.curves import Array, Curves, saturation_of, verdict
from sidestep.settings import Fraction
from sidestep.statistics.bootstrap import mean_over_seeds
from sidestep.statistics.intervals import Interval, mean_interval, separates
from sidestep.statistics.octaves import difference_in_octaves
from sidestep.statistics.size_rules import SIZE_RULES, why_it_cannot_change
from sidestep.tables import Tables

COLUMNS = (
    "study",
    "dataset",
    "epoch",
    "kind",
    "metric",
    "rule",
    "width",
    "n",
    "real",
    "noise",
    "difference",
    "low",
    "high",
    "outcome",
    "reason",
)
# Metrics without a rule; those with one are added.
MORE = ("sum_of_spread", "sum_of_variance", "mean_spread", "dead_neurons")


def analyse(tables: Tables, *, margin: Fraction = 0.001) -> pd.DataFrame:
    """Rows of four kinds per data set, at the last recorded epoch.

    Columns: `study, dataset, epoch, kind, metric, rule, width, n, real, noise, difference, low, high, outcome,
    reason`.

    - `kind` `value`: per width and metric, the mean over seeds on the training images (`real`) and on the `noise`,
      the paired `difference` noise − real with t interval. `outcome`: `changes` (interval excludes 0), `not
      separated`, `cannot change` (`reason` says why; noise equals real) or `not defined`.
    - `verdict`: per metric and rule, without `width`: the width that the rule calls large enough on the training
      images (`real`) and on the noise, `inf` for never; `difference`, noise against real, in octaves with
      bootstrap interval. `outcome` as above, and `both never` where neither speaks.
    - `width`: per width, metric `accuracy`: mean test accuracy (`real`), accuracy on the noise, which must be 1;
      `difference`, best mean test accuracy minus this one, with paired t interval. `outcome`: `counter-example`
      (perfect on the noise, and the whole interval above `margin`), `possible` (perfect on the noise and below the
      test saturation, but the interval does not carry it), `large enough`, `not perfect` or `not defined`.
    - `summary`: one row: `width`, the largest counter-example (empty if none), `n`, how many widths are one;
      `outcome`: `exists`, `possible` or `none`.

    Args:
        tables: of the study, which has a column `width`.
        margin: of accuracy below the best that counts as saturated.
    """
    curves = Curves.of(tables)
    epoch = curves.epochs[-1]
    rows = [
        {"study": curves.study, "dataset": dataset, "epoch": epoch, **row}
        for dataset in curves.datasets
        for part in (_values, _verdicts)
        for row in part(curves, dataset, epoch)
    ]
    for dataset in curves.datasets:
        place = {"study": curves.study, "dataset": dataset, "epoch": epoch}
        rows += [place | row for row in _widths(curves, dataset, epoch, margin)]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _values(curves: Curves, dataset: str, epoch: int) -> Iterator[dict[str, object]]:
    ruled = {rule.metric: rule.images for rule in SIZE_RULES}
    for metric, images in {**dict.fromkeys(MORE, "train"), **ruled}.items():
        real = curves.values(dataset, epoch, metric, images)
        reason = why_it_cannot_change(metric)
        # A function of the weights alone is the same number on any images.
        noise = curves.values(dataset, epoch, metric, images and "noise")
        for width, one, other in zip(curves.widths, real, noise, strict=True):
            both = np.isfinite(one) & np.isfinite(other)
            apart = mean_interval(other[both] - one[both])
            fixed = "not defined" if images else "cannot change"
            outcome = fixed if reason else _changes(apart)
            yield {
                "kind": "value",
                "metric": metric,
                "rule": "",
                "width": int(width),
                **_numbers(_mean(one), _mean(other), apart),
                "outcome": outcome,
                "reason": reason,
            }


def _verdicts(curves: Curves, dataset: str, epoch: int) -> Iterator[dict[str, object]]:
    for rule in SIZE_RULES:
        real = curves.values(dataset, epoch, rule.metric, rule.images)
        noise = curves.values(dataset, epoch, rule.metric, rule.images and "noise")
        reason = why_it_cannot_change(rule.metric)
        on_real, on_noise = (verdict(rule.says, curves.widths, x) for x in (real, noise))
        apart = difference_in_octaves(curves.widths, rule.says, noise, rule.says, real)
        if reason:
            outcome = "not defined" if rule.images else "cannot change"
        elif math.isinf(on_real.width) and math.isinf(on_noise.width):
            outcome = "both never"
        elif any(map(math.isnan, (apart.estimate, apart.low, apart.high))):
            outcome = "not defined"
        else:
            outcome = "changes" if apart.low > 0 or apart.high < 0 else "not separated"
        n = int((np.isfinite(real).any(axis=0) & np.isfinite(noise).any(axis=0)).sum())
        yield {
            "kind": "verdict",
            "metric": rule.metric,
            "rule": rule.rule,
            "width": None,
            "n": n,
            "real": on_real.width,
            "noise": on_noise.width,
            "difference": apart.estimate,
            "low": apart.low,
            "high": apart.high,
            "outcome": outcome,
            "reason": reason,
        }


def _widths(curves: Curves, dataset: str, epoch: int, margin: float) -> Iterator[dict[str, object]]:
    """Which widths the test accuracy calls too small although the network is perfect on the noise."""
    test = curves.values(dataset, epoch, "accuracy", "test")
    noise = curves.values(dataset, epoch, "accuracy", "noise")
    saturated = verdict(saturation_of(margin), curves.widths, test)
    means = mean_over_seeds(test)
    found: dict[str, list[int]] = {}
    for width, one, other in zip(curves.widths, test, noise, strict=True):
        labelled = other[np.isfinite(other)]
        each = (test[int(np.nanargmax(means))] if np.isfinite(means).any() else one) - one
        apart = mean_interval(each[np.isfinite(each)])
        if math.isnan(saturated.width) or not len(labelled) or not np.isfinite(one).any():
            outcome = "not defined"
        elif (labelled < 1).any():
            outcome = "not perfect"
        elif width >= saturated.width:
            outcome = "large enough"
        else:
            outcome = "counter-example" if apart.low > margin else "possible"
        found.setdefault(outcome, []).append(int(width))
        yield {
            "kind": "width",
            "metric": "accuracy",
            "rule": "margin",
            "width": int(width),
            **_numbers(_mean(one), _mean(other), apart),
            "outcome": outcome,
            "reason": "",
        }
    examples = found.get("counter-example", [])
    yield {
        "kind": "summary",
        "metric": "accuracy",
        "rule": "margin",
        "width": max(examples, default=None),
        "n": len(examples),
        "outcome": "exists" if examples else "possible" if "possible" in found else "none",
        "reason": "",
    }


def _changes(apart: Interval) -> str:
    if math.isnan(apart.low):
        return "not defined"
    return "changes" if separates(apart) else "not separated"


def _numbers(real: float, noise: float, apart: Interval) -> dict[str, float]:
    return {
        "n": apart.n,
        "real": real,
        "noise": noise,
        "difference": apart.mean,
        "low": apart.low,
        "high": apart.high,
    }


def _mean(values: Array) -> float:
    return float(mean_over_seeds(values[None, :])[0])
