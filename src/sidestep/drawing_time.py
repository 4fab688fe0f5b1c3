"""What the figures over training time share: the axis of seconds, and curves along it."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter

from sidestep import variants
from sidestep.drawing import RANGE, grid, line, title
from sidestep.drawing_variants import (
    QUIET,
    TALLEST,
    accuracy_axis,
    colour,
    each_variant,
    errors,
    foot,
    groups,
    marker,
    not_drawn,
    of_diverged,
    plain_ticks,
    round_values,
    timed_datasets,
    variant_key,
    with_looks,
)
from sidestep.style import BLACK, TEXT
from sidestep.tables import Tables


class TimeAxis:
    """A logarithmic axis of seconds (or of steps, where nothing was timed) that begins with a 0.

    The network before its first step is a point of every curve, and a logarithm has no place for it:
    it lies at the left edge, behind a break of the axis.
    """

    def __init__(self, rows: pd.DataFrame) -> None:
        """Of all curves: `seconds` or, if there are none, `step`."""
        timed = rows["seconds"].notna().any()
        self.column = "seconds" if timed else "step"
        self.label = "seconds of training" if timed else "training steps (nothing was timed)"
        values = rows[self.column].astype(float)
        positive = values[values > 0]
        self.first = float(positive.min()) if len(positive) else 1.0
        self.last = float(positive.max()) if len(positive) else 1.0
        self.edge = self.first / max(1.6, (self.last / self.first) ** 0.09)

    def places(self, values: Any) -> Any:
        """Where values lie; 0, and what an interval has below it, is the edge."""
        return np.maximum(np.asarray(values, dtype=float), self.edge)

    def draw(self, axes: Axes, *, label: bool = True, beyond: float = 1.0) -> None:
        """Scale, limits, ticks and break of a panel's axis.

        Args:
            axes: the panel.
            label: whether to name the axis.
            beyond: factor by which the view is wider than the values at the right.
        """
        axes.set_xscale("log")
        low, high = self.edge * (self.edge / self.first) ** 0.25, self.last * 1.12 * beyond
        axes.set_xlim(low, high)
        shown = round_values(self.first * 0.9, self.last * 1.1, most=6)
        axes.xaxis.set_major_locator(FixedLocator([self.edge, *shown]))
        axes.xaxis.set_major_formatter(
            FuncFormatter(lambda value, _: "0" if value <= self.edge * 1.0001 else f"{value:g}")
        )
        decades = 10.0 ** np.arange(np.floor(np.log10(low)), np.ceil(np.log10(high)) + 1)
        minor = [sub * decade for decade in decades for sub in range(2, 10)]
        axes.xaxis.set_minor_locator(
            FixedLocator([tick for tick in minor if self.first <= tick <= self.last])
        )
        axes.xaxis.set_minor_formatter(FuncFormatter(lambda *_: ""))
        middle = (self.edge * self.first) ** 0.5
        axes.plot(
            [middle],
            [0],
            marker=[(-0.5, -1), (0.5, 1)],
            markersize=6,
            color=BLACK,
            markeredgewidth=0.6,
            linestyle="",
            clip_on=False,
            transform=axes.get_xaxis_transform(),
        )
        if label:
            axes.set_xlabel(self.label)


def curve_rows(tables: Tables, quantity: str) -> pd.DataFrame:
    """The curves of the main variants: of the whole network on test images, and of own heads."""
    found = tables.analysis("timeline")
    found = with_looks(found[found["quantity"] == quantity], tables.study)
    whole = (found["split"] == "test") & (found["reads"] == variants.NETWORK)
    own = (found["split"] == "batch") & (found["reads"] == variants.OWN_HEAD)
    kept = ["dataset", "variant", "look", "reads", "step", "seconds", "phase", "phase_end"]
    return found.loc[whole | own, [*kept, "diverged", "mean", "low", "high", "n"]]


def against_time(rows: pd.DataFrame, label: str, *, accuracy: bool) -> Figure:
    """Curves over training time: a column a data set, a row for each seven variants.

    Args:
        rows: of `curve_rows`.
        label: of the ordinate.
        accuracy: whether the values are accuracies, drawn as errors.
    """
    datasets = timed_datasets(rows)
    shown = rows[rows["dataset"].isin(datasets)]
    shown = errors(shown) if accuracy else shown
    rows_of_panels, left = groups(shown, most=4)
    height = 3.1 if len(rows_of_panels) == 1 else TALLEST / max(len(rows_of_panels), 3.4)
    figure, axes = grid(
        len(rows_of_panels), len(datasets), width=TEXT, height=height, sharex=True, sharey=True
    )
    axis = TimeAxis(shown)
    for index, (looks, panels) in enumerate(zip(rows_of_panels, axes, strict=True)):
        for dataset, panel in zip(datasets, panels, strict=True):
            cell = shown[shown["dataset"] == dataset]
            for look, curves in each_variant(cell, looks):
                _curves(panel, curves, axis, look)
            axis.draw(panel, label=index == len(axes) - 1)
        panels[0].set_ylabel(label)
        its = shown[shown["look"].isin(looks)]
        variant_key(panels[-1], its, looks, _curve_key(its))
    if accuracy:
        accuracy_axis(axes[0, 0], [*shown["low"], *shown["high"]])
    else:
        axes[0, 0].set_yscale("log", nonpositive="mask")
        plain_ticks(axes[0, 0].yaxis)
    for panel, dataset in zip(axes[0], datasets, strict=True):
        panel.set_title(title(dataset))
    foot(figure, shown["n"], RANGE, not_drawn(rows, datasets, left), of_diverged(shown))
    return figure


def _curves(panel: Axes, rows: pd.DataFrame, axis: TimeAxis, look: int) -> None:
    """A variant's curve with its band and the ends of its phases, and its own heads, thin."""
    rows = rows.assign(x=axis.places(rows[axis.column])).sort_values("step", kind="stable")
    whole = rows[rows["reads"] == variants.NETWORK]
    over = {"linewidth": 1.4, "zorder": 3} if not look else {}
    line(panel, whole, x="x", color=colour(look), **over)
    ends = whole[whole["phase_end"] > 0]
    panel.plot(
        ends["x"], ends["mean"], color=colour(look), marker=marker(look), linestyle="", zorder=3.5
    )
    own = rows[rows["reads"] == variants.OWN_HEAD]
    for _, part in own.groupby("phase", sort=False):
        panel.plot(part["x"], part["mean"], color=colour(look), linewidth=0.6, linestyle="--")


def _curve_key(rows: pd.DataFrame) -> list[Line2D]:
    look: dict[str, Any] = {"color": QUIET}
    found = []
    if (rows["phase_end"] > 0).any():
        found.append(Line2D([], [], marker="o", linestyle="", label="marker: a phase ends", **look))
    if (rows["reads"] == variants.OWN_HEAD).any():
        words = "thin: own head of the\nblock in training"
        found.append(Line2D([], [], linewidth=0.6, linestyle="--", label=words, **look))
    return found
