"""How much better graphs that evolved are than what did not: paired differences of test scores."""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from sidestep import drawing_parts as shared
from sidestep.drawing import datasets_of, empty
from sidestep.drawing_variants import QUIET
from sidestep.figures.shared import evolution, resizing
from sidestep.tables import Tables

ALT = "Scores of graphs that evolved minus those of others"
CAPTION = (
    "Test score at the end of training of graphs that evolved minus that of what the heading names, paired by "
    "seed, that is by split. Point: mean difference; bar: its 95 % interval, corrected for splits that overlap "
    "(Nadeau and Bengio, 2003). Filled: the interval leaves zero out. Last: the mean over the data sets that "
    "have classes."
)
KEPT = [
    *("dataset", "variant", "other", "measure", "n", "difference", "low", "high", "separates"),
]


def rows(tables: Tables) -> pd.DataFrame:
    """Every difference with a pair of seeds; `other_rank` is the `rank` of what it is compared with."""
    found = tables.analysis("evolution_contrasts")[KEPT]
    found = evolution.together(tables.study, found[found["difference"].notna()])
    its = evolution.with_kinds(found, tables.study, "other")["rank"]
    return evolution.with_kinds(found, tables.study).assign(other_rank=its)


def draw(rows: pd.DataFrame) -> Figure:
    """A panel for each data set; a heading for each thing compared with, lines for variants below it."""
    if rows.empty:
        return empty()
    grey: dict[str, Any] = {"color": QUIET, "marker": "o", "linestyle": "", "markersize": 4.4}
    faces = [
        Line2D([], [], label="filled: zero outside", **grey),
        Line2D([], [], label="open: zero inside", markerfacecolor="white", **grey),
    ]
    shown = [*evolution.kind_key(rows, others=False), *faces]
    lines, heads, left = _lines(rows, evolution.lines_that_fit(shown))
    figure, (panels,), unseen = evolution.named(
        [name for _, name in lines], datasets_of(rows), shown, heads=heads
    )
    places = {line: place for place, line in enumerate(lines)}
    cut = False
    for name, panel in panels.items():
        cell = rows[rows["dataset"] == name]
        cut |= _panel(panel, cell, places)
    shared.bottom(
        figure, rows["n"], "bar: 95 % interval", resizing.CUT if cut else "",
        resizing.left_out(left, "line"), resizing.left_out(unseen, "data set"),
    )  # fmt: skip
    return figure


def _lines(rows: pd.DataFrame, most: int) -> tuple[list[tuple[str, str]], list[int], int]:
    """Other and name of each line, `` as the other of headings; their places; how many found no room.

    Every heading has equally many variants, as far as it has them. Where not all find room, there are
    headings for the first of each kind alone.
    """
    each = rows.drop_duplicates(["variant", "other"])
    shown = each
    if len(each) + each["other"].nunique() > most:
        shown = each[each["other_rank"] == 0]
    of = {
        other: evolution.ordered(shown[shown["other"] == other])
        for other in dict.fromkeys(shown["other"])
    }
    count = max(map(len, of.values()))
    while count > 1 and sum(1 + min(count, len(names)) for names in of.values()) > most:
        count -= 1
    lines: list[tuple[str, str]] = []
    heads = []
    for other, names in of.items():
        heads.append(len(lines))
        lines.append(("", f"minus {other}"))
        lines += [(other, name) for name in names[:count]]
    return lines, heads, len(each) - (len(lines) - len(heads))


def _panel(panel: Axes, rows: pd.DataFrame, places: dict[tuple[str, str], int]) -> bool:
    shared.zero(panel)
    if rows.empty:
        return False
    scale, label = evolution.difference_in(rows["measure"].iloc[0])
    drawn = [one for one in rows.to_dict("records") if (one["other"], one["variant"]) in places]
    for one in drawn:
        resizing.points(
            panel, [scale * one["difference"]], [places[one["other"], one["variant"]]],
            x_bounds=([scale * one["low"]], [scale * one["high"]]),
            **evolution.point(str(one["kind"]), hollow=not one["separates"]) | {"markersize": 3.8},
        )  # fmt: skip
    panel.set_xlabel(label)
    panel.xaxis.set_major_locator(MaxNLocator(3))
    values = [scale * one["difference"] for one in drawn]
    ends = [scale * one[end] for one in drawn for end in ("low", "high")]
    return evolution.limits(panel, "x", [0.0, *values], ends)
