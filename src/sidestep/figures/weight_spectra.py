"""What the hidden weights alone say: singular values, and effective ranks against width."""

import pandas as pd
from matplotlib.figure import Figure

from sidestep.drawing import (
    by_width,
    datasets_of,
    each_width,
    empty,
    line,
    over_seeds,
    panels,
    plain_log,
    say_n,
    width_axis,
    width_colours,
    width_key,
)
from sidestep.style import BLACK, BLUE, GREEN, GREY, ORANGE, PURPLE, SMALL
from sidestep.tables import Tables

ALT = "Singular values and ranks of the hidden weights"
CAPTION = (
    "Top: singular values of the hidden layer's weights, in order, for each width. Bottom: effective "
    "ranks of the weights against width, and the smallest rank to which they can be cut with at most "
    "0.1 point of test accuracy lost; grey: the width. After the last epoch. Line: mean over seeds; "
    "band: smallest to largest seed."
)
RANKS = {
    "weight_components_for_95": ("components for 95 %", PURPLE, "v"),
    "weight_entropy_rank": ("entropy rank", BLUE, "D"),
    "weight_participation_ratio": ("participation ratio", GREEN, "^"),
    "weight_stable_rank": ("stable rank", ORANGE, "P"),
    "low_rank": ("smallest sufficient rank", BLACK, "o"),
}


def rows(tables: Tables) -> pd.DataFrame:
    """Singular values (with their `component`) and ranks (without), at the last epoch."""
    values = tables.metric("singular_value", last=True)
    parts = [over_seeds(values, ["dataset", "width", "metric", "images", "component"])]
    for metric in RANKS:
        parts.append(by_width(tables, metric, "test" if metric == "low_rank" else ""))
    return pd.concat(parts, ignore_index=True)


def draw(rows: pd.DataFrame) -> Figure:
    """A column of two panels for each data set."""
    if rows.empty:
        return empty()
    datasets, colours = datasets_of(rows), width_colours(rows["width"])
    figure, axes = panels(datasets, 2, 2.0, sharey="row")
    for (above, below), dataset in zip(axes.T, datasets, strict=True):
        cell = rows[rows["dataset"] == dataset]
        for width, curve in each_width(cell[cell["metric"] == "singular_value"]):
            line(above, curve, x="component", color=colours[width])
        above.set_xscale("log")
        above.set_yscale("log")
        plain_log(above.xaxis)
        above.set_xlabel("singular value number")
        widths = sorted(set(rows["width"]))
        below.plot(widths, widths, color=GREY, linewidth=0.8, zorder=0)
        for metric, (words, shade, mark) in RANKS.items():
            line(below, cell[cell["metric"] == metric], color=shade, marker=mark, label=words)
        below.set_yscale("log")
        width_axis(below, widths)
    for panels_of_row in axes:
        plain_log(panels_of_row[0].yaxis)
    # Room for the key above the lines.
    axes[1, 0].set_ylim(None, 6 * rows["width"].max())
    axes[0, 0].set_ylabel("singular value")
    axes[1, 0].set_ylabel("rank")
    axes[1, 0].legend(fontsize=SMALL)
    width_key(figure, colours)
    say_n(figure, rows["n"])
    return figure
