"""Whether the training loss is noisy late in training, by the optimiser."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from sidestep import drawing_parts as shared
from sidestep import sizing
from sidestep.drawing import empty, note
from sidestep.drawing_variants import colour, plain_ticks
from sidestep.figures.shared import resizing
from sidestep.sweeps import OPTIMISER, sweeps_of
from sidestep.tables import Tables

ALT = "Training loss late in training, by optimiser"
CAPTION = (
    "Loss on the training images after each evaluation for variants that differ in the optimiser alone; "
    "logarithmic ordinate. Line: median over seeds; band: least to largest. Numbers: how often the loss of a "
    "run more than doubled from one evaluation to the next."
)
KEPT = [
    *("dataset", "variant", "optimiser", "epoch", "n", "least", "median", "most", "jumps"),
]
# Inches of a panel with its title, and how many are beside each other.
TALL, ACROSS = 1.9, 2


def rows(tables: Tables) -> pd.DataFrame:
    """Every evaluation, with the `group` of its variant, named after how its layer comes to its size."""
    study = tables.study
    sweeps = [each for each in sweeps_of(study) if each.setting == OPTIMISER]
    names: list[str] = []
    for sweep in sweeps:
        run = study.variant(sweep.reference).run
        method, start = sizing.method(run), sizing.start(run)
        words = f"{start:g} neurons" if method in sizing.STILL else f"start {start:g}"
        name = f"{resizing.label(method)}, {words}"
        names.append(f"{name}, {len(names) + 1}" if name in names else name)
    of = {
        member.variant: name
        for sweep, name in zip(sweeps, names, strict=True)
        for member in sweep.members
    }
    found = tables.analysis("late_loss")[KEPT]
    return resizing.lost(tables, found.assign(group=[of.get(v, "") for v in found["variant"]]))


def draw(rows: pd.DataFrame) -> Figure:
    """A panel for each group, in a part for each data set."""
    chosen = rows[rows["n"] > 0]
    if chosen.empty:
        return empty()
    looks = {name: place for place, name in enumerate(dict.fromkeys(chosen["optimiser"]))}
    shown = [
        Line2D([], [], color=colour(look), linewidth=2.0, label=name)
        for name, look in looks.items()
    ]
    keys = dict.fromkeys(chosen["dataset"], shown)
    figure, parts, left = resizing.panelled(chosen, "group", keys, TALL, ACROSS)
    for name, place, groups in parts:
        axes = resizing.wrapped(place, groups, "epoch", "training loss (nats)", ACROSS)
        cell = chosen[chosen["dataset"] == name]
        for panel, group in zip(axes, groups, strict=True):
            _panel(panel, cell[cell["group"] == group], looks)
    shared.bottom(
        figure, chosen["n"], "line: median; band: least to largest", resizing.of_lost(chosen, curves=True),
        resizing.left_out(left, "group"),
    )  # fmt: skip
    return figure


def _panel(panel: Axes, rows: pd.DataFrame, looks: dict[str, int]) -> None:
    for index, (name, its) in enumerate(rows.groupby("optimiser", sort=False)):
        its = its.sort_values("epoch")
        shade = colour(looks[str(name)])
        panel.plot(its["epoch"], its["median"], color=shade, linewidth=1.1)
        if its["n"].max() > 1:
            panel.fill_between(
                its["epoch"], its["least"], its["most"], color=shade, alpha=0.2, linewidth=0
            )
        count = int(its["jumps"].sum())
        words = f"{count} jump{'s' * (count != 1)}"
        note(panel, 0.98, 0.98 - 0.11 * index, words, color=shade, ha="right", va="top", fontsize=7)
    panel.set_yscale("log", nonpositive="mask")
    positive = rows[["least", "most"]].to_numpy(float)
    positive = positive[np.isfinite(positive) & (positive > 0)]
    panel.set_ylim(positive.min() / 1.3, positive.max() * 1.6)
    plain_ticks(panel.yaxis, most=6)
    panel.xaxis.set_major_locator(MaxNLocator(5, integer=True))
