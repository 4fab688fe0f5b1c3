"""The share of the component of smaller spread against width, for both mixtures."""

import pandas as pd
from matplotlib.figure import Figure

from sidestep.drawing import (
    by_width,
    colour,
    datasets_of,
    empty,
    line,
    note,
    panels,
    say_n,
    width_axis,
)
from sidestep.style import LABELS
from sidestep.tables import Tables

ALT = "Share of the first mixture component against width"
CAPTION = (
    "Share of neurons in the component of smaller mean spread, for both mixtures: fitted to the pooled "
    "seeds (hollow, dashed) and to single networks (filled; mean and, as a band, smallest to largest "
    "of the seeds whose fit was not refused). Crosses below zero: the pooled fit is not identifiable. "
    "Dotted: the journal's threshold of 0.025."
)
MODELS = ("exponential_normal", "two_gammas")
MARKS = {"exponential_normal": "o", "two_gammas": "^"}
THRESHOLD = 0.025


def rows(tables: Tables) -> pd.DataFrame:
    """Shares at the last epoch; `identifiable` is the share of fits that were not refused."""
    parts = []
    for model in MODELS:
        for pooled in (False, True):
            share = by_width(tables, f"{model}_share", pooled=pooled)
            kept = by_width(tables, f"{model}_identifiable", pooled=pooled)
            kept = kept.rename(columns={"mean": "identifiable", "n": "fits"})
            kept = kept[["dataset", "width", "identifiable", "fits"]]
            found = kept.merge(
                share.drop(columns=["metric", "images"]), "left", ["dataset", "width"]
            )
            parts.append(found.assign(model=model, pooled=int(pooled)))
    return pd.concat(parts, ignore_index=True)


def draw(rows: pd.DataFrame) -> Figure:
    """A panel for each data set."""
    if rows.empty:
        return empty()
    datasets = datasets_of(rows)
    figure, axes = panels(datasets, height=2.7, sharey=True)
    for panel, dataset in zip(axes[0], datasets, strict=True):
        for place, model in enumerate(MODELS):
            cell = rows[(rows["dataset"] == dataset) & (rows["model"] == model)]
            pooled = cell[cell["pooled"] == 1]
            look = {"color": colour(model), "marker": MARKS[model]}
            line(panel, cell[(cell["pooled"] == 0) & cell["mean"].notna()], label="single", **look)
            line(
                panel,
                pooled[pooled["mean"].notna()],
                linestyle="--",
                markerfacecolor="white",
                label="pooled",
                **look,
            )
            refused = pooled[pooled["mean"].isna()]
            panel.plot(
                refused["width"],
                [-0.05 - 0.05 * place] * len(refused),
                linestyle="",
                marker="x",
                color=colour(model),
                markersize=4,
                markeredgewidth=1,
            )
        panel.axhline(THRESHOLD, color="black", linestyle=":", linewidth=0.8)
        width_axis(panel, rows["width"])
    axes[0, 0].set_ylabel("share of component 1")
    axes[0, 0].set_ylim(-0.14, 1.02)
    note(axes[0, 0], 0.995, 0.015, "× not identifiable", ha="right")
    handles, _ = axes[0, 0].get_legend_handles_labels()
    labels = [
        f"{LABELS[model]}, {kind}"
        for model in MODELS
        for kind in ("single networks", "seeds pooled")
    ]
    figure.legend(handles, labels, loc="outside upper left", ncols=2)
    say_n(figure, rows.loc[rows["pooled"] == 0, "fits"])
    return figure
