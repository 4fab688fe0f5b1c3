"""Neurons that are active on no training image, against width: how many, and which share."""

import pandas as pd
from matplotlib.figure import Figure

from sidestep.drawing import (
    by_width,
    colour,
    dataset_key,
    datasets_of,
    empty,
    grid,
    line,
    marker,
    say_n,
    width_axis,
)
from sidestep.style import TEXT
from sidestep.tables import Tables

ALT = "Dead neurons against width"
CAPTION = (
    "Hidden neurons of a network that are active on none of the training images, against width: their "
    "number (linear below 1, logarithmic above) and their share. Line: mean over seeds; band: "
    "smallest to largest seed."
)


def rows(tables: Tables) -> pd.DataFrame:
    """Number and share at the last epoch."""
    parts = [by_width(tables, metric) for metric in ("dead_neurons", "dead_share")]
    return pd.concat(parts, ignore_index=True)


def draw(rows: pd.DataFrame) -> Figure:
    """A panel for the number and one for the share."""
    if rows.empty:
        return empty()
    figure, axes = grid(1, 2, width=TEXT, height=2.2)
    for panel, metric, scale in zip(axes[0], ("dead_neurons", "dead_share"), (1, 100), strict=True):
        for dataset in datasets_of(rows):
            cell = rows[(rows["dataset"] == dataset) & (rows["metric"] == metric)]
            line(panel, cell, color=colour(dataset), marker=marker(dataset), scale=scale)
        width_axis(panel, rows["width"])
    number, share = axes[0]
    number.set_yscale("symlog", linthresh=1, linscale=0.4)
    most = rows.loc[rows["metric"] == "dead_neurons", "high"].max()
    ticks = [0, *(10**power for power in range(6) if 10**power <= 2 * most)]
    number.set_yticks(ticks, [f"{tick:,}" for tick in ticks])
    number.minorticks_off()
    number.set_ylim(-0.1, 1.5 * max(most, 1))
    number.set_ylabel("dead neurons in a network")
    share.set_ylabel("share of dead neurons (%)")
    share.set_ylim(-0.02 * share.get_ylim()[1], None)
    dataset_key(figure, datasets_of(rows))
    say_n(figure, rows["n"])
    return figure
