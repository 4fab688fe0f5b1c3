"""A study's values as curves over the width: one array (widths, seeds) a metric, and what rules say of them."""

import math
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import numpy.typing as npt

from sidestep.errors import UserError
from sidestep.statistics.bootstrap import Rule, width_interval
from sidestep.statistics.saturation import within_margin_of_best
from sidestep.statistics.size_rules import SizeRule
from sidestep.tables import Tables

Array = npt.NDArray[np.float64]
NETWORK, POOLED = "network", "pooled"


@dataclass
class Curves:
    """Values by data set, epoch, metric, images and source, over the widths and seeds of a study.

    Attributes:
        study: its name.
        datasets: in the order of the config.
        epochs: recorded ones, ascending.
        widths: ascending.
        seeds: in the order of the config.
    """

    study: str
    datasets: tuple[str, ...]
    epochs: tuple[int, ...]
    widths: Array
    seeds: tuple[int, ...]
    _values: dict[tuple[str, int, str, str, str], Array] = field(default_factory=dict)

    @classmethod
    def of(cls, tables: Tables) -> "Curves":
        """The curves of a study.

        Raises:
            UserError: the study does not vary the width, or varies something else too.
        """
        study = tables.study
        if study.columns != ("width",):
            raise UserError(
                f"study '{study.name}' varies {', '.join(study.columns) or 'no column'}, "
                "but this analysis needs a grid over the width alone"
            )
        # A variant beside the grid has no width and lies on no curve.
        swept = [variant for variant in study.variants if "width" in variant.columns]
        widths = sorted({float(variant.columns["width"]) for variant in swept})
        epochs = sorted({epoch for variant in study.variants for epoch in variant.run["records"]})
        found = cls(study.name, study.datasets, tuple(epochs), np.array(widths), study.seeds)
        frame = tables.main
        frame = frame[
            frame["component"].isna()
            & ~frame["metric"].str.startswith("history_")
            & (frame["seed"] != "")
            & frame["value"].notna()
            & frame["width"].notna()
        ]
        rows = {width: row for row, width in enumerate(widths)}
        columns = {str(seed): column for column, seed in enumerate(study.seeds)}
        for dataset, epoch, metric, images, width, seed, value in zip(
            *(
                frame[name]
                for name in ("dataset", "epoch", "metric", "images", "width", "seed", "value")
            ),
            strict=True,
        ):
            pooled = seed == POOLED
            key = (dataset, int(epoch), metric, images, POOLED if pooled else NETWORK)
            if key not in found._values:
                found._values[key] = np.full((len(widths), 1 if pooled else len(columns)), math.nan)
            found._values[key][rows[float(width)], 0 if pooled else columns[seed]] = value
        return found

    def values(
        self, dataset: str, epoch: int, metric: str, images: str = "", source: str = NETWORK
    ) -> Array:
        """(widths, seeds), `nan` where nothing was measured; (widths, 1) for pooled seeds."""
        shape = (len(self.widths), 1 if source == POOLED else len(self.seeds))
        missing = np.full(shape, math.nan)
        return self._values.get((dataset, epoch, metric, images, source), missing)

    def seeds_with(self, dataset: str, epoch: int, metric: str, images: str = "") -> int:
        """Number of seeds with a value at any width."""
        found = self.values(dataset, epoch, metric, images)
        return int(np.isfinite(found).any(axis=0).sum())


@dataclass(frozen=True)
class Verdict:
    """A width with bounds; `inf` for "never within the widths", `nan` where not defined.

    `never` is the share of resamples that never say so, `n` the number of seeds with any value.
    """

    width: float
    low: float
    high: float
    never: float
    n: int


def verdict(rule: Rule, widths: Array, values: Array) -> Verdict:
    """What a rule says of the mean over seeds, with a bootstrap interval if there are two seeds or more."""
    values = values[:, np.isfinite(values).any(axis=0)]
    n = values.shape[1]
    if n == 0:
        return Verdict(math.nan, math.nan, math.nan, math.nan, 0)
    found = width_interval(rule, widths, values)
    if n == 1:
        return Verdict(_number(found.width), math.nan, math.nan, math.nan, 1)
    return Verdict(_number(found.width), _number(found.low), _number(found.high), found.never, n)


def saturation_of(margin: float) -> Rule:
    """The rule that says where accuracy is within a margin of the best."""
    return partial(within_margin_of_best, margin=margin)


def agreement(said: Verdict, target: Verdict) -> str:
    """How a verdict relates to the width where accuracy saturates; a verdict without interval is a point."""
    if math.isnan(said.width) or math.isnan(target.low):
        return "not defined"
    if math.isinf(said.width):
        return "never"
    low, high = (said.width,) * 2 if math.isnan(said.low) else (said.low, said.high)
    if high < target.low:
        return "earlier"
    return "later" if low > target.high else "agrees"


def sources(rule: SizeRule) -> tuple[str, ...]:
    """The sources of a rule's metric."""
    return (NETWORK, POOLED) if rule.pooled else (NETWORK,)


def _number(width: int | None) -> float:
    return math.inf if width is None else float(width)
