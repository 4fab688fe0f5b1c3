"""How many neurons layers use while they train, from several starts."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from sidestep import drawing_curves, sizing
from sidestep import drawing_parts as shared
from sidestep.drawing import empty, line, over_seeds, shade, width_shades
from sidestep.figures.shared import resizing
from sidestep.tables import Tables

ALT = "Size of layers while they train, from several starts"
CAPTION = (
    "Neurons that a layer uses (of a flexible one: the sum of its factors) against epochs, a panel for "
    "each method, price of a neuron in nats and weight decay; colour: the size from which it starts. Line: "
    "mean over seeds; band: smallest to largest. Methods that start from several sizes come first; of each "
    "other method the first variant is drawn."
)
PROBE = "probe_size"
KEPT = [
    *("dataset", "variant", "method", "stage", "start", "price", "decay", "family", "members"),
    *("drawn", "step", "epoch", "mean", "low", "high", "n", "diverged"),
]
# Inches of a panel with its title.
TALL = 1.45


def rows(tables: Tables) -> pd.DataFrame:
    """Sizes of every gated stage whose size moves, at each evaluation; `members` start elsewhere alone.

    `drawn` is 1 for families of two members or more, and for the first one of each other method.
    """
    study, frame = tables.study, tables.main
    chosen = frame["metric"].str.startswith(f"{PROBE}.") & ~frame["seed"].isin(["", "pooled"])
    found = frame[chosen]
    found = found.assign(
        stage=found["metric"].str.removeprefix(f"{PROBE}."), step=found["component"].astype(int)
    )
    found = found.assign(epoch=drawing_curves.epochs_of(tables, found, found["step"]))
    found = over_seeds(found, ["dataset", "variant", "stage", "step", "epoch"])
    found = resizing.with_families(resizing.lost(tables, found), study)
    found = found.assign(
        **{
            name: [of(study.variant(str(variant)).run) for variant in found["variant"]]
            for name, of in (
                ("method", sizing.method),
                ("start", sizing.start),
                ("price", sizing.price),
                ("decay", sizing.decay),
            )
        }
    )
    drawn = _drawn(resizing.families(study))
    return found.assign(drawn=found["family"].isin(drawn).astype(int))[KEPT]


def _drawn(families: list[resizing.Family]) -> set[str]:
    several = [family for family in families if len(family.members) > 1]
    methods = {family.method for family in several}
    firsts: dict[str, str] = {}
    for family in families:
        firsts.setdefault(family.method, family.name)
    others = {name for method, name in firsts.items() if method not in methods}
    return {family.name for family in several} | others


def draw(rows: pd.DataFrame) -> Figure:
    """A part for each data set, with a panel for each family and stage."""
    if rows.empty:
        return empty()
    several = rows.groupby("family")["stage"].transform("nunique") > 1
    rows = rows.assign(panel=rows["family"] + np.where(several, ", " + rows["stage"], ""))
    rows = rows.sort_values("members", key=lambda m: m < 2, kind="stable")
    colours = {start: shade(place) for start, place in width_shades(rows["start"]).items()}
    chosen = rows[rows["drawn"] > 0]
    keys = {name: _key(cell, colours) for name, cell in resizing.each_part(chosen)}
    figure, parts, _ = resizing.panelled(chosen, "panel", keys, TALL, resizing.ACROSS)
    shown = []
    for name, place, panels in parts:
        axes = resizing.wrapped(place, panels, "epoch", "neurons used")
        cell = chosen[(chosen["dataset"] == name) & chosen["panel"].isin(panels)]
        for panel, family in zip(axes, panels, strict=True):
            _panel(panel, cell[cell["panel"] == family], colours)
        shown.append(cell)
    drawn = pd.concat(shown)
    left = rows["variant"].nunique() - drawn["variant"].nunique()
    shared.bottom(
        figure, drawn["n"], "line: mean; band: smallest to largest seed",
        resizing.of_lost(drawn, curves=True), resizing.left_out(left),
    )  # fmt: skip
    return figure


def _key(rows: pd.DataFrame, colours: Mapping[float, Any]) -> list[Line2D]:
    return [
        Line2D([], [], color=colours[start], linewidth=2.0, label=f"start {start:g}")
        for start in sorted(set(rows["start"]))
    ]


def _panel(panel: Axes, rows: pd.DataFrame, colours: Mapping[float, Any]) -> None:
    for _, its in rows.groupby("variant", sort=False):
        line(panel, its, x="epoch", color=colours[its["start"].iloc[0]], linewidth=1.1)
    panel.set_ylim(min(0.0, 1.05 * float(rows["low"].min())), 1.08 * float(rows["high"].max()))
    panel.xaxis.set_major_locator(MaxNLocator(4, integer=True))
    panel.yaxis.set_major_locator(MaxNLocator(4))
