"""What an equal score costs: seconds of training, steps and parameters until a network is as good as another.

A target is reached at the first evaluation that shows it, as benchmarks of training speed count it
(Mattson et al. 2020, MLPerf; Dahl et al. 2023, AlgoPerf); nothing is interpolated.
"""

import math
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from sidestep.analyses.shared import timeline
from sidestep.analyses.shared.evolution import Scores, boosted, probed, seconds
from sidestep.analyses.shared.finals import mean
from sidestep.evolution import BOOSTING, evolves, firsts
from sidestep.tables import Tables

# A mean of equal scores may be the next larger number.
TOLERANCE = 1e-9
BYTES_PER_PARAMETER = 4
NEEDS = ("boosting",)
READS = ("table", "runs", "data")
COLUMNS = [
    *("study", "dataset", "target_of", "target", "variant", "runs", "reached"),
    *("seconds", "seconds_low", "seconds_high", "parameters", "stored_bytes", "steps"),
]


class Reached(NamedTuple):
    """What it took one run: seconds and parameters are `nan` if unknown."""

    step: int
    seconds: float
    parameters: float


def analyse(tables: Tables) -> pd.DataFrame:
    """One row per data set, target and variant; on the test part, which chooses nothing.

    Columns: `study`, `dataset`; `target_of`, a variant that does not evolve, or `boosting` (the analysis of that name),
    and its `target`, its mean test score at the end, empty if no run of it finished; `variant`, each of the study, that
    of the target included, but no further members of a population. Of its `runs`, those that diverged included,
    `reached` have a test score of at least the target at some evaluation. Over those, at the first such evaluation:
    `seconds` of training by the clock of the jobs, which run side by side, the median, with the quartiles
    (`seconds_low`, `seconds_high`); the median number of `parameters`, which a graph that evolves has at that step;
    `stored_bytes` of those, 4 each; and the median of `steps`. Empty if none reached it, or where unknown.
    """
    study, scores = tables.study, Scores.of(tables)
    compared = firsts(study)
    fits = boosted(tables.analysis(BOOSTING))
    sizes = probed(tables, ("parameters",))
    known = {
        (str(dataset), str(variant), int(seed), int(step)): float(value)
        for dataset, variant, seed, step, value in zip(
            *(sizes[key] for key in ("dataset", "variant", "seed", "step", "value")), strict=True
        )
    }
    curves = timeline.history(tables)
    curves = curves[(curves["split"] == "test")].sort_values("step", kind="stable")
    rows: list[dict[str, Any]] = []
    for dataset in study.datasets:
        its = curves[
            (curves["dataset"] == dataset) & (curves["quantity"] == scores.measures[dataset])
        ]
        targets = {
            variant.name: mean(scores.score(dataset, variant.name))["mean"]
            for variant in compared
            if not evolves(variant.run)
        }
        targets[BOOSTING] = mean(fits.get((dataset, "test"), {}))["mean"]
        clocks = {
            (variant.name, seed): seconds(tables, dataset, variant.name, seed)
            for variant in compared
            for seed in study.seeds
        }
        for target_of, target in targets.items():
            for variant in compared:
                name = variant.name
                cell = its[its["variant"] == name]
                reached = [
                    Reached(
                        step,
                        clocks[name, seed].get(step, math.nan),
                        known.get((dataset, name, seed, step), math.nan),
                    )
                    for seed, step in _first(cell, target).items()
                ]
                rows.append(
                    {
                        "study": study.name,
                        "dataset": dataset,
                        "target_of": target_of,
                        "target": target,
                        "variant": name,
                        "runs": cell["seed"].nunique(),
                        "reached": len(reached),
                        **_costs(reached),
                    }
                )
    return pd.DataFrame(rows, columns=COLUMNS)


def _first(cell: pd.DataFrame, target: float) -> dict[int, int]:
    """Seed → the first step with a score of at least the target, of the runs that have one."""
    good = cell[cell["value"] >= target - TOLERANCE].drop_duplicates("seed", keep="first")
    pairs = zip(good["seed"], good["step"], strict=True)
    return {int(seed): int(step) for seed, step in pairs}


def _costs(reached: list[Reached]) -> dict[str, float]:
    def at(name: str, share: float = 0.5) -> float:
        values = [float(getattr(each, name)) for each in reached]
        return float(np.quantile(values, share)) if values else math.nan

    parameters = at("parameters")
    return {
        "seconds": at("seconds"),
        "seconds_low": at("seconds", 0.25),
        "seconds_high": at("seconds", 0.75),
        "parameters": parameters,
        "stored_bytes": BYTES_PER_PARAMETER * parameters,
        "steps": at("step"),
    }
