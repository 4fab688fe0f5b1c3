"""Factors of the neurons of flexible layers, and the weights that read them, in the order of the neurons."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from sidestep import drawing_parts as shared
from sidestep import sizing
from sidestep.drawing import colour, empty, line, over_seeds, title
from sidestep.figures.shared import resizing
from sidestep.style import BLACK
from sidestep.tables import Tables

ALT = "Factors and outgoing weights of flexible layers"
CAPTION = (
    "Flexible layers at the end of training, neuron by neuron, up to four variants, those that differ in "
    "weight decay first. Top: the factor by which the neuron is scaled. Bottom: mean absolute weight that "
    "leaves it; dotted: its mean at initialisation, half of the largest weight drawn, 1/√N for N neurons. "
    "Line: mean over seeds; band: smallest to largest."
)
METHOD = "flexible"
# Metric → label.
WEIGHTS = "gate_outgoing"
CURVES = {"gate_scale": "factor", WEIGHTS: "|outgoing weight|"}
# Inches of the two panels of a variant with its name.
TALL = 2.7


def rows(tables: Tables) -> pd.DataFrame:
    """Both curves of every variant of the method, with the place of the `drawn` ones, −1 for others."""
    study = tables.study
    names = [v.name for v in study.variants if sizing.method(v.run) == METHOD]
    frame = tables.main
    found = frame[frame["metric"].isin(CURVES) & frame["variant"].isin(names)]
    found = over_seeds(found, ["dataset", "variant", "metric", "component"])
    decays = {name: sizing.decay(study.variant(name).run) for name in names}
    # The output of this network reads every neuron once: its fan-in is their number.
    plain = [study.variant(name).run["network"]["name"] == "mlp" for name in found["variant"]]
    neurons = found.groupby(["dataset", "variant"])["component"].transform("count") / len(CURVES)
    first = {decay: name for name, decay in reversed(decays.items())}
    order = sorted(decays, key=lambda name: (name not in first.values(), names.index(name)))
    drawn = {name: place for place, name in enumerate(order[: resizing.ACROSS])}
    found = found.assign(
        decay=[decays[name] for name in found["variant"]],
        initial=np.where(plain, 0.5 / np.sqrt(neurons.astype(float)), np.nan),
        drawn=np.array([drawn.get(name, -1) for name in found["variant"]], int),
    )
    return resizing.lost(tables, found)


def draw(rows: pd.DataFrame) -> Figure:
    """Two lines of panels for each data set."""
    chosen = rows[rows["drawn"] >= 0].sort_values("drawn", kind="stable")
    if chosen.empty:
        return empty()
    key = [
        Line2D([], [], color=colour(METHOD), linewidth=2.0, label="mean over seeds"),
        Line2D([], [], color=BLACK, linestyle=":", linewidth=0.9, label="at initialisation"),
    ]
    parts = [(name, rows_of) for name, rows_of in resizing.each_part(chosen.sort_index())]
    above = shared.key_height(key)
    figure, places = shared.sheet([TALL + above] * len(parts))
    for place, (name, cell) in zip(places, parts, strict=True):
        shared.key(place, title(name), key)
        names = list(cell.sort_values("drawn")["variant"].unique())
        axes = place.subplots(2, len(names), squeeze=False, sharex="col", sharey="row")
        for panels, variant in zip(axes.T, names, strict=True):
            _panels(panels, cell[cell["variant"] == variant])
            panels[0].set_title(resizing.folded(variant), fontsize=7)
            panels[1].set_xlabel("neuron")
        weights = cell.loc[cell["metric"] == WEIGHTS, ["high", "initial"]]
        axes[1, 0].set_ylim(0.0, 1.08 * float(weights.max().max()))
        for panel, label in zip(axes[:, 0], CURVES.values(), strict=True):
            panel.set_ylabel(label)
    left = rows["variant"].nunique() - chosen["variant"].nunique()
    shared.bottom(
        figure, chosen["n"], "band: smallest to largest seed", resizing.of_lost(chosen),
        resizing.left_out(left),
    )  # fmt: skip
    return figure


def _panels(panels: np.ndarray, rows: pd.DataFrame) -> None:
    panel: Axes
    for panel, metric in zip(panels, CURVES, strict=True):
        line(panel, rows[rows["metric"] == metric], x="component", color=colour(METHOD))
        panel.xaxis.set_major_locator(MaxNLocator(4))
        panel.yaxis.set_major_locator(MaxNLocator(4))
    panels[0].set_ylim(0.0, 1.08)
    panels[0].set_yticks([0.0, 0.5, 1.0])
    initial = float(rows["initial"].iloc[0])
    if np.isfinite(initial):
        panels[1].axhline(initial, color=BLACK, linestyle=":", linewidth=0.9, zorder=0)
