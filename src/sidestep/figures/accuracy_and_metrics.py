"""Test accuracy and every measure of a layer against width, as small multiples."""

import pandas as pd
from matplotlib.figure import Figure

from sidestep.drawing import (
    by_dataset,
    colour,
    dataset_key,
    datasets_of,
    empty,
    grid,
    line,
    marker,
    say_n,
    size_metrics,
    width_axis,
)
from sidestep.statistics.saturation import within_margin_of_best
from sidestep.style import LABELS, TEXT
from sidestep.tables import Tables

ALT = "Accuracy and every metric against width"
CAPTION = (
    "Test accuracy and every measure of the hidden layer against width, after the last epoch. Line: "
    "mean over seeds; band: smallest to largest seed; dotted: the smallest width whose mean test "
    "accuracy is within 0.1 point of the best. Refused mixture fits are left out, so that some shares "
    "come from fewer seeds."
)
COLUMNS = 3


def rows(tables: Tables) -> pd.DataFrame:
    """Mean and range of each metric; `saturates` is the data set's width of saturated accuracy."""
    found = size_metrics(tables)
    saturates = {}
    for dataset, cell in found[found["metric"] == "accuracy"].groupby("dataset"):
        curve = cell.sort_values("width")
        saturates[dataset] = within_margin_of_best(
            curve["width"].to_numpy(float), curve["mean"].to_numpy(float)
        )
    return found.assign(saturates=found["dataset"].map(saturates).astype(float))


def draw(rows: pd.DataFrame) -> Figure:
    """A panel for each metric that the study has; the data sets in their colours."""
    if rows.empty:
        return empty()
    metrics = list(dict.fromkeys(rows["metric"]))
    count = -(-len(metrics) // COLUMNS)
    figure, axes = grid(count, COLUMNS, width=TEXT, height=1.5, sharex=True)
    for panel, metric in zip(axes.flat, metrics, strict=False):
        shown = rows[rows["metric"] == metric]
        scale = 100 if metric == "accuracy" else 1
        for place, (dataset, cell) in enumerate(by_dataset(shown)):
            line(
                panel,
                cell,
                color=colour(dataset),
                marker=marker(dataset),
                markersize=2.5,
                scale=scale,
            )
            saturates = cell["saturates"].iloc[0]
            # Dots of one data set fall between those of another at the same width.
            dots = (1.5 * place, (1.2, 1.8))
            panel.axvline(saturates, color=colour(dataset), linestyle=dots, linewidth=0.9)
        panel.set_title("test accuracy (%)" if metric == "accuracy" else LABELS[metric], fontsize=7)
    for panel in axes.flat[len(metrics) :]:
        panel.remove()
    for place, panel in enumerate(axes.flat[: len(metrics)]):
        last = place + COLUMNS >= len(metrics)
        width_axis(panel, rows["width"], most=5, label=last)
        panel.tick_params(labelbottom=last)
    dataset_key(figure, datasets_of(rows))
    say_n(figure, rows["n"])
    return figure
