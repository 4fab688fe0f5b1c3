"""Values at the end of training: of every run that finished, and how two variants differ in them."""

from collections.abc import Mapping
from dataclasses import dataclass

from sidestep.analyses.shared import timeline
from sidestep.statistics.intervals import mean_interval, paired_difference, separates
from sidestep.tables import Tables

Values = dict[int, float]
KEYS = ["dataset", "variant", "split", "quantity", "seed"]


@dataclass(frozen=True)
class Finals:
    """Values at each run's last evaluation, and the runs that have none because they diverged.

    Attributes:
        values: data set, variant, split and quantity (`loss`, `accuracy` or `r2`) → seed → value.
        lost: data set and variant → the seeds that diverged.
    """

    values: dict[tuple[str, str, str, str], Values]
    lost: dict[tuple[str, str], set[int]]

    def of(self, dataset: str, variant: str, split: str, quantity: str) -> Values:
        """The values of the seeds that finished; empty if there is none."""
        return self.values.get((dataset, variant, split, quantity), {})

    def diverged(self, dataset: str, variant: str) -> int:
        """How many seeds diverged."""
        return len(self.lost.get((dataset, variant), ()))


def finals(tables: Tables) -> Finals:
    """Those of all runs of a study."""
    curves = timeline.history(tables)
    lost: dict[tuple[str, str], set[int]] = {}
    for dataset, variant, seed in timeline.diverged(curves):
        lost.setdefault((dataset, variant), set()).add(seed)
    last = curves.sort_values("step", kind="stable").drop_duplicates(KEYS, keep="last")
    values: dict[tuple[str, str, str, str], Values] = {}
    columns = (last[key] for key in (*KEYS, "value"))
    for dataset, variant, split, quantity, seed, value in zip(*columns, strict=True):
        if int(seed) not in lost.get((dataset, variant), ()):
            values.setdefault((dataset, variant, split, quantity), {})[int(seed)] = float(value)
    return Finals(values, lost)


def spread(values: Mapping[int, float], name: str) -> dict[str, float]:
    """Mean over seeds as `name`, with the bounds `name_low` and `name_high` of its 95 % t interval."""
    found = mean_interval(list(values.values()))
    return {name: found.mean, f"{name}_low": found.low, f"{name}_high": found.high}


def mean(values: Mapping[int, float]) -> dict[str, float]:
    """`mean` over seeds with `low` and `high` of its 95 % t interval, and `n`."""
    found = mean_interval(list(values.values()))
    return {"mean": found.mean, "low": found.low, "high": found.high, "n": found.n}


def common(mine: Mapping[int, float], theirs: Mapping[int, float]) -> tuple[Values, Values]:
    """The values of the seeds that are in both, in the order of the seeds."""
    seeds = sorted(mine.keys() & theirs.keys())
    return {seed: mine[seed] for seed in seeds}, {seed: theirs[seed] for seed in seeds}


def apart(mine: Mapping[int, float], theirs: Mapping[int, float]) -> dict[str, float]:
    """The paired `difference` with its bounds, `pairs` of seeds, and whether it `separates` from 0."""
    found = paired_difference(mine, theirs)
    return {
        "pairs": found.n,
        "difference": found.mean,
        "difference_low": found.low,
        "difference_high": found.high,
        "separates": int(separates(found)),
    }
