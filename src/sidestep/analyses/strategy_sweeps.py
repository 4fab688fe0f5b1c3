"""What each setting of a strategy does: groups of variants that differ in it alone, found by themselves."""

import math
from typing import Any

import pandas as pd

from sidestep import things
from sidestep.analyses.shared import timeline
from sidestep.analyses.shared.finals import apart, finals, mean
from sidestep.sweeps import sweeps_of
from sidestep.tables import Tables

COLUMNS = [
    *("study", "dataset", "setting", "sweep", "variant", "value", "number", "place", "reference"),
    *("learning_rate", "quantity", "mean", "low", "high", "n", "diverged", "pairs", "difference"),
    *("difference_low", "difference_high", "separates", "seconds_run", "baseline"),
]


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
    ends_of = finals(tables)
    phases, sweeps = timeline.phases(tables), sweeps_of(study)
    rows: list[dict[str, Any]] = []
    for dataset in study.datasets:
        for number, sweep in enumerate(sweeps):
            for place, member in enumerate(sweep.members):
                name = member.variant
                run = study.variant(name).run
                ends = timeline.boundaries(phases[dataset, name])
                optimiser = things.complete("optimisers", run["optimiser"])
                for quantity in ("loss", "accuracy"):
                    mine = ends_of.of(dataset, name, "test", quantity)
                    theirs = ends_of.of(dataset, sweep.reference, "test", quantity)
                    baseline = ends_of.of(dataset, study.baseline, "test", quantity)
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
                            "diverged": ends_of.diverged(dataset, name),
                            "seconds_run": ends[-1] if ends else math.nan,
                            "baseline": mean(baseline)["mean"],
                            **mean(mine),
                            # To itself there is no difference to tell.
                            **apart(mine, {} if name == sweep.reference else theirs),
                        }
                    )
    return pd.DataFrame(rows, columns=COLUMNS)
