"""Test accuracy at the end of training against the seconds that training took."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from sidestep import drawing_parts as shared
from sidestep.drawing import empty
from sidestep.drawing_variants import QUIET, TALLEST, colour, marker, of_diverged, plain_ticks
from sidestep.style import TEXT
from sidestep.tables import Tables

ALT = "Test accuracy against the cost of training"
CAPTION = (
    "Test accuracy at the end of training against seconds of training on one machine, a panel for each "
    "network and kind of data: steps times the median seconds of a step, timed by a job that runs alone. "
    "Point: mean over the seeds that finished; bar: its 95 % t interval. Small and pale: further variants of "
    "the method of that colour, such as other heads or learning rates."
)
KEPT = [
    *("dataset", "variant", "n", "diverged", "accuracy", "accuracy_low", "accuracy_high"),
    "seconds_run",
]


def rows(tables: Tables) -> pd.DataFrame:
    """Final accuracy with its interval and seconds of every variant with a seed that finished."""
    found = tables.analysis("family")[KEPT]
    found = found[found["accuracy"].notna()]
    return found.merge(shared.members(tables), on=["dataset", "variant"])


def draw(rows: pd.DataFrame) -> Figure:
    """A panel for each setting, two beside each other, the key above each."""
    timed = rows[rows["seconds_run"].notna()]
    if timed.empty:
        return empty()
    parts = shared.parts_of(timed)
    across = min(2, len(parts))
    width = TEXT / across if across > 1 else 0.75 * TEXT
    keys = [_key(part.rows) for part in parts]
    tall = 2.0 if len(parts) > 1 else 2.4
    heights = [tall + shared.key_height(shown, width) for shown in keys]
    most = max(1, int(TALLEST / max(heights))) * across
    left = len(parts) - most
    figure, places = shared.sheet(heights[:most], across=across, width=width * across)
    for part, place, shown in zip(parts, places, keys, strict=False):
        panel = place.subplots(1, 1)
        shared.key(place, part.name, shown, width)
        _panel(panel, part.rows)
    others = [name for name in dict.fromkeys(rows["variant"]) if name not in set(timed["variant"])]
    shared.bottom(
        figure, timed["n"], "bar: 95 % t interval",
        f"not timed: {', '.join(others)}" if others else "",
        f"{left} more settings in the table" if left > 0 else "", of_diverged(timed),
    )  # fmt: skip
    return figure


def _key(rows: pd.DataFrame) -> list[Line2D]:
    main, minor = rows[rows["drawn"] > 0], rows[rows["drawn"] == 0]
    found = shared.handles(main, shapes=True)
    if len(minor):
        words = "small: others of the method"
        found.append(Line2D([], [], color=QUIET, marker="o", markersize=2.5, alpha=0.6,
                            linestyle="", label=words))  # fmt: skip
    return found


def _panel(panel: Axes, rows: pd.DataFrame) -> None:
    for one in rows.to_dict("records"):
        middle, drawn = 100 * one["accuracy"], bool(one["drawn"])
        away = [[middle - 100 * one["accuracy_low"]], [100 * one["accuracy_high"] - middle]]
        look = int(one["look"])
        panel.errorbar(
            [one["seconds_run"]], [middle], yerr=np.nan_to_num(away), color=colour(look),
            marker=marker(look) if drawn else "o",
            markerfacecolor=shared.face(look) if drawn else colour(look), markersize=5 if drawn else 2.5,
            alpha=1.0 if drawn else 0.5, elinewidth=1.0 if drawn else 0.6, linestyle="",
            zorder=3 if drawn else 2,
        )  # fmt: skip
    low, high = rows["seconds_run"].min(), rows["seconds_run"].max()
    if high > 8 * low:
        panel.set_xscale("log")
        panel.set_xlim(low / 1.4, high * 1.4)
        plain_ticks(panel.xaxis)
    else:
        panel.set_xlim(0, 1.08 * high)
        panel.xaxis.set_major_locator(MaxNLocator(6))
    panel.yaxis.set_major_locator(MaxNLocator(5))
    panel.margins(y=0.12)
    panel.set_xlabel("seconds of training")
    panel.set_ylabel("test accuracy (%)")
