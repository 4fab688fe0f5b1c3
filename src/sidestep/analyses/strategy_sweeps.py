"""What each setting of a strategy does: groups of variants that differ in it alone, found by themselves."""

import math
from typing import Any

import pandas as pd

from sidestep import variants
from sidestep.analyses.shared import timeline
from sidestep.statistics.intervals import Interval, mean_interval, paired_difference, separates
from sidestep.tables import Tables

COLUMNS = [
    *("study", "dataset", "setting", "sweep", "variant", "value", "number", "place", "reference"),
    *("learning_rate", "quantity", "mean", "low", "high", "n", "diverged", "pairs", "difference"),
    *("difference_low", "difference_high", "separates", "seconds_run", "baseline"),
]
Finals = dict[tuple[str, str, str], dict[int, float]]


def analyse(tables: Tables) -> pd.DataFrame:
    """One row per data set, sweep, member and `quantity` (`loss` in nats, or `accuracy`).

    A sweep is a group of two or more variants that differ in one setting alone; each may have a
    learning rate of its own, found by one search. Columns: `study`, `dataset`; `setting`, of the
    strategy or `optimiser` (with its schedule); `sweep`, its number in the study; `variant`; `value`
    of the setting, as a label, and `number` if it is one; `place` in the sweep, from 0; `reference`,
    1 for the member to which the others are compared (the study's baseline, else the default, else
    the first); `learning_rate`; on the test images at the last evaluation `mean`, `low` and `high`
    (95 % t interval) over the `n` seeds that finished; `diverged`, the seeds that did not; over the
    `pairs` of seeds that finished in both, `difference` to the reference with `difference_low` and
    `difference_high`; `separates`, 1 where that interval excludes 0; `seconds_run` (empty where the
    data set was not timed); `baseline`, the mean of the study's baseline.
    """
    study = tables.study
    finals, lost = _finals(tables)
    phases, sweeps = timeline.phases(tables), variants.sweeps(study)
    rows: list[dict[str, Any]] = []
    for dataset in study.datasets:
        for number, sweep in enumerate(sweeps):
            for place, member in enumerate(sweep.members):
                name = member.variant
                run = study.variant(name).run
                ends = timeline.boundaries(phases[dataset, name])
                optimiser = variants.complete("optimisers", run["optimiser"])
                for quantity in ("loss", "accuracy"):
                    mine = finals.get((dataset, name, quantity), {})
                    theirs = finals.get((dataset, sweep.reference, quantity), {})
                    baseline = finals.get((dataset, study.baseline, quantity), {})
                    rows.append(
                        {
                            "study": study.name,
                            "dataset": dataset,
                            "setting": sweep.setting,
                            "sweep": number,
                            "variant": name,
                            "value": member.label,
                            "number": math.nan if member.number is None else member.number,
                            "place": place,
                            "reference": int(name == sweep.reference),
                            "learning_rate": optimiser.get("lr", math.nan),
                            "quantity": quantity,
                            "diverged": lost.get((dataset, name), 0),
                            "seconds_run": ends[-1] if ends else math.nan,
                            "baseline": mean_interval(list(baseline.values())).mean,
                            **_compared(mine, theirs, itself=name == sweep.reference),
                        }
                    )
    return pd.DataFrame(rows, columns=COLUMNS)


def _finals(tables: Tables) -> tuple[Finals, dict[tuple[str, str], int]]:
    """Values at the last evaluation of the seeds that finished, and how many seeds did not.

    Keys are data set, variant and quantity; data set and variant.
    """
    curves = timeline.history(tables)
    wrong = timeline.diverged(curves)
    test = curves[curves["split"] == "test"].sort_values("step", kind="stable")
    keys = ["dataset", "variant", "quantity", "seed"]
    last = test.drop_duplicates(keys, keep="last")
    finals: Finals = {}
    for row in last.to_dict("records"):
        dataset, variant, quantity, seed = (row[key] for key in keys)
        if (dataset, variant, seed) not in wrong:
            finals.setdefault((dataset, variant, quantity), {})[seed] = float(row["value"])
    lost: dict[tuple[str, str], int] = {}
    for dataset, variant, _ in wrong:
        lost[dataset, variant] = lost.get((dataset, variant), 0) + 1
    return finals, lost


def _compared(
    mine: dict[int, float], theirs: dict[int, float], *, itself: bool
) -> dict[str, float]:
    found = mean_interval(list(mine.values()))
    apart = Interval(math.nan, math.nan, 0, math.nan, math.nan)
    if not itself:
        apart = paired_difference(mine, theirs)
    return {
        "mean": found.mean,
        "low": found.low,
        "high": found.high,
        "n": found.n,
        "pairs": apart.n,
        "difference": apart.mean,
        "difference_low": apart.low,
        "difference_high": apart.high,
        "separates": int(separates(apart)),
    }
