"""The distribution of spread at the most normal width and at its two neighbours."""

import pandas as pd
from matplotlib.figure import Figure

from sidestep.drawing import (
    by_dataset,
    by_width,
    datasets_of,
    each_width,
    empty,
    line,
    panels,
    say_n,
    shade,
    visible,
    width_shades,
)
from sidestep.figures import spread_distributions
from sidestep.tables import Tables

ALT = "Spread at the most normal width and its neighbours"
CAPTION = (
    "Distribution of the neurons' spread at the width whose spread is most normal (the largest mean W "
    "of single networks over all their neurons, heavy line) and at the widths next to it. Kernel "
    "densities; line: mean over seeds, band: smallest to largest seed."
)


def rows(tables: Tables) -> pd.DataFrame:
    """Densities of up to three widths a data set; `w` is the mean W, `best` marks the most normal."""
    density = spread_distributions.rows(tables)
    normality = by_width(tables, "normality_all")
    parts = [density.iloc[:0].assign(w=0.0, best=0)]
    for dataset, curve in by_dataset(normality):
        ordered = curve.sort_values("width").reset_index(drop=True)
        best = int(ordered["mean"].to_numpy().argmax())
        for place in range(max(best - 1, 0), min(best + 2, len(ordered))):
            chosen = ordered.iloc[place]
            cell = density[(density["dataset"] == dataset) & (density["width"] == chosen["width"])]
            parts.append(cell.assign(w=chosen["mean"], best=int(place == best)))
    found = pd.concat(parts, ignore_index=True)
    # The colours of widths are those of the whole study.
    shades = width_shades(normality["width"])
    return found.assign(shade=found["width"].map(shades).astype(float))


def draw(rows: pd.DataFrame) -> Figure:
    """A panel for each data set."""
    if rows.empty:
        return empty()
    figure, axes = panels(datasets_of(rows), height=2.1)
    for panel, (_, cell) in zip(axes[0], by_dataset(rows), strict=True):
        for width, curve in each_width(cell):
            first = curve.iloc[0]
            line(
                panel,
                curve,
                x="spread",
                color=shade(first["shade"]),
                linewidth=2.0 if first["best"] else 1.0,
                label=f"{int(width)} neurons: W = {first['w']:.3f}",
            )
        panel.set_xlim(0, 1.03 * visible(cell, "spread"))
        panel.set_ylim(0, None)
        panel.set_xlabel("spread of a neuron (standard deviation)")
        panel.legend()
    axes[0, 0].set_ylabel("density")
    say_n(figure, rows["n"])
    return figure
