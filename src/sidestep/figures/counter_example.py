"""Each activation metric on the training images and on noise that the network has labelled itself."""

from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from sidestep.drawing import (
    SIZE_METRICS,
    by_width,
    colour,
    datasets_of,
    empty,
    grid,
    line,
    marker,
    plain_log,
    say_n,
    title,
    width_axis,
)
from sidestep.style import LABELS, TEXT
from sidestep.tables import Tables

ALT = "The counter-example: metrics on real images and on noise"
CAPTION = (
    "Accuracy and metrics of the same networks on their training images (filled, solid) and on uniform "
    "noise that each network labelled itself, on which it is perfect by construction (hollow, dashed). "
    "Metrics of the weights alone are the same on both and are not drawn. Line: mean over seeds; band: "
    "smallest to largest seed. Refused mixture fits are left out."
)
COLUMNS = 3


def rows(tables: Tables) -> pd.DataFrame:
    """Mean and range on both kinds of images, for every metric that was taken on both."""
    wanted = ["accuracy", *(name for name, images in SIZE_METRICS.items() if images == "train")]
    wanted.append("components_for_99")
    parts = []
    for metric in wanted:
        both = [by_width(tables, metric, images) for images in ("train", "noise")]
        parts += both if all(len(found) for found in both) else [found.iloc[:0] for found in both]
    return pd.concat(parts, ignore_index=True)


def draw(rows: pd.DataFrame) -> Figure:
    """A panel for each metric."""
    if rows.empty:
        return empty()
    metrics, datasets = list(dict.fromkeys(rows["metric"])), datasets_of(rows)
    figure, axes = grid(-(-len(metrics) // COLUMNS), COLUMNS, width=TEXT, height=1.55, sharex=True)
    for panel, metric in zip(axes.flat, metrics, strict=False):
        for dataset in datasets:
            cell = rows[(rows["metric"] == metric) & (rows["dataset"] == dataset)]
            look: dict[str, Any] = {
                "color": colour(dataset),
                "marker": marker(dataset),
                "markersize": 2.8,
                "scale": 100 if metric == "accuracy" else 1,
            }
            line(panel, cell[cell["images"] == "train"], **look)
            line(
                panel,
                cell[cell["images"] == "noise"],
                linestyle="--",
                markerfacecolor="white",
                **look,
            )
        panel.set_title("accuracy (%)" if metric == "accuracy" else LABELS[metric], fontsize=7)
        if metric.startswith(("sum", "participation", "entropy", "components")):
            panel.set_yscale("log")
            plain_log(panel.yaxis)
    for panel in axes.flat[len(metrics) :]:
        panel.remove()
    for place, panel in enumerate(axes.flat[: len(metrics)]):
        last = place + COLUMNS >= len(metrics)
        width_axis(panel, rows["width"], most=5, label=last)
        panel.tick_params(labelbottom=last)
    handles = []
    for dataset in datasets:
        look = {"color": colour(dataset), "marker": marker(dataset)}
        handles.append(Line2D([], [], label=f"{title(dataset)}, training images", **look))
        handles.append(
            Line2D([], [], linestyle="--", markerfacecolor="white", label="on noise", **look)
        )
    figure.legend(handles=handles, loc="outside upper left", ncols=4)
    say_n(figure, rows["n"])
    return figure
