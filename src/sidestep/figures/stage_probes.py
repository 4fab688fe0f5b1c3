"""How much of the classes a linear classifier reads from each stage at the end of training."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from sidestep.drawing import datasets_of, empty, grid, over_seeds, title
from sidestep.drawing_variants import (
    TALLEST,
    accuracy_axis,
    by_stage,
    colour,
    each_variant,
    errors,
    foot,
    groups,
    marker,
    too_many,
    variant_key,
    with_looks,
)
from sidestep.style import TEXT
from sidestep.tables import Tables

ALT = "Linear-probe accuracy of each stage"
CAPTION = (
    "Test accuracy of a linear classifier that is fitted to the output of each stage when training has "
    "ended; the network is not changed. The ordinate is a logarithm of the share of errors. Point: mean "
    "over seeds; bar: smallest to largest."
)


def rows(tables: Tables) -> pd.DataFrame:
    """Mean and range of the probes' accuracies of the main variants, at the last recorded epoch."""
    found = by_stage(tables, ["linear_probe"])
    found = found[found["epoch"] == found.groupby("variant")["epoch"].transform("max")]
    found = with_looks(found, tables.study)
    return over_seeds(found, ["dataset", "variant", "look", "stage", "place"])


def draw(rows: pd.DataFrame) -> Figure:
    """A column of panels a data set, a row for each seven variants; stages from the input on."""
    if rows.empty:
        return empty()
    datasets = datasets_of(rows)
    shown = errors(rows)
    parts, left = groups(rows, most=4)
    height = 2.7 if len(parts) == 1 else TALLEST / max(len(parts), 3.6)
    figure, axes = grid(
        len(parts), len(datasets), width=TEXT, height=height, sharex=True, sharey=True
    )
    stages = rows.drop_duplicates("place").sort_values("place")
    ticks = {place: index for index, place in enumerate(stages["place"])}
    for index, (looks, panels) in enumerate(zip(parts, axes, strict=True)):
        away = dict(zip(looks, 0.5 * _spread(len(looks)), strict=True))
        for dataset, panel in zip(datasets, panels, strict=True):
            cell = shown[shown["dataset"] == dataset]
            for look, its in each_variant(cell, looks):
                its = its.sort_values("place")
                panel.errorbar(
                    its["place"].map(ticks) + away[look],
                    its["mean"],
                    yerr=[its["mean"] - its["low"], its["high"] - its["mean"]],
                    color=colour(look),
                    marker=marker(look),
                    linewidth=0.5,
                    elinewidth=0.9,
                )
            if index == len(parts) - 1:
                panel.set_xlabel("stage")
        panels[0].set_ylabel("linear-probe accuracy (%)")
        variant_key(panels[-1], shown[shown["look"].isin(looks)], looks)
    accuracy_axis(axes[0, 0], [*shown["low"], *shown["high"]])
    axes[0, 0].set_xticks(range(len(stages)), list(stages["stage"]))
    axes[0, 0].set_xlim(-0.45, len(stages) - 0.55)
    for panel, dataset in zip(axes[0], datasets, strict=True):
        panel.set_title(title(dataset))
    foot(figure, rows["n"], "bar: smallest to largest", too_many(left))
    return figure


def _spread(number: int) -> np.ndarray:
    """That many places around 0, at most ½ away: equal values beside each other."""
    return (np.arange(number) + 0.5) / number - 0.5
