"""Accuracy of networks of whose pre-activations only k principal components are kept."""

import pandas as pd
from matplotlib.figure import Figure

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

ALT = "Accuracy against components kept"
CAPTION = (
    "Accuracy when the hidden pre-activations are replaced by their reconstruction from the first k "
    "principal components of the training images, the mean restored, for each width, after the last "
    "epoch. Line: mean over seeds; band: smallest to largest seed."
)


def rows(tables: Tables) -> pd.DataFrame:
    """Mean and range of the accuracy at each number of components above 0."""
    frame = tables.main
    known = frame.loc[frame["metric"] == "component_accuracy", "images"].unique()
    images = "test" if "test" in known or not len(known) else str(known[0])
    found = tables.metric("component_accuracy", images=images, last=True)
    return over_seeds(found[found["component"] > 0], ["dataset", "width", "images", "component"])


def draw(rows: pd.DataFrame) -> Figure:
    """A panel for each data set."""
    if rows.empty:
        return empty()
    colours = width_colours(rows["width"])
    figure, axes = panels(datasets_of(rows), height=2.2, sharey=True)
    for panel, (_, cell) in zip(axes[0], by_dataset(rows), strict=True):
        for width, curve in each_width(cell):
            line(panel, curve, x="component", color=colours[width], marker=".", scale=100)
        panel.set_xscale("log")
        plain_log(panel.xaxis)
        panel.set_xlabel("components kept, k")
    axes[0, 0].set_ylabel(f"{rows['images'].iloc[0]} accuracy (%)")
    width_key(figure, colours)
    say_n(figure, rows["n"])
    return figure
