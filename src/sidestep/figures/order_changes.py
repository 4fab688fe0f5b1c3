"""How much the orders of a layer's neurons change between recorded epochs."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from sidestep import drawing_parts as shared
from sidestep.drawing import datasets_of, empty
from sidestep.figures.shared import resizing
from sidestep.tables import Tables

ALT = "How much orders of neurons change while training"
CAPTION = (
    "Distance between the orders of a layer's neurons at one recorded epoch and at the one recorded before: "
    "the mean change of rank as a share of the largest one that is possible; two unrelated orders are about "
    "33 % apart (dotted, where near). Orders by the exact increase of the loss without a neuron and by what "
    "stands in for it. Point: mean over the seeds that finished; bar: its 95 % t interval."
)
KEPT = [
    *("dataset", "variant", "method", "measure", "epoch", "epochs_apart", "n", "distance"),
    *("distance_low", "distance_high", "moved", "moved_low", "moved_high", "tau"),
]
# What two unrelated orders are apart, in percent of the largest change of rank.
UNRELATED = 100 / 3
# Inches of a panel with its title.
TALL = 1.5


def rows(tables: Tables) -> pd.DataFrame:
    """Every order of every variant, the first variant of each method first (`place`)."""
    found = resizing.lost(tables, tables.analysis("order_stability")[KEPT])
    found = found[found["distance"].notna()]
    order = resizing.firsts_first(found)
    return found.assign(place=[order.index(name) for name in found["variant"]])


def draw(rows: pd.DataFrame) -> Figure:
    """A panel for each variant, in a part for each data set."""
    if rows.empty:
        return empty()
    keys = dict.fromkeys(rows["dataset"], resizing.measure_key(rows["measure"]))
    # Data sets stay in the study's order.
    ordered = rows.sort_values("place", kind="stable").assign(
        dataset=lambda found: pd.Categorical(found["dataset"], datasets_of(rows))
    )
    ordered = ordered.sort_values("dataset", kind="stable").astype({"dataset": str})
    figure, parts, left = resizing.panelled(ordered, "variant", keys, TALL, resizing.ACROSS)
    cut = ""
    for name, place, names in parts:
        axes = resizing.wrapped(place, names, "epoch", "distance (%)")
        cell = ordered[(ordered["dataset"] == name) & ordered["variant"].isin(names)]
        for panel, variant in zip(axes, names, strict=True):
            _panel(panel, cell[cell["variant"] == variant])
        cut = resizing.heights(axes, cell, "distance") or cut
    shared.bottom(
        figure, rows["n"], resizing.BAR, cut, resizing.of_lost(rows), resizing.left_out(left)
    )
    return figure


def _panel(panel: Axes, rows: pd.DataFrame) -> None:
    away = np.linspace(-0.02, 0.02, len(resizing.MEASURES)) * float(rows["epoch"].max())
    for measure, its in rows.groupby("measure", sort=False):
        its = its.sort_values("epoch")
        look = resizing.measure_line(str(measure)) | {"markersize": 2.5}
        resizing.points(
            panel, its["epoch"] + away[resizing.MEASURES.index(str(measure))], its["distance"],
            y_bounds=(its["distance_low"], its["distance_high"]), **look,
        )  # fmt: skip
    panel.axhline(UNRELATED, color="#555555", linestyle=":", linewidth=0.8, zorder=0)
    panel.margins(x=0.06)
    panel.xaxis.set_major_locator(MaxNLocator(4, integer=True))
    panel.yaxis.set_major_locator(MaxNLocator(5))
