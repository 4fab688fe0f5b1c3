"""Pairs of variants as lines of names: where both end, and how much they differ."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from sidestep import drawing_parts as shared
from sidestep.drawing import datasets_of, title
from sidestep.figures.shared import substitution
from sidestep.style import GREY


@dataclass(frozen=True)
class Difference:
    """Columns of a difference and its bounds, the factor with which it is drawn, and its label."""

    value: str
    low: str
    high: str
    scale: float
    label: str


@dataclass(frozen=True)
class Look:
    """Columns of the accuracies of the first and second of each pair, and of their differences."""

    first: str
    second: str
    differences: tuple[Difference, ...]


def rows_of(found: pd.DataFrame, name: str) -> pd.DataFrame:
    """Pairs that have a difference, with their layer's look and a `name`, the variant in that column."""
    found = substitution.with_looks(found[found["difference"].notna()])
    return found.assign(name=found[name])


def draw(rows: pd.DataFrame, look: Look) -> Figure:
    """A part for each data set.

    Args:
        rows: of `rows_of`, not empty, with `first_filled`, `second_filled` and `filled` (of the
            difference) and `small` (of the second).
        look: the columns.
    """
    faces = pd.concat([rows["first_filled"], rows["second_filled"]]).astype(int)
    decay = substitution.SCALED if rows["small"].any() else substitution.USUAL_DECAY
    shown = [
        *substitution.layer_key(rows),
        *substitution.teaching_key(pd.DataFrame({"taught": faces, "decay": decay})),
    ]
    above = 0.62 + shared.key_height(shown)
    fit, left = substitution.lines_that_fit(rows, above)
    parts = {name: fit[fit["dataset"] == name] for name in datasets_of(fit)}
    heights = [above + substitution.LINE * max(len(part), 3) for part in parts.values()]
    figure, places = shared.sheet(heights)
    panels = 1 + len(look.differences)
    for place, (name, part) in zip(places, parts.items(), strict=True):
        axes = place.subplots(1, panels, sharey=True)
        shared.key(place, title(name), shown)
        shared.name_lines(axes[0], list(part["name"]))
        _ends(axes[0], part, look)
        for panel, difference in zip(axes[1:], look.differences, strict=True):
            _differences(panel, part, difference)
            panel.tick_params(axis="y", length=0)
        for panel in axes:
            panel.xaxis.set_major_locator(MaxNLocator(5))
            for line in range(len(part)):
                panel.axhline(line, color="#eeeeee", linewidth=0.5, zorder=-1)
    shared.bottom(figure, fit["pairs"], "bar: 95 % t interval", left)
    return figure


def _ends(panel: Axes, rows: pd.DataFrame, look: Look) -> None:
    for place, one in enumerate(rows.to_dict("records")):
        first, second = 100 * one[look.first], 100 * one[look.second]
        panel.plot([first, second], [place] * 2, color=GREY, linewidth=0.7, marker="", zorder=1)
        which = int(one["look"])
        both = (
            (first, substitution.point(which, taught=bool(one["first_filled"]))),
            (second, substitution.point(which, taught=bool(one["second_filled"]), scaled=bool(one["small"]))),
        )  # fmt: skip
        for value, how in both:
            panel.plot([value], [place], **how)
    panel.set_xlabel("test accuracy (%)")


def _differences(panel: Axes, rows: pd.DataFrame, columns: Difference) -> None:
    for place, one in enumerate(rows.to_dict("records")):
        value = columns.scale * float(one[columns.value])
        if not np.isfinite(value):
            continue
        how = substitution.point(int(one["look"]), taught=bool(one["filled"]))
        away = (columns.scale * float(one[columns.low]), columns.scale * float(one[columns.high]))
        substitution.bar(panel, value, place, away, "x", **how)
    shared.zero(panel)
    panel.set_xlabel(columns.label)
