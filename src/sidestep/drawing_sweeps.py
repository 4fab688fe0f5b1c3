"""What the figures of sweeps share: the end of training by the value of one setting."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from sidestep.drawing import datasets_of, empty, grid, title
from sidestep.drawing_variants import QUIET, TALLEST, colour, foot
from sidestep.style import BLACK, TEXT, VALUES
from sidestep.sweeps import looks_of
from sidestep.tables import Tables

_SWEPT = {
    "loss": "final test loss (nats)",
    "accuracy": "final test accuracy (%)",
    "seconds": "seconds of training",
}


def sweep_rows(tables: Tables, setting: str) -> pd.DataFrame:
    """The sweeps over one setting, each with its reference's name (`of`) and place among colours."""
    found = tables.analysis("strategy_sweeps")
    found = found[found["setting"] == setting]
    references = found[found["reference"] > 0].drop_duplicates("sweep")
    of = dict(zip(references["sweep"], references["variant"], strict=True))
    kept = ["dataset", "sweep", "of", "look", "variant", "value", "number", "place", "reference"]
    kept += ["quantity", "mean", "low", "high", "n", "diverged", "separates"]
    found = found.assign(of=found["sweep"].map(of))
    found = found.assign(look=found["of"].map(looks_of(tables.study)))
    return found[[*kept, "seconds_run", "baseline"]]


def draw_sweeps(rows: pd.DataFrame, label: str, *, numbers: bool = False) -> Figure:
    """Final loss, final accuracy and seconds of every member: a row of panels a data set.

    Args:
        rows: of `sweep_rows`.
        label: what the swept setting is.
        numbers: whether its values are shares, drawn as percent along the abscissa; else they are
            words, drawn from top to bottom.
    """
    if rows.empty or not rows["n"].any():
        return empty()
    datasets = datasets_of(rows)
    values = list(dict.fromkeys(rows["value"]))
    timed = datasets_of(rows[rows["seconds_run"].notna()])
    sweeps = list(dict.fromkeys(rows["sweep"]))
    tall = 1.6 if numbers else max(1.1, 0.6 + 0.17 * len(values) * max(1, 0.7 * len(sweeps)))
    # The key and the foot take half an inch of the whole figure.
    height = min(tall + 0.5 / len(datasets), TALLEST / len(datasets))
    figure, axes = grid(
        len(datasets), 2 + bool(timed), width=TEXT, height=height, sharey=not numbers, sharex="col"
    )
    for panels, dataset in zip(axes, datasets, strict=True):
        cell = rows[rows["dataset"] == dataset]
        for panel, quantity in zip(panels, _SWEPT, strict=False):
            if quantity == "seconds" and dataset not in timed:
                panel.set_axis_off()
                continue
            _sweep_panel(panel, cell, quantity, values, numbers=numbers)
            bottom = dataset == (timed if quantity == "seconds" else datasets)[-1]
            if numbers:
                panel.set_ylabel(_SWEPT[quantity])
            if bottom:
                panel.set_xlabel(label if numbers else _SWEPT[quantity])
                panel.tick_params(labelbottom=True)
        if not numbers:
            shown = [VALUES.get(value, value) for value in values]
            panels[0].set_yticks(range(len(values)), shown)
            panels[0].set_ylim(len(values) - 0.45, -0.55)
            panels[0].set_ylabel(label)
        panels[0].set_title(title(dataset))
    first = rows.drop_duplicates("sweep")
    handles = [
        Line2D([], [], color=colour(look), marker="o", linestyle="", label=f"with {name}")
        for look, name in zip(first["look"], first["of"], strict=True)
    ]
    handles.append(
        Line2D([], [], color=QUIET, marker="o", markerfacecolor="white", linestyle="",
               label="hollow: others are compared to it")
    )  # fmt: skip
    handles.append(Line2D([], [], color=BLACK, linestyle=":", label="the study's baseline"))
    figure.legend(handles=handles, loc="outside upper left", ncols=min(len(handles), 4))
    lost = int(rows["diverged"].max())
    note = f"up to {lost} seed{'s' * (lost > 1)} of a value diverged" if lost else ""
    foot(figure, rows["n"], "bar: 95 % t interval of the mean", note)
    return figure


def _sweep_panel(
    panel: Axes, rows: pd.DataFrame, quantity: str, values: list[str], *, numbers: bool
) -> None:
    seconds = quantity == "seconds"
    cell = rows[rows["quantity"] == ("loss" if seconds else quantity)]
    scale = 100 if quantity == "accuracy" else 1
    sweeps = list(dict.fromkeys(cell["sweep"]))
    for index, (_, sweep) in enumerate(cell.groupby("sweep", sort=False)):
        found = sweep[np.isfinite(sweep["seconds_run" if seconds else "mean"].astype(float))]
        x = 100 * found["number"].astype(float)
        if not numbers:
            x = found["value"].map(values.index) + 0.5 * ((index + 0.5) / len(sweeps) - 0.5)
        mean = scale * (found["seconds_run"] if seconds else found["mean"]).astype(float)
        shade = colour(int(sweep["look"].iloc[0]))
        bars = None
        if not seconds:
            bars = [mean - scale * found["low"], scale * found["high"] - mean]
            bars = [np.nan_to_num(np.asarray(part, dtype=float)) for part in bars]
        order: dict[str, Any] = {"yerr": bars} if numbers else {"xerr": bars}
        places = (x, mean) if numbers else (mean, x)
        panel.errorbar(
            *places, **order, color=shade, linestyle="-" if numbers else "", linewidth=0.8,
            elinewidth=1.1, marker="o",
        )  # fmt: skip
        hollow = found["reference"].to_numpy() > 0
        chosen = [np.asarray(place)[hollow] for place in places]
        panel.plot(
            *chosen, linestyle="", marker="o", color=shade, markerfacecolor="white", zorder=3
        )
    if not seconds and len(cell) and np.isfinite(cell["baseline"].iloc[0]):
        where = scale * float(cell["baseline"].iloc[0])
        draw = panel.axhline if numbers else panel.axvline
        draw(where, color=BLACK, linestyle=":", linewidth=0.9, zorder=0)
    if not numbers:
        panel.xaxis.set_major_locator(MaxNLocator(4))
    else:
        panel.yaxis.set_major_locator(MaxNLocator(4))
    if seconds and len(cell):
        most = float(cell["seconds_run"].max())
        limits = (0.0, 1.15 * most if np.isfinite(most) else 1.0)
        panel.set_ylim(*limits) if numbers else panel.set_xlim(*limits)
