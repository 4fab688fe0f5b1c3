"""The tables of a study of strategies, as its section reads them."""

import math
from typing import Any

import numpy as np
import pandas as pd

from sidestep import things, variants
from sidestep.paper.parts.study import StudyTables
from sidestep.statistics.intervals import Interval, mean_interval, paired_difference
from sidestep.tables import Tables

LOSS, ACCURACY = "loss", "accuracy"
Run = dict[str, Any]
Seeds = dict[int, float]


class LayerwiseStudy(StudyTables):
    """A study whose variants are strategies, signals and optimisers, told by their settings.

    Attributes:
        runs: variant → its settings, with every default of what it names.
        baseline: the variant to which the others are compared.
    """

    def __init__(self, tables: Tables) -> None:
        super().__init__(tables)
        study = tables.study
        self.runs: dict[str, Run] = {v.name: _complete(v.run) for v in study.variants}
        self.baseline = study.baseline
        self._finals, self._lost = _finals(tables.main)
        self._staged: dict[str, dict[tuple[str, str, str], pd.DataFrame]] = {}

    @property
    def local(self) -> list[str]:
        """Variants with a signal besides the true loss."""
        return [name for name, run in self.runs.items() if run["strategy"].get("signal")]

    @property
    def in_turn(self) -> list[str]:
        """Variants whose blocks are trained one after the other."""
        return [n for n in self.local if self.runs[n]["strategy"].get("order") == "in_turn"]

    def signal(self, variant: str) -> Run:
        """The signal of a variant's blocks with its settings; an end-to-end one has the true loss."""
        return self.runs[variant]["strategy"].get("signal") or {"name": "true_loss"}

    def stages(self) -> tuple[str, ...]:
        """The stages of the networks, from the input on."""
        return variants.stages_of(self.tables.study)

    def finals(self, dataset: str, variant: str, quantity: str) -> Seeds:
        """Loss or accuracy on the test images at the last evaluation, of the seeds that finished."""
        return self._finals.get((dataset, variant, quantity), {})

    def final(self, dataset: str, variant: str, quantity: str) -> Interval:
        """Its mean over the seeds that finished."""
        return mean_interval(list(self.finals(dataset, variant, quantity).values()))

    def final_differences(
        self, dataset: str, quantity: str, to: str, among: list[str]
    ) -> dict[str, Interval]:
        """Variant → its final value minus that of another one, over the seeds that finished in both."""
        theirs = self.finals(dataset, to, quantity)
        return {
            name: paired_difference(self.finals(dataset, name, quantity), theirs)
            for name in among
            if name != to
        }

    def lost(self, dataset: str, variant: str) -> int:
        """How many seeds of a variant diverged."""
        return len(self._lost.get((dataset, variant), ()))

    def seconds(self, dataset: str, variant: str) -> float:
        """Seconds of a run by the timing job; `nan` where the data set was not timed."""
        frame = self.tables.main
        chosen = (frame["dataset"] == dataset) & (frame["variant"] == variant)
        found = frame.loc[chosen & (frame["metric"] == "seconds_run"), "value"]
        return float(found.iloc[0]) if len(found) else math.nan

    def relative_seconds(self, dataset: str, variant: str) -> float:
        """Seconds of a run over those of the baseline's."""
        baseline = self.seconds(dataset, self.baseline)
        return self.seconds(dataset, variant) / baseline if baseline > 0 else math.nan

    def timed(self, dataset: str) -> bool:
        """Whether the data set's steps were timed."""
        return not math.isnan(self.seconds(dataset, self.baseline))

    def staged(self, prefix: str) -> pd.DataFrame:
        """The values of a metric of stages: `dataset`, `variant`, `stage`, `seed`, `epoch`, `step`, `value`.

        Args:
            prefix: the metric's name before the stage's, without the dot.
        """
        frame = self.tables.main
        chosen = frame["metric"].str.startswith(prefix + ".") & frame["value"].notna()
        found = frame[chosen & ~frame["seed"].isin(["", "pooled"])]
        kept = ["dataset", "variant", "epoch"]
        return found[kept].assign(
            stage=found["metric"].str.removeprefix(prefix + "."),
            seed=found["seed"].astype(int),
            step=found["component"].astype(float),
            value=found["value"].astype(float),
        )

    def last_by_seed(
        self, prefix: str, dataset: str, variant: str, stage: str, *, first: bool = False
    ) -> Seeds:
        """The last (or first) value of a metric of a stage, of each seed that finished."""
        if prefix not in self._staged:
            found = self.staged(prefix).sort_values(["epoch", "step"], kind="stable")
            keys = ["dataset", "variant", "stage"]
            self._staged[prefix] = {
                (str(a), str(b), str(c)): cell
                for (a, b, c), cell in found.groupby(keys, sort=False)
            }
        cell = self._staged[prefix].get((dataset, variant, stage))
        if cell is None:
            return {}
        kept = cell.drop_duplicates("seed", keep="first" if first else "last")
        lost = self._lost.get((dataset, variant), set())
        rows = zip(kept["seed"], kept["value"], strict=True)
        return {int(seed): float(value) for seed, value in rows if int(seed) not in lost}

    def rows(self, analysis: str, **place: Any) -> pd.DataFrame:
        """The rows of an analysis at a place, such as `dataset="mnist"`; none if it was not asked for."""
        found = self.analysis(analysis)
        for column, value in place.items():
            found = found[found[column] == value] if len(found) else found
        return found


def _complete(run: Run) -> Run:
    found = dict(run)
    for key, kind in (
        ("network", "networks"),
        ("strategy", "strategies"),
        ("optimiser", "optimisers"),
        ("schedule", "schedules"),
    ):
        found[key] = things.complete(kind, run[key])
    return found


def _finals(
    frame: pd.DataFrame,
) -> tuple[dict[tuple[str, str, str], Seeds], dict[tuple[str, str], set[int]]]:
    """Last test values of the runs that finished; and by data set and variant the seeds that diverged.

    A run that diverged ends with a loss that is not finite.
    """
    found = frame[frame["metric"].isin(["history_loss", "history_accuracy"])]
    found = found.assign(seed=found["seed"].astype(int), value=found["value"].astype(float))
    wrong = found[(found["metric"] == "history_loss") & ~np.isfinite(found["value"])]
    lost: dict[tuple[str, str], set[int]] = {}
    for dataset, variant, seed in zip(
        wrong["dataset"], wrong["variant"], wrong["seed"], strict=True
    ):
        lost.setdefault((str(dataset), str(variant)), set()).add(int(seed))
    test = found[found["images"] == "test"].sort_values("component", kind="stable")
    keys = ["dataset", "variant", "metric", "seed"]
    finals: dict[tuple[str, str, str], Seeds] = {}
    for row in test.drop_duplicates(keys, keep="last")[[*keys, "value"]].itertuples():
        place, seed = (str(row.dataset), str(row.variant)), int(str(row.seed))
        if seed not in lost.get(place, ()):
            quantity = str(row.metric).removeprefix("history_")
            finals.setdefault((*place, quantity), {})[seed] = float(str(row.value))
    return finals, lost
