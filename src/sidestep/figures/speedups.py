"""How much faster smaller networks really are, against what counting multiply-adds promises."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from sidestep import drawing_parts as shared
from sidestep.drawing import empty, note, title
from sidestep.figures.shared import substitution
from sidestep.style import BLACK
from sidestep.tables import Tables

ALT = "Speed-up as timed against speed-up as counted"
CAPTION = (
    "How many times faster than the dense network each network is, as timed by a job that runs alone, "
    "against how many times fewer multiply-adds it needs by closed forms. Left: inference; point: from medians "
    "over batches; bar: from quartiles. Right: a whole step of training. Points that would lie on one another are "
    "moved aside. Dashed: as fast as counted. Shaded: slower than the dense network."
)
KEPT = [
    *("dataset", "variant", "layer", "taught", "counted", "real_forward", "real_forward_low"),
    *("real_forward_high", "real_step", "slower"),
]
PANELS = {"real_forward": "inference, times as fast", "real_step": "training step, times as fast"}


def rows(tables: Tables) -> pd.DataFrame:
    """Every variant that was timed; `n` is 1: networks of one seed are timed, `batches` of each."""
    found = substitution.with_looks(tables.analysis("speedup")[KEPT])
    return found.assign(n=1, batches=tables.study.timing_steps)


def draw(rows: pd.DataFrame) -> Figure:
    """Two panels for each data set: inference and training."""
    rows = rows[rows["counted"].notna() & rows[[*PANELS]].notna().any(axis=1)]
    if rows.empty:
        return empty()
    # Times are those of the baseline over those of each, so its own are 1 and say nothing.
    others = rows[rows["look"] != 0] if (rows["look"] != 0).any() else rows
    shown = [
        *substitution.layer_key(others), *substitution.teaching_key(others),
        Line2D([], [], color="#555555", linestyle="--", linewidth=0.8, label="as counted"),
    ]  # fmt: skip
    tall = 2.5 + shared.key_height(shown)
    names, left = substitution.datasets(others, tall)
    figure, places = shared.sheet([tall] * len(names))
    for name, place in zip(names, places, strict=True):
        axes = place.subplots(1, 2)
        shared.key(place, title(name), shown)
        for panel, quantity in zip(axes, PANELS, strict=True):
            _panel(panel, others[others["dataset"] == name], quantity)
    batches = int(rows["batches"].max())
    shared.bottom(figure, rows["n"], f"median and quartiles of {batches} batches", left)
    return figure


def _panel(panel: Axes, rows: pd.DataFrame, quantity: str) -> None:
    panel.set_xlabel("times fewer multiply-adds, closed forms")
    panel.set_ylabel(PANELS[quantity])
    rows = rows[rows[quantity].notna()]
    if rows.empty:
        note(panel, 0.05, 0.5, "not measured", va="center", fontsize=shared.LEAST)
        panel.set(xticks=[], yticks=[])
        return
    bounds = [f"{quantity}_low", f"{quantity}_high"]
    ends = rows[[quantity, *(name for name in bounds if name in rows)]].to_numpy(float).ravel()
    places = substitution.spread(panel.xaxis, rows["counted"].to_numpy(float), 1.0)
    left, right = panel.get_xlim()
    low, high = substitution.log_axis(panel.yaxis, [*ends, 1.0], most=6)
    panel.axhspan(low, 1, color="#f1f1f1", zorder=-2, linewidth=0)
    for line in (panel.axhline, panel.axvline):
        line(1, color=BLACK, linestyle=":", linewidth=0.7, zorder=0)
    both = (max(left, low), min(right, high))
    panel.plot(both, both, color="#555555", linestyle="--", linewidth=0.8, marker="", zorder=0)
    for place, one in zip(places, rows.to_dict("records"), strict=True):
        how = substitution.point(int(one["look"]), taught=bool(one["taught"]))
        away = tuple(float(one.get(name, np.nan)) for name in bounds)
        substitution.bar(panel, place, one[quantity], (away[0], away[1]), "y", **how)
