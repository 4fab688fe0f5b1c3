"""The share of the component of smaller spread against width, for both mixtures."""

from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from sidestep.drawing import colour, datasets_of, empty, panels, say_n, width_axis
from sidestep.style import BLACK, LABELS
from sidestep.tables import Tables

ALT = "Share of the first mixture component against width"
CAPTION = (
    "Share of living neurons in the component of smaller mean spread, for both mixtures, after the last "
    "epoch: fitted to the pooled seeds (hollow, joined where neighbouring fits were not refused) and to "
    "single networks (filled, one a seed; their scatter is the spread over seeds). Crosses below zero: "
    "the pooled fit was refused as not identifiable. Dotted: the journal's threshold of 0.025."
)
MODELS = ("exponential_normal", "two_gammas")
MARKS = {"exponential_normal": "o", "two_gammas": "^"}
THRESHOLD = 0.025


def rows(tables: Tables) -> pd.DataFrame:
    """One row a fit; `share` is empty where it was refused, `n` is the seeds that were fitted."""
    parts = []
    keys = ["dataset", "width"]
    for model in MODELS:
        for pooled in (False, True):
            found = tables.metric(f"{model}_share", images="train", last=True, pooled=pooled)
            found = found[[*keys, "seed", "value"]].rename(columns={"value": "share"})
            parts.append(found.assign(model=model, pooled=int(pooled)))
    found = pd.concat(parts, ignore_index=True)
    counts = found[found["pooled"] == 0].groupby(keys)["seed"].nunique().rename("n")
    return found.join(counts, on=keys).fillna({"n": 0})


def draw(rows: pd.DataFrame) -> Figure:
    """A panel for each data set."""
    if rows.empty:
        return empty()
    datasets = datasets_of(rows)
    figure, axes = panels(datasets, height=2.6 if len(datasets) > 1 else 3.2, sharey=True)
    for panel, dataset in zip(axes[0], datasets, strict=True):
        for place, model in enumerate(MODELS):
            cell = rows[(rows["dataset"] == dataset) & (rows["model"] == model)].sort_values(
                "width"
            )
            pooled, single = cell[cell["pooled"] == 1], cell[cell["pooled"] == 0]
            look: dict[str, Any] = {"color": colour(model), "marker": MARKS[model]}
            # Beside one another, so that equal shares of the two models are both seen.
            aside = 1.04 if place else 1 / 1.04
            panel.plot(
                aside * single["width"],
                single["share"],
                linestyle="",
                alpha=0.6,
                markersize=2.8,
                markeredgewidth=0,
                **look,
            )
            panel.plot(
                aside * pooled["width"],
                pooled["share"],
                markerfacecolor="none",
                markersize=5,
                **look,
            )
            refused = pooled[pooled["share"].isna()]
            panel.plot(
                refused["width"],
                [-0.05 - 0.055 * place] * len(refused),
                linestyle="",
                marker="x",
                color=colour(model),
                markersize=3.5,
                markeredgewidth=0.9,
            )
        panel.axhline(THRESHOLD, color=BLACK, linestyle=":", linewidth=0.8)
        width_axis(panel, rows["width"])
    axes[0, 0].set_ylabel("share of component 1\n(the smaller spread)")
    axes[0, 0].set_ylim(-0.15, 1.03)
    handles = []
    for model in MODELS:
        look = {"color": colour(model), "marker": MARKS[model]}
        words = LABELS[model]
        hollow = {**look, "markerfacecolor": "none", "markersize": 5}
        handles.append(Line2D([], [], label=f"{words}, pooled", **hollow))
        look = {**look, "linestyle": "", "markersize": 2.8}
        handles.append(Line2D([], [], label=f"{words}, single networks", **look))
    handles.append(
        Line2D([], [], linestyle="", marker="x", markersize=3.5, color="#444444", label="refused")
    )
    figure.legend(handles=handles, loc="outside upper left", ncols=3 if len(datasets) > 1 else 1)
    say_n(figure, rows["n"], "one filled point a network")
    return figure
