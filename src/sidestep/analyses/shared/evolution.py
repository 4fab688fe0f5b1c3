"""What the analyses of evolving graphs share: scores with intervals, what is held against what, probes."""

import csv
import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from statistics import fmean

import pandas as pd

from sidestep import things
from sidestep.analyses.shared.finals import Finals, Values, finals
from sidestep.data import arrays
from sidestep.evolution import (
    ACCURACY,
    BOOSTING,
    CONTROL,
    EVOLVED,
    JUDGED,
    LINEAR,
    MLP,
    R2,
    Run,
    firsts,
    is_judged,
)
from sidestep.statistics.intervals import Interval, corrected_interval, mean_interval
from sidestep.study import Study, Variant
from sidestep.tables import Tables

# Numbers that the probe `graph` reads, of networks without a graph `parameters` alone.
GRAPH = (
    *("operations", "depth", "constants", "leaves", "parameters", "importance_inputs"),
    *("importance_operations", "importance_least", "importance_median", "importance_most"),
)
# Numbers that the probe `inference` reads, in seconds.
INFERENCE = ("seconds_1", "seconds_256")


def contrasts(study: Study) -> list[tuple[Variant, str]]:
    """Variants that evolve with what each is held against, a variant's name or `boosting`.

    Those are all controls, multilayer perceptrons and linear ones, boosting, and for a judged variant
    all that evolve without a judge. Further members of a population are left out.
    """
    still = [v.name for part in (CONTROL, MLP, LINEAR) for v in firsts(study, part)]
    unjudged = [variant.name for variant in firsts(study, EVOLVED)]
    found = []
    for variant in firsts(study, EVOLVED, JUDGED):
        others = [*still, BOOSTING, *(unjudged if is_judged(variant.run) else ())]
        found += [(variant, other) for other in others]
    return found


@dataclass(frozen=True)
class Scores:
    """What the runs of a study reach, and how far splits that were drawn anew overlap.

    Attributes:
        ends: values at the end.
        measures: data set → `accuracy` or `r2`.
        overlaps: data set → rows that are tested over rows that are not; 0 where no run draws its
            own split.
    """

    ends: Finals
    measures: Mapping[str, str]
    overlaps: Mapping[str, float]

    @classmethod
    def of(cls, tables: Tables) -> "Scores":
        """Those of a study.

        Raises:
            UserError: runs draw splits of their own, but a data set's file cannot be read.
        """
        study = tables.study
        resampled = any(variant.run.get("resample", False) for variant in study.variants)
        overlaps = {name: overlap(tables, name) if resampled else 0.0 for name in study.datasets}
        return cls(finals(tables), measures(tables), overlaps)

    def score(self, dataset: str, variant: str, split: str = "test") -> Values:
        """Seed → accuracy or R² at the end, of the runs that finished."""
        return self.ends.of(dataset, variant, split, self.measures[dataset])

    def loss(self, dataset: str, variant: str, split: str = "test") -> Values:
        """Seed → loss at the end, of the runs that finished."""
        return self.ends.of(dataset, variant, split, "loss")

    def spread(self, dataset: str, values: Mapping[int, float], name: str) -> dict[str, float]:
        """Mean over seeds as `name`, with its bounds `name_low` and `name_high`, corrected for overlap."""
        found = self.interval(dataset, values)
        return {name: found.mean, f"{name}_low": found.low, f"{name}_high": found.high}

    def interval(self, dataset: str, values: Mapping[int, float]) -> Interval:
        """95 % interval of the mean over seeds, corrected for the overlap of splits."""
        return corrected_interval(list(values.values()), self.overlaps[dataset])


def measures(tables: Tables) -> dict[str, str]:
    """Data set → `r2` if its runs predict numbers, else `accuracy`."""
    frame = tables.main
    numbers = set(frame.loc[frame["metric"] == "history_r2", "dataset"])
    return {name: R2 if name in numbers else ACCURACY for name in tables.study.datasets}


def overlap(tables: Tables, dataset: str) -> float:
    """Rows of a data set that each split tests over those that it does not.

    The latter are training, validation and left-out ones together: how many rows two test parts share
    depends on that alone, and what the training parts share is less where rows are left out.

    Raises:
        UserError: the data set's file cannot be read.
    """
    path = tables.data(dataset)
    arrays.check_file(path)
    sizes = {name: len(array) for name, array in arrays.read(path).items()}
    return sizes["test_labels"] / sizes["train_labels"]


def minus(mine: Mapping[int, float], theirs: Mapping[int, float]) -> Values:
    """Seed → difference, of the seeds in common, in their order."""
    return {seed: mine[seed] - theirs[seed] for seed in sorted(mine.keys() & theirs.keys())}


def average(each: Iterable[Mapping[int, float]]) -> Values:
    """Seed → mean, of the seeds that all have; empty for none."""
    parts = list(each)
    if not parts:
        return {}
    seeds = sorted(set.intersection(*(set(part) for part in parts)))
    return {seed: fmean(part[seed] for part in parts) for seed in seeds}


def plain(values: Mapping[int, float], name: str) -> dict[str, float]:
    """As `Scores.spread`, without a correction."""
    found = mean_interval(list(values.values()))
    return {name: found.mean, f"{name}_low": found.low, f"{name}_high": found.high}


def finite(values: Mapping[int, float]) -> Values:
    """Without what is not finite, such as the median importance of no operations."""
    return {seed: value for seed, value in values.items() if math.isfinite(value)}


def probed(tables: Tables, names: Collection[str]) -> pd.DataFrame:
    """Numbers that probes read of whole networks, with the stage left out.

    Columns: `dataset`, `variant`, `seed` (int), `step` (int), `epoch` (int), `quantity`, `value`.
    """
    frame = tables.main
    found = frame[frame["metric"].str.startswith("probe_")]
    quantity = found["metric"].str.removeprefix("probe_").str.split(".", n=1).str[0]
    found = found.assign(quantity=quantity)
    found = found[found["quantity"].isin(list(names))]
    found = found.assign(
        seed=found["seed"].astype(int),
        step=found["component"].astype(int),
        epoch=found["epoch"].astype(int),
        value=found["value"].astype(float),
    )
    columns = ["dataset", "variant", "seed", "step", "epoch", "quantity", "value"]
    return found[columns].reset_index(drop=True)


def last_probed(
    tables: Tables, ends: Finals, names: Collection[str]
) -> dict[tuple[str, str, str], Values]:
    """Data set, variant and quantity → seed → what was read last, of the runs that finished."""
    every = probed(tables, names).sort_values("step", kind="stable")
    keys = ["dataset", "variant", "quantity", "seed"]
    last = every.drop_duplicates(keys, keep="last")
    found: dict[tuple[str, str, str], Values] = {}
    columns = (last[key] for key in (*keys, "value"))
    for dataset, variant, quantity, seed, value in zip(*columns, strict=True):
        if int(seed) not in ends.lost.get((dataset, variant), ()):
            found.setdefault((dataset, variant, quantity), {})[int(seed)] = float(value)
    return {key: dict(sorted(values.items())) for key, values in found.items()}


def seconds(tables: Tables, dataset: str, variant: str, seed: int) -> dict[int, float]:
    """Step → seconds of training by the job's clock, at each evaluation of a run; empty if unknown.

    A graph's step costs more the larger it has become, so that no one median of a phase tells this.
    The jobs of a study run side by side.
    """
    with tables.history(dataset, variant, seed).open(newline="", encoding="utf-8") as file:
        return {int(row["step"]): float(row["seconds"]) for row in csv.DictReader(file)}


def round_ends(run: Run, steps: int) -> list[int]:
    """The step at which each phase of a run ends, as the strategy `rounds` shares them; else one phase.

    Args:
        run: whose strategy.
        steps: of the whole run.
    """
    strategy = things.complete("strategies", run["strategy"])
    if strategy["name"] != "rounds":
        return [steps]
    settle, count = float(strategy["settle"]), int(strategy["rounds"])
    shares = [(1.0 - settle) / count] * count + ([settle] if settle else [])
    return [round(steps * math.fsum(shares[: index + 1])) for index in range(len(shares))]


def boosted(frame: pd.DataFrame, method: str = BOOSTING) -> dict[tuple[str, str], Values]:
    """Data set and column (`train`, `test` or `loss`) → seed → value, from the table of `boosting`."""
    found: dict[tuple[str, str], Values] = {}
    its = frame[frame["method"] == method]
    for column in ("train", "test", "loss"):
        for dataset, seed, value in zip(its["dataset"], its["seed"], its[column], strict=True):
            found.setdefault((str(dataset), column), {})[int(seed)] = float(value)
    return found


def indices(written: object) -> tuple[int, ...]:
    """Columns that are joined by `;` in the table of `final_graphs`, also as read from its file."""
    if isinstance(written, float) and math.isnan(written):
        return ()
    return tuple(int(float(part)) for part in str(written).split(";") if part.strip())
