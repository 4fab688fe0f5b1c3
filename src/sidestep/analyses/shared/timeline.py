"""Training on the time axis: when each step of a run is done, by a timing job's seconds.

The seconds of step s of a phase are those of all phases before, plus what the phase computes before
its first step, plus its steps done times the median seconds of one. The clock of the training jobs,
which run side by side, is never read.
"""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from sidestep import variants
from sidestep.tables import Tables

STEPS, ENTRY, MEDIAN = "phase_steps.", "seconds_entry.", "seconds_per_step_median."
PLACE = [
    *("dataset", "variant", "seed", "split", "quantity", "step", "epoch", "seconds", "phase"),
    "value",
]


@dataclass(frozen=True)
class Phase:
    """A phase of a run: its steps `begin` to `end` and its cost in seconds, `nan` if not timed.

    Attributes:
        name: as the strategy names it.
        begin: steps of the run that were done before.
        end: steps of the run when it ends.
        seconds_entry: before its first step, to compute the frozen stages' outputs; else 0.
        seconds_per_step: the median.
    """

    name: str
    begin: int
    end: int
    seconds_entry: float
    seconds_per_step: float

    @property
    def seconds(self) -> float:
        """Of the whole phase."""
        return self.seconds_entry + (self.end - self.begin) * self.seconds_per_step


Phases = tuple[Phase, ...]


def phases(tables: Tables) -> dict[tuple[str, str], Phases]:
    """Data set and variant → its phases in the order in which they are trained.

    Of a data set that was not timed their steps are known if another one was and its runs have as
    many steps; else there are none.
    """
    study, frame = tables.study, tables.main
    rows = frame[frame["seed"] == ""]
    found = {
        (str(dataset), str(variant)): _timed(
            study.variant(str(variant)).run,
            dict(zip(cell["metric"], cell["value"].astype(float), strict=True)),
        )
        for (dataset, variant), cell in rows.groupby(["dataset", "variant"], sort=False)
    }
    history = frame[frame["metric"] == "history_loss"]
    last = history.groupby(["dataset", "variant"], sort=False)["component"].max().to_dict()
    for dataset in study.datasets:
        for variant in study.variants:
            if not found.get((dataset, variant.name)):
                others = [found.get((name, variant.name), ()) for name in study.timing_datasets]
                same = [o for o in others if o and o[-1].end == last.get((dataset, variant.name))]
                found[dataset, variant.name] = _without_seconds(same[0]) if same else ()
    return found


def seconds_at(phases: Phases, step: int) -> float:
    """Seconds of training when `step` steps are done; `nan` if the phases were not timed.

    Raises:
        ValueError: the phases have fewer steps.
    """
    if phases and step > phases[-1].end:
        raise ValueError(f"step {step} is after the last one, {phases[-1].end}, that was timed")
    if not phases or math.isnan(phases[0].seconds):
        return math.nan
    return math.fsum(
        phase.seconds_entry + (min(step, phase.end) - phase.begin) * phase.seconds_per_step
        for phase in phases
        if phase.begin < step
    )


def phase_at(phases: Phases, step: int) -> str:
    """Name of the phase in which a step was done, the first one's for step 0; empty if unknown."""
    return next((phase.name for phase in phases if step <= phase.end), "")


def boundaries(phases: Phases) -> tuple[float, ...]:
    """Seconds at which each phase ends."""
    return tuple(seconds_at(phases, phase.end) for phase in phases)


def history(tables: Tables) -> pd.DataFrame:
    """Every loss (nats, or the signal's unit) and accuracy or R² of every run, on the time axis.

    Columns: `dataset`, `variant`, `seed` (int), `split` (`batch` is the mean training loss since the
    evaluation before), `quantity` (`loss`, `accuracy` of classes or `r2` of numbers), `step`, `epoch`
    (whole ones done), `seconds` (`nan` where the data set was not timed), `phase`, `value`. A run that
    diverged stops, with a last loss that is not finite.
    """
    frame = tables.main
    chosen = frame[frame["metric"].isin(["history_loss", "history_accuracy", "history_r2"])]
    found = chosen.assign(
        seed=chosen["seed"].astype(int),
        split=chosen["images"],
        quantity=chosen["metric"].str.removeprefix("history_"),
        step=chosen["component"].astype(int),
        epoch=chosen["epoch"].astype(int),
        value=chosen["value"].astype(float),
    )
    # Batches have no accuracy, and numbers have an R² in its place.
    found = found[(found["split"] != "batch") | (found["quantity"] == "loss")]
    numbers = found.loc[found["quantity"] == "r2", "dataset"].unique()
    found = found[(found["quantity"] != "accuracy") | ~found["dataset"].isin(numbers)]
    parts = []
    every = phases(tables)
    for (dataset, variant), cell in found.groupby(["dataset", "variant"], sort=False):
        its = every[str(dataset), str(variant)]
        steps = cell["step"].unique()
        seconds = {step: seconds_at(its, int(step)) for step in steps}
        names = {step: phase_at(its, int(step)) for step in steps}
        parts.append(
            cell.assign(seconds=cell["step"].map(seconds), phase=cell["step"].map(names))[PLACE]
        )
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=PLACE)


def diverged(curves: pd.DataFrame) -> set[tuple[str, str, int]]:
    """Data set, variant and seed of each run of `history` with a loss that is not finite."""
    wrong = curves[(curves["quantity"] == "loss") & ~np.isfinite(curves["value"].astype(float))]
    keys = wrong[["dataset", "variant", "seed"]].drop_duplicates()
    rows = zip(keys["dataset"], keys["variant"], keys["seed"], strict=True)
    return {(str(dataset), str(variant), int(seed)) for dataset, variant, seed in rows}


def _timed(run: variants.Run, values: dict[str, float]) -> Phases:
    """The phases that a timing job's values (metric → value) tell of."""
    names = [name.removeprefix(STEPS) for name in values if name.startswith(STEPS)]
    found: list[Phase] = []
    # The timing file sorts its keys, so that the table's order need not be that of training.
    for name in variants.in_order(run, names):
        begin = found[-1].end if found else 0
        end = begin + int(values[STEPS + name])
        found.append(Phase(name, begin, end, values[ENTRY + name], values[MEDIAN + name]))
    return tuple(found)


def _without_seconds(phases: Phases) -> Phases:
    return tuple(Phase(phase.name, phase.begin, phase.end, math.nan, math.nan) for phase in phases)
