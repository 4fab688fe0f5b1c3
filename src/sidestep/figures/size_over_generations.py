"""How many operations and parameters graphs have, round by round."""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from sidestep import drawing_parts as shared
from sidestep.drawing import colour, datasets_of, empty, line
from sidestep.figures.shared import evolution, resizing
from sidestep.tables import Tables

ALT = "Size of graphs that evolve, round by round"
CAPTION = (
    "Operations of a graph, above, and trained parameters of the whole network, below, at the end of each round, "
    "after which the graph is edited. Line: mean over seeds; band: its 95 % t interval, of the first variant of "
    "each kind. A graph that never evolves has the same size all the time."
)
QUANTITIES = {"operations": "operations", "parameters": "parameters"}
KEPT = ["dataset", "variant", "quantity", "step", "round", "n", "mean", "low", "high"]
TALL = 1.35


def rows(tables: Tables) -> pd.DataFrame:
    """Sizes of every graph at the last evaluation of each round, with the graph's `kind` and `rank`."""
    found = evolution.at_rounds(tables)
    return found.loc[found["quantity"].isin(QUANTITIES), [*KEPT, "kind", "rank"]]


def draw(rows: pd.DataFrame) -> Figure:
    """A column of panels for each data set, a row for each quantity."""
    if rows.empty:
        return empty()
    names, left = evolution.curves_of(rows)
    drawn = rows[rows["variant"].isin(names)]
    shown = evolution.curve_key(rows, names)
    figure, panels, unseen = evolution.grid(
        datasets_of(drawn), list(QUANTITIES.values()), shown, TALL, "round"
    )
    last = int(drawn["round"].max())
    for name, column in panels.items():
        cell = drawn[drawn["dataset"] == name]
        for panel, quantity in zip(column, QUANTITIES, strict=True):
            _panel(panel, cell[cell["quantity"] == quantity], names, last)
    shared.bottom(
        figure, drawn["n"], "band: 95 % t interval", resizing.left_out(left),
        resizing.left_out(unseen, "data set"),
    )  # fmt: skip
    return figure


def _panel(panel: Axes, rows: pd.DataFrame, names: list[str], last: int) -> None:
    for name in names:
        its = rows[rows["variant"] == name]
        if its.empty:
            continue
        look: dict[str, Any] = {
            "color": colour(str(its["kind"].iloc[0])),
            "linestyle": evolution.STYLES[int(its["rank"].iloc[0])],
        }
        if its["round"].nunique() > 1:
            # Bands of all would hide one another.
            others = int(its["rank"].iloc[0]) > 0
            line(panel, its.assign(n=1) if others else its, x="round", linewidth=1.1, **look)
        else:
            panel.axhline(float(its["mean"].iloc[0]), linewidth=0.9, zorder=1, **look)
    panel.set_xlim(0.5, max(last, 2) + 0.5)
    panel.xaxis.set_major_locator(MaxNLocator(4, integer=True))
    panel.yaxis.set_major_locator(MaxNLocator(4, integer=True))
    panel.set_ylim(0, 1.06 * float(rows[["mean", "high"]].max().max() or 1.0))
    shared.thousands(panel.yaxis)
