"""What the figures share: means and ranges over seeds, panels per data set, axes of widths, keys."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from sidestep.statistics.size_measures import SIZE_MEASURES
from sidestep.style import BLACK, COLOURS, COLUMN, MARKERS, SMALL, TEXT, TITLES
from sidestep.tables import Tables

# The measures of a layer that figures show, and the images on which each is taken.
SIZE_METRICS = {measure.metric: measure.images for measure in SIZE_MEASURES if measure.drawn}
RANGE = "band: smallest to largest"
LARGEST_LEGEND = 9


def over_seeds(frame: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """Mean, smallest (`low`), largest (`high`) and number `n` of the seeds' finite values.

    Groups keep the order in which they first appear; one without a finite value is left out, so
    that a run that diverged is missing from the mean and from `n`.
    """
    finite = frame[np.isfinite(frame["value"].astype(float))]
    found = finite.groupby(list(by), sort=False, dropna=False)["value"].agg(
        mean="mean", low="min", high="max", n="count"
    )
    return found.reset_index()


def by_width(
    tables: Tables, metric: str, images: str = "train", pooled: bool = False
) -> pd.DataFrame:
    """A metric's mean, range and number of seeds at each data set and width, at the last epoch."""
    found = tables.metric(metric, images=images, last=True, pooled=pooled)
    return over_seeds(found, ["dataset", "width", "metric", "images"])


def size_metrics(tables: Tables) -> pd.DataFrame:
    """`by_width` of the test accuracy and of every measure that might tell a layer's size."""
    wanted = {"accuracy": "test", **SIZE_METRICS}
    return pd.concat(
        [by_width(tables, metric, images) for metric, images in wanted.items()], ignore_index=True
    )


def by_dataset(rows: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """Each data set with its rows, in the study's order."""
    for name in datasets_of(rows):
        yield name, rows[rows["dataset"] == name]


def each_width(rows: pd.DataFrame) -> Iterator[tuple[float, pd.DataFrame]]:
    """Each width with its rows, narrow ones first."""
    for width in sorted(set(rows["width"])):
        yield float(width), rows[rows["width"] == width]


def datasets_of(rows: pd.DataFrame) -> list[str]:
    """The data sets, in the study's order."""
    return list(dict.fromkeys(rows["dataset"]))


def title(dataset: str) -> str:
    """A data set's name as it is printed."""
    return TITLES.get(dataset, dataset)


def colour(name: str) -> str:
    """The colour of a data set, split or model."""
    return COLOURS.get(name, BLACK)


def marker(dataset: str) -> str:
    """The marker of a data set."""
    return MARKERS.get(dataset, "v")


def grid(
    rows: int, columns: int, *, width: float, height: float, **more: Any
) -> tuple[Figure, Any]:
    """A figure of `rows` × `columns` panels, `height` inches a row; the axes as a 2-D array."""
    figure, axes = plt.subplots(
        rows, columns, figsize=(width, height * rows), squeeze=False, **more
    )
    return figure, axes


def panels(
    datasets: Sequence[str],
    rows: int = 1,
    height: float = 2.4,
    width: float | None = None,
    **more: Any,
) -> tuple[Figure, Any]:
    """A column of panels for each data set, titled with its name in the first row."""
    width = width or (COLUMN if len(datasets) == 1 else TEXT)
    figure, axes = grid(rows, len(datasets), width=width, height=height, **more)
    for top, dataset in zip(axes[0], datasets, strict=True):
        top.set_title(title(dataset))
    return figure, axes


def empty() -> Figure:
    """What is drawn where no run has the values: a sentence."""
    figure, axes = grid(1, 1, width=COLUMN, height=1.2)
    axes[0, 0].set_axis_off()
    axes[0, 0].text(
        0.5, 0.5, "no finished run has these values (n = 0 seeds)", ha="center", fontsize=7
    )
    return figure


def say_n(figure: Figure, counts: Iterable[float], more: str = RANGE) -> None:
    """Write below the figure how many seeds its values come from, and what its bands are."""
    found = sorted({int(count) for count in counts})
    if not found:
        return
    low, high = found[0], found[-1]
    text = f"n = {high} seed{'s' * (high > 1)}" if low == high else f"n = {low} to {high} seeds"
    if more and high > 1:
        text += f"; {more}"
    figure.supxlabel(text, x=0.995, ha="right", fontsize=SMALL, color="#555555")


def line(
    axes: Axes,
    rows: pd.DataFrame,
    *,
    x: str = "width",
    color: Any,
    scale: float = 1.0,
    **more: Any,
) -> Line2D:
    """The means over seeds as a line, the range over seeds as a band; one seed has no band."""
    rows = rows.sort_values(x)
    settings = {"markeredgewidth": 0.8, **more}
    (drawn,) = axes.plot(rows[x], scale * rows["mean"], color=color, **settings)
    if len(rows) and rows["n"].max() > 1:
        axes.fill_between(
            rows[x], scale * rows["low"], scale * rows["high"], color=color, alpha=0.2, linewidth=0
        )
    return drawn


def visible(rows: pd.DataFrame, x: str, height: str = "high", share: float = 0.01) -> float:
    """The largest abscissa at which a curve is still above that share of its own height.

    The rows are those of one or several curves, told apart by data set and width.
    """
    tops = rows.groupby(["dataset", "width"])[height].transform("max")
    return float(rows.loc[rows[height] >= share * tops, x].max())


def width_axis(axes: Axes, widths: Iterable[float], most: int = 8, label: bool = True) -> None:
    """A logarithmic axis whose ticks are widths of the study, as many as fit."""
    known = sorted(set(widths))
    axes.set_xscale("log", base=2)
    if len(known) == 1:
        axes.set_xlim(known[0] / 2, known[0] * 2)
    step = max(1, -(-len(known) // most))
    shown = known[::step]
    axes.xaxis.set_minor_locator(NullLocator())
    turned = 45 if sum(len(f"{int(width)}") for width in shown) > 3 * most else 0
    axes.set_xticks(shown, [f"{int(width)}" for width in shown], rotation=turned)
    if label:
        axes.set_xlabel("hidden neurons")


def shade(place: float) -> Any:
    """The colour at a place from 0, the narrowest width of the study, to 1, the widest."""
    return mpl.colormaps["viridis"](0.92 * place)


def width_shades(widths: Iterable[float]) -> dict[float, float]:
    """The place of each width from 0 to 1: a width has the same colour in every figure."""
    known = sorted(set(widths))
    return {width: place / max(len(known) - 1, 1) for place, width in enumerate(known)}


def width_colours(widths: Iterable[float]) -> dict[float, Any]:
    """A colour for each width, dark for narrow."""
    return {width: shade(place) for width, place in width_shades(widths).items()}


def width_key(figure: Figure, colours: dict[float, Any]) -> None:
    """A legend of widths at the right of the figure; of many widths only some are named."""
    known = sorted(colours)
    step = max(1, -(-len(known) // LARGEST_LEGEND))
    shown = known[::-1][::step]
    handles = [
        Line2D([], [], color=colours[width], linewidth=2, label=f"{int(width)}") for width in shown
    ]
    figure.legend(
        handles=handles, title="hidden\nneurons", loc="outside right center", handlelength=1.2
    )


def dataset_key(figure: Figure, datasets: Sequence[str]) -> None:
    """A legend of data sets above the figure."""
    handles = [
        Line2D([], [], color=colour(name), marker=marker(name), label=title(name))
        for name in datasets
    ]
    figure.legend(handles=handles, loc="outside upper left", ncols=len(handles))


def note(axes: Axes, x: float, y: float, text: str, **more: Any) -> None:
    """Small grey text at a position in the panel, from 0 to 1."""
    settings = {"fontsize": SMALL, "color": "#555555", **more}
    axes.text(x, y, text, transform=axes.transAxes, **settings)


def plain_log(axis: Any) -> None:
    """Ticks of a logarithmic axis written out: 1, 10, 100 instead of powers, where they are few."""
    low, high = axis.get_view_interval()
    if low >= 1e-3 and high <= 1e5:
        few = high / low < 30
        axis.set_major_locator(LogLocator(10, subs=(1, 2, 5) if few else (1,)))
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axis.set_minor_formatter(FuncFormatter(lambda *_: ""))
