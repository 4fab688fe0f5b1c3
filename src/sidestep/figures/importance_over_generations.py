"""How important inputs and operations of graphs that evolve are to the read-out, round by round."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator

from sidestep import drawing_parts as shared
from sidestep.drawing import colour, datasets_of, empty
from sidestep.drawing_variants import QUIET, plain_ticks
from sidestep.evolution import CONTROL
from sidestep.figures.shared import evolution, resizing
from sidestep.tables import Tables

ALT = "Importance of inputs and operations, round by round"
CAPTION = (
    "Importance of the columns that the read-out sees, at the end of each round: norm of a column's weights, "
    "apart from what all classes share, times its standard deviation on training rows. Above: sums over all "
    "operations and over all inputs. Below, logarithmic: the most important operation, the median one and the "
    "least important one that no other reads, the next to leave. Lines: means over seeds."
)
# Quantity → its row of panels, how its line looks and what it is called.
QUANTITIES: dict[str, tuple[int, Any, str]] = {
    "importance_operations": (0, "-", "all operations"),
    "importance_inputs": (0, "--", "all inputs"),
    "importance_most": (1, "--", "most important"),
    "importance_median": (1, "-", "median"),
    "importance_least": (1, ":", "least important leaf"),
}
ROWS = ("sum of\nimportance", "importance of\nan operation")
KEPT = ["dataset", "variant", "quantity", "step", "round", "n", "mean", "low", "high"]
TALL = 1.5
# Importances smaller than the largest one by this factor leave the panel.
DEEP = 3e4


def rows(tables: Tables) -> pd.DataFrame:
    """Importances of graphs that evolve at the last evaluation of each round, with `kind` and `rank`."""
    found = evolution.at_rounds(tables)
    found = found[found["quantity"].isin(QUANTITIES) & (found["kind"] != CONTROL)]
    return found[[*KEPT, "kind", "rank"]]


def draw(rows: pd.DataFrame) -> Figure:
    """A column of panels for each data set; of each kind of graph the first variant."""
    if rows.empty:
        return empty()
    names = dict(
        zip(*(rows.drop_duplicates("kind")[name] for name in ("variant", "kind")), strict=True)
    )
    drawn = rows[rows["variant"].isin(names)]
    shown = [
        *(
            Line2D([], [], color=colour(kind), linewidth=1.4, label=name)
            for name, kind in names.items()
        ),
        *(
            Line2D([], [], color=QUIET, linestyle=style, linewidth=1.1, label=f"{where}: {label}")
            for row, where in enumerate(("above", "below"))
            for its, style, label in QUANTITIES.values()
            if its == row
        ),
    ]
    figure, panels, unseen = evolution.grid(datasets_of(drawn), ROWS, shown, TALL, "round")
    last, cut = int(drawn["round"].max()), False
    for name, column in panels.items():
        cell = drawn[drawn["dataset"] == name]
        for place, panel in enumerate(column):
            for quantity, (its, style, _) in QUANTITIES.items():
                if its == place:
                    _curves(panel, cell[cell["quantity"] == quantity], style)
            panel.set_xlim(0.5, max(last, 2) + 0.5)
            panel.xaxis.set_major_locator(MaxNLocator(4, integer=True))
        column[0].set_ylim(bottom=0)
        column[0].yaxis.set_major_locator(MaxNLocator(4))
        below = cell[cell["quantity"].map(lambda name: QUANTITIES[name][0] == 1)]
        cut |= _logarithmic(column[1], below["mean"].to_numpy(float))
    left = rows["variant"].nunique() - len(names)
    shared.bottom(
        figure, drawn["n"], "smaller ones leave the panel" if cut else "", resizing.left_out(left),
        resizing.left_out(unseen, "data set"),
    )  # fmt: skip
    return figure


def _curves(panel: Axes, rows: pd.DataFrame, style: str) -> None:
    for _, its in rows.groupby("variant", sort=False):
        shade = colour(str(its["kind"].iloc[0]))
        its = its.sort_values("round")
        few = "." if len(its) == 1 else ""
        panel.plot(
            its["round"], its["mean"], color=shade, linestyle=style, linewidth=1.1, marker=few
        )


def _logarithmic(panel: Axes, values: np.ndarray) -> bool:
    """A logarithmic ordinate of positive values; whether some are too small for it."""
    positive = values[values > 0]
    if not len(positive):
        return False
    top = float(positive.max())
    low = max(float(positive.min()), top / DEEP)
    panel.set_yscale("log", nonpositive="mask")
    panel.set_ylim(low / 1.5, top * 1.5)
    panel.yaxis.set_major_locator(LogLocator(10, numticks=5))
    panel.yaxis.set_minor_locator(NullLocator())
    plain_ticks(panel.yaxis, most=5)
    return bool((values < low).any())
