"""The journal's three expectations for a harder data set of the same shape, each tested on paired seeds."""

import math
from collections.abc import Iterator

import numpy as np
import pandas as pd

from sidestep.analyses.shared.curves import Array, Curves, saturation_of
from sidestep.settings import Fraction
from sidestep.statistics.bootstrap import Rule
from sidestep.statistics.intervals import mean_interval
from sidestep.statistics.octaves import difference_in_octaves
from sidestep.statistics.size_rules import SIZE_RULES
from sidestep.tables import Tables

PLATEAU = "plateau later"
RIGHT = "distribution to the right"
VERDICT = "verdict later"


def analyse(
    tables: Tables,
    *,
    easy: str = "mnist",
    hard: str = "fashion_mnist",
    margin: Fraction = 0.001,
) -> pd.DataFrame:
    """One row per recorded epoch and test.

    Columns: `study, easy, hard, epoch`; `expectation`: `plateau later` (accuracy saturates at a larger width),
    `distribution to the right` (mean spread is larger), `verdict later` (a metric's rule speaks at a larger width);
    `metric`, `images`, `rule` (as in the verdicts; empty for spread); `width`, empty for what concerns all widths;
    `unit` (`octaves` or `spread`); `estimate`, hard − easy, with `low` and `high` (bootstrap over seeds for octaves,
    t interval for spread; the row of spread over all widths is the mean over widths); `n` seeds; `outcome`: `holds`
    (interval above 0), `contradicted` (below 0), `not separated` or `not defined`. `estimate` and bounds are `inf`
    where only the hard data set's verdict lies beyond the widths, `-inf` where only the easy one's does; where both
    do there is no estimate, and in a resample it counts as no difference. Without one of the two data sets every
    outcome is `not defined`.

    Args:
        tables: of the study, which has a column `width`.
        easy: data set.
        hard: data set that is expected to need more neurons.
        margin: of accuracy below the best that counts as saturated.
    """
    curves = Curves.of(tables)
    rows = [
        {"study": curves.study, "easy": easy, "hard": hard, "epoch": epoch, **row}
        for epoch in curves.epochs
        for row in _tests(curves, epoch, (easy, hard), margin)
    ]
    return pd.DataFrame(rows)


def _tests(
    curves: Curves, epoch: int, pair: tuple[str, str], margin: float
) -> Iterator[dict[str, object]]:
    """All tests of one epoch."""

    def values(metric: str, images: str) -> tuple[Array, Array]:
        easy, hard = (curves.values(dataset, epoch, metric, images) for dataset in pair)
        return easy, hard

    def octaves(
        expectation: str, metric: str, images: str, rule: str, says: Rule
    ) -> dict[str, object]:
        easy, hard = values(metric, images)
        found = difference_in_octaves(curves.widths, says, hard, says, easy)
        n = int((np.isfinite(easy).any(axis=0) & np.isfinite(hard).any(axis=0)).sum())
        numbers = (found.estimate, found.low, found.high, n)
        return _row(expectation, metric, images, rule, None, "octaves", numbers)

    for images in ("train", "test"):
        yield octaves(PLATEAU, "accuracy", images, "margin", saturation_of(margin))

    easy, hard = values("mean_spread", "train")
    apart = hard - easy
    for width, at_width in zip(curves.widths, apart, strict=True):
        yield _row(RIGHT, "mean_spread", "train", "", int(width), "spread", _spread(at_width))
    # A seed counts only with all its widths: a mean over other widths would not be comparable.
    yield _row(RIGHT, "mean_spread", "train", "", None, "spread", _spread(apart.mean(axis=0)))

    for rule in SIZE_RULES:
        yield octaves(VERDICT, rule.metric, rule.images, rule.rule, rule.says)


def _spread(differences: Array) -> tuple[float, float, float, int]:
    found = mean_interval(differences[np.isfinite(differences)])
    return found.mean, found.low, found.high, found.n


def _row(
    expectation: str,
    metric: str,
    images: str,
    rule: str,
    width: int | None,
    unit: str,
    numbers: tuple[float, float, float, int],
) -> dict[str, object]:
    estimate, low, high, n = numbers
    return {
        "expectation": expectation,
        "metric": metric,
        "images": images,
        "rule": rule,
        "width": width,
        "unit": unit,
        "estimate": estimate,
        "low": low,
        "high": high,
        "n": n,
        "outcome": outcome(estimate, low, high),
    }


def outcome(estimate: float, low: float, high: float) -> str:
    """What an interval of hard − easy says of an expectation that it is positive."""
    if any(map(math.isnan, (estimate, low, high))):
        return "not defined"
    if low > 0:
        return "holds"
    return "contradicted" if high < 0 else "not separated"
