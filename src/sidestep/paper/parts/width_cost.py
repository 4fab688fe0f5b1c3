"""What each width costs."""

import math
from typing import Any

import pandas as pd

from sidestep.paper.parts import formats as f
from sidestep.paper.parts import sentences as say
from sidestep.paper.parts.width_study import WidthStudy
from sidestep.paper.parts.words import dataset_name


def cost(study: WidthStudy) -> dict[str, Any]:
    """Parameters, mult-adds and seconds of each width; seconds from the timing job, if there is one."""
    frame = study.tables.main
    timed = frame["metric"].str.startswith("seconds_per_step_median.")
    datasets = [d for d in study.datasets if (timed & (frame["dataset"] == d)).any()]
    rows = []
    for width in study.widths:
        here = frame[frame["width"] == width]
        cells = [f.count(width), f.scaled(_value(here, "parameters"))]
        cells += [f.scaled(_value(here, "mult_adds_forward_per_image"))]
        steps = [
            str(m) for m in here["metric"].unique() if str(m).startswith("mult_adds_per_step.")
        ]
        cells.append(f.scaled(sum(_value(here, step) for step in steps)))
        for dataset in datasets:
            part = here[here["dataset"] == dataset]
            median, low, high = (
                _step(part, f"seconds_per_step_{quartile}.") for quartile in ("median", "q1", "q3")
            )
            cells.append(
                f"{f.milliseconds(median)} [{f.milliseconds(low)}, {f.milliseconds(high)}]"
            )
            cells.append(f.significant(_value(part, "seconds_run")))
        rows.append(cells)
    head = ["Width", "Parameters", "Forward", "Step"]
    for dataset in datasets:
        suffix = f" ({dataset_name(dataset)})" if len(datasets) > 1 else ""
        head += [f"ms per step{suffix}", f"s per run{suffix}"]
    ends = [frame[frame["width"] == width] for width in (study.widths[0], study.widths[-1])]
    operations, seconds = (
        [_step(part, prefix) for part in ends]
        for prefix in ("mult_adds_per_step.", "seconds_per_step_median.")
    )
    sentence = cost_of_widest(
        f.count(study.widths[0]), f.count(study.widths[-1]), _ratio(operations), _ratio(seconds)
    )
    return {
        "head": head,
        "rows": rows,
        "timed_on": f.listed([dataset_name(d) for d in datasets]),
        "sentences": [sentence],
    }


def _ratio(ends: list[float]) -> float:
    return ends[1] / ends[0] if ends[0] > 0 else math.nan


def _step(frame: pd.DataFrame, prefix: str) -> float:
    """What a step costs, summed over phases, on the first data set that says so."""
    found = frame[frame["metric"].str.startswith(prefix)].drop_duplicates("metric")
    return float(found["value"].sum()) if len(found) else math.nan


def _value(frame: pd.DataFrame, metric: str) -> float:
    """The value of a metric that is the same for every seed and data set."""
    found = frame.loc[frame["metric"] == metric, "value"].dropna()
    return float(found.iloc[0]) if len(found) else math.nan


def cost_of_widest(narrowest: str, widest: str, operations: float, seconds: float) -> str:
    """What the widest network costs in terms of the narrowest."""
    if narrowest == widest or not f.defined(operations):
        return say.absent("a second width to compare costs with")
    text = (
        f"A training step at width {widest} takes {f.significant(operations)} times the operations of "
        f"one at width {narrowest}"
    )
    if not f.defined(seconds):
        return text + "; no step was timed."
    relation = (
        "as many"
        if round(seconds, 1) == round(operations, 1)
        else f"{f.significant(seconds)} times the"
    )
    return f"{text} and {relation} seconds."
