"""The size of layers at the end of training against the size from which they started."""

from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from sidestep import drawing_parts as shared
from sidestep.drawing import datasets_of, empty, title
from sidestep.figures.shared import resizing
from sidestep.style import GREY
from sidestep.tables import Tables

ALT = "Final size of layers against their start"
CAPTION = (
    "Neurons that a layer uses at the end of training against those from which it started, a line for each "
    "method, price of a neuron (nats) and weight decay that was started from two sizes or more. Point: "
    "mean over the seeds that finished; bar: its 95 % t interval. Grey: the size has not moved. A level "
    "line is a size that does not depend on the start. Of several gated layers: the first."
)
KEPT = [
    *("dataset", "variant", "method", "start", "price", "decay", "family", "style", "n"),
    *("diverged", "size", "size_low", "size_high"),
]
NOTHING: dict[str, Any] = {"color": GREY, "linewidth": 1.0, "linestyle": "-"}


def rows(tables: Tables) -> pd.DataFrame:
    """Final sizes of the families with several starts, as far as a seed finished."""
    found = resizing.with_families(tables.analysis("final_sizes"), tables.study)
    return found[(found["members"] > 1) & found["size"].notna()][KEPT]


def draw(rows: pd.DataFrame) -> Figure:
    """A panel for each data set, the key above."""
    if rows.empty:
        return empty()
    datasets = datasets_of(rows)
    shown = [*resizing.family_key(rows), Line2D([], [], label="size has not moved", **NOTHING)]
    figure, place = resizing.row_of(len(datasets), 2.5, shown)
    axes = place.subplots(1, len(datasets), squeeze=False, sharey=True)[0]
    last = float(rows["start"].max())
    for panel, name in zip(axes, datasets, strict=True):
        panel.plot([0, last], [0, last], zorder=0, **NOTHING)
        cell = rows[rows["dataset"] == name]
        for index, (_, its) in enumerate(cell.groupby("family", sort=False)):
            its = its.sort_values("start")
            look = resizing.line_of(str(its["method"].iloc[0]), int(its["style"].iloc[0]))
            # Families start from the same sizes: bars beside each other.
            away = 0.006 * last * (index - (cell["family"].nunique() - 1) / 2)
            bounds = its["size_low"], its["size_high"]
            resizing.points(panel, its["start"] + away, its["size"], y_bounds=bounds, **look)
        panel.set_title(title(name))
        panel.set_xlabel("neurons at the start")
        panel.set_xlim(-0.06 * last, 1.06 * last)
        panel.xaxis.set_major_locator(MaxNLocator(6))
        panel.tick_params(labelleft=True)
    cut = resizing.heights(axes, rows, "size")
    axes[0].set_ylabel("neurons used at the end")
    shared.bottom(figure, rows["n"], resizing.BAR, cut, resizing.of_lost(rows))
    return figure
