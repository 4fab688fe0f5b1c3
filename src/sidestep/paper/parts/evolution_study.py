"""The tables of the study of graphs that evolve, as its section reads them, and what its variants are.

Variants are told apart by their settings and never by their names.
"""

import math
from collections.abc import Iterator
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from sidestep import evolution, sizing
from sidestep.evolution import ACCURACY, EVOLVED, JUDGED, R2
from sidestep.paper.parts import formats as f
from sidestep.paper.parts.study import StudyTables, each_row
from sidestep.statistics.intervals import Interval, corrected_interval, mean_interval
from sidestep.study import Study
from sidestep.tables import Tables

Run = dict[str, Any]
Seeds = dict[int, float]
# What a variant is.
POST = "post"


class EvolutionStudy(StudyTables):
    """A study of graphs of operations, some of which evolve, and of models beside them."""

    def __init__(self, tables: Tables) -> None:
        super().__init__(tables)
        self.runs: dict[str, Run] = {v.name: v.run for v in tables.study.variants}
        self.baseline = tables.study.baseline
        self._records: dict[str, list[Any]] = {}
        self._values: dict[str, dict[tuple[str, str], Seeds]] = {}

    @property
    def study(self) -> Study:
        """The study."""
        return self.tables.study

    def records(self, analysis: str, dataset: str = "") -> list[Any]:
        """Rows of an analysis, of one data set or all; none if it was not asked for."""
        if analysis not in self._records:
            self._records[analysis] = list(each_row(self.analysis(analysis)))
        rows = self._records[analysis]
        return [row for row in rows if row.dataset == dataset] if dataset else rows

    # Variants

    def edit(self, variant: str) -> Run:
        """The edit between a variant's phases with its defaults; empty without one."""
        return sizing.edit(self.runs[variant])

    def role(self, variant: str) -> str:
        """What a variant is: a role of `sidestep.evolution`, or `post`.

        That evolves as the blog post has it: the first operation drawn comes, the one of least norm leaves.
        """
        return self._roles[variant]

    @cached_property
    def _roles(self) -> dict[str, str]:
        found = {name: evolution.role(run) for name, run in self.runs.items()}
        for name in [name for name, role in found.items() if role == EVOLVED]:
            edit = self.edit(name)
            if (edit["candidates"], edit["by"]) == (1, "norm"):
                found[name] = POST
        return found

    @cached_property
    def first(self) -> list[str]:
        """Variants but for further members of a population, in the study's order."""
        names = {variant.name for variant in evolution.firsts(self.study)}
        return [name for name in self.runs if name in names]

    def of_role(self, *roles: str) -> list[str]:
        """First members with one of these roles, in the study's order."""
        return [name for name in self.first if self.role(name) in roles]

    @property
    def evolving(self) -> list[str]:
        """Variants that evolve, first members alone."""
        return self.of_role(POST, JUDGED, EVOLVED)

    @property
    def best_rule(self) -> str:
        """The variant of which the most is said: a judged one, else one that evolves, else none (empty)."""
        return next(iter([*self.of_role(JUDGED), *self.evolving]), "")

    def one(self, role: str) -> str:
        """The variant of a role that others are held against, the study's baseline if it has it; or none."""
        names = self.of_role(role)
        return self.baseline if self.baseline in names else next(iter(names), "")

    # Values of single seeds

    @cached_property
    def _finals(self) -> dict[tuple[str, str, str, str], Seeds]:
        """Data set, variant, split and metric → the last value of each seed that finished."""
        frame = self.tables.main
        found = frame[frame["metric"].str.startswith("history_") & (frame["images"] != "batch")]
        keys = ["dataset", "variant", "images", "metric"]
        return {
            (str(a), str(b), str(c), str(d)): self._last(str(a), str(b), cell)
            for (a, b, c, d), cell in found.groupby(keys, sort=False)
        }

    @cached_property
    def _lost(self) -> dict[tuple[str, str], set[int]]:
        frame = self.tables.main
        losses = frame[frame["metric"] == "history_loss"]
        wrong = losses[~np.isfinite(losses["value"].astype(float))]
        found: dict[tuple[str, str], set[int]] = {}
        for row in wrong[["dataset", "variant", "seed"]].itertuples():
            place = (str(row.dataset), str(row.variant))
            found.setdefault(place, set()).add(int(str(row.seed)))
        return found

    @cached_property
    def _numbers(self) -> set[str]:
        """Data sets of which a number is predicted."""
        frame = self.tables.main
        return {str(name) for name in frame.loc[frame["metric"] == "history_r2", "dataset"]}

    def lost(self, dataset: str, variant: str) -> int:
        """How many seeds of a variant diverged."""
        return len(self._lost.get((dataset, variant), ()))

    def measure(self, dataset: str) -> str:
        """`accuracy`, or `r2` for numbers; the mean over data sets with classes is one of accuracies."""
        return R2 if dataset in self._numbers else ACCURACY

    def finals(self, dataset: str, variant: str, split: str, quantity: str = "") -> Seeds:
        """The value at the last evaluation of each seed that finished.

        Args:
            dataset: a data set.
            variant: one of the study.
            split: `train`, `validation` or `test`.
            quantity: `loss`, `accuracy` or `r2`; the data set's score if it is empty.
        """
        metric = f"history_{quantity or self.measure(dataset)}"
        return self._finals.get((dataset, variant, split, metric), {})

    def value(self, dataset: str, variant: str, metric: str) -> Seeds:
        """The last value of a metric without images, such as `seconds_train`, of each seed that finished.

        Args:
            dataset: a data set.
            variant: one of the study.
            metric: its name, or a probe's up to the stage's with the dot.
        """
        if metric not in self._values:
            frame = self.tables.main
            names = frame["metric"]
            alike = names.str.startswith(metric) if metric.endswith(".") else names == metric
            self._values[metric] = {
                (str(a), str(b)): self._last(str(a), str(b), cell)
                for (a, b), cell in frame[alike].groupby(["dataset", "variant"], sort=False)
            }
        return self._values[metric].get((dataset, variant), {})

    def _last(self, dataset: str, variant: str, cell: pd.DataFrame) -> Seeds:
        """Seed → the finite value of the last step, without seeds that diverged."""
        found = cell.sort_values("component", kind="stable").drop_duplicates("seed", keep="last")
        lost = self._lost.get((dataset, variant), set())
        rows = zip(found["seed"].astype(int), found["value"].astype(float), strict=True)
        return {
            int(seed): float(value)
            for seed, value in rows
            if int(seed) not in lost and math.isfinite(value)
        }

    def gap(self, dataset: str, variant: str) -> Seeds:
        """Seed → score on the training part minus that on the test part."""
        train, test = (self.finals(dataset, variant, split) for split in ("train", "test"))
        return {seed: train[seed] - test[seed] for seed in train.keys() & test.keys()}

    # Differences and ratios

    def overlap(self, dataset: str) -> float:
        """Rows of a split that are tested over those that are not, as `evolution_contrasts` corrected by; 0 if unknown.

        The corrected variance is s²(1/n + ratio), so that an interval is wider by √(1 + n · ratio).
        """
        for row in self.records("evolution_contrasts", dataset):
            plain, corrected = row.plain_high - row.plain_low, row.high - row.low
            if plain > 0 and corrected > 0:
                return float(max((corrected / plain) ** 2 - 1, 0.0) / row.n)
        return 0.0

    def over_seeds(self, dataset: str, values: Seeds) -> Interval:
        """The mean over seeds, with the interval corrected for resampled splits that overlap."""
        return corrected_interval(list(values.values()), self.overlap(dataset))

    def apart(self, dataset: str, mine: Seeds, theirs: Seeds) -> Interval:
        """The paired difference, with the interval corrected for resampled splits that overlap."""
        seeds = sorted(mine.keys() & theirs.keys())
        return self.over_seeds(dataset, {seed: mine[seed] - theirs[seed] for seed in seeds})


def ratio(mine: Seeds, theirs: Seeds) -> Interval:
    """The geometric mean of the paired ratios with the t interval of its logarithm; values are positive."""
    seeds = sorted(mine.keys() & theirs.keys())
    logs = [math.log(mine[s] / theirs[s]) for s in seeds if mine[s] > 0 and theirs[s] > 0]
    found = mean_interval(logs)
    return Interval(
        math.exp(found.mean), math.nan, found.n, math.exp(found.low), math.exp(found.high)
    )


def bounded(row: Any, name: str, number: str = "n") -> Interval:
    """A row's mean `name` with its bounds `name_low` and `name_high`."""
    count = getattr(row, number)
    return Interval(
        float(getattr(row, name)),
        math.nan,
        int(count) if f.defined(count) else 0,
        float(getattr(row, f"{name}_low")),
        float(getattr(row, f"{name}_high")),
    )


def difference(row: Any) -> Interval:
    """The corrected difference of a row of `evolution_contrasts`."""
    return Interval(float(row.difference), math.nan, int(row.n), float(row.low), float(row.high))


def method_rows(study: EvolutionStudy, method: str) -> Iterator[tuple[str, list[Any]]]:
    """Data set → rows of the analysis `boosting` of one method, by seed; those without rows are left out."""
    for dataset in study.datasets:
        rows = [row for row in study.records("boosting", dataset) if row.method == method]
        if rows:
            yield dataset, rows


def seeds_of(rows: list[Any], name: str) -> Seeds:
    """Seed → a column of rows that have a seed each."""
    found = {int(row.seed): float(getattr(row, name)) for row in rows}
    return {seed: value for seed, value in found.items() if math.isfinite(value)}
