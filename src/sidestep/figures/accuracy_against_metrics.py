"""Test accuracy of every network against each measure of its layer."""

import pandas as pd
from matplotlib.figure import Figure

from sidestep.drawing import (
    SIZE_METRICS,
    by_dataset,
    colour,
    dataset_key,
    datasets_of,
    empty,
    grid,
    marker,
    plain_log,
    say_n,
)
from sidestep.style import LABELS, TEXT
from sidestep.tables import Tables

ALT = "Accuracy against every metric"
CAPTION = (
    "Test accuracy against every measure of the hidden layer after the last epoch. Each point is one "
    "network, so the points of a width show the spread over seeds; lines join the means over seeds in "
    "order of width, from the narrowest layer that has the value (ringed). Refused mixture fits are "
    "left out."
)
COLUMNS = 3


def rows(tables: Tables) -> pd.DataFrame:
    """One row a network and metric, with the network's test accuracy."""
    keys = ["dataset", "width", "seed"]
    accuracy = tables.metric("accuracy", images="test", last=True)
    accuracy = accuracy[[*keys, "value"]].rename(columns={"value": "accuracy"})
    parts = []
    for metric, images in SIZE_METRICS.items():
        found = tables.metric(metric, images=images, last=True)[[*keys, "metric", "value"]]
        parts.append(found[found["value"].notna()].merge(accuracy, on=keys))
    found = pd.concat(parts, ignore_index=True)
    return found.assign(seed=found["seed"].astype(int))


def draw(rows: pd.DataFrame) -> Figure:
    """A panel for each metric that the study has."""
    if rows.empty:
        return empty()
    metrics = list(dict.fromkeys(rows["metric"]))
    count = -(-len(metrics) // COLUMNS)
    figure, axes = grid(count, COLUMNS, width=TEXT, height=1.5, sharey=True)
    for panel, metric in zip(axes.flat, metrics, strict=False):
        shown = rows[rows["metric"] == metric]
        for dataset, cell in by_dataset(shown):
            means = cell.groupby("width")[["value", "accuracy"]].mean()
            panel.plot(
                means["value"],
                100 * means["accuracy"],
                color=colour(dataset),
                linewidth=0.7,
                alpha=0.6,
            )
            panel.plot(
                cell["value"],
                100 * cell["accuracy"],
                linestyle="",
                color=colour(dataset),
                alpha=0.7,
                marker=marker(dataset),
                markersize=2.5,
                markeredgewidth=0,
            )
            panel.plot(
                means["value"].iloc[:1],
                100 * means["accuracy"].iloc[:1],
                marker="o",
                markersize=6.5,
                markerfacecolor="none",
                markeredgecolor=colour(dataset),
                markeredgewidth=0.7,
            )
        if not metric.endswith("share") and shown["value"].max() > 10 * shown["value"].min() > 0:
            panel.set_xscale("log")
            plain_log(panel.xaxis)
        panel.set_xlabel(LABELS[metric], fontsize=7)
    for panel in axes.flat[len(metrics) :]:
        panel.remove()
    for panel in axes[:, 0]:
        panel.set_ylabel("test accuracy (%)", fontsize=7)
    dataset_key(figure, datasets_of(rows))
    say_n(figure, rows.groupby(["dataset", "width"])["seed"].nunique(), "one point a network")
    return figure
