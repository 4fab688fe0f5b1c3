"""What claims on layers that size themselves are held against, and what an interval says to a claim."""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from sidestep import sizing
from sidestep.analyses import harder_sizes, late_loss, matched_accuracy, start_dependence
from sidestep.analyses.shared.finals import Finals, Values, finals
from sidestep.analyses.shared.moments import Moments, moments
from sidestep.analyses.switched_off import weights
from sidestep.statistics.intervals import Interval, mean_interval
from sidestep.study import Study, Variant
from sidestep.tables import Tables

AGREES, DISAGREES, OPEN, NOT_RUN = "agrees", "disagrees", "open", "not run"


@dataclass(frozen=True)
class Found:
    """What the runs say to a claim."""

    variant: str
    other: str
    interval: Interval
    unit: str
    outcome: str


NOTHING = Found("", "", mean_interval([]), "", NOT_RUN)


@dataclass(frozen=True)
class Context:
    """A study with what claims are about.

    Attributes:
        study: the study.
        ends: values at the end.
        known: values while training.
        starts: table of `start_dependence`.
        matches: table of `matched_accuracy`.
        harder: table of `harder_sizes`.
        losses: late ones by data set and variant.
        weights: outgoing ones of used neurons and of those switched off, by data set and variant.
    """

    study: Study
    ends: Finals
    known: Moments
    starts: pd.DataFrame
    matches: pd.DataFrame
    harder: pd.DataFrame
    losses: Mapping[tuple[str, str], Mapping[int, late_loss.Curve]]
    weights: Mapping[tuple[str, str], tuple[Values, Values]]

    @classmethod
    def of(cls, tables: Tables) -> "Context":
        """That of a study."""
        ends = finals(tables)
        return cls(
            study=tables.study,
            ends=ends,
            known=moments(tables, ends),
            starts=start_dependence.analyse(tables),
            matches=matched_accuracy.analyse(tables),
            harder=harder_sizes.analyse(tables),
            losses=late_loss.curves(tables),
            weights=weights(tables, ends),
        )

    def of_method(self, method: str) -> Iterator[Variant]:
        """Variants of a method, in the study's order."""
        return (v for v in self.study.variants if sizing.method(v.run) == method)

    def curves(self, dataset: str, variant: Variant, quantity: str) -> dict[int, dict[int, float]]:
        """Seed → step → value, of the runs that finished."""
        return self.known.get((dataset, variant.name), {}).get(quantity, {})

    def last(self, dataset: str, variant: Variant, quantity: str) -> Values:
        """Seed → the last value."""
        its = self.curves(dataset, variant, quantity)
        return {seed: curve[max(curve)] for seed, curve in its.items()}


Claim = Callable[[Context, str], Found]


def above(interval: Interval, bound: float = 0.0) -> str:
    """Whether something is more than a bound; open where the interval holds that or is undefined."""
    if interval.low > bound:
        return AGREES
    return DISAGREES if interval.high < bound else OPEN


def below(interval: Interval, bound: float = 0.0) -> str:
    """Whether something is less than a bound."""
    return contrary(above(interval, bound))


def within(interval: Interval, margin: float) -> str:
    """Whether something is 0 to a margin: all of the interval within it, or all of it beyond."""
    if -margin <= interval.low and interval.high <= margin:
        return AGREES
    return DISAGREES if interval.low > margin or interval.high < -margin else OPEN


def contrary(outcome: str) -> str:
    """What the contrary of a claim comes to; what is open stays so."""
    return {AGREES: DISAGREES, DISAGREES: AGREES}.get(outcome, outcome)


def of_row(row: Mapping[Any, Any], prefix: str = "", factor: float = 1.0) -> Interval:
    """The difference that a row of another table has; its standard deviation is not there."""
    difference, low, high = (
        factor * float(row[f"{prefix}{key}"]) for key in ("difference", "low", "high")
    )
    return Interval(difference, math.nan, int(row["pairs"]), low, high)


def points(interval: Interval) -> Interval:
    """A difference of shares in points."""
    parts = (interval.mean, interval.sd, interval.low, interval.high)
    mean, sd, low, high = (100 * part for part in parts)
    return Interval(mean, sd, interval.n, low, high)


def first(frame: pd.DataFrame, **where: str) -> Mapping[Any, Any] | None:
    """The first row with these values, if there is one."""
    for column, value in where.items():
        frame = frame[frame[column] == value]
    return None if frame.empty else frame.iloc[0].to_dict()
