"""What a step of each phase costs: multiply-adds that were counted, beside seconds that were measured alone."""

import math
from typing import Any

import pandas as pd

from sidestep import variants
from sidestep.tables import Tables

STEP, ENTRY = "mult_adds_per_step.", "mult_adds_per_entry."
METRICS = (
    *("mult_adds_per_step", "mult_adds_per_entry", "phase_steps", "seconds_entry"),
    *("seconds_per_step_q1", "seconds_per_step_median", "seconds_per_step_q3"),
)
COLUMNS = [
    *("study", "dataset", "variant", "phase", "steps", "share_of_steps", "cached"),
    *("mult_adds", "mult_adds_entry", "seconds", "q1", "q3", "seconds_entry", "seconds_phase"),
    *("share_of_seconds", "nanoseconds", "steps_per_second", "relative_speed"),
    *("relative_speed_with_entry", "relative_mult_adds"),
]


def analyse(tables: Tables) -> pd.DataFrame:
    """One row per data set, variant and phase, in the order of training.

    Columns: `study`, `dataset`, `variant`, `phase`; `steps` and `share_of_steps` of the run;
    `cached`, 1 where the frozen stages' outputs are computed once; `mult_adds` of a step and
    `mult_adds_entry` of computing those outputs for all images (0 where not cached); `seconds` of a
    step (median) with quartiles `q1` and `q3`; `seconds_entry`, `seconds_phase` (entry and all steps)
    and `share_of_seconds` of the run; `nanoseconds` per multiply-add of a step; `steps_per_second`;
    `relative_speed`, that over the steps per second of the study's baseline (all its steps over all
    their seconds), and `relative_speed_with_entry`, where the entry's seconds are spread over the
    phase's steps; `relative_mult_adds`, those of a step over the baseline's mean. Where a data set was
    not timed only the multiply-adds are known.
    """
    study, frame = tables.study, tables.main
    parts = frame["metric"].str.split(".", n=1).str[0]
    frame = frame[parts.isin(METRICS)]
    rows: list[dict[str, Any]] = []
    for dataset in study.datasets:
        cells = {
            variant.name: _phases(frame, dataset, variant.name, variant.run)
            for variant in study.variants
        }
        speed, work = _of_baseline(cells[study.baseline])
        for name, phases in cells.items():
            steps = sum(phase["steps"] for phase in phases)
            seconds = sum(phase["seconds_phase"] for phase in phases)
            for phase in phases:
                rows.append(
                    {
                        **phase,
                        "study": study.name,
                        "dataset": dataset,
                        "variant": name,
                        "share_of_steps": phase["steps"] / steps,
                        "share_of_seconds": phase["seconds_phase"] / seconds,
                        "nanoseconds": 1e9 * phase["seconds"] / (phase["mult_adds"] or math.nan),
                        "steps_per_second": 1 / phase["seconds"],
                        "relative_speed": 1 / phase["seconds"] / speed,
                        "relative_speed_with_entry": phase["steps"]
                        / phase["seconds_phase"]
                        / speed,
                        "relative_mult_adds": phase["mult_adds"] / work,
                    }
                )
    return pd.DataFrame(rows, columns=COLUMNS)


def _phases(
    frame: pd.DataFrame, dataset: str, variant: str, run: variants.Run
) -> list[dict[str, Any]]:
    """The phases of one variant, in order, with what the table holds of them."""
    cell = frame[(frame["dataset"] == dataset) & (frame["variant"] == variant)]
    # Every seed of a variant does the same work.
    first = cell.drop_duplicates("metric")
    values = dict(zip(map(str, first["metric"]), map(float, first["value"]), strict=True))
    names = [name.removeprefix(STEP) for name in values if name.startswith(STEP)]
    found = []
    for name in variants.in_order(run, names):
        steps = values.get(f"phase_steps.{name}", math.nan)
        quartiles = {
            quantity: values.get(f"seconds_per_step_{quantity}.{name}", math.nan)
            for quantity in ("q1", "median", "q3")
        }
        entry = values.get(f"seconds_entry.{name}", math.nan)
        found.append(
            {
                "phase": name,
                "steps": steps,
                "cached": int(ENTRY + name in values),
                "mult_adds": values[STEP + name],
                "mult_adds_entry": values.get(ENTRY + name, 0.0),
                "seconds": quartiles["median"],
                "q1": quartiles["q1"],
                "q3": quartiles["q3"],
                "seconds_entry": entry,
                "seconds_phase": entry + steps * quartiles["median"],
            }
        )
    return found


def _of_baseline(phases: list[dict[str, Any]]) -> tuple[float, float]:
    """Steps per second and mean multiply-adds of a step; of untimed phases each counts alike."""
    steps = sum(phase["steps"] for phase in phases)
    seconds = sum(phase["steps"] * phase["seconds"] for phase in phases)
    weights = [phase["steps"] / steps if steps > 0 else 1 / len(phases) for phase in phases]
    work = sum(weight * phase["mult_adds"] for weight, phase in zip(weights, phases, strict=True))
    return (steps / seconds if seconds > 0 else math.nan), work or math.nan
