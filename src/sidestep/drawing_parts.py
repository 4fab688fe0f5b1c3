"""What figures of a study of several settings share: parts by setting, colours by method, keys, feet.

A setting is a network with what its data went through; only variants of one setting may be compared,
so each has a part of the figure of its own. In it a method has the colour that its first variant has
in the whole study, and what the setting's variants are measured against is black.
"""

import itertools
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter

from sidestep import variants
from sidestep.drawing import title
from sidestep.drawing_variants import (
    DIVERGED,
    TALLEST,
    colour,
    foot,
    marker,
)
from sidestep.style import BLACK, TEXT, VARIANT_COLOURS
from sidestep.sweeps import FEW, looks_of
from sidestep.tables import Tables

LEAST = 7.0
# Inches for the lines below a figure.
FOOT = 0.4
# Inches of a line of a key, and of a letter and a handle in it.
KEY_LINE, LETTER, HANDLE = 0.13, 0.0555, 0.42


@dataclass(frozen=True)
class Part:
    """A data set and setting with its rows, and what it is called."""

    name: str
    rows: pd.DataFrame


def members(tables: Tables) -> pd.DataFrame:
    """Every data set and variant: `setting`, `method`, `look`, `drawn` and how many are `left` out.

    In each setting the first variant of every method is drawn, and then others while there are
    colours; one that is not has the look of its method's first.
    """
    study = tables.study
    places = looks_of(study)
    methods = {variant.name: variants.method(variant.run) for variant in study.variants}
    of_method: dict[str, int] = {}
    for name in sorted(methods, key=lambda name: places[name]):
        of_method.setdefault(methods[name], places[name])
    found: dict[str, dict[str, Any]] = {}
    for setting, group in variants.by_setting(study).items():
        names = [variant.name for variant in group]
        firsts = {methods[name]: name for name in reversed(names)}
        looks: dict[str, int] = {}
        for name in (name for name in names if name in firsts.values()):
            looks[name] = distinct(of_method[methods[name]], looks.values())
        for name in (name for name in names if name not in looks):
            if len(looks) < FEW:
                looks[name] = distinct(places[name], looks.values())
        for name in names:
            found[name] = {
                "variant": name,
                "setting": setting,
                "method": methods[name],
                "look": looks.get(name, looks[firsts[methods[name]]]),
                "drawn": int(name in looks),
                "left": len(names) - len(looks),
            }
    table = pd.DataFrame([found[variant.name] for variant in study.variants])
    return pd.concat([table.assign(dataset=dataset) for dataset in study.datasets])


def distinct(wish: int, taken: Iterable[int]) -> int:
    """The wished look, or another one if a line of its colour is taken; beyond seven, dotted ones."""
    size = len(VARIANT_COLOURS)
    first = (wish - 1) % size + 1 if wish else 0
    known = set(taken)
    every = itertools.chain([first], itertools.count(1))
    found: int = next(look for look in every if look not in known)
    return found


def stroke(look: int) -> Any:
    """Lines of the second seven looks, which have the first ones' colours, are dotted."""
    return ":" if look > len(VARIANT_COLOURS) else "-"


def face(look: int) -> str:
    """What markers are filled with: those of the second seven looks are hollow."""
    return "white" if look > len(VARIANT_COLOURS) else colour(look)


def parts_of(rows: pd.DataFrame) -> list[Part]:
    """The rows of each data set and setting, in the study's order."""
    several = rows["dataset"].nunique() > 1
    return [
        Part(f"{title(str(dataset))}: {setting}" if several else str(setting), cell)
        for (dataset, setting), cell in rows.groupby(["dataset", "setting"], sort=False)
    ]


def fitting(parts: Sequence[Part], heights: Sequence[float]) -> tuple[list[Part], str]:
    """The parts that fit onto a page below one another, at least one, and a note on the others."""
    most = 1
    while most < len(parts) and sum(heights[: most + 1]) + FOOT <= TALLEST + 0.01:
        most += 1
    left = len(parts) - most
    return list(parts[:most]), f"{left} more setting{'s' * (left > 1)} in the table" if left else ""


def height(above: Sequence[float], least: float, most: float) -> float:
    """Inches of each part's panels, with `above` for its key, so that all fit if they can."""
    return float(np.clip((TALLEST - FOOT - sum(above)) / len(above), least, most))


def sheet(
    heights: Sequence[float], *, across: int = 1, width: float = TEXT, foot: float = 0.25
) -> tuple[Figure, list[SubFigure]]:
    """A figure of parts below one another, or `across` beside each other, `heights` inches tall."""
    lines = [max(heights[start : start + across]) for start in range(0, len(heights), across)]
    figure = plt.figure(
        figsize=(width, min(sum(lines) + foot, TALLEST + 0.3)),
        layout=ConstrainedLayoutEngine(h_pad=0.03),
    )
    made = figure.subfigures(len(lines), across, height_ratios=lines, squeeze=False)
    return figure, list(made.flat)[: len(heights)]


def handles(rows: pd.DataFrame, *, shapes: bool = False) -> list[Line2D]:
    """What a key has of each variant of a part; a dagger where a seed diverged."""
    found = []
    for look, its in sorted(rows.groupby("look"), key=lambda pair: int(str(pair[0]))):
        wrong = "diverged" in its and (its["diverged"] > 0).any()
        name = f"{its['variant'].iloc[0]} {DIVERGED}" if wrong else its["variant"].iloc[0]
        look = int(str(look))
        style: dict[str, Any] = (
            {"marker": marker(look), "linestyle": "", "markerfacecolor": face(look)}
            if shapes
            else {"linewidth": 2.0, "linestyle": stroke(look)}
        )
        found.append(Line2D([], [], color=colour(look), label=name, **style))
    return found


def _columns(shown: Sequence[Line2D], width: float) -> int:
    """The most columns of a key, filled from top to bottom, that fit beside each other."""
    lengths = [HANDLE + LETTER * len(str(each.get_label())) for each in shown]
    for columns in range(len(lengths), 1, -1):
        # Of n entries the first n % columns columns have one more.
        few, more = divmod(len(lengths), columns)
        starts = [few * column + min(column, more) for column in range(columns + 1)]
        if sum(max(lengths[a:b]) for a, b in itertools.pairwise(starts)) <= width:
            return columns
    return 1


def key_height(shown: Sequence[Line2D], width: float = TEXT) -> float:
    """Inches that `key` takes."""
    lines = -(-len(shown) // _columns(shown, width))
    return 0.22 + KEY_LINE * lines


def key(part: SubFigure, name: str, shown: Sequence[Line2D], width: float = TEXT) -> None:
    """A key above a part's panels, with the setting as its title."""
    legend = part.legend(
        handles=list(shown),
        title=name,
        loc="outside upper left",
        alignment="left",
        ncols=_columns(shown, width),
        fontsize=LEAST,
        title_fontsize=8,
        labelspacing=0.25,
        columnspacing=1.4,
        borderaxespad=0.3,
        borderpad=0.1,
    )
    legend.get_title().set_fontweight("bold")


def bottom(figure: Figure, counts: Any, *more: str) -> None:
    """The foot of the other figures, no smaller than their text; nothing may be added after it."""
    foot(figure, counts, *more)
    for text in figure.texts:
        words = " ".join(text.get_text().split())
        text.set_text("\n".join(textwrap.wrap(words, int(figure.get_figwidth() * 17))))
        text.set_fontsize(LEAST)
    _settle(figure)


def _settle(figure: Figure) -> None:
    """Lay the figure out once and round where its parts and panels are.

    The solver's last bits differ from time to time, and with them the names of an SVG's clip paths.
    """
    engine = figure.get_layout_engine()
    if engine is not None:
        engine.execute(figure)
    figure.set_layout_engine("none")
    for part in figure.subfigs:
        part.bbox_relative.p0 = np.round(part.bbox_relative.p0, 6)
        part.bbox_relative.p1 = np.round(part.bbox_relative.p1, 6)
    for panel in figure.axes:
        panel.set_position(np.round(panel.get_position().bounds, 6).tolist())


def left_out(rows: pd.DataFrame) -> str:
    """A note on variants for which there was no colour."""
    left = int(rows.drop_duplicates(["dataset", "setting"])["left"].sum()) if len(rows) else 0
    return f"{left} more variant{'s' * (left > 1)} in the table" if left else ""


def name_lines(
    panel: Axes, names: Sequence[str], label: str = "variant", room: float = 0.6
) -> None:
    """An ordinate of names from top to bottom, one a unit."""
    panel.set_yticks(range(len(names)), list(names))
    panel.set_ylim(len(names) - 1 + room, -room)
    panel.tick_params(axis="y", length=0)
    panel.set_ylabel(label)


def dots(
    panel: Axes,
    rows: pd.DataFrame,
    value: str,
    bounds: tuple[str, str],
    *,
    scale: float = 100.0,
    places: Sequence[float] | None = None,
    faces: bool = False,
    **more: Any,
) -> None:
    """A point with an interval for each row, from top to bottom, in its variant's colour.

    Args:
        panel: the panel.
        rows: with a `look`, a value and its bounds.
        value: the column of the value.
        bounds: the columns of its bounds.
        scale: factor of all three.
        places: where each row is, if not one below the other.
        faces: whether the second seven looks are hollow; else that means something else.
        more: of how points look.
    """
    heights = range(len(rows)) if places is None else places
    for place, one in zip(heights, rows.to_dict("records"), strict=True):
        middle = scale * float(one[value])
        if not np.isfinite(middle):
            continue
        away = [
            [middle - scale * float(one[bounds[0]])],
            [scale * float(one[bounds[1]]) - middle],
        ]
        look = int(one["look"])
        settings: dict[str, Any] = {"color": colour(look), "marker": marker(look)}
        settings |= {"markerfacecolor": face(look) if faces else colour(look), **more}
        panel.errorbar(
            [middle], [place], xerr=np.nan_to_num(away), linestyle="", elinewidth=1.1, **settings
        )


def zero(panel: Axes) -> None:
    """A dotted line at no difference."""
    panel.axvline(0, color=BLACK, linestyle=":", linewidth=0.8, zorder=0)


def thousands(axis: Any) -> None:
    """Ticks in k, M and G."""

    def words(value: float, _: Any) -> str:
        for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
            if abs(value) >= size:
                return f"{value / size:g}{letter}"
        return f"{value:g}"

    axis.set_major_formatter(FuncFormatter(words))
