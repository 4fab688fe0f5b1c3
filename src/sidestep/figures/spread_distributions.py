"""Ridges: the distribution of spread over a layer's neurons, one ridge a width."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from sidestep.drawing import (
    by_dataset,
    datasets_of,
    empty,
    over_seeds,
    panels,
    say_n,
    visible,
    width_colours,
)
from sidestep.tables import Tables

ALT = "Distributions of spread by width"
CAPTION = (
    "How the spread of a hidden neuron (the standard deviation of its activation over the training "
    "images, after the last epoch) is distributed over the neurons of a network, for each width. "
    "Kernel densities, each scaled to its own highest value; line: mean over seeds, band: smallest to largest "
    "seed. Tails below a fiftieth of the highest value may lie beyond the axis."
)
POINTS = 160


def rows(tables: Tables) -> pd.DataFrame:
    """Mean and range over seeds of the density, on a grid of its own for each data set and width."""
    found = tables.metric("spread_density", images="train", last=True)
    parts = [_common_grid(group) for _, group in found.groupby(["dataset", "width"], sort=False)]
    parts = [found.iloc[:0][["dataset", "width", "component", "value"]], *parts]
    return over_seeds(pd.concat(parts), ["dataset", "width", "component"]).rename(
        columns={"component": "spread"}
    )


def _common_grid(cell: pd.DataFrame) -> pd.DataFrame:
    """The seeds' densities at the same abscissas; beyond its own grid a density is 0."""
    spread = np.linspace(0.0, float(cell["component"].max()), POINTS)
    parts = []
    for _, one in cell.groupby("seed", sort=False):
        density = np.interp(spread, one["component"], one["value"], right=0.0)
        parts.append(pd.DataFrame({"component": spread, "value": density}))
    place = {"dataset": cell["dataset"].iloc[0], "width": cell["width"].iloc[0]}
    return pd.concat(parts, ignore_index=True).assign(**place)


def draw(rows: pd.DataFrame) -> Figure:
    """A panel for each data set, the narrowest layer at the top."""
    if rows.empty:
        return empty()
    widths = sorted(set(rows["width"]))
    colours = width_colours(widths)
    height = min(1.2 + 0.3 * len(widths), 7.0)
    figure, axes = panels(datasets_of(rows), height=height, sharey=True)
    for panel, (_, cell) in zip(axes[0], by_dataset(rows), strict=True):
        for place, width in enumerate(widths):
            ridge = cell[cell["width"] == width]
            if ridge.empty:
                continue
            base, scale = len(widths) - 1 - place, 1.5 / ridge["high"].max()
            x, order = ridge["spread"], 3 * place
            # White below the ridge keeps the ones behind it from shining through.
            panel.fill_between(
                x, base, base + scale * ridge["mean"], color="white", zorder=order, linewidth=0
            )
            panel.fill_between(
                x,
                base,
                base + scale * ridge["mean"],
                color=colours[width],
                alpha=0.3,
                zorder=order + 1,
                linewidth=0,
            )
            panel.fill_between(
                x,
                base + scale * ridge["low"],
                base + scale * ridge["high"],
                color=colours[width],
                alpha=0.45,
                zorder=order + 1,
                linewidth=0,
            )
            panel.plot(
                x,
                base + scale * ridge["mean"],
                color=colours[width],
                zorder=order + 2,
                linewidth=0.9,
            )
        panel.set_xlim(0, 1.03 * visible(rows, "spread", "mean", 0.02))
        panel.set_ylim(-0.15, len(widths) + 0.65)
        panel.set_xlabel("spread of a neuron (standard deviation)")
        panel.tick_params(axis="y", length=0)
        panel.spines["left"].set_visible(False)
    axes[0, 0].set_yticks(range(len(widths)), [f"{int(width)}" for width in widths[::-1]])
    axes[0, 0].set_ylabel("hidden neurons")
    say_n(figure, rows["n"])
    return figure
