"""The width that each metric calls large enough, against the width where accuracy saturates."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from sidestep.drawing import colour, datasets_of, empty, marker, panels, say_n, width_axis
from sidestep.statistics.size_rules import SATURATED_SHARE, SLACK_SHARE, THRESHOLD
from sidestep.style import BLACK, GREY, LABELS, TEXT
from sidestep.tables import Tables

ALT = "Verdicts of every metric on the size of the layer"
CAPTION = (
    "The width that each rule calls large enough (large marker: networks at the last epoch, with the 95 "
    "% bootstrap interval over seeds; small: earlier recorded epochs, later ones lower; hollow: seeds "
    "pooled), against the width at which test accuracy comes within the margin of its best (line) and "
    "its interval (shaded). Never: not within the widths of the study."
)
RULES = {
    "margin": "margin: within the margin of the best",
    "argmax": "argmax: the largest",
    "threshold": f"threshold: stays above {THRESHOLD}",
    "saturation": f"saturation: within {100 * SATURATED_SHARE:.0f} % of its last value",
    "slack": f"slack: below {SLACK_SHARE:g} × width",
}
KEPT = [
    *("dataset", "epoch", "metric", "images", "source", "rule", "n", "width", "low", "high"),
    *("test_width", "test_low", "test_high"),
]


def rows(tables: Tables) -> pd.DataFrame:
    """The verdicts, `inf` where a rule never speaks; `largest` is the widest layer of the study."""
    found = tables.analysis("verdicts")
    itself = (found["metric"] == "accuracy") & (found["images"] == "test")
    widths = sorted(tables.main["width"].dropna().unique())
    return found.loc[~itself, KEPT].assign(smallest=widths[0], largest=widths[-1])


def draw(rows: pd.DataFrame) -> Figure:
    """A panel for each data set; the metrics from top to bottom, grouped by rule."""
    if rows.empty:
        return empty()
    places, ticks = _places(rows)
    datasets = datasets_of(rows)
    figure, axes = panels(
        datasets,
        width=TEXT if len(datasets) > 1 else 5.5,
        height=1.1 + 0.175 * len(ticks),
        sharey=True,
    )
    for panel, dataset in zip(axes[0], datasets, strict=True):
        _panel(panel, rows[rows["dataset"] == dataset], places)
    axes[0, 0].set_yticks(range(len(ticks)), [label for label, _ in ticks], fontsize=6.5)
    axes[0, 0].set_ylim(len(ticks) - 0.4, -0.6)
    axes[0, 0].set_ylabel("metric, by rule")
    for text, (_, heading) in zip(axes[0, 0].get_yticklabels(), ticks, strict=True):
        text.set_fontweight("bold" if heading else "normal")
    look: dict[str, Any] = {"linestyle": "", "color": "#444444"}
    handles = [
        Line2D([], [], marker="o", markersize=4.5, label="networks, last epoch", **look),
        Line2D([], [], marker="o", markersize=2.2, label="earlier epochs", **look),
        Line2D(
            [], [], marker="D", markersize=4.5, markerfacecolor="none", label="seeds pooled", **look
        ),
        Line2D([], [], color="#444444", label="test accuracy saturates"),
    ]
    figure.legend(handles=handles, loc="outside upper right", ncols=4)
    say_n(figure, rows["n"], "bars and shade: 95 % bootstrap intervals over seeds")
    return figure


def _places(rows: pd.DataFrame) -> tuple[dict[Any, int], list[tuple[str, bool]]]:
    """The line of each (rule, metric), and each line's label; a heading opens a rule."""
    places: dict[Any, int] = {}
    ticks: list[tuple[str, bool]] = []
    cells = rows[["rule", "metric"]].drop_duplicates()
    for rule in sorted(cells["rule"].unique(), key=[*RULES].index):
        ticks.append((RULES[rule], True))
        for metric in cells.loc[cells["rule"] == rule, "metric"]:
            places[rule, metric] = len(ticks)
            words = "training accuracy" if metric == "accuracy" else LABELS.get(metric, metric)
            ticks.append((words.replace("\n", " "), False))
    return places, ticks


def _panel(panel: Axes, cell: pd.DataFrame, places: dict[Any, int]) -> None:
    dataset, smallest, largest = (
        cell["dataset"].iloc[0],
        cell["smallest"].iloc[0],
        cell["largest"].iloc[0],
    )
    shade, never = colour(dataset), 2 * largest

    def at(values: Any) -> Any:
        """`inf` becomes the place of "never"."""
        return np.where(np.isposinf(values), never, values)

    last = cell["epoch"] == cell["epoch"].max()
    target = cell[last].iloc[0]
    if np.isfinite(target["test_width"]):
        panel.axvline(target["test_width"], color=shade, linewidth=1.0, zorder=0)
    if not np.isnan(target["test_low"]):
        panel.axvspan(
            target["test_low"], float(at(target["test_high"])), color=shade, alpha=0.13, linewidth=0
        )
    single = cell["source"] == "network"
    epochs = sorted(cell["epoch"].unique())
    for _, one in cell[cell["width"].notna()].iterrows():
        line = places[one["rule"], one["metric"]]
        if one["source"] != "network":
            if one["epoch"] == epochs[-1]:
                panel.plot(
                    at(one["width"]),
                    line,
                    marker="D",
                    markersize=5.5,
                    markerfacecolor="none",
                    markeredgecolor=BLACK,
                    markeredgewidth=0.8,
                    zorder=4,
                )
            continue
        if one["epoch"] == epochs[-1]:
            panel.plot(
                at(one["width"]),
                line,
                marker=marker(dataset),
                markersize=4.5,
                color=shade,
                zorder=3,
            )
            if not np.isnan(one["low"]):
                panel.plot(at([one["low"], one["high"]]), [line, line], color=shade, linewidth=1.6)
        else:
            lift = 0.36 * (epochs.index(one["epoch"]) / max(len(epochs) - 1, 1) - 1)
            panel.plot(
                at(one["width"]),
                line + lift,
                marker=marker(dataset),
                markersize=2.2,
                color=shade,
                alpha=0.8,
            )
    undefined = cell[last & single & cell["width"].isna()]
    for one in undefined.itertuples():
        panel.text(
            smallest,
            places[one.rule, one.metric],
            "not defined",
            fontsize=6.5,
            color="#555555",
            va="center",
        )
    widths = [smallest * 2.0**power for power in range(int(np.log2(largest / smallest)) + 1)]
    width_axis(panel, widths, most=6)
    shown = [tick for tick in panel.get_xticks() if tick < largest / 1.5 or tick == largest]
    panel.set_xticks([*shown, never], [*(f"{int(tick)}" for tick in shown), "never"])
    panel.set_xlim(smallest / 1.4, never * 1.4)
    for line in places.values():
        panel.axhline(line, color=GREY, alpha=0.25, linewidth=0.4, zorder=0)
    panel.tick_params(axis="y", length=0)
