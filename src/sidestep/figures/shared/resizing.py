"""What the figures of networks that size themselves share: looks of methods, families of starts, panels."""

import math
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.lines import Line2D

from sidestep import drawing_parts as shared
from sidestep import sizing, variants
from sidestep.drawing import colour, datasets_of, marker, title
from sidestep.drawing_variants import TALLEST
from sidestep.figures.shared import substitution
from sidestep.study import Study, Variant
from sidestep.style import LABELS, TEXT
from sidestep.tables import Tables

# By what neurons are ordered, the exact measure first.
MEASURES = (
    *("zeroing", "spread", "incoming_norm", "outgoing_norm"),
    *("gradient_times_activation", "fisher", "random"),
)
RANDOM = "random"
BAR = "bar: 95 % t interval"
CUT = "longer bars leave the panel"
# Bars of two seeds may be many times as long as values are high: how far panels follow them.
FAR = 1.6
# Inches of the label below a line of panels.
LABEL = 0.2
# Panels beside each other, and letters that fit above one.
ACROSS, LETTERS = 4, 27
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
# Lines of the families of one colour, in turn; every second has hollow points.
_STYLES: tuple[Any, ...] = ("-", "--", ":", "-.")


@dataclass(frozen=True)
class Family:
    """Variants that differ in where they start alone, or a single one.

    Attributes:
        name: what they have in common, in words; different for each.
        method: one of `sizing.METHODS`.
        price: of a used neuron, in nats.
        decay: of the weights.
        members: names of variants, by rising start.
    """

    name: str
    method: str
    price: float
    decay: float
    members: tuple[str, ...]


def label(name: str) -> str:
    """A method or measure in words."""
    return LABELS.get(name, name.replace("_", " "))


def power(value: float) -> str:
    """A number as a power of ten if it is small: 3·10⁻⁵."""
    if value == 0 or abs(value) >= 0.01:
        return f"{value:g}"
    mantissa, exponent = f"{value:.6e}".split("e")
    factor = "" if float(mantissa) == 1 else f"{float(mantissa):g}·"
    return f"{factor}10{str(int(exponent)).translate(_SUPERSCRIPTS)}"


def families(study: Study) -> list[Family]:
    """Each group of `sizing.from_every_start`, and each other variant whose size moves, in the study's order."""
    groups = sizing.from_every_start(study)
    known = {variant.name for group in groups for variant in group}
    order = {variant.name: place for place, variant in enumerate(study.variants)}
    groups += [
        [variant]
        for variant in study.variants
        if variant.name not in known and sizing.method(variant.run) not in sizing.STILL
    ]
    groups.sort(key=lambda group: min(order[variant.name] for variant in group))
    names = _names([group[0] for group in groups])
    return [
        Family(
            name,
            sizing.method(group[0].run),
            sizing.price(group[0].run),
            sizing.decay(group[0].run),
            tuple(variant.name for variant in group),
        )
        for name, group in zip(names, groups, strict=True)
    ]


def _names(firsts: Sequence[Variant]) -> list[str]:
    """Method, price and decay; network, optimiser and a number only where names are equal without them."""
    parts = []
    for variant in firsts:
        price, decay = sizing.price(variant.run), sizing.decay(variant.run)
        words = [label(sizing.method(variant.run))]
        # What follows the mixture knows no price.
        if price or "price" in sizing.gate(variant.run):
            words.append(f"price {power(price)}" if price else "no price")
        words += [f"decay {power(decay)}"] if decay else []
        parts.append(words)
    for more in (lambda run: variants.setting(run), lambda run: run["optimiser"]["name"]):
        extras = [str(more(variant.run)) for variant in firsts]
        if len(set(extras)) > 1:
            for index in _equal(parts):
                parts[index].append(extras[index])
    again = _equal(parts)
    seen: dict[str, int] = {}
    found = []
    for index, words in enumerate(parts):
        name = ", ".join(words)
        seen[name] = seen.get(name, 0) + 1
        found.append(f"{name}, {seen[name]}" if index in again else name)
    return found


def _equal(parts: Sequence[Sequence[str]]) -> list[int]:
    """Places of names that others have too."""
    names = [tuple(words) for words in parts]
    return [index for index, name in enumerate(names) if names.count(name) > 1]


def with_families(rows: pd.DataFrame, study: Study) -> pd.DataFrame:
    """The rows of variants whose size moves, with `family`, `members` of it and its `style`.

    The style counts the families of one colour.
    """
    found: dict[str, tuple[str, int, int]] = {}
    counts: dict[str, int] = {}
    for family in families(study):
        shade = colour(family.method) + marker(family.method)
        counts[shade] = counts.get(shade, -1) + 1
        for name in family.members:
            found[name] = (family.name, len(family.members), counts[shade])
    kept = rows[rows["variant"].isin(found)]
    its = [found[name] for name in kept["variant"]]
    return kept.assign(
        family=[name for name, _, _ in its],
        members=np.array([count for _, count, _ in its], int),
        style=np.array([style for _, _, style in its], int),
    )


def line_of(method: str, style: int) -> dict[str, Any]:
    """How the line of a family looks."""
    return {
        **point(method, hollow=style % 2 > 0),
        "linestyle": _STYLES[style % len(_STYLES)],
        "linewidth": 1.0,
    }


def point(name: str, *, hollow: bool = False) -> dict[str, Any]:
    """How the point of a method or measure looks."""
    return {
        "color": colour(name),
        "marker": marker(name),
        "markerfacecolor": "white" if hollow else colour(name),
        "markersize": 4.4,
        "markeredgewidth": 0.9,
        "linestyle": "",
    }


def family_key(rows: pd.DataFrame) -> list[Line2D]:
    """A handle for each family of the rows."""
    each = rows.drop_duplicates("family")[["family", "method", "style"]]
    return [
        Line2D([], [], label=str(name), **line_of(str(method), int(style)))
        for name, method, style in each.itertuples(index=False, name=None)
    ]


def method_key(methods: Iterable[str]) -> list[Line2D]:
    """A handle for each method, in the order of `sizing.METHODS`."""
    known = set(methods)
    names = [name for name in sizing.METHODS if name in known]
    return [Line2D([], [], label=label(name), **point(name)) for name in names]


def measure_line(measure: str) -> dict[str, Any]:
    """How the curve of a measure looks; the control's is dashed."""
    return {**point(measure), "linestyle": "--" if measure == RANDOM else "-", "linewidth": 1.0}


def measure_key(measures: Iterable[str], *, lines: bool = True) -> list[Line2D]:
    """A handle for each measure."""
    known = set(measures)
    look = measure_line if lines else point
    return [
        Line2D([], [], label=label(name), **look(name) | {"markersize": 3.5})
        for name in MEASURES
        if name in known
    ]


def points(
    panel: Axes,
    x: Any,
    y: Any,
    *,
    x_bounds: Any = None,
    y_bounds: Any = None,
    **look: Any,
) -> None:
    """Points with bars from low to high, `nan` for none.

    Args:
        panel: the panel.
        x: abscissas, (n,).
        y: ordinates, (n,).
        x_bounds: low and high, each (n,), or none.
        y_bounds: of the ordinates.
        look: of the points and of the line that joins them.
    """
    bars = {
        name: _away(np.asarray(values, float), bounds)
        for name, values, bounds in (("xerr", x, x_bounds), ("yerr", y, y_bounds))
    }
    panel.errorbar(np.asarray(x, float), np.asarray(y, float), elinewidth=0.8, capsize=0, **bars, **look)  # fmt: skip


def _away(values: Any, bounds: Any) -> Any:
    if bounds is None:
        return None
    low, high = (np.asarray(bound, float) for bound in bounds)
    return np.clip(np.nan_to_num([values - low, high - values]), 0, None)


def lost(tables: Tables, rows: pd.DataFrame) -> pd.DataFrame:
    """The rows with the number of each data set's and variant's runs that `diverged`."""
    known = substitution.lost(tables, substitution.finals(tables))
    cells = zip(rows["dataset"], rows["variant"], strict=True)
    return rows.assign(diverged=np.array([known.get(cell, 0) for cell in cells], int))


def of_lost(rows: pd.DataFrame, *, curves: bool = False) -> str:
    """A note on runs that diverged, each counted once: they are left out, or their curves end there."""
    note = substitution.of_lost(rows.drop_duplicates(["dataset", "variant"]))
    if not curves:
        return note
    return note.replace("is left out", "ends there").replace("are left out", "end there")


def heights(panels: Iterable[Axes], rows: pd.DataFrame, value: str) -> str:
    """Ordinates from 0 to the highest bar, but not far beyond the highest value; a note if bars are cut.

    Args:
        panels: get the same limits.
        rows: of all of them, with columns `<value>_low` and `<value>_high`.
        value: the column of the values, none negative.
    """
    low, high = rows[f"{value}_low"].astype(float), rows[f"{value}_high"].astype(float)
    most = FAR * float(rows[value].max()) or 1.0
    top = min(most, float(np.nanmax([*high, *rows[value]])) or 1.0)
    for panel in panels:
        panel.set_ylim(-0.02 * top, 1.05 * top)
    return CUT if (high > 1.05 * top).any() or (low < -0.02 * top).any() else ""


def left_out(left: int, what: str = "variant") -> str:
    """A note on what found no room."""
    return f"{left} more {what}{'s' * (left > 1)} in the table" if left > 0 else ""


def firsts_first(rows: pd.DataFrame) -> list[str]:
    """The variants of the rows, the first one of each method before all others."""
    each = rows.drop_duplicates("variant")[["variant", "method"]]
    again = each.duplicated("method")
    return [*each.loc[~again, "variant"], *each.loc[again, "variant"]]


def that_fit(rows: pd.DataFrame, above: float, line: float) -> tuple[pd.DataFrame, int]:
    """As many rows of each data set, one a line of names, as a page has room for, and how many are left.

    Args:
        rows: of all data sets.
        above: inches that each data set takes besides its lines.
        line: inches of a line.
    """
    count = max(1, rows["dataset"].nunique())
    most = max(1, int(((TALLEST - shared.FOOT) / count - above) / line))
    found = rows.groupby("dataset", sort=False).head(most)
    return found, len(rows) - len(found)


def panelled(
    rows: pd.DataFrame, column: str, keys: Mapping[str, Sequence[Line2D]], tall: float, across: int
) -> tuple[Figure, list[tuple[str, SubFigure, list[str]]], int]:
    """A part for each data set with its key, and the names that have a panel in it.

    Parts of few panels are beside each other.

    Args:
        rows: of all data sets, in the order of the panels.
        column: of the panels' names.
        keys: handles of each data set.
        tall: inches of a panel with its title.
        across: panels that fit beside each other.

    Returns:
        The figure, its parts, and how many names have no panel.
    """
    names = {name: list(dict.fromkeys(cell[column])) for name, cell in each_part(rows)}
    few = max(len(each) for each in names.values()) <= across // 2
    beside = 2 if few and len(names) > 1 else 1
    width = TEXT / 2 if few else TEXT
    above = max(shared.key_height(shown, width) for shown in keys.values()) + LABEL
    lines = int(((TALLEST - shared.FOOT) / math.ceil(len(names) / beside) - above) / tall)
    most = across // beside * max(1, lines)
    left = max(len(each) for each in names.values()) - most
    names = {name: each[:most] for name, each in names.items()}
    heights = [above + tall * math.ceil(len(each) * beside / across) for each in names.values()]
    # The foot needs more lines where the figure is narrow.
    figure, places = shared.sheet(heights, across=beside, width=width * beside, foot=0.35)
    for place, name in zip(places, names, strict=True):
        shared.key(place, title(name), keys[name], width)
    parts = [(name, place, each) for place, (name, each) in zip(places, names.items(), strict=True)]
    return figure, parts, left


def row_of(count: int, tall: float, shown: Sequence[Line2D]) -> tuple[Figure, SubFigure]:
    """A figure of so many panels beside each other, `tall` inches high, and its only part with a key."""
    width = TEXT if count > 1 else 0.75 * TEXT
    figure, (place,) = shared.sheet([tall + shared.key_height(shown, width)], width=width)
    shared.key(place, "", shown, width)
    return figure, place


def folded(name: str) -> str:
    """A name in lines that fit above one of `ACROSS` panels."""
    kept = name.replace("price ", "price\u00a0").replace("no price", "no\u00a0price")
    return "\n".join(textwrap.wrap(kept, LETTERS))


def wrapped(
    place: SubFigure, names: Sequence[str], x: str, y: str, across: int = ACROSS
) -> list[Axes]:
    """Panels in lines of at most `across` with their names above and labels at the outer ones."""
    across = min(across, len(names))
    axes = place.subplots(math.ceil(len(names) / across), across, squeeze=False)
    found = list(axes.flat)
    for panel in found[len(names) :]:
        panel.remove()
    for index, name in enumerate(names):
        found[index].set_title(folded(name), fontsize=7)
        if index % across == 0:
            found[index].set_ylabel(y)
        if index + across >= len(names):
            found[index].set_xlabel(x)
    return found[: len(names)]


def each_part(rows: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """Each data set with its rows, in the study's order."""
    return [(name, rows[rows["dataset"] == name]) for name in datasets_of(rows)]
