"""Variance of the pre-activations along each principal component, by width."""

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from sidestep.drawing import (
    by_dataset,
    datasets_of,
    each_width,
    empty,
    line,
    over_seeds,
    panels,
    plain_log,
    say_n,
    width_colours,
    width_key,
)
from sidestep.tables import Tables

ALT = "Spectra of the pre-activations by width"
CAPTION = (
    "Variance of the hidden pre-activations over the training images along their principal components, "
    "in order, for each width, after the last epoch. Line: mean over seeds; band: smallest to largest "
    "seed. Variances below 10⁻⁷ of the largest are not drawn."
)
SMALLEST = 1e-7


def rows(tables: Tables) -> pd.DataFrame:
    """Mean and range of the variance of each component."""
    found = tables.metric("explained_variance", images="train", last=True)
    curves = over_seeds(found, ["dataset", "width", "component"])
    largest = curves.groupby("dataset")["mean"].transform("max")
    return curves[curves["low"] > SMALLEST * largest].reset_index(drop=True)


def draw(rows: pd.DataFrame) -> Figure:
    """A panel for each data set, both axes logarithmic."""
    if rows.empty:
        return empty()
    colours = width_colours(rows["width"])
    figure, axes = panels(datasets_of(rows), height=2.3, sharey=True)
    for panel, (_, cell) in zip(axes[0], by_dataset(rows), strict=True):
        for width, curve in each_width(cell):
            line(panel, curve, x="component", color=colours[width])
        panel.set_xscale("log")
        panel.set_yscale("log")
        plain_log(panel.xaxis)
        panel.yaxis.set_minor_locator(NullLocator())
        panel.set_xlabel("principal component")
    axes[0, 0].set_ylabel("explained variance")
    width_key(figure, colours)
    say_n(figure, rows["n"])
    return figure
