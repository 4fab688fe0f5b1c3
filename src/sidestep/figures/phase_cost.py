"""Multiply-adds of a step against its measured time, one point a phase."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from sidestep.drawing import empty, grid, title
from sidestep.drawing_variants import (
    QUIET,
    TALLEST,
    colour,
    each_variant,
    groups,
    not_drawn,
    plain_ticks,
    timed_datasets,
    variant_key,
    with_looks,
)
from sidestep.style import GREY, SMALL, TEXT, VARIANT_COLOURS
from sidestep.tables import Tables

_RATES = (1e-3, 1e-2, 1e-1, 1.0, 10.0)
ALT = "Multiply-adds of a step against its time, by phase"
CAPTION = (
    "Multiply-adds of a training step (forward and backward) against its measured time, one point for "
    "each phase of each variant: median over steps; bar: quartiles over steps, since cost is not measured "
    "per seed. Dotted lines: equal time per multiply-add. A block whose frozen stages' outputs are kept "
    "computes its own stages only."
)
SHAPES = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "*")


def rows(tables: Tables) -> pd.DataFrame:
    """Mult-adds and seconds with quartiles of every phase; `n` is the number of timed steps."""
    found = with_looks(tables.analysis("phase_cost"), tables.study)
    kept = ["dataset", "variant", "look", "phase", "mult_adds", "seconds", "q1", "q3"]
    return found[[*kept, "relative_speed"]].assign(n=tables.study.timing_steps)


def draw(rows: pd.DataFrame) -> Figure:
    """A panel a data set that was timed, a row for each seven variants."""
    timed = rows[rows["seconds"].notna() & (rows["mult_adds"] > 0)]
    if timed.empty:
        return empty()
    datasets = timed_datasets(timed)
    parts, left = groups(timed, most=3)
    figure, axes = grid(
        len(parts),
        len(datasets),
        width=TEXT,
        height=2.9 if len(parts) == 1 else TALLEST / max(len(parts), 3.2),
        sharex=True,
        sharey=True,
    )
    phases = list(dict.fromkeys(rows["phase"]))
    shapes = {phase: SHAPES[index % len(SHAPES)] for index, phase in enumerate(phases)}
    for index, (looks, panels) in enumerate(zip(parts, axes, strict=True)):
        for dataset, panel in zip(datasets, panels, strict=True):
            cell = timed[timed["dataset"] == dataset]
            for look, its in each_variant(cell, looks):
                for one in its.to_dict("records"):
                    panel.errorbar(
                        one["mult_adds"] / 1e6,
                        1000 * one["seconds"],
                        yerr=1000
                        * np.array([[one["seconds"] - one["q1"]], [one["q3"] - one["seconds"]]]),
                        color=colour(look),
                        marker=shapes[one["phase"]],
                        markerfacecolor="none",
                        # Equal costs lie on one another: rings of several sizes all show.
                        markeredgewidth=0.8,
                        markersize=10.0 - 7.0 * looks.index(look) / len(VARIANT_COLOURS),
                        elinewidth=0.8,
                    )
            if index == len(parts) - 1:
                panel.set_xlabel("million multiply-adds a step")
        panels[0].set_ylabel("milliseconds a step")
        handles = [
            Line2D(
                [],
                [],
                color=QUIET,
                marker=shapes[phase],
                markerfacecolor="white",
                linestyle="",
                label=f"phase {phase.replace('_', '-')}",
            )
            for phase in phases
        ]
        variant_key(panels[-1], timed[timed["look"].isin(looks)], looks, handles, shapes=False)
    axes[0, 0].set_xscale("log")
    axes[0, 0].set_yscale("log")
    _limits(axes[0, 0], timed)
    for axis in (axes[0, 0].xaxis, axes[0, 0].yaxis):
        plain_ticks(axis)
    for panel in axes.flat:
        _rate_lines(panel)
    for panel, dataset in zip(axes[0], datasets, strict=True):
        panel.set_title(title(dataset))
    text = f"n = {int(rows['n'].max())} steps; bar: quartiles"
    note = not_drawn(rows, datasets, left)
    figure.supxlabel(
        "; ".join(filter(None, (text, note))), x=0.995, ha="right", fontsize=SMALL, color=QUIET
    )
    return figure


def _limits(panel: Axes, rows: pd.DataFrame) -> None:
    """Room around all points of all panels, on logarithmic axes; one point alone has a decade."""
    counts, seconds = rows["mult_adds"] / 1e6, 1000 * rows[["seconds", "q1", "q3"]]
    for low, high, limit in (
        (counts.min(), counts.max(), panel.set_xlim),
        (seconds.min().min(), seconds.max().max(), panel.set_ylim),
    ):
        room = max((high / low) ** 0.08, 1.5)
        limit(low / room, high * room)


def _rate_lines(panel: Axes) -> None:
    """Grey lines of constant nanoseconds per multiply-add, across a panel.

    Its axes are logarithmic: millions of multiply-adds and milliseconds.
    """
    (left, right), (bottom, top) = panel.get_xlim(), panel.get_ylim()
    for rate in _RATES:
        ends = np.array([left, right])
        heights = rate * ends
        if heights[1] < bottom or heights[0] > top:
            continue
        panel.plot(ends, heights, color=GREY, linewidth=0.5, linestyle=":", zorder=0)
        x = min(right, top / rate)
        if bottom * 1.5 < rate * x:
            panel.annotate(
                f"{rate:g} ns",
                (x, rate * x),
                xytext=(-2, -8),
                textcoords="offset points",
                ha="right",
                fontsize=SMALL,
                color=QUIET,
                zorder=0,
            )
    panel.set_xlim(left, right)
    panel.set_ylim(bottom, top)
