"""Seconds until each variant first reaches a loss or an accuracy, with the ones that never do."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter

from sidestep.drawing import empty, grid, title
from sidestep.drawing_time import TimeAxis
from sidestep.drawing_variants import (
    QUIET,
    TALLEST,
    colour,
    foot,
    not_drawn,
    timed_datasets,
    with_looks,
)
from sidestep.style import TEXT
from sidestep.tables import Tables

ALT = "Time to reach a loss or an accuracy"
CAPTION = (
    "Seconds of training until the test loss or the test accuracy is first seen to be as good as a "
    "target. Point: mean over the seeds that reach it (hollow: not all do); pale: back to the evaluation "
    "before, when it was not reached yet; bar: 95 % t interval, that time included. Never: no seed reaches it. The "
    "test images only measure: nothing is chosen by them."
)
SHAPES = ("o", "s", "D", "^", "v", "P", "X", "<")
SIGNS = {"loss": "loss ≤ {:g}", "accuracy": "accuracy ≥ {:g} %"}
# Inches for a target's line: what is readable, and what looks loose.
LEAST, MOST = 0.062, 0.11


def rows(tables: Tables) -> pd.DataFrame:
    """Seconds and steps to each target of the main variants; `never` counts seeds."""
    found = tables.analysis("time_to_target")
    found = with_looks(found[found["quantity"] != "area"], tables.study)
    kept = ["dataset", "variant", "look", "quantity", "target", "seeds", "reached", "never"]
    kept += ["mean", "low", "high", "before", "steps", "horizon"]
    return found[kept].rename(columns={"mean": "seconds"})


def draw(rows: pd.DataFrame) -> Figure:
    """A column of panels a quantity, a row a data set; variants from top to bottom."""
    if rows.empty or not rows["seeds"].any():
        return empty()
    # A data set is timed though no seed may have reached anything.
    timed = rows.assign(seconds=rows["horizon"])
    datasets = timed_datasets(timed)
    shown = rows[rows["dataset"].isin(datasets)]
    quantities = list(dict.fromkeys(shown["quantity"]))
    targets = {
        quantity: _from_easy(shown.loc[shown["quantity"] == quantity, "target"], quantity)
        for quantity in quantities
    }
    most = max(len(each) for each in targets.values())
    room = (TALLEST - 0.5) / len(datasets) - 0.55
    looks = sorted(set(shown["look"]))
    fitting = max(2, int(room / (LEAST * (most + 1))))
    left, looks = max(len(looks) - fitting, 0), looks[:fitting]
    height = 0.55 + len(looks) * max(min(MOST * (most + 1), room / len(looks)), 0.15)
    height = max(height, 1.1 + 0.9 / len(datasets))
    figure, axes = grid(
        len(datasets), len(quantities), width=TEXT, height=height, sharex=True, sharey=True
    )
    axis = TimeAxis(_places(shown))
    never = axis.last * (axis.last / axis.edge) ** 0.1
    for index, (dataset, panels) in enumerate(zip(datasets, axes, strict=True)):
        for quantity, panel in zip(quantities, panels, strict=True):
            cell = shown[(shown["dataset"] == dataset) & (shown["quantity"] == quantity)]
            _panel(panel, cell, looks, targets[quantity], axis, never)
            _never(panel, axis, never, label=index == len(datasets) - 1)
            panel.set_title(f"{title(dataset)}, {quantity}")
    names = dict(zip(shown["look"], shown["variant"], strict=True))
    axes[0, 0].set_yticks(range(len(looks)), [names[look] for look in looks])
    axes[0, 0].set_ylim(len(looks) - 0.45, -0.55)
    _key(figure, targets)
    foot(
        figure,
        shown["seeds"],
        "bar: 95 % t interval of the mean and the time between evaluations",
        not_drawn(timed, datasets, left),
    )
    return figure


def _key(figure: Figure, targets: dict[str, list[float]]) -> None:
    """A legend above the figure: a line of targets for each quantity, and what hollow means."""
    style: dict[str, Any] = {"color": QUIET, "linestyle": ""}
    columns = max(len(each) for each in targets.values())
    handles = []
    for place in range(columns):
        for quantity, goals in targets.items():
            label = " "
            if place < len(goals):
                goal = goals[place] * (100 if quantity == "accuracy" else 1)
                label = SIGNS[quantity].format(goal)
            shape = SHAPES[place % len(SHAPES)] if label.strip() else ""
            handles.append(Line2D([], [], marker=shape, label=label, **style))
    hollow = "hollow: some seeds never"
    handles.append(Line2D([], [], marker="o", markerfacecolor="white", label=hollow, **style))
    figure.legend(handles=handles, loc="outside upper left", ncols=columns + 1)


def _from_easy(values: pd.Series, quantity: str) -> list[float]:
    return sorted(set(values), reverse=quantity == "loss")


def _places(rows: pd.DataFrame) -> pd.DataFrame:
    """All abscissas of the figure, for the axis: means, bounds above 0, and the longest run's end."""
    bounds = rows.loc[rows["low"] > 0, "low"]
    seconds = [rows["seconds"], bounds, rows["high"], rows["horizon"]]
    found = pd.DataFrame({"seconds": pd.concat(seconds, ignore_index=True)})
    return found.assign(step=rows["steps"].reset_index(drop=True))


def _panel(
    panel: Axes,
    rows: pd.DataFrame,
    looks: list[int],
    targets: list[float],
    axis: TimeAxis,
    never: float,
) -> None:
    lift = np.arange(len(targets)) / (len(targets) + 1)
    lift -= lift.mean()
    for one in rows[rows["look"].isin(looks)].to_dict("records"):
        index = targets.index(float(one["target"]))
        y = looks.index(int(one["look"])) + lift[index]
        shape, shade = SHAPES[index % len(SHAPES)], colour(int(one["look"]))
        if not one["reached"]:
            panel.plot(never, y, marker=shape, color=shade, markerfacecolor="white", clip_on=False)
            continue
        timed = axis.column == "seconds"
        x = float(axis.places(one["seconds"] if timed else one["steps"]))
        if timed:
            pale: dict[str, Any] = {
                "color": shade,
                "alpha": 0.3,
                "linewidth": 2.2,
                "solid_capstyle": "butt",
            }
            panel.plot(axis.places([one["before"], one["seconds"]]), [y, y], **pale)
            if np.isfinite(one["low"]):
                panel.plot(
                    axis.places([one["low"], one["high"]]), [y, y], color=shade, linewidth=0.9
                )
        fill = "white" if one["never"] else shade
        panel.plot(x, y, marker=shape, color=shade, markerfacecolor=fill, zorder=3)
    for place in range(1, len(looks)):
        panel.axhline(place - 0.5, color="#e4e4e4", linewidth=0.5, zorder=0)


def _never(panel: Axes, axis: TimeAxis, never: float, *, label: bool) -> None:
    """The axis with a place of its own for what never happens, behind a line."""
    axis.draw(panel, label=label)
    low, _ = panel.get_xlim()
    panel.set_xlim(low, never * (axis.last / axis.edge) ** 0.05)
    ticks = [tick for tick in panel.xaxis.get_majorticklocs() if tick <= axis.last]
    written = panel.xaxis.get_major_formatter()
    panel.xaxis.set_major_locator(FixedLocator([*ticks, never]))
    panel.xaxis.set_major_formatter(
        FuncFormatter(lambda value, _: "never" if value == never else written(value))
    )
    panel.axvline((never * axis.last) ** 0.5, color=QUIET, linewidth=0.6, linestyle=":")
