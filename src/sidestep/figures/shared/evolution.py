"""What the figures of graphs that evolve share: kinds of variants told by their settings, looks, panels.

A kind has one colour and marker in all of these figures. Where a study has several variants of a kind, the
first is filled, the others are open and small.
"""

import math
import textwrap
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from sidestep import drawing_parts as shared
from sidestep.drawing import colour, datasets_of, empty, marker, title
from sidestep.drawing_variants import QUIET, TALLEST
from sidestep.evolution import BOOSTING, CONTROL, EVOLVED, JUDGED, LINEAR, MLP, OTHER, Run, role
from sidestep.figures.shared import resizing, substitution
from sidestep.statistics.intervals import mean_interval
from sidestep.study import Study
from sidestep.style import LABELS, TEXT
from sidestep.tables import Tables

KINDS = (LINEAR, MLP, CONTROL, EVOLVED, JUDGED, BOOSTING)
GRAPHS = (CONTROL, EVOLVED, JUDGED)
# Variants whose curves are told apart in one panel.
CURVES = 8
STYLES: tuple[Any, ...] = ("-", "--", ":", "-.")
# Inches of a line of names; panels beside each other with names at their left, or each with an ordinate.
LINE, BESIDE, ACROSS = 0.155, 6, 3
# Letters of a data set's name that fit above a narrow panel.
LETTERS = 15
# Bars longer than so many times the range of the points leave the panel.
FAR = 1.5
# Points of 1/72 inch: how wide one of `ACROSS` panels is.
WIDE = 125.0


def kind(run: Run) -> str:
    """What predicts: one of `KINDS`; whatever has neither a graph nor is linear is called a hidden layer."""
    found = role(run)
    return MLP if found == OTHER else found


def with_kinds(rows: pd.DataFrame, study: Study, column: str = "variant") -> pd.DataFrame:
    """The rows with the `kind` of their variant and its `rank`: 0 for the first of its kind, then 1, 2, …

    What is no variant of the study, such as boosting, is a kind of its own.
    """
    kinds = {variant.name: kind(variant.run) for variant in study.variants}
    counts: dict[str, int] = {}
    ranks: dict[str, int] = {}
    for name, its in kinds.items():
        ranks[name] = counts[its] = counts.get(its, -1) + 1
    names = [str(name) for name in rows[column]]
    return rows.assign(
        kind=np.array([kinds.get(name, name) for name in names], object),
        rank=np.array([ranks.get(name, 0) for name in names], int),
    )


def ordered(rows: pd.DataFrame) -> list[str]:
    """The variants of the rows: the first of each kind, then the others."""
    each = rows.drop_duplicates("variant").sort_values("rank", key=lambda r: r > 0, kind="stable")
    return [str(name) for name in each["variant"]]


def analysis(tables: Tables, name: str) -> pd.DataFrame | None:
    """A table of the study, or none if it has no such analysis."""
    if name not in {thing["name"] for thing in tables.study.analyses}:
        return None
    return tables.analysis(name)


def boosting(tables: Tables) -> pd.DataFrame:
    """What boosting has on each data set, as rows of a variant of that name.

    Columns: `dataset`, `variant`, `measure`, `n`, `diverged` (0), and `test`, `gap` and `seconds` (of the
    fit), each also with `_low` and `_high`, the 95 % t interval over seeds.
    """
    found = analysis(tables, "boosting")
    its = (
        []
        if found is None
        else list(found[found["method"] == BOOSTING].groupby("dataset", sort=False))
    )
    rows = []
    for dataset, cell in its:
        one: dict[str, Any] = {
            "dataset": dataset,
            "variant": BOOSTING,
            "measure": cell["measure"].iloc[0],
        }
        gap = cell["train"] - cell["test"]
        for name, values in (
            ("test", cell["test"]),
            ("gap", gap),
            ("seconds", cell["seconds_fit"]),
        ):
            got = mean_interval(values.to_numpy(float))
            one |= {name: got.mean, f"{name}_low": got.low, f"{name}_high": got.high}
        rows.append({**one, "n": len(cell), "diverged": 0})
    names = ["dataset", "variant", "measure", "n", "diverged"]
    names += [name + end for name in ("test", "gap", "seconds") for end in ("", "_low", "_high")]
    return pd.DataFrame(rows, columns=names)


def together(study: Study, *parts: pd.DataFrame) -> pd.DataFrame:
    """Rows of several origins below one another, data sets in the study's order."""
    filled = [part for part in parts if len(part)]
    found = pd.concat(filled, ignore_index=True) if filled else parts[0]
    order = {name: place for place, name in enumerate(study.datasets)}
    return found.sort_values(
        "dataset",
        key=lambda names: names.map(lambda name: order.get(name, len(order))),
        kind="stable",
    )


def in_units(measure: object) -> tuple[float, str]:
    """The factor with which a score is drawn, and what its axis is called."""
    return (100.0, "accuracy (%)") if measure == "accuracy" else (1.0, "R²")


def difference_in(measure: object) -> tuple[float, str]:
    """As `in_units`, of a difference of scores."""
    return (100.0, "points of\naccuracy") if measure == "accuracy" else (1.0, "R²\n")


def label(name: str) -> str:
    """A kind in words."""
    return LABELS.get(name, name.replace("_", " "))


def point(name: str, *, hollow: bool = False, small: bool = False) -> dict[str, Any]:
    """How the point of a kind looks."""
    return {
        "color": colour(name),
        "marker": marker(name),
        "markerfacecolor": "white" if hollow else colour(name),
        "markersize": 2.8 if small else 4.4,
        "markeredgewidth": 0.8,
        "linestyle": "",
    }


def kind_key(rows: pd.DataFrame, *, others: bool = True) -> list[Line2D]:
    """A handle for each kind of the rows, and for open points if there are and `others` wants it."""
    known = set(rows["kind"])
    names = [name for name in KINDS if name in known]
    found = [Line2D([], [], label=label(name), **point(name)) for name in names]
    if others and (rows["rank"] > 0).any():
        look = point("", hollow=True, small=True) | {"color": QUIET, "marker": "o"}
        found.append(Line2D([], [], label="open: others of the kind, without bars", **look))
    return found


def curves_of(rows: pd.DataFrame, most: int = CURVES) -> tuple[list[str], int]:
    """The variants that get a curve, and how many do not: kinds before others, four of a kind."""
    every = ordered(rows)
    ranks = rows.drop_duplicates("variant").set_index("variant")["rank"]
    fit = [name for name in every if ranks[name] < len(STYLES)][:most]
    return fit, len(every) - len(fit)


def curve_key(rows: pd.DataFrame, names: Sequence[str]) -> list[Line2D]:
    """A handle for each variant with a curve."""
    each = rows.drop_duplicates("variant").set_index("variant")
    kinds, ranks = each["kind"].to_dict(), each["rank"].to_dict()
    return [
        Line2D([], [], color=colour(str(kinds[name])), linewidth=1.4, label=name,
               linestyle=STYLES[int(ranks[name])])
        for name in names
    ]  # fmt: skip


def wall(
    names: Sequence[str], shown: Sequence[Line2D], tall: float
) -> tuple[Figure, dict[str, Axes], int]:
    """Panels of data sets, `ACROSS` beside each other, `tall` inches each, with a key above all.

    Returns:
        The figure, the panels by data set, and how many data sets found no room.
    """
    across = min(ACROSS, len(names))
    width = TEXT if across > 1 else 0.75 * TEXT
    above = shared.key_height(shown, width)
    most = across * max(1, int((TALLEST - shared.FOOT - above) / tall))
    fit = list(names)[:most]
    lines = math.ceil(len(fit) / across)
    figure, (place,) = shared.sheet([tall * lines + above], width=width)
    shared.key(place, "", shown, width)
    axes = place.subplots(lines, across, squeeze=False)
    for panel in axes.flat[len(fit) :]:
        panel.remove()
    panels = dict(zip(fit, axes.flat, strict=False))
    for name, panel in panels.items():
        panel.set_title(title(name))
    return figure, panels, len(names) - len(fit)


def limits(
    panel: Axes,
    which: str,
    values: Iterable[float],
    bounds: Iterable[float],
    best: float = float("inf"),
) -> bool:
    """Limits around points and their bars, but not far beyond the points; whether bars are cut.

    Args:
        panel: the panel.
        which: `x` or `y`.
        values: of the points, `nan` for none.
        bounds: ends of all bars, `nan` for none.
        best: that no score can exceed, though bars may.
    """
    points, ends = (np.asarray(list(each), float) for each in (values, bounds))
    points, ends = points[np.isfinite(points)], ends[np.isfinite(ends)]
    if not len(points):
        return False
    low, high = float(points.min()), float(points.max())
    span = max(high - low, 0.02 * max(abs(low), abs(high)), 1e-6)
    least, most = low - FAR * span, high + FAR * span
    left, right = max(least, min([low, *ends])), min(most, best, max([high, *ends]))
    room = 0.06 * max(right - left, span)
    panel.set(**{f"{which}lim": (left - room, right + room)})
    return bool(((ends < left - room) | (ends > right + room)).any())


def against(rows: pd.DataFrame, axis: str, note: str) -> Figure:
    """Test scores against a cost, a panel for each data set.

    Args:
        rows: with `dataset`, `variant`, `kind`, `rank`, `measure`, `n`, `diverged`, `test` with its bounds and
            `cost`, perhaps with its bounds; what has a score and no cost is a dashed line.
        axis: label of the abscissa.
        note: what else to say at the foot.
    """
    drawn = rows[rows["test"].notna()]
    if drawn["cost"].isna().all():
        return empty()
    shown = kind_key(drawn[drawn["cost"].notna()])
    lines = drawn.loc[drawn["cost"].isna(), "kind"].unique()
    shown += [
        Line2D([], [], color=colour(name), linestyle="--", linewidth=1.0, label=label(str(name)))
        for name in lines
    ]
    figure, panels, left = wall(datasets_of(drawn), shown, 1.9)
    cut = False
    for place, (name, panel) in enumerate(panels.items()):
        its = drawn[drawn["dataset"] == name]
        if its["cost"].isna().all():
            panel.text(0.5, 0.5, "not known", transform=panel.transAxes, ha="center", fontsize=7)
        else:
            cut |= _against_panel(panel, its)
        _, words = in_units(its["measure"].iloc[0])
        panel.set_ylabel(f"test {words}")
        if place + ACROSS >= len(panels):
            panel.set_xlabel(axis)
    shared.bottom(
        figure, drawn["n"], "bar: 95 % interval", note, resizing.CUT if cut else "",
        lost(drawn), resizing.left_out(left, "data set"),
    )  # fmt: skip
    return figure


def _against_panel(panel: Axes, rows: pd.DataFrame) -> bool:
    scale, _ = in_units(rows["measure"].iloc[0])
    its = rows[rows["cost"].notna()]
    costs = its["cost"].to_numpy(float)
    bounded = "cost_low" in its and its["cost_low"].notna().any()
    ends = its[["cost_low", "cost_high"]].to_numpy(float) if bounded else np.empty((0, 2))
    low, high = substitution.log_axis(panel.xaxis, [*costs, *ends[ends > costs.min() / 3]], 5)
    if not bounded:
        # Networks of equal cost would lie on one another.
        span = np.log(high / low)
        least = min(substitution.BESIDE / WIDE, 0.6 / len(costs))
        costs = low * np.exp(span * substitution.apart(np.log(costs / low) / span, least))
        substitution.log_axis(panel.xaxis, costs, 5)
    order = np.argsort(-its["rank"].to_numpy(), kind="stable")
    records = its.to_dict("records")
    for index in order:
        one, other = records[index], bool(records[index]["rank"])
        resizing.points(
            panel, [costs[index]], [scale * one["test"]],
            x_bounds=([ends[index, 0].clip(low)], [ends[index, 1]]) if bounded and not other else None,
            y_bounds=None if other else ([scale * one["test_low"]], [scale * one["test_high"]]),
            zorder=2 if other else 3, **point(str(one["kind"]), hollow=other, small=other),
        )  # fmt: skip
    for one in rows[rows["cost"].isna()].to_dict("records"):
        shade = colour(str(one["kind"]))
        panel.axhline(scale * one["test"], color=shade, linestyle="--", linewidth=1.0, zorder=1)
    panel.yaxis.set_major_locator(MaxNLocator(5))
    bars = scale * its.loc[its["rank"] == 0, ["test_low", "test_high"]].to_numpy(float)
    return limits(panel, "y", scale * rows["test"], bars.ravel(), best=scale)


def lost(rows: pd.DataFrame) -> str:
    """A note on runs that diverged."""
    if "diverged" not in rows:
        return ""
    return substitution.of_lost(
        rows.drop_duplicates(["dataset", "variant"]).fillna({"diverged": 0})
    )


def named(
    lines: Sequence[str],
    datasets: Sequence[str],
    shown: Sequence[Line2D],
    *,
    bands: int = 1,
    line: float = LINE,
    heads: Iterable[int] = (),
) -> tuple[Figure, list[dict[str, Axes]], int]:
    """Panels of data sets beside each other with lines of names at the left of the first.

    Args:
        lines: the names, from top to bottom.
        datasets: as many as there are; `BESIDE` fit.
        shown: handles of the key.
        bands: such rows of panels, below one another.
        line: inches of a line.
        heads: places of the names that are headings.

    Returns:
        The figure, the panels by data set of each band, and how many data sets found no room.
    """
    fit = list(datasets)[:BESIDE]
    above = shared.key_height(shown)
    tall = line * max(len(lines), 3)
    first, further = tall + 0.8, tall + 0.5
    figure, (place,) = shared.sheet([above + first + further * (bands - 1)])
    shared.key(place, "", shown)
    axes = place.subplots(bands, len(fit), sharey=True, squeeze=False)
    for panel in axes[:, 0]:
        shared.name_lines(panel, lines)
        for index, text in enumerate(panel.get_yticklabels()):
            text.set_fontweight("bold" if index in set(heads) else "normal")
    for panel in axes.flat:
        panel.tick_params(axis="y", length=0)
        for index in range(len(lines)):
            if index not in set(heads):
                panel.axhline(index, color="#eeeeee", linewidth=0.5, zorder=-1)
    for panel, name in zip(axes[0], fit, strict=True):
        panel.set_title("\n".join(textwrap.wrap(title(name), LETTERS)), fontsize=7.5)
    return figure, [dict(zip(fit, band, strict=True)) for band in axes], len(datasets) - len(fit)


def lines_that_fit(shown: Sequence[Line2D], *, bands: int = 1, line: float = LINE) -> int:
    """How many lines of names a page has room for in each band of `named`."""
    room = TALLEST - shared.FOOT - shared.key_height(shown) - 0.8 - 0.5 * (bands - 1)
    return max(3, int(room / bands / line))


def at_rounds(tables: Tables) -> pd.DataFrame:
    """The analysis `generations` of graphs at the last evaluation of each round, with `kind` and `rank`."""
    found = with_kinds(tables.analysis("generations"), tables.study)
    found = found[found["kind"].isin(GRAPHS) & found["mean"].notna()]
    found = together(tables.study, found.sort_values("step", kind="stable"))
    keys = ["dataset", "variant", "quantity", "round"]
    last = found.drop_duplicates(keys, keep="last")
    places = {variant.name: place for place, variant in enumerate(tables.study.variants)}
    order = last["variant"].map(places).sort_values(kind="stable").index
    return together(tables.study, last.loc[order])


def grid(
    datasets: Sequence[str], labels: Sequence[str], shown: Sequence[Line2D], tall: float, x: str
) -> tuple[Figure, dict[str, list[Axes]], int]:
    """A row of panels for each quantity, a column for each data set; `tall` inches a row.

    Returns:
        The figure, the panels of each data set from top to bottom, and how many data sets found no room.
    """
    fit = list(datasets)[:BESIDE]
    width = TEXT if len(fit) > 1 else 0.75 * TEXT
    figure, (place,) = shared.sheet(
        [shared.key_height(shown, width) + tall * len(labels) + 0.3], width=width
    )
    shared.key(place, "", shown, width)
    axes = place.subplots(len(labels), len(fit), squeeze=False)
    for panel, name in zip(axes[0], fit, strict=True):
        panel.set_title("\n".join(textwrap.wrap(title(name), LETTERS)), fontsize=7.5)
    for panel, label in zip(axes[:, 0], labels, strict=True):
        panel.set_ylabel(label)
    for panel in axes[-1]:
        panel.set_xlabel(x)
    return figure, dict(zip(fit, axes.T.tolist(), strict=True)), len(datasets) - len(fit)
