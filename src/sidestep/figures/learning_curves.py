"""Test accuracy over the epochs of training, by width."""

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from sidestep.drawing import (
    by_dataset,
    datasets_of,
    each_width,
    empty,
    line,
    over_seeds,
    panels,
    say_n,
    width_colours,
    width_key,
)
from sidestep.tables import Tables

ALT = "Learning curves by width"
CAPTION = (
    "Test accuracy after each epoch of training, for each width. Line: mean over seeds; band: smallest "
    "to largest seed. The test images only measure: nothing is chosen by them."
)


def rows(tables: Tables) -> pd.DataFrame:
    """Mean and range of the test accuracy after each epoch; before the first it is chance."""
    found = tables.metric("history_accuracy", images="test")
    found = found[found["epoch"] > 0]
    return over_seeds(found, ["dataset", "width", "epoch"])


def draw(rows: pd.DataFrame) -> Figure:
    """A panel for each data set; their accuracies have each an axis of its own."""
    if rows.empty:
        return empty()
    colours = width_colours(rows["width"])
    figure, axes = panels(datasets_of(rows), height=2.1)
    few = rows["epoch"].nunique() <= 12
    for panel, (_, cell) in zip(axes[0], by_dataset(rows), strict=True):
        for width, curve in each_width(cell):
            line(
                panel, curve, x="epoch", color=colours[width], marker="." if few else "", scale=100
            )
        panel.xaxis.set_major_locator(MaxNLocator(8, integer=True))
        panel.set_xlabel("epoch")
    axes[0, 0].set_ylabel("test accuracy (%)")
    width_key(figure, colours)
    say_n(figure, rows["n"])
    return figure
