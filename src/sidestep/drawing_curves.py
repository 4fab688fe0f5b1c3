"""What figures of a study of several settings share: parts by setting, colours by method, keys, curves.

A setting is a network with what its data went through; only variants of one setting may be compared,
so each has a part of the figure of its own. In it a method has the colour that its first variant has
in the whole study, and what the setting's variants are measured against is black.
"""

import itertools
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, MaxNLocator

from sidestep import variants
from sidestep.drawing import line, over_seeds, title
from sidestep.drawing_variants import (
    DIVERGED,
    TALLEST,
    colour,
    each_variant,
    foot,
    marker,
    of_diverged,
    plain_ticks,
)
from sidestep.style import BLACK, TEXT, VARIANT_COLOURS
from sidestep.sweeps import FEW, looks_of
from sidestep.tables import Tables

LEAST = 7.0
GREYS = ("#777777", "#b0b0b0")
STYLES = ("-", "--", ":", "-.")
# Evaluations up to which each has a marker.
FEW_MARKS = 12
# A loss more than this many times the highest before training leaves the panel.
BEYOND = 1.5
# Where a loss falls by more than this factor, its axis is logarithmic.
DEEP = 20
# Inches for the lines below a figure.
FOOT = 0.4
# Inches of a line of a key, and of a letter and a handle in it.
KEY_LINE, LETTER, HANDLE = 0.13, 0.0555, 0.42
PANELS = {
    ("train", "loss"): "training images",
    ("test", "loss"): "test images",
    ("train", "accuracy"): "training images",
    ("test", "accuracy"): "test images",
}
LABELS = {"loss": "loss (nats)", "accuracy": "accuracy (%)"}


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


def runs_of(tables: Tables) -> pd.DataFrame:
    """Loss and accuracy of single runs, with `step` and `epoch`, up to where one diverged.

    A network that diverged still has an accuracy, that of chance, which is none of its learning.
    """
    frame = tables.main
    chosen = frame["metric"].isin(["history_loss", "history_accuracy"])
    found = frame[chosen & frame["images"].isin(["train", "test"])]
    found = found.assign(
        split=found["images"],
        quantity=found["metric"].str.removeprefix("history_"),
        step=found["component"].astype(int),
        value=found["value"].astype(float),
    )
    keys = ["dataset", "variant", "seed", "step"]
    lost = found.loc[(found["quantity"] == "loss") & ~np.isfinite(found["value"]), keys]
    whole = ~found.set_index(keys).index.isin(lost.set_index(keys).index)
    found = found[whole].drop(columns="epoch")
    return found.assign(epoch=epochs_of(tables, found, found["step"]))


def epochs_of(tables: Tables, frame: pd.DataFrame, steps: pd.Series) -> pd.Series:
    """Steps of the rows' runs in epochs, of which the table has whole numbers only."""
    found = tables.main
    found = found[(found["metric"] == "history_loss") & (found["epoch"].astype(float) > 0)]
    each = (found["component"] / found["epoch"].astype(float)).groupby(
        [found["dataset"], found["variant"]]
    )
    per_epoch = each.min().to_dict()
    cells = zip(frame["dataset"], frame["variant"], strict=True)
    found_epochs: pd.Series = steps / np.array([per_epoch.get(cell, 1.0) for cell in cells], float)
    return found_epochs


def curve_rows(tables: Tables) -> pd.DataFrame:
    """Loss and accuracy of the drawn variants on training and test images at every evaluation."""
    its = members(tables)
    keys = ["dataset", "variant", "split", "quantity", "step", "epoch"]
    found = over_seeds(runs_of(tables), keys)
    found = found.merge(its[its["drawn"] > 0], on=["dataset", "variant"])
    timeline = tables.analysis("timeline")
    cells = ["dataset", "variant", "step"]
    seconds = timeline.drop_duplicates(cells)[[*cells, "seconds", "diverged"]]
    found = found.merge(seconds, "left", cells).fillna({"diverged": 0})
    kept = ["dataset", "setting", "variant", "method", "look", "left", "split", "quantity", "step"]
    return found[[*kept, "epoch", "seconds", "mean", "low", "high", "n", "diverged"]]


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


def curves(
    rows: pd.DataFrame,
    x: str,
    label: str,
    *,
    behind: pd.DataFrame | None = None,
    notes: Sequence[str] = (),
) -> Figure:
    """Losses and accuracies along an axis: a row of panels for each setting, its key above.

    Args:
        rows: of `curve_rows`, not empty, with a finite column `x`.
        x: the column of the abscissa.
        label: of the abscissa.
        behind: published curves, as `rows` with a column `label` and a number `style`; grey.
        notes: what else to say at the foot.
    """
    known = [pair for pair in PANELS if (rows["split"] + rows["quantity"]).eq("".join(pair)).any()]
    parts = parts_of(rows)
    published = [_of_part(behind, part) for part in parts]
    keys = [
        [*handles(part.rows), *_grey_handles(grey)]
        for part, grey in zip(parts, published, strict=True)
    ]
    above = [key_height(shown) for shown in keys]
    each = height(above, 1.3, 1.7 if len(parts) > 1 else 2.0)
    heights = [each + keys_of for keys_of in above]
    fit, note = fitting(parts, heights)
    figure, places = sheet(heights[: len(fit)])
    cut = False
    for part, place, grey, shown in zip(fit, places, published, keys, strict=False):
        axes = place.subplots(1, len(known), squeeze=False)[0]
        key(place, part.name, shown)
        for pair, panel in zip(known, axes, strict=True):
            cut |= _curves_panel(panel, part.rows, grey, pair, x)
            panel.set_title(PANELS[pair], fontsize=7.5)
            panel.set_xlabel(label)
        _alike(dict(zip(known, axes, strict=True)))
    shown_rows = pd.concat([part.rows for part in fit])
    higher = "higher losses leave the panel" if cut else ""
    bottom(
        figure, shown_rows["n"], "line: mean; band: smallest to largest seed", *notes, higher,
        left_out(shown_rows), note, of_diverged(shown_rows),
    )  # fmt: skip
    return figure


def _of_part(behind: pd.DataFrame | None, part: Part) -> pd.DataFrame:
    if behind is None:
        return pd.DataFrame()
    dataset, setting = part.rows[["dataset", "setting"]].iloc[0]
    found: pd.DataFrame = behind[(behind["dataset"] == dataset) & (behind["setting"] == setting)]
    return found


def _grey(style: int) -> Mapping[str, Any]:
    """How the published curve of that number is drawn."""
    shade = GREYS[style // len(STYLES) % len(GREYS)]
    return {"color": shade, "linestyle": STYLES[style % len(STYLES)], "linewidth": 0.9}


def _grey_handles(grey: pd.DataFrame) -> list[Line2D]:
    if grey.empty:
        return []
    each = grey.drop_duplicates("style").sort_values("style")
    return [
        Line2D([], [], label=str(name), **_grey(int(style)))
        for name, style in zip(each["label"], each["style"], strict=True)
    ]


def _curves_panel(
    panel: Axes, rows: pd.DataFrame, grey: pd.DataFrame, pair: tuple[str, str], x: str
) -> bool:
    """Curves of one split and quantity; whether some loss is above the panel's edge."""
    split, quantity = pair
    accuracy = quantity == "accuracy"
    scale = 100 if accuracy else 1
    cell = rows[(rows["split"] == split) & (rows["quantity"] == quantity)]
    few = cell["step"].nunique() <= FEW_MARKS
    for look, its in each_variant(cell, sorted(set(cell["look"]))):
        line(
            panel, its, x=x, color=colour(look), scale=scale, linewidth=1.0,
            marker="." if few else "", markersize=3.5, zorder=3 if look else 3.5,
            linestyle=stroke(look),
        )  # fmt: skip
    last = float(rows[x].max())
    theirs = grey
    if len(grey):
        theirs = grey[(grey["split"] == split) & (grey["quantity"] == quantity)]
        for style, its in theirs.groupby("style", sort=False):
            one = "." if len(its) == 1 else ""
            panel.plot(its[x], scale * its["mean"], zorder=1, marker=one, **_grey(int(str(style))))
    panel.set_xlim(-0.03 * last, 1.03 * last)
    panel.xaxis.set_major_locator(MaxNLocator(4, integer=x == "epoch"))
    if accuracy or cell.empty:
        panel.yaxis.set_major_locator(MaxNLocator(5))
        return False
    seen = cell.loc[cell["mean"] > 0]
    first = seen.loc[seen.groupby("variant")["step"].idxmin(), "mean"].max()
    top = min(float(seen["high"].max()), BEYOND * float(first))
    low = float(seen["low"][seen["low"] > 0].min())
    if len(theirs):
        low = min(low, max(float(theirs["mean"].min()), low / 3))
    if top / low > DEEP:
        panel.set_yscale("log", nonpositive="mask")
        panel.set_ylim(low / 1.2, top * 1.2)
    else:
        panel.set_ylim(low - 0.06 * (top - low), top + 0.06 * (top - low))
        panel.yaxis.set_major_locator(MaxNLocator(5))
    return bool(seen["mean"].max() > top)


def _alike(axes: Mapping[tuple[str, str], Axes]) -> None:
    """The same limits for training and test images; the ordinate's label on the first of them."""
    for quantity, label in LABELS.items():
        both = [panel for (_, each), panel in axes.items() if each == quantity]
        if not both:
            continue
        low = min(panel.get_ylim()[0] for panel in both)
        high = max(panel.get_ylim()[1] for panel in both)
        scale = "log" if any(panel.get_yscale() == "log" for panel in both) else "linear"
        for panel in both:
            if panel.get_yscale() != scale:
                panel.set_yscale(scale, nonpositive="mask")
            panel.set_ylim(max(low, 1e-4) if scale == "log" else low, high)
            if scale == "log":
                plain_ticks(panel.yaxis, most=6)
        both[0].set_ylabel(label)
        for panel in both[1:]:
            panel.tick_params(labelleft=False)


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
