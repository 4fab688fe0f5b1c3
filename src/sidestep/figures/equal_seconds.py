"""Test accuracy when every variant of a setting has had the same seconds of training."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from sidestep import drawing_parts as shared
from sidestep.drawing import empty
from sidestep.drawing_variants import QUIET, colour
from sidestep.tables import Tables

ALT = "Test accuracy after equal seconds of training"
CAPTION = (
    "Test accuracy at the last evaluation within the seconds that the fastest variant of a setting needs "
    "for its whole run, and the difference, over the same seeds, to what the setting is measured against. "
    "Filled point: mean; bar: its 95 % t interval. Hollow: mean at the end of the variant's own run. After a "
    "colon: the head or signal that blocks learn from; of variants with equal ones the first is drawn."
)
KEPT = [
    *("dataset", "setting", "variant", "method", "head", "seconds", "step", "epoch", "accuracy"),
    *("low", "high", "n", "final_accuracy", "seconds_run", "parameters_of_signals", "pairs"),
    *("difference", "difference_low", "difference_high", "separates"),
]


def rows(tables: Tables) -> pd.DataFrame:
    """The first variant of each method and head, in settings of which at least two were timed."""
    found = tables.analysis("equal_seconds")[KEPT]
    looks = shared.members(tables)[["dataset", "variant", "look"]]
    found = found.merge(looks, on=["dataset", "variant"]).fillna({"head": ""})
    # Others of the same method and head differ in their learning rates, say.
    return found[~found.duplicated(["dataset", "setting", "method", "head"])]


def draw(rows: pd.DataFrame) -> Figure:
    """For each setting a line a variant: accuracies, and differences."""
    if rows.empty or not rows["n"].any():
        return empty()
    every = shared.parts_of(rows)
    heights = [0.5 + 0.165 * len(part.rows) + shared.key_height([]) for part in every]
    parts, left = shared.fitting(every, heights)
    figure, places = shared.sheet(heights[: len(parts)], foot=0.5)
    for part, place in zip(parts, places, strict=True):
        cell = part.rows
        axes = place.subplots(1, 2, sharey=True)
        shared.key(place, f"{part.name}: at {cell['seconds'].iloc[0]:.3g} seconds", [])
        shared.name_lines(axes[0], [_name(one) for one in cell.to_dict("records")])
        axes[1].tick_params(axis="y", length=0)
        _ends(axes[0], cell)
        shared.dots(axes[0], cell, "accuracy", ("low", "high"), marker="o", zorder=3)
        shared.dots(axes[1], cell, "difference", ("difference_low", "difference_high"), marker="o")
        shared.zero(axes[1])
        axes[0].set_xlabel("test accuracy (%)")
        axes[1].set_xlabel("difference at equal seconds (points)")
        for panel in axes:
            panel.xaxis.set_major_locator(MaxNLocator(5))
            panel.margins(x=0.08)
    figure.legend(
        handles=[
            Line2D([], [], color=QUIET, marker="o", linestyle="", label="at equal seconds"),
            Line2D([], [], color=QUIET, marker="o", markerfacecolor="white", linestyle="",
                   label="at the end of its own run"),
        ],
        loc="outside upper right",
        ncols=2,
    )  # fmt: skip
    shown = pd.concat([part.rows for part in parts])
    shared.bottom(figure, shown["n"], "bar: 95 % t interval", left)
    return figure


def _ends(panel: Axes, rows: pd.DataFrame) -> None:
    """Hollow points at the accuracies after the whole runs, tied to those at equal seconds."""
    for place, one in enumerate(rows.to_dict("records")):
        final, now = 100 * float(one["final_accuracy"]), 100 * float(one["accuracy"])
        if not np.isfinite(final):
            continue
        shade = colour(int(one["look"]))
        panel.plot([now, final], [place, place], color=shade, linewidth=0.6, linestyle=":")
        panel.plot(
            [final], [place], color=shade, marker="o", markersize=5.5, markerfacecolor="white",
            linestyle="",
        )  # fmt: skip


def _name(one: Mapping[Any, Any]) -> str:
    head = str(one["head"] or "")
    return f"{one['variant']}: {head}" if head else str(one["variant"])
