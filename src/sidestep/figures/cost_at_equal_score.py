"""What it costs to be as good as what does not evolve: seconds of training and parameters."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from sidestep import drawing_parts as shared
from sidestep.drawing import datasets_of, empty
from sidestep.drawing_variants import QUIET
from sidestep.figures.shared import evolution, resizing, substitution
from sidestep.tables import Tables

ALT = "Cost of reaching the scores of others"
CAPTION = (
    "Seconds of training, above, and parameters, below, when a run first reaches the mean test score of what "
    "the colour names. Point: median of the runs that reach it; bar: their quartiles. Filled: all runs "
    "reach it; open: some do; small: of several targets of the kind all but the first; none: no run does. "
    "Logarithmic."
)
KEPT = [
    *("dataset", "variant", "target_of", "target", "runs", "reached", "seconds", "seconds_low"),
    *("seconds_high", "parameters"),
]
COSTS = {"seconds": "seconds", "parameters": "parameters"}
# Share of a line that the points of all targets take.
SPREAD = 0.78
LINE = 0.28


def rows(tables: Tables) -> pd.DataFrame:
    """Costs of each variant at each target; `target_kind`, `target_rank` and `place` of the target."""
    found = tables.analysis("equal_score")[KEPT]
    found = evolution.with_kinds(evolution.together(tables.study, found), tables.study)
    its = evolution.with_kinds(found, tables.study, "target_of")
    order = {name: place for place, name in enumerate(dict.fromkeys(found["target_of"]))}
    return found.assign(
        target_kind=its["kind"], target_rank=its["rank"],
        place=np.array([order[name] for name in found["target_of"]], int),
    )  # fmt: skip


def draw(rows: pd.DataFrame) -> Figure:
    """A line for each variant, points beside one another for each target, a panel for each data set."""
    if not (rows["reached"] > 0).any():
        return empty()
    shown = _key(rows)
    every = evolution.ordered(rows)
    names = every[: evolution.lines_that_fit(shown, bands=len(COSTS), line=LINE)]
    figure, bands, unseen = evolution.named(
        names, datasets_of(rows), shown, bands=len(COSTS), line=LINE
    )
    targets = int(rows["place"].max()) + 1
    for (cost, label), panels in zip(COSTS.items(), bands, strict=True):
        for name, panel in panels.items():
            cell = rows[(rows["dataset"] == name) & rows["variant"].isin(names)]
            _panel(panel, cell[cell["reached"] > 0], cost, names, targets)
            panel.set_xlabel(label)
    shared.bottom(
        figure, rows["runs"], "bar: quartiles", resizing.left_out(len(every) - len(names)),
        resizing.left_out(unseen, "data set"),
    )  # fmt: skip
    return figure


def _key(rows: pd.DataFrame) -> list[Line2D]:
    targets = rows.drop_duplicates("target_of").assign(kind=lambda each: each["target_kind"])
    shown = evolution.kind_key(targets, others=False)
    for handle in shown:
        handle.set_label(f"as good as {handle.get_label()}")
    grey: dict[str, Any] = {"color": QUIET, "marker": "o", "linestyle": "", "markersize": 4.4}
    faces = [Line2D([], [], label="all runs", **grey),
             Line2D([], [], label="some runs", markerfacecolor="white", **grey)]  # fmt: skip
    return [*shown, *faces]


def _panel(panel: Axes, rows: pd.DataFrame, cost: str, names: list[str], targets: int) -> None:
    known = rows[rows[cost].notna() & (rows[cost] > 0)]
    if known.empty:
        panel.text(
            0.5,
            0.5,
            "never reached",
            transform=panel.transAxes,
            ha="center",
            fontsize=7,
            color=QUIET,
        )
        panel.set_xticks([])
        return
    ends = known[["seconds_low", "seconds_high"]].to_numpy(float) if cost == "seconds" else None
    values = [*known[cost], *([] if ends is None else ends.ravel())]
    substitution.log_axis(panel.xaxis, values, 3)
    for index, one in enumerate(known.to_dict("records")):
        away = SPREAD * ((one["place"] + 0.5) / targets - 0.5)
        resizing.points(
            panel, [one[cost]], [names.index(one["variant"]) + away],
            x_bounds=None if ends is None else ([ends[index, 0]], [ends[index, 1]]),
            **evolution.point(
                str(one["target_kind"]), hollow=one["reached"] < one["runs"],
                small=bool(one["target_rank"]),
            ) | {"markersize": 2.6 if one["target_rank"] else 3.6},
        )  # fmt: skip
