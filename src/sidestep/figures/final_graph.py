"""A graph of operations as it was at the end: inputs, operations by level, what reads what, importance."""

import itertools
import re
from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.path import Path

from sidestep import drawing_parts as shared
from sidestep.drawing import empty, title
from sidestep.evolution import EVOLVED, JUDGED
from sidestep.figures.shared import evolution
from sidestep.figures.shared.layered import Layout, lay_out
from sidestep.style import SMALL, TEXT
from sidestep.tables import Tables

ALT = "A graph of operations that evolved"
CAPTION = (
    "The graph that evolved with the study's first seed on the data set of the fewest inputs. Squares: inputs; "
    "circles: operations, by the longest way from an input; black rim: no other reads it. Fill: importance to "
    "the read-out, which reads all columns; lines are darker the more important what they lead to. With a "
    "single line an operation of two operands has a constant, or its operand twice. Of many inputs those that "
    "nothing reads are left out below a tenth of the greatest importance."
)
KEPT = [
    *("dataset", "variant", "seed", "column", "name", "kind", "symbol", "level", "reads", "leaf"),
    *("importance", "x", "y"),
]
# What is drawn where several graphs evolved.
WISHES = (JUDGED, EVOLVED)
# Inputs that are all drawn, and operations that find room.
FEW, MOST = 24, 60
MINOR = 0.1
# Points of 1/72 inch: heights of an operation, a named input, one without a name, a passing line; the drawing's
# least and greatest height; how wide circles and squares are.
OPERATION, INPUT, NAMELESS, TRUNK = 18.5, 8.6, 3.4, 4.0
LOW, HIGH = 110.0, 500.0
CIRCLE, SQUARE = 15.6, 5.0
# A step to another level is so much wider than one between layers of the same level.
STEP = 1.7
LETTERS = 26
# Points of a letter of a name.
LETTER = 3.5
PALE = "#dddddd"


def rows(tables: Tables) -> pd.DataFrame:
    """The columns of one graph: that of the first seed, where several evolved one that was judged."""
    found = tables.analysis("final_graphs")
    kinds = {variant.name: evolution.kind(variant.run) for variant in tables.study.variants}
    found = found[found["variant"].map(kinds).isin(WISHES)]
    found = found.fillna({"symbol": "", "reads": "", "name": "", "importance": 0.0})
    texts = [";".join(str(one) for one in _numbers(its)) for its in found["reads"]]
    found = found.assign(
        reads=np.array(texts, object),
        **{name: np.array(list(map(str, found[name])), object) for name in ("name", "symbol")},
    )
    found = pd.DataFrame(found[KEPT])
    if found.empty:
        return found
    inputs = found[found["level"] == 0].groupby(["dataset"])["name"].nunique()
    dataset = min(
        (name for name in tables.study.datasets if name in inputs), key=lambda n: inputs[n]
    )
    found = found[found["dataset"] == dataset]
    names = sorted(dict.fromkeys(found["variant"]), key=lambda name: WISHES.index(kinds[str(name)]))
    found = found[found["variant"] == names[0]]
    first: pd.DataFrame = found[found["seed"] == found["seed"].min()]
    return first.reset_index(drop=True)


def _numbers(text: object) -> list[int]:
    return [int(float(one)) for one in str(text).split(";") if one.strip()]


def draw(rows: pd.DataFrame) -> Figure:
    """Inputs at the left, operations at the right of what they read."""
    if rows.empty:
        return empty()
    kept, notes = _that_fit(rows)
    layout, named = _laid_out(kept)
    greatest = float(kept["importance"].max()) or 1.0
    shown = _key(greatest)
    inches = (layout.height + 34) / 72
    figure, (place,) = shared.sheet([inches + shared.key_height(shown)])
    first = kept.iloc[0]
    name = f"{title(str(first['dataset']))}, {first['variant']}, seed {first['seed']}"
    shared.key(place, name, shown)
    panel = place.subplots(1, 1)
    _draw(panel, kept, layout, named, greatest)
    shared.bottom(figure, [1], *notes)
    return figure


def _that_fit(rows: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """The columns that are drawn, and notes on the others."""
    reads = {
        int(column): _numbers(its)
        for column, its in zip(rows["column"], rows["reads"], strict=True)
    }
    worth = dict(zip(rows["column"].astype(int), rows["importance"].astype(float), strict=True))
    operations = [int(column) for column in rows.loc[rows["level"] > 0, "column"]]
    kept: set[int] = set()
    for column in sorted(operations, key=lambda one: -worth[one]):
        more = _needed(column, reads) - kept
        if len([one for one in kept | more if one in operations]) <= MOST:
            kept |= more
    kept &= set(operations)
    read = {one for column in kept for one in reads[column]}
    inputs = rows[rows["level"] == 0]
    bound = MINOR * float(inputs["importance"].max()) if len(inputs) > FEW else -1.0
    wanted = [
        int(column)
        for column, its in zip(inputs["column"], inputs["importance"], strict=True)
        if column in read or its >= bound
    ]
    unread = sorted((one for one in wanted if one not in read), key=lambda one: -worth[one])
    room = max(0, int(HIGH / INPUT) - len(read & set(wanted)))
    inputs_kept = set(wanted) - set(unread[room:])
    notes = [
        f"{count} {what} left out" * (count > 0)
        for count, what in (
            (len(inputs) - len(inputs_kept), "inputs that nothing reads"),
            (len(operations) - len(kept), "operations of little importance"),
        )
    ]
    found = rows[rows["column"].isin(kept | inputs_kept)]
    return found.sort_values("column", kind="stable").reset_index(drop=True), notes


def _needed(column: int, reads: dict[int, list[int]]) -> set[int]:
    """A column and all from which it is computed."""
    found, waiting = set(), [column]
    while waiting:
        one = waiting.pop()
        if one not in found:
            found.add(one)
            waiting += reads[one]
    return found


def _laid_out(rows: pd.DataFrame) -> tuple[Layout, list[bool]]:
    """The layout, and which nodes have their name written."""
    places = {int(column): place for place, column in enumerate(rows["column"])}
    reads = [[places[one] for one in dict.fromkeys(_numbers(its))] for its in rows["reads"]]
    levels = [int(level) for level in rows["level"]]
    inputs = [place for place, level in enumerate(levels) if level == 0]
    # More inputs than have room for a name: the most important ones have one.
    order = sorted(inputs, key=lambda place: -float(rows["importance"].iloc[place]))
    room = (HIGH - NAMELESS * len(inputs)) / (INPUT - NAMELESS)
    named = set(order if INPUT * len(inputs) <= HIGH else order[: max(0, int(room))])
    sizes = [
        OPERATION if level else INPUT if place in named else NAMELESS
        for place, level in enumerate(levels)
    ]
    found = lay_out(
        levels, reads, sizes, list(1 - rows["y"].astype(float)), trunk=TRUNK, least=LOW, most=HIGH
    )
    return found, [place in named for place in range(len(levels))]


def _abscissas(levels: Sequence[int], left: float, right: float) -> list[float]:
    """Of the layers."""
    steps = [STEP if a != b else 1.0 for a, b in itertools.pairwise(levels)]
    places = np.concatenate([[0.0], np.cumsum(steps)])
    return [float(x) for x in left + (right - left) * places / (places[-1] or 1.0)]


def _draw(
    panel: Axes, rows: pd.DataFrame, layout: Layout, named: Sequence[bool], greatest: float
) -> None:
    """The graph in a panel whose unit is about a point of 1/72 inch."""
    names = [
        _short(str(name)) if said else "" for name, said in zip(rows["name"], named, strict=True)
    ]
    names = [name if level == 0 else "" for name, level in zip(names, rows["level"], strict=True)]
    wide = 72 * TEXT - 10
    left = 12 + LETTER * max(map(len, names))
    xs = _abscissas(layout.levels, left, wide - CIRCLE)
    worth = (rows["importance"].to_numpy(float) / greatest).clip(0, 1)
    _lines(panel, layout, xs, worth)
    x = np.array([xs[layer] for layer in layout.layers])
    y = np.asarray(layout.heights)
    inputs = rows["level"].to_numpy() == 0
    fills = np.array([_fill(value) for value in worth], object)
    leaf = (rows["leaf"].to_numpy() > 0) & ~inputs
    looks: tuple[tuple[Any, dict[str, Any]], ...] = (
        (inputs, {"marker": "s", "s": SQUARE**2, "edgecolors": "#555555", "linewidths": 0.5}),
        (~inputs & ~leaf, {"s": CIRCLE**2, "edgecolors": "#9a9a9a", "linewidths": 0.6}),
        (leaf, {"s": CIRCLE**2, "edgecolors": "black", "linewidths": 1.0}),
    )
    for chosen, look in looks:
        if chosen.any():
            panel.scatter(x[chosen], y[chosen], c=list(fills[chosen]), zorder=3, **look)
    for place, one in enumerate(rows.to_dict("records")):
        how: dict[str, Any] = {"va": "center_baseline", "fontsize": SMALL, "zorder": 4}
        if one["level"] == 0:
            panel.text(x[place] - 5, y[place], names[place], ha="right", **how)
        else:
            ink = "white" if worth[place] > 0.55 else "black"
            panel.text(x[place], y[place], one["symbol"], ha="center", color=ink, **how)
    _axis(panel, layout, xs, wide)


def _lines(panel: Axes, layout: Layout, xs: Sequence[float], worth: Any) -> None:
    """Curves that leave and arrive level; what is important lies on top."""
    drawn = []
    for piece in layout.segments:
        (first, above), (second, below) = piece.start, piece.end
        source = layout.layers[piece.source] == first and layout.heights[piece.source] == above
        a = xs[first] + (CIRCLE if layout.levels[first] else SQUARE) / 2 * source
        b = xs[second] - CIRCLE / 2 * (piece.node >= 0)
        middle = (a + b) / 2
        corners = [(a, above), (middle, above), (middle, below), (b, below)]
        curve = Path(corners, [Path.MOVETO, Path.CURVE4, Path.CURVE4, Path.CURVE4])
        drawn.append((max(float(worth[one]) for one in piece.targets), curve))
    drawn.sort(key=lambda pair: pair[0])
    if drawn:
        panel.add_collection(
            PathCollection(
                [curve for _, curve in drawn], facecolors="none", zorder=1,
                edgecolors=[_ink(value) for value, _ in drawn],
                linewidths=[0.5 + 1.0 * value for value, _ in drawn],
            ),
            autolim=False,
        )  # fmt: skip


def _axis(panel: Axes, layout: Layout, xs: Sequence[float], wide: float) -> None:
    panel.set_xlim(0, wide)
    panel.set_ylim(layout.height + 4, -4)
    panel.spines[["left", "bottom"]].set_visible(False)
    panel.set_yticks([])
    levels = sorted(set(layout.levels))
    places = [
        np.mean([x for x, of in zip(xs, layout.levels, strict=True) if of == one]) for one in levels
    ]
    panel.set_xticks(places, [str(level) if level else "inputs" for level in levels])
    panel.tick_params(axis="x", length=0)
    panel.set_xlabel("level: operations on the longest way from an input")
    panel.set_ylabel(" ")


def _key(greatest: float) -> list[Line2D]:
    found = []
    for share, words in (
        (0.0, "importance 0"),
        (0.5, f"{greatest / 2:.2g}"),
        (1.0, f"{greatest:.2g}"),
    ):
        found.append(
            Line2D([], [], linestyle="", marker="o", markersize=7.5, markerfacecolor=_fill(share),
                   markeredgecolor="#9a9a9a", markeredgewidth=0.6, label=words)
        )  # fmt: skip
    look: dict[str, Any] = {"linestyle": "", "markerfacecolor": "white", "markeredgewidth": 1.0}
    found.append(Line2D([], [], marker="o", markersize=7.5, markeredgecolor="black",
                        label="read by the read-out alone", **look))  # fmt: skip
    found.append(Line2D([], [], marker="s", markersize=4.5, markeredgecolor="#555555", label="input",
                        **look | {"markeredgewidth": 0.5}))  # fmt: skip
    return found


def _fill(share: float) -> str:
    return to_hex(mpl.colormaps["Blues"](0.02 + 0.83 * share))


def _ink(share: float) -> str:
    """Of a line: from pale grey to dark blue."""
    pale, dark = (np.array(mpl.colors.to_rgb(one)) for one in (PALE, "#08306b"))
    return to_hex(pale + (dark - pale) * share)


def _short(name: str) -> str:
    """A name with spaces between its words, but not in that of a pixel, that leaves room for the graph."""
    words = re.sub("_(?=[a-z])", " ", name)
    return words if len(words) <= LETTERS else words[: LETTERS - 1] + "…"
