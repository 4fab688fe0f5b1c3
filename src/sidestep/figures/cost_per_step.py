"""What a step of each variant costs: seconds, multiply-adds, parameters and memory."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from sidestep import drawing_parts as shared
from sidestep.drawing import empty, note
from sidestep.drawing_variants import colour
from sidestep.style import GREY
from sidestep.tables import Tables

ALT = "Cost of a training step, and what has to be kept"
CAPTION = (
    "Milliseconds of a training step, measured by a job that runs alone (median; bar: quartiles over "
    "steps, since speed is not measured per seed); multiply-adds of a step, forward and backward, mean over "
    "all steps of a run; parameters of the network (dark) and of the signals (pale), which are thrown away "
    "after training; largest memory of the training job, which may train several seeds in turn, up to the end "
    "of a seed (mean over seeds; bar: smallest to largest). Variants of a method that do as much work with as "
    "many parameters as an earlier one are left out."
)
STEP = "seconds_per_step_"
COLUMNS = {
    "milliseconds": "milliseconds a step",
    "mult_adds": "multiply-adds a step",
    "parameters": "parameters",
    "memory": "peak memory (MiB)",
}


def rows(tables: Tables) -> pd.DataFrame:
    """Costs of variants that differ in them; `steps_timed` counts timed steps, `n` seeds."""
    kept = ["dataset", "variant", "steps", "seconds_per_step", "mult_adds_per_step", "parameters"]
    kept += ["parameters_of_signals", "peak_memory_bytes"]
    found = tables.analysis("family")[kept]
    found = found.merge(shared.members(tables), on=["dataset", "variant"])
    frame = tables.main
    peak = frame[frame["metric"] == "peak_memory_bytes"].groupby(["dataset", "variant"])["value"]
    spread = peak.agg(memory_low="min", memory_high="max", n="count").reset_index()
    found = found.merge(spread, "left", ["dataset", "variant"]).fillna({"n": 0})
    timed = frame[frame["seed"] == ""]
    cells = {
        cell: dict(zip(its["metric"], its["value"].astype(float), strict=True))
        for cell, its in timed.groupby(["dataset", "variant"], sort=False)
    }
    pairs = list(zip(found["dataset"], found["variant"], strict=True))
    quartiles = {
        name: [_per_step(cells.get(pair, {}), name) for pair in pairs] for name in ("q1", "q3")
    }
    found = found.assign(**quartiles, steps_timed=tables.study.timing_steps)
    same = ["dataset", "setting", "method", "steps", "mult_adds_per_step", "parameters"]
    return found[~found.duplicated([*same, "parameters_of_signals"])]


def draw(rows: pd.DataFrame) -> Figure:
    """Bars from top to bottom, a row of four panels for each setting with axes of its own."""
    rows = rows[rows["mult_adds_per_step"].notna()]
    if rows.empty:
        return empty()
    every = shared.parts_of(rows)
    heights = [0.5 + 0.165 * len(part.rows) + shared.key_height([]) for part in every]
    parts, left = shared.fitting(every, heights)
    figure, places = shared.sheet(heights[: len(parts)], foot=0.5)
    for part, place in zip(parts, places, strict=True):
        axes = place.subplots(1, len(COLUMNS), sharey=True)
        shared.key(place, part.name, [])
        shared.name_lines(axes[0], list(part.rows["variant"]))
        for panel, (quantity, label) in zip(axes, COLUMNS.items(), strict=True):
            panel.xaxis.set_major_locator(MaxNLocator(3))
            _panel(panel, part.rows, quantity)
            panel.set_xlabel(label)
        for panel in (axes[1], axes[2]):
            shared.thousands(panel.xaxis)
        for panel in axes[1:]:
            panel.tick_params(axis="y", length=0)
    figure.legend(
        handles=[
            Patch(facecolor="#444444", label="parameters of the network"),
            Patch(facecolor="#444444", alpha=0.35, label="of the signals"),
        ],
        loc="outside upper right",
        ncols=2,
    )
    steps = int(rows["steps_timed"].max())
    shared.bottom(
        figure, rows["n"], f"seconds: median and quartiles of {steps} steps",
        "memory: smallest to largest seed", left,
    )  # fmt: skip
    return figure


def _panel(panel: Axes, rows: pd.DataFrame, quantity: str) -> None:
    places = np.arange(len(rows))
    shades = [colour(int(look)) for look in rows["look"]]
    look: dict[str, Any] = {"height": 0.66, "color": shades}
    error: dict[str, Any] = {"ecolor": GREY, "elinewidth": 1.2, "capsize": 2}
    if quantity == "milliseconds":
        middle = 1000 * rows["seconds_per_step"].to_numpy(float)
        away = [middle - 1000 * rows["q1"], 1000 * rows["q3"] - middle]
        _spread(panel, places, middle, away, look, error)
    elif quantity == "memory":
        middle = rows["peak_memory_bytes"].to_numpy(float) / 2**20
        away = [middle - rows["memory_low"] / 2**20, rows["memory_high"] / 2**20 - middle]
        _spread(panel, places, middle, away, look, error)
    elif quantity == "mult_adds":
        panel.barh(places, rows["mult_adds_per_step"], **look)
    else:
        panel.barh(places, rows["parameters"], **look)
        panel.barh(
            places, rows["parameters_of_signals"], left=rows["parameters"], alpha=0.35, **look
        )
    panel.set_xlim(left=0)


def _spread(
    panel: Axes, places: Any, middle: Any, away: Any, look: dict[str, Any], error: dict[str, Any]
) -> None:
    """Bars with whiskers, or a word that nothing was measured."""
    if not np.isfinite(middle).any():
        note(panel, 0.05, 0.5, "not measured", va="center", fontsize=shared.LEAST)
        panel.set_xticks([])
        return
    known = np.isfinite(middle)
    panel.barh(places, np.nan_to_num(middle), **look)
    both = [np.clip(np.nan_to_num(np.asarray(part, dtype=float)), 0, None)[known] for part in away]
    panel.errorbar(middle[known], places[known], xerr=both, linestyle="", **error)


def _per_step(values: dict[str, float], quantity: str) -> float:
    """Seconds of a step, of all phases, at a quartile of each; `nan` if not timed."""
    names = [
        name.removeprefix("phase_steps.") for name in values if name.startswith("phase_steps.")
    ]
    steps = sum(values[f"phase_steps.{name}"] for name in names)
    if not steps:
        return float("nan")
    seconds = sum(
        values[f"seconds_entry.{name}"]
        + values[f"phase_steps.{name}"] * values[f"{STEP}{quantity}.{name}"]
        for name in names
    )
    return seconds / steps
