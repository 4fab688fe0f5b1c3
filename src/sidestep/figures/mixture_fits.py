"""Both mixtures of spread over the histogram that they were fitted to, for a few widths."""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from sidestep.drawing import (
    by_dataset,
    colour,
    datasets_of,
    each_width,
    empty,
    grid,
    note,
    say_n,
    title,
)
from sidestep.settings import Count
from sidestep.statistics.mixtures.components import Component, Exponential, Gamma, Normal
from sidestep.style import LABELS, SMALL, TEXT
from sidestep.tables import Tables

ALT = "Mixture fits over histograms of spread"
CAPTION = (
    "Spread of the living neurons of all seeds pooled, after the last epoch (grey histogram), with the "
    "two mixtures fitted to it: whole mixture (solid) and its component of smaller mean (dashed). "
    "Grey line and band: mean and range over seeds of the networks' kernel densities, dead neurons "
    "included. A fit that was refused is named instead of drawn."
)
MODELS = ("exponential_normal", "two_gammas")
POINTS = 200
PLACE = ["dataset", "width"]


def rows(tables: Tables, *, widths: Count = 4) -> pd.DataFrame:
    """Histogram, fits and densities of single networks, one row a point.

    `curve` is `histogram` (`x` and `right` are the bin's edges), `networks` (with `low`, `high`) or
    a model; `part` of a model is `mixture`, `component 1`, or `not identifiable` without a point.

    Args:
        tables: of the study.
        widths: how many of the study's widths are shown, evenly chosen.
    """
    frame = tables.main[tables.main["images"] == "train"]
    pooled = frame[frame["seed"] == "pooled"]
    pooled = pooled[pooled["epoch"] == pooled["epoch"].max()]
    single = tables.metric("spread_density", images="train", last=True)
    known = sorted(set(pooled.loc[pooled["metric"] == "spread_histogram", "width"]))
    if not known:
        return pd.DataFrame({name: [] for name in (*PLACE, "curve", "part", "x", "y", "n")})
    chosen = {known[round(at)] for at in np.linspace(0, len(known) - 1, widths)}
    found = []
    for dataset, rows_of_dataset in by_dataset(pooled):
        for width, cell in each_width(rows_of_dataset):
            place = (single["dataset"] == dataset) & (single["width"] == width)
            if width in chosen:
                parts = pd.DataFrame(_cell(cell, single[place]))
                found.append(
                    parts.assign(dataset=dataset, width=width, n=single[place]["seed"].nunique())
                )
    return pd.concat(found, ignore_index=True)


def _cell(pooled: pd.DataFrame, single: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """The rows of one data set and width."""
    values = pooled.groupby("metric")["value"].first().to_dict()
    histogram = pooled[pooled["metric"] == "spread_histogram"]
    step = values["spread_histogram_width"]
    for left, density in zip(histogram["component"], histogram["value"], strict=True):
        yield {"curve": "histogram", "part": "", "x": left, "right": left + step, "y": density}
    x = np.linspace(step / 20, float(histogram["component"].max()) + step, POINTS)
    each = np.array(
        [
            np.interp(x, one["component"], one["value"], right=0.0)
            for _, one in single.groupby("seed")
        ]
    )
    if len(each):
        curves = zip(x, each.mean(0), each.min(0), each.max(0), strict=True)
        for at, mean, low, high in curves:
            yield {"curve": "networks", "part": "", "x": at, "y": mean, "low": low, "high": high}
    for model in MODELS:
        parts = _components(values, model)
        if not parts:
            yield {"curve": model, "part": "not identifiable", "x": math.nan, "y": math.nan}
            continue
        first, second = (weight * np.exp(part.log_density(x)) for weight, part in parts)
        for name, y in (("mixture", first + second), ("component 1", first)):
            for at, density in zip(x, y, strict=True):
                yield {"curve": model, "part": name, "x": at, "y": density}


def _components(values: dict[Any, float], model: str) -> list[tuple[float, Component]]:
    """Weights and components of a fit, or nothing where it was refused."""
    share = values.get(f"{model}_share", math.nan)
    found: list[tuple[float, Component]] = []
    for index, weight in ((1, share), (2, 1 - share)):
        prefix = f"{model}_component{index}_"
        own = {
            str(key).removeprefix(prefix): values[key]
            for key in values
            if str(key).startswith(prefix)
        }
        if math.isnan(weight) or any(math.isnan(value) for value in own.values()):
            continue
        if "exponential_scale" in own:
            found.append((weight, Exponential(own["exponential_scale"])))
        elif "normal_mean" in own:
            found.append((weight, Normal(own["normal_mean"], own["normal_sd"])))
        elif "gamma_shape" in own:
            found.append((weight, Gamma(own["gamma_shape"], own["gamma_scale"])))
    return found if len(found) == 2 else []


def draw(rows: pd.DataFrame) -> Figure:
    """A row for each data set, a column for each width."""
    if rows.empty:
        return empty()
    datasets, widths = datasets_of(rows), sorted(set(rows["width"]))
    figure, axes = grid(len(datasets), len(widths), width=TEXT, height=1.75)
    for across, dataset in zip(axes, datasets, strict=True):
        for panel, width in zip(across, widths, strict=True):
            cell = rows[(rows["dataset"] == dataset) & (rows["width"] == width)]
            if cell.empty:
                note(panel, 0.5, 0.5, "no finished run", ha="center")
            else:
                _panel(panel, cell)
            panel.set_xlabel("spread")
        across[0].set_ylabel(f"{title(dataset)}\ndensity")
    for panel, width in zip(axes[0], widths, strict=True):
        panel.set_title(f"{int(width)} neurons")
    handles = [Line2D([], [], color=colour(model), label=LABELS[model]) for model in MODELS]
    handles.append(
        Line2D([], [], color="#333333", linestyle="--", label="component of smaller mean")
    )
    figure.legend(handles=handles, loc="outside upper left", ncols=3)
    say_n(figure, rows["n"], "pooled; grey band: smallest to largest of the networks")
    return figure


def _panel(panel: Any, cell: pd.DataFrame) -> None:
    histogram = cell[cell["curve"] == "histogram"]
    edges = [*histogram["x"], histogram["right"].iloc[-1]]
    panel.stairs(histogram["y"], edges, fill=True, color="#D9D9D9")
    single = cell[cell["curve"] == "networks"]
    panel.fill_between(
        single["x"], single["low"], single["high"], color="#777777", alpha=0.3, linewidth=0
    )
    panel.plot(single["x"], single["y"], color="#777777", linewidth=0.7)
    refused = []
    for model in MODELS:
        fit = cell[cell["curve"] == model]
        if (fit["part"] == "not identifiable").any():
            refused.append(model)
        for part, style in (("mixture", "-"), ("component 1", "--")):
            curve = fit[fit["part"] == part]
            panel.plot(curve["x"], curve["y"], color=colour(model), linestyle=style)
    for place, model in enumerate(refused):
        panel.annotate(
            f"{LABELS[model]}:\nnot identifiable",
            (1, 1),
            (0, -18 * place),
            xycoords="axes fraction",
            textcoords="offset points",
            ha="right",
            va="top",
            fontsize=SMALL,
            color=colour(model),
        )
    # A component may have a pole at zero; the histogram sets the scale.
    highest = max(histogram["y"].max(), single["high"].fillna(0).max() if len(single) else 0)
    panel.set_ylim(0, (1.1 + 0.42 * len(refused)) * highest)
    panel.set_xlim(0, edges[-1])
