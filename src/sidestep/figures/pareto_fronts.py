"""Test accuracy against what a network costs: parameters, multiply-adds, seconds and bytes."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from sidestep import drawing_parts as shared
from sidestep.drawing import empty, note, title
from sidestep.figures.shared import substitution
from sidestep.style import BLACK
from sidestep.tables import Tables

ALT = "Test accuracy against the cost of the network"
CAPTION = (
    "Test accuracy at the end of training against parameters, closed-form multiply-adds of an image, "
    "seconds of inference (batches timed alone on the machine) and bytes of the stored network; logarithmic "
    "abscissas. Point: mean over the seeds that finished; bar: its 95 % t interval; points that would lie on "
    "one another are moved aside. Lines: what no other network of equal teaching beats at less cost. Dotted: "
    "the dense network. Grey crosses: published for other networks and settings."
)
KEPT = [
    *("dataset", "variant", "layer", "budget", "taught", "decay", "n", "diverged"),
    *("accuracy", "accuracy_low", "accuracy_high", "parameters", "mult_adds", "seconds_forward"),
    *("stored_bytes", "front_parameters", "front_mult_adds", "front_seconds", "front_bytes"),
]
# Cost → its front, factor and label.
COSTS = {
    "parameters": ("front_parameters", 1.0, "parameters"),
    "mult_adds": ("front_mult_adds", 1.0, "multiply-adds an image, closed form"),
    "seconds_forward": ("front_seconds", 1e3, "milliseconds an image, inference"),
    "stored_bytes": ("front_bytes", 1.0, "bytes stored"),
}
FRONTS: dict[int, tuple[str, Any]] = {
    0: ("front, alone", (0, (4, 2))),
    1: ("front, taught", "-"),
}
PUBLISHED: dict[str, Any] = {
    "color": "#a8a8a8",
    "marker": "x",
    "markersize": 3.2,
    "markeredgewidth": 0.8,
    "linestyle": "",
}


def rows(tables: Tables) -> pd.DataFrame:
    """Final accuracy and costs of each variant with a finished seed; then published ones (`source`)."""
    found = substitution.with_looks(tables.analysis("pareto")[KEPT])
    ours = found[found["accuracy"].notna()].assign(source="")
    return pd.concat([ours, *_published(tables)], ignore_index=True)[[*KEPT, "look", "source"]]


def draw(rows: pd.DataFrame) -> Figure:
    """Four panels for each data set, two beside each other."""
    ours = rows[rows["source"] == ""]
    if ours.empty:
        return empty()
    theirs = rows[rows["source"] != ""]
    near = {name: _near(cell, theirs) for name, cell in ours.groupby("dataset", sort=False)}
    keys = {
        name: _key(cell, published=len(near[name]) > 0)
        for name, cell in ours.groupby("dataset", sort=False)
    }
    above = max(shared.key_height(shown) for shown in keys.values())
    several = len(keys) > 1
    tall = 2 * (1.75 if several else 2.1) + above
    names, left = substitution.datasets(ours, tall)
    figure, places = shared.sheet([tall] * len(names))
    for name, place in zip(names, places, strict=True):
        cell = ours[ours["dataset"] == name]
        shared.key(place, title(name), keys[name])
        axes = place.subplots(2, 2, sharey=True)
        for panel, cost in zip(axes.flat, COSTS, strict=True):
            _panel(panel, cell, cost)
        for panel in axes[:, 0]:
            panel.set_ylabel("test accuracy (%)")
        _published_points(axes[0, 0], near[name])
    drawn = ours[ours["dataset"].isin(names)]
    outside = len(theirs) - sum(map(len, near.values()))
    unseen = f"{outside} published beyond what is shown" if outside else ""
    shared.bottom(
        figure, drawn["n"], "bar: 95 % t interval", unseen, substitution.of_lost(drawn), left
    )
    return figure


def _published(tables: Tables) -> list[pd.DataFrame]:
    """The published figures as rows, where the study is compared with them."""
    name = "published_substitution"
    if name not in {thing["name"] for thing in tables.study.analyses}:
        return []
    found = tables.analysis(name)
    found = found[found["parameters"].notna() & found["error"].notna()]
    if found.empty:
        return []
    given = ["dataset", "source", "layer", "parameters"]
    more: dict[str, Any] = dict.fromkeys(KEPT, float("nan"))
    more |= {key: found[key] for key in given}
    more |= {"variant": "", "decay": "", "n": 0, "diverged": 0, "look": 0}
    more |= {"taught": found["teacher"], "accuracy": 1 - found["error"].astype(float)}
    return [found[given].assign(**more)]


def _near(ours: pd.DataFrame, theirs: pd.DataFrame) -> pd.DataFrame:
    """The published rows of a data set that lie where ours do, or a little beyond."""
    costs, heights = ours["parameters"].astype(float), ours["accuracy"].astype(float)
    room = max(heights.max() - heights.min(), 0.02)
    near = theirs["dataset"] == ours["dataset"].iloc[0]
    near &= theirs["parameters"].between(costs.min() / 1.5, 2 * costs.max())
    near &= theirs["accuracy"].between(heights.min() - 0.2 * room, heights.max() + 0.5 * room)
    found: pd.DataFrame = theirs[near]
    return found


def _key(cell: pd.DataFrame, *, published: bool) -> list[Line2D]:
    found = [*substitution.layer_key(cell), *substitution.teaching_key(cell)]
    for taught in sorted(set(cell["taught"].astype(int)), reverse=True):
        label, stroke = FRONTS[taught]
        found.append(Line2D([], [], color="#555555", linestyle=stroke, linewidth=0.9, label=label))
    if published:
        found.append(Line2D([], [], label="published", **PUBLISHED))
    return found


def _panel(panel: Axes, rows: pd.DataFrame, cost: str) -> None:
    front, factor, label = COSTS[cost]
    panel.set_xlabel(label)
    panel.yaxis.set_major_locator(MaxNLocator(6))
    panel.tick_params(labelleft=True)
    known = rows[rows[cost].notna()]
    if known.empty:
        note(panel, 0.05, 0.5, "not measured", va="center", fontsize=shared.LEAST)
        panel.set_xticks([])
        return
    places = substitution.spread(panel.xaxis, factor * known[cost].to_numpy(float))
    whole = known[known["look"] == 0]
    for value in 100 * whole.loc[whole["taught"] == 0, "accuracy"].astype(float):
        panel.axhline(value, color=BLACK, linestyle=":", linewidth=0.7, zorder=0)
    for place, one in zip(places, known.to_dict("records"), strict=True):
        look = substitution.point(
            int(one["look"]), taught=bool(one["taught"]), scaled=one["decay"] == substitution.SCALED
        )
        away = (100 * one["accuracy_low"], 100 * one["accuracy_high"])
        substitution.bar(panel, place, 100 * one["accuracy"], away, "y", zorder=3, **look)
    for taught, (_, stroke) in FRONTS.items():
        on = ((known["taught"] == taught) & (known[front] == 1)).to_numpy()
        order = np.argsort(places[on], kind="stable")
        heights = 100 * known["accuracy"].to_numpy(float)[on]
        panel.plot(
            places[on][order], heights[order], color="#555555", linestyle=stroke, linewidth=0.9,
            marker="", zorder=2,
        )  # fmt: skip


def _published_points(panel: Axes, theirs: pd.DataFrame) -> None:
    """Draw them behind ours, in a panel that has room for all."""
    if theirs.empty:
        return
    left, right = panel.get_xlim()
    panel.set_xlim(
        min(left, theirs["parameters"].min() / 1.1), max(right, 1.1 * theirs["parameters"].max())
    )
    panel.plot(theirs["parameters"], 100 * theirs["accuracy"], zorder=1, **PUBLISHED)
