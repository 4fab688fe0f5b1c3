"""Shapiro and Wilk's W of the spread against width: single networks and the pool of seeds."""

import pandas as pd
from matplotlib.figure import Figure

from sidestep.drawing import (
    by_width,
    colour,
    datasets_of,
    empty,
    line,
    marker,
    panels,
    say_n,
    width_axis,
)
from sidestep.style import BLACK, GREY, YELLOW
from sidestep.tables import Tables

ALT = "Normality of spread against width"
CAPTION = (
    "Shapiro and Wilk's W of the neurons' spread against width, over all neurons and over those that "
    "are ever active: single networks (line: mean over seeds, band: smallest to largest seed) and the "
    "neurons of all seeds pooled. A star marks the largest value of each curve, which the journal "
    "took for the right size."
)
NEURONS = {"normality_all": "all neurons", "normality_living": "living neurons"}


def rows(tables: Tables) -> pd.DataFrame:
    """W at the last epoch; `largest` is 1 at the largest value of each curve, else 0."""
    parts = []
    for metric in NEURONS:
        for pooled in (False, True):
            found = by_width(tables, metric, pooled=pooled).assign(pooled=int(pooled))
            best = found.groupby("dataset")["mean"].transform("max")
            parts.append(found.assign(largest=(found["mean"] == best).astype(int)))
    return pd.concat(parts, ignore_index=True)


def draw(rows: pd.DataFrame) -> Figure:
    """A row of panels for all and for living neurons, a column for each data set."""
    if rows.empty:
        return empty()
    datasets = datasets_of(rows)
    figure, axes = panels(datasets, len(NEURONS), 1.55, sharex=True, sharey=True)
    for above, (metric, words) in zip(axes, NEURONS.items(), strict=True):
        for panel, dataset in zip(above, datasets, strict=True):
            cell = rows[(rows["dataset"] == dataset) & (rows["metric"] == metric)]
            single, pooled = cell[cell["pooled"] == 0], cell[cell["pooled"] == 1]
            line(
                panel,
                pooled,
                color=BLACK,
                linestyle="--",
                marker=marker(dataset),
                markerfacecolor="white",
                label="seeds pooled",
            )
            line(
                panel,
                single,
                color=colour(dataset),
                marker=marker(dataset),
                label="single networks",
            )
            best = cell[cell["largest"] == 1]
            panel.plot(
                best["width"],
                best["mean"],
                linestyle="",
                marker="*",
                markersize=9,
                zorder=5,
                color=YELLOW,
                markeredgecolor=BLACK,
                markeredgewidth=0.6,
                label="largest",
            )
            panel.grid(axis="y", color=GREY, alpha=0.25, linewidth=0.5)
        above[0].set_ylabel(f"W, {words}")
    for panel in axes[-1]:
        width_axis(panel, rows["width"])
    for panel in axes[0]:
        panel.legend(loc="best")
    say_n(figure, rows.loc[rows["pooled"] == 0, "n"])
    return figure
