"""How far cheap orders of neurons agree with the exact one, and how much they keep."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from sidestep import drawing_parts as shared
from sidestep.drawing import datasets_of, empty, title
from sidestep.figures.shared import resizing
from sidestep.tables import Tables

ALT = "Orders of neurons beside the exact one"
CAPTION = (
    "Left: agreement of the order of a layer's neurons by each measure with the order by the exact increase "
    "of the loss without a neuron (Kendall's tau-b; 1: the same order, dotted 0: unrelated). Right: test "
    "accuracy when only the most important neurons are kept, averaged over the logarithm of their number. At "
    "the end of training. Point: mean over the seeds that finished; bar: its 95 % t interval."
)
KEPT = [
    *("dataset", "variant", "method", "measure", "n", "rank_correlation", "rank_low", "rank_high"),
    *("area", "area_low", "area_high", "above_random", "above_low", "above_high", "separates"),
]
# Inches of a line, in which each measure has a place.
LINE = 0.33


def rows(tables: Tables) -> pd.DataFrame:
    """Every order of every variant, the first variant of each method first (`place`)."""
    found = resizing.lost(tables, tables.analysis("neuron_orders")[KEPT])
    order = resizing.firsts_first(found)
    return found.assign(place=[order.index(name) for name in found["variant"]])


def draw(rows: pd.DataFrame) -> Figure:
    """A line for each variant, two panels for each data set."""
    if rows.empty:
        return empty()
    each = rows.sort_values("place", kind="stable").drop_duplicates(["dataset", "variant"])
    shown = resizing.measure_key(rows["measure"], lines=False)
    above = shared.key_height(shown) + 0.45
    fit, left = resizing.that_fit(each, above, LINE)
    parts = [(name, fit[fit["dataset"] == name]) for name in datasets_of(rows)]
    figure, places = shared.sheet([above + LINE * max(len(part), 2) for _, part in parts])
    for place, (name, part) in zip(places, parts, strict=True):
        shared.key(place, title(name), shown)
        axes = place.subplots(1, 2, sharey=True)
        names = list(part["variant"])
        shared.name_lines(axes[0], names)
        cell = rows[(rows["dataset"] == name) & rows["variant"].isin(names)]
        ranks = ("rank_correlation", "rank_low", "rank_high")
        _panel(axes[0], cell[cell["rank_correlation"].notna()], names, ranks, 1.0)
        _panel(axes[1], cell, names, ("area", "area_low", "area_high"), 100.0)
        shared.zero(axes[0])
        # No agreement is beyond ±1, though bars of few seeds may be.
        left_edge, right_edge = axes[0].get_xlim()
        axes[0].set_xlim(max(left_edge, -1.05), min(right_edge, 1.05))
        axes[0].set_xlabel("agreement with the exact order")
        axes[1].set_xlabel("mean accuracy over neurons kept (%)")
        axes[1].tick_params(axis="y", length=0)
    shared.bottom(
        figure, rows["n"], resizing.BAR, resizing.of_lost(rows), resizing.left_out(left, "line")
    )
    return figure


def _panel(
    panel: Axes, rows: pd.DataFrame, names: list[str], columns: tuple[str, str, str], scale: float
) -> None:
    for line in range(len(names) - 1):
        panel.axhline(line + 0.5, color="#e5e5e5", linewidth=0.5, zorder=-1)
    away = dict(
        zip(resizing.MEASURES, np.linspace(-0.36, 0.36, len(resizing.MEASURES)), strict=True)
    )
    value, low, high = columns
    for measure, its in rows.groupby("measure", sort=False):
        heights = [names.index(name) + away[str(measure)] for name in its["variant"]]
        resizing.points(
            panel, scale * its[value], heights, x_bounds=(scale * its[low], scale * its[high]),
            **resizing.point(str(measure)) | {"markersize": 2.8},
        )  # fmt: skip
    panel.margins(x=0.06)
    panel.xaxis.set_major_locator(MaxNLocator(6))
