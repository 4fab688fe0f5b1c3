"""How well layers with few parameters fit random matrices."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from sidestep import drawing_parts as shared
from sidestep.drawing import empty
from sidestep.drawing_variants import colour
from sidestep.figures.shared import substitution
from sidestep.style import TEXT
from sidestep.tables import Tables

ALT = "How well layers fit random matrices"
CAPTION = (
    "Relative squared error of the best fit that optimisation found to square matrices of independent normal "
    "numbers, by each layer as a convolution of one pixel, against its parameters. Point: mean over matrices; "
    "bar: its 95 % t interval. Dotted: the least error of a matrix of low rank, by singular values."
)
# What matrices of low rank can do at best is drawn as a line and not as a layer.
BOUND, OF = "low_rank_svd", "low_rank"
LEAST: dict[str, Any] = {"color": "#555555", "linestyle": ":", "linewidth": 1.3, "marker": ""}
KEPT = ["layer", "size", "parameters", "error", "low", "high", "matrices"]


def rows(tables: Tables) -> pd.DataFrame:
    """The mean error of each layer and size, small sizes first."""
    found = tables.analysis("matrix_fit")[KEPT]
    looks = [substitution.look(OF if name == BOUND else str(name)) for name in found["layer"]]
    found = found.assign(look=looks)
    return found.sort_values(["look", "parameters"], kind="stable")


def draw(rows: pd.DataFrame) -> Figure:
    """One panel, a line for each layer."""
    rows = rows[rows["error"].notna()]
    if rows.empty:
        return empty()
    bound, rows = rows[rows["layer"] == BOUND], rows[rows["layer"] != BOUND]
    shown: list[Line2D] = substitution.layer_key(rows, line=True)
    if len(bound):
        shown.append(Line2D([], [], label="low rank, least possible", **LEAST))
    height = shared.key_height(shown, 0.8 * TEXT)
    figure, (place,) = shared.sheet([2.9 + height], width=0.8 * TEXT)
    shared.key(place, "random matrices", shown, 0.8 * TEXT)
    panel = place.subplots(1, 1)
    for look, its in rows.groupby("look", sort=True):
        which = int(str(look))
        how = substitution.point(which, taught=True) | {"linestyle": substitution.stroke(which)}
        middle = its["error"].to_numpy(float)
        away = [middle - its["low"].to_numpy(float), its["high"].to_numpy(float) - middle]
        panel.errorbar(
            its["parameters"], middle, yerr=np.clip(np.nan_to_num(away), 0, None), linewidth=0.9,
            elinewidth=0.8, ecolor=colour(which), **how,
        )  # fmt: skip
    panel.plot(bound["parameters"], bound["error"], zorder=3, **LEAST)
    substitution.log_axis(panel.xaxis, rows["parameters"], most=7)
    # A bar may leave the panel: two or three matrices that differ much have a wide interval.
    top = min(float(np.nanmax([rows["high"], rows["error"]])), 1.3 * float(rows["error"].max()))
    panel.set_ylim(-0.03 * top, 1.05 * top)
    panel.set_xlabel("parameters")
    panel.set_ylabel("relative squared error")
    substitution.bottom_of(figure, ("matrix", "matrices"), rows["matrices"], "bar: 95 % t interval")
    return figure
