"""Accuracy and loss at the end of training by learning rate, for variants that differ in it alone."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from sidestep import drawing_curves
from sidestep import drawing_parts as shared
from sidestep.drawing import empty
from sidestep.drawing_variants import QUIET, colour, marker, plain_ticks
from sidestep.tables import Tables

ALT = "How much results depend on the learning rate"
CAPTION = (
    "Test accuracy and test loss at the end of training by the learning rate, a line for variants that "
    "differ in nothing else. Point: mean over the seeds that finished; bar: its 95 % t interval. Hollow: the "
    "rate of the highest accuracy. A cross at the lower edge: some seed diverged at that rate."
)
KEPT = [
    *("dataset", "group", "variant", "learning_rate", "accuracy", "low", "high", "loss"),
    *("loss_low", "loss_high", "n", "diverged", "best"),
]


def rows(tables: Tables) -> pd.DataFrame:
    """The members of every group, with their setting and the group's look."""
    found = tables.analysis("learning_rates")[KEPT]
    its = shared.members(tables)
    # A group has the colour of its method, whichever its variants are.
    firsts = its.drop_duplicates(["dataset", "setting", "method"])
    of_method = firsts.set_index(["dataset", "setting", "method"])["look"].to_dict()
    found = found.merge(its[["dataset", "variant", "setting", "method"]], on=["dataset", "variant"])
    looks: dict[tuple[str, str], int] = {}
    for (dataset, setting), cell in found.groupby(["dataset", "setting"], sort=False):
        taken: list[int] = []
        for group, one in cell.groupby("group", sort=False):
            wish = of_method[dataset, setting, one["method"].iloc[0]]
            taken.append(shared.distinct(wish, taken))
            looks[str(dataset), str(group)] = taken[-1]
    pairs = zip(found["dataset"], found["group"], strict=True)
    return found.assign(look=[looks[pair] for pair in pairs])


def draw(rows: pd.DataFrame) -> Figure:
    """Two panels for each setting: accuracy and loss."""
    if rows.empty or not rows["n"].any():
        return empty()
    every = shared.parts_of(rows)
    keys = [_key(part.rows) for part in every]
    heights = [(1.6 if len(every) > 1 else 2.0) + shared.key_height(shown) for shown in keys]
    parts, left = shared.fitting(every, heights)
    figure, places = shared.sheet(heights[: len(parts)])
    for part, place, shown in zip(parts, places, keys, strict=False):
        axes = place.subplots(1, 2)
        shared.key(place, part.name, shown)
        _panel(axes[0], part.rows, ("accuracy", "low", "high"), 100.0, "test accuracy (%)")
        _panel(axes[1], part.rows, ("loss", "loss_low", "loss_high"), 1.0, "test loss (nats)")
    drawn = pd.concat([part.rows for part in parts])
    crosses = "cross: a seed diverged" if (drawn["diverged"] > 0).any() else ""
    shared.bottom(figure, drawn["n"], "bar: 95 % t interval", crosses, left)
    return figure


def _key(rows: pd.DataFrame) -> list[Line2D]:
    firsts = rows.drop_duplicates("group")
    found = [
        Line2D([], [], color=colour(int(look)), marker=marker(int(look)), label=_short(group, name))
        for group, look, name in zip(
            firsts["group"], firsts["look"], firsts["setting"], strict=True
        )
    ]
    hollow: dict[str, Any] = {"marker": "o", "markerfacecolor": "white", "linestyle": ""}
    return [*found, Line2D([], [], color=QUIET, label="hollow: best", **hollow)]


def _short(group: str, setting: str) -> str:
    """A group's name without the setting, which is above it."""
    words = group.replace(setting, "").strip(" ,:;()–-")
    return words or group


def _panel(
    panel: Axes, rows: pd.DataFrame, columns: tuple[str, str, str], scale: float, label: str
) -> None:
    mean, low, high = columns
    for index, (_, cell) in enumerate(rows.groupby("group", sort=False)):
        look = int(cell["look"].iloc[0])
        cell = cell.sort_values("learning_rate")
        seen = cell[np.isfinite(cell[mean].astype(float))]
        middle = scale * seen[mean].astype(float)
        away = [middle - scale * seen[low], scale * seen[high] - middle]
        panel.errorbar(
            seen["learning_rate"], middle, yerr=[np.nan_to_num(part) for part in away],
            color=colour(look), marker=marker(look), linewidth=0.9, elinewidth=0.9,
        )  # fmt: skip
        best = seen[seen["best"] > 0]
        panel.plot(
            best["learning_rate"], scale * best[mean], color=colour(look), marker=marker(look),
            markerfacecolor="white", linestyle="", zorder=4,
        )  # fmt: skip
        wrong = cell.loc[cell["diverged"] > 0, "learning_rate"]
        if len(wrong):
            panel.plot(
                wrong, [0.03 + 0.05 * index] * len(wrong), color=colour(look), marker="x",
                linestyle="", transform=panel.get_xaxis_transform(), clip_on=False,
            )  # fmt: skip
    panel.set_xscale("log")
    rates = sorted(set(rows["learning_rate"].astype(float)))
    room = (rates[-1] / rates[0]) ** 0.06 * 1.15
    panel.set_xlim(rates[0] / room, rates[-1] * room)
    step = -(-len(rates) // 7)
    panel.xaxis.set_major_locator(FixedLocator(rates[::step]))
    panel.xaxis.set_minor_locator(NullLocator())
    panel.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    values = scale * rows[mean].astype(float)
    if mean == "loss" and values.max() > drawing_curves.DEEP * values.min() > 0:
        panel.set_yscale("log", nonpositive="mask")
        plain_ticks(panel.yaxis)
    else:
        panel.yaxis.set_major_locator(MaxNLocator(5))
    panel.margins(y=0.15)
    panel.set_xlabel("learning rate")
    panel.set_ylabel(label)
