"""Which verdicts extrapolate: from the first epochs to the last, and from one data set to the other?"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from sidestep.analyses.shared.curves import (
    Array,
    Curves,
    Verdict,
    agreement,
    saturation_of,
    verdict,
)
from sidestep.settings import Fraction
from sidestep.statistics.bootstrap import Rule
from sidestep.statistics.octaves import Octaves, difference_in_octaves
from sidestep.statistics.size_rules import SIZE_RULES
from sidestep.tables import Tables

LATER, OTHER = "later epochs", "other dataset"


@dataclass(frozen=True)
class _Asked:
    """A metric with the rule that is asked of it."""

    metric: str
    images: str
    rule: str
    says: Rule


def analyse(
    tables: Tables, *, margin: Fraction = 0.001, easy: str = "mnist", hard: str = "fashion_mnist"
) -> pd.DataFrame:
    """Rows of two questions.

    Columns: `study, question, dataset, metric, images, rule, epoch, width, low, high, target_epoch, target_width,
    target_low, target_high, octaves, octaves_low, octaves_high, n, outcome`.

    - `question` `later epochs`: per data set, rule and recorded epoch: the verdict at `epoch` (`width` with bootstrap
      interval, as in the verdicts) against the width where test accuracy saturates at the last epoch (`target_…`);
      `octaves` is log₂(width / target_width), seeds resampled together. `outcome`: `agrees`, `earlier`, `later`,
      `never`, `not defined`. Metric `accuracy` is the accuracy's own saturation at that epoch: what one gets without
      any metric.
    - `other dataset`: per rule and recorded epoch, `dataset` empty: `width` is the verdict on the easy data set and
      `target_width` that on the hard one, `octaves` hard − easy. `outcome`: `same order` or `opposite order` as the
      test saturation of the two data sets, where both differences have intervals that exclude 0, else `not
      separated` or `not defined`.
    """
    curves = Curves.of(tables)
    saturates = saturation_of(margin)
    asked = [
        _Asked("accuracy", "test", "margin", saturates),
        *(_Asked(rule.metric, rule.images, rule.rule, rule.says) for rule in SIZE_RULES),
    ]
    rows = [
        *_later_epochs(curves, asked, saturates),
        *_other_dataset(curves, asked, saturates, easy, hard),
    ]
    return pd.DataFrame([{"study": curves.study, **row} for row in rows])


def _later_epochs(
    curves: Curves, asked: list[_Asked], saturates: Rule
) -> Iterator[dict[str, object]]:
    last = curves.epochs[-1]
    for dataset in curves.datasets:
        test = curves.values(dataset, last, "accuracy", "test")
        target = verdict(saturates, curves.widths, test)
        for one in asked:
            for epoch in curves.epochs:
                values = curves.values(dataset, epoch, one.metric, one.images)
                said = verdict(one.says, curves.widths, values)
                apart = difference_in_octaves(curves.widths, one.says, values, saturates, test)
                place = {"question": LATER, "dataset": dataset}
                row = _row(place, one, epoch, said, last, target, apart)
                yield row | {"n": _seeds(values, test), "outcome": agreement(said, target)}


def _other_dataset(
    curves: Curves, asked: list[_Asked], saturates: Rule, easy: str, hard: str
) -> Iterator[dict[str, object]]:
    for epoch in curves.epochs:
        both = [curves.values(name, epoch, "accuracy", "test") for name in (hard, easy)]
        order = difference_in_octaves(curves.widths, saturates, both[0], saturates, both[1])
        for one in asked:
            on_easy, on_hard = (
                curves.values(name, epoch, one.metric, one.images) for name in (easy, hard)
            )
            apart = difference_in_octaves(curves.widths, one.says, on_hard, one.says, on_easy)
            said, target = (
                verdict(one.says, curves.widths, values) for values in (on_easy, on_hard)
            )
            place = {"question": OTHER, "dataset": ""}
            row = _row(place, one, epoch, said, epoch, target, apart)
            yield row | {"n": _seeds(on_easy, on_hard), "outcome": same_order(apart, order)}


def same_order(apart: Octaves, order: Octaves) -> str:
    """Whether a verdict puts two data sets in the order in which their accuracy saturates."""
    directions = [direction(apart), direction(order)]
    if None in directions:
        return "not defined"
    if 0 in directions:
        return "not separated"
    return "same order" if directions[0] == directions[1] else "opposite order"


def direction(apart: Octaves) -> int | None:
    """1 or −1 where the interval excludes 0, 0 where it does not, None where it is not defined."""
    if any(map(math.isnan, (apart.estimate, apart.low, apart.high))):
        return None
    return int(apart.low > 0) - int(apart.high < 0)


def _seeds(values: Array, others: Array) -> int:
    """Number of seeds with any value on both sides."""
    return int((np.isfinite(values).any(axis=0) & np.isfinite(others).any(axis=0)).sum())


def _row(
    place: dict[str, str],
    one: _Asked,
    epoch: int,
    said: Verdict,
    target_epoch: int,
    target: Verdict,
    apart: Octaves,
) -> dict[str, object]:
    return {
        **place,
        "metric": one.metric,
        "images": one.images,
        "rule": one.rule,
        "epoch": epoch,
        "width": said.width,
        "low": said.low,
        "high": said.high,
        "target_epoch": target_epoch,
        "target_width": target.width,
        "target_low": target.low,
        "target_high": target.high,
        "octaves": apart.estimate,
        "octaves_low": apart.low,
        "octaves_high": apart.high,
    }
