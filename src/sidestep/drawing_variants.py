"""What the figures of named variants share: looks, keys, notes, and axes.

A variant has one colour and marker in all figures of a study, by its place in the config: the
baseline is black, the others take seven colours in turn. Where there are more, each row of panels
draws seven of them and the baseline, so that no panel has two lines of one colour.
"""

import textwrap
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from sidestep import variants
from sidestep.drawing import datasets_of, title
from sidestep.study import Study
from sidestep.style import BLACK, SMALL, VARIANT_COLOURS, VARIANT_MARKERS
from sidestep.sweeps import looks_of, main_variants
from sidestep.tables import Tables

QUIET = "#555555"
DIVERGED = "†"
# Tallest figure that fits onto a page with its caption.
TALLEST = 8.6
# Accuracies that are written at an axis, as far as they are in its view.
_ACCURACIES = (0.0, 0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999, 0.9995, 0.9998, 0.9999)
_BETWEEN = (0.2, 0.4, 0.6, 0.7, 0.85, 0.92, 0.94, 0.96, 0.97, 0.985, 0.992, 0.994, 0.996, 0.997)


def with_looks(frame: pd.DataFrame, study: Study) -> pd.DataFrame:
    """The rows of the study's main variants, with the variants' places among the colours (`look`)."""
    places, main = looks_of(study), main_variants(study)
    found = frame[frame["variant"].isin([*main, study.baseline])]
    return found.assign(look=found["variant"].map(places).astype(int))


def by_stage(tables: Tables, measures: Sequence[str]) -> pd.DataFrame:
    """Rows of single runs of the metrics `<measure>.<stage>`, with columns `measure` and `stage`.

    Stages are in the network's order and have their `place` in it.
    """
    frame = tables.main
    parts = frame["metric"].str.split(".", n=1, expand=True).reindex(columns=[0, 1])
    found = frame.assign(measure=parts[0], stage=parts[1])
    found = found[found["measure"].isin(measures) & found["seed"].ne("") & found["value"].notna()]
    order = {stage: place for place, stage in enumerate(variants.stages_of(tables.study))}
    places = found["stage"].map(order).fillna(len(order))
    return found.assign(place=places.astype(int)).sort_values("place", kind="stable")


def colour(look: int) -> str:
    """The colour of a variant by its place; the baseline's, 0, is black."""
    return VARIANT_COLOURS[(look - 1) % len(VARIANT_COLOURS)] if look else BLACK


def marker(look: int) -> str:
    """The marker of a variant by its place."""
    return VARIANT_MARKERS[(look - 1) % len(VARIANT_MARKERS)] if look else "o"


def groups(rows: pd.DataFrame, most: int) -> tuple[list[list[int]], int]:
    """The looks of each row of panels, the baseline in all of them, and how many did not fit.

    Args:
        rows: with a column `look`.
        most: rows of panels that there is room for.
    """
    looks = sorted(set(rows["look"]))
    base, others = [look for look in looks if not look], [look for look in looks if look]
    size = len(VARIANT_COLOURS)
    found = [base + others[start : start + size] for start in range(0, len(others), size)]
    left = sum(len(group) - len(base) for group in found[most:])
    return (found or [base])[:most], left


def each_variant(rows: pd.DataFrame, looks: Sequence[int]) -> Iterator[tuple[int, pd.DataFrame]]:
    """Each look with its rows, the baseline last: it is drawn on top."""
    for look in [*(look for look in looks if look), *(look for look in looks if not look)]:
        cell = rows[rows["look"] == look]
        if len(cell):
            yield look, cell


def variant_key(
    axes: Axes,
    rows: pd.DataFrame,
    looks: Sequence[int],
    more: Sequence[Line2D] = (),
    *,
    shapes: bool = True,
    inside: bool = False,
) -> None:
    """A legend of variants at the right of a row of panels, outside of the last one.

    Args:
        axes: the last panel.
        rows: with `variant` and `look`, and perhaps `diverged`.
        looks: which to name.
        more: further handles, below.
        shapes: whether variants have their own markers, or markers mean something else.
        inside: whether the panel is there for the legend alone.
    """
    names = dict(zip(rows["look"], rows["variant"], strict=True))
    wrong = set(rows.loc[rows["diverged"] > 0, "look"]) if "diverged" in rows else set()
    handles = [
        Line2D(
            [],
            [],
            color=colour(look),
            marker=marker(look) if shapes else "",
            linewidth=1.1 if shapes else 3.0,
            label=names[look] + (f" {DIVERGED}" if look in wrong else ""),
        )
        for look in looks
        if look in names
    ]
    legend = axes.legend(
        handles=[*handles, *more],
        loc="upper left",
        bbox_to_anchor=(0.0 if inside else 1.03, 1.04),
        borderaxespad=0.0,
        fontsize=SMALL,
    )
    legend.set_in_layout(not inside)


def foot(figure: Figure, counts: Iterable[float], *more: str) -> None:
    """Write below the figure of how many seeds it is, and what else has to be known, in short lines."""
    found = sorted({int(count) for count in counts})
    text = "n = 0 seeds"
    if found:
        low, high = found[0], found[-1]
        text = f"n = {low} to {high} seeds" if low < high else f"n = {high} seed{'s' * (high > 1)}"
    if not found or found[-1] < 2:
        # Without a second seed there is no band that could be explained.
        more = tuple(part for part in more if not part.startswith(("band", "bar")))
    text = "; ".join([text, *(part for part in more if part)])
    wide = int(figure.get_figwidth() * 19)
    figure.supxlabel(
        "\n".join(textwrap.wrap(text, wide)), x=0.995, ha="right", fontsize=SMALL, color=QUIET
    )


def not_drawn(rows: pd.DataFrame, drawn: Sequence[str], left: int = 0) -> str:
    """What a figure on the time axis leaves out: data sets without seconds, variants without room."""
    missing = [title(name) for name in datasets_of(rows) if name not in drawn]
    parts = [f"not timed: {', '.join(missing)}"] if missing else []
    return "; ".join(parts + ([too_many(left)] if left else []))


def too_many(left: int) -> str:
    """A note on the variants that found no room."""
    return f"{left} more variant{'s' * (left > 1)} in the table" if left else ""


def of_diverged(rows: pd.DataFrame) -> str:
    """The meaning of the dagger, if there is one."""
    return f"{DIVERGED} a seed diverged and ends there" if (rows["diverged"] > 0).any() else ""


def timed_datasets(rows: pd.DataFrame) -> list[str]:
    """The data sets with seconds; all of them if none was timed, when steps stand in for seconds."""
    timed = rows.loc[rows["seconds"].notna(), "dataset"]
    return [name for name in datasets_of(rows) if name in set(timed)] or datasets_of(rows)


def errors(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows of accuracies as errors, for an axis on which 99 and 99.9 % are as far apart as 90 and 99 %.

    No error at all lies where half of the smallest one would.
    """
    found = rows.assign(mean=1 - rows["mean"], low=1 - rows["high"], high=1 - rows["low"])
    positive = found.loc[found["mean"] > 0, "mean"]
    floor = float(positive.min()) / 2 if len(positive) else 1e-3
    return found.assign(**{name: found[name].clip(lower=floor) for name in ("mean", "low", "high")})


def accuracy_axis(axes: Axes, values: Iterable[float]) -> None:
    """A logarithmic axis of errors, written as accuracies in percent, better ones higher.

    Args:
        axes: the panel.
        values: the errors that are drawn, all above 0.
    """
    drawn = list(values)
    low, high = min(drawn) / 1.25, min(max(drawn) * 1.15, 1.15)
    axes.set_yscale("log")
    axes.set_ylim(high, low)
    shown = [each for each in _ACCURACIES if low <= 1 - each <= high]
    if len(shown) < 4:
        every = sorted((*_ACCURACIES, *_BETWEEN))
        shown = [each for each in every if low <= 1 - each <= high]
    if len(shown) < 2:
        shown = [1 - error for error in np.geomspace(high / 1.1, low * 1.1, 3)]
    axes.yaxis.set_major_locator(FixedLocator([1 - each for each in shown]))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda error, _: f"{100 * (1 - error):.4g}"))
    axes.yaxis.set_minor_locator(NullLocator())


def round_values(low: float, high: float, most: int) -> list[float]:
    """At most so many round numbers between two positive ones, evenly spread in the logarithm."""
    exponents = np.arange(np.floor(np.log10(low)), np.ceil(np.log10(high)) + 1)
    found: list[float] = []
    for subs, every in (((1, 2, 5), 1), ((1, 3), 1), ((1,), 1), ((1,), 2), ((1,), 4)):
        each = [float(sub * 10.0**exponent) for exponent in exponents[::every] for sub in subs]
        found = [value for value in each if low <= value <= high]
        if len(found) <= most:
            break
    return found


def plain_ticks(axis: Axis, most: int = 7) -> None:
    """Ticks of a logarithmic axis written out: 1, 2 and 5 where they are few, else powers of 10.

    Args:
        axis: an abscissa or ordinate whose limits are set.
        most: ticks that there is room for.
    """
    low, high = sorted(axis.get_view_interval())
    if not 1e-5 <= low < high <= 1e5:
        return
    axis.set_major_locator(FixedLocator(round_values(low, high, most)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(FuncFormatter(lambda *_: ""))


def blocks(rows: pd.DataFrame, height: float) -> tuple[list[tuple[str, list[int]]], str]:
    """Rows of panels for each data set and seven variants, as many as fit, and a note on the others.

    Args:
        rows: with `dataset` and `look`.
        height: of one, in inches.
    """
    parts, _ = groups(rows, most=len(rows))
    every = [(dataset, part) for dataset in datasets_of(rows) for part in parts]
    most = max(1, int((TALLEST - 0.4) / height))
    more = len(every) - most
    note = f"{more} more row{'s' * (more > 1)} of panels in the table" if more > 0 else ""
    return every[:most], note
