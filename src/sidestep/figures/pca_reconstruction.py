"""Error of the pre-activations rebuilt from k components: the right curve and the journal's artefact."""

import pandas as pd
from matplotlib.figure import Figure

from sidestep.drawing import (
    datasets_of,
    each_width,
    empty,
    line,
    over_seeds,
    panels,
    say_n,
    title,
    width_colours,
    width_key,
)
from sidestep.tables import Tables

ALT = "Reconstruction error, and the journal's artefact"
CAPTION = (
    "Mean squared distance between the pre-activations and their reconstruction from the first k "
    "principal components, as a share of their whole variance, against k as a share of the width. Left: "
    "on the principal axes. Right: for the same networks as in the journal, which took the matrix of "
    "components for its transpose and so projected on directions that mean nothing. Line: mean over "
    "seeds; band: smallest to largest seed."
)
CURVES = {
    "reconstruction_error": "on principal axes",
    "reconstruction_error_transposed": "transposed, as in the journal",
}


def rows(tables: Tables) -> pd.DataFrame:
    """Both errors, for the widths that have both; `share` is k / width."""
    keys = ["dataset", "width", "seed"]
    parts = []
    for metric in CURVES:
        found = tables.metric(metric, images="train", last=True)
        whole = found[found["component"] == 0].set_index(keys)["value"].rename("whole")
        found = found.join(whole, on=keys)
        parts.append(found.assign(value=found["value"] / found["whole"]))
    both = set(zip(parts[1]["dataset"], parts[1]["width"], strict=True))
    found = pd.concat(parts)
    kept = [place in both for place in zip(found["dataset"], found["width"], strict=True)]
    curves = over_seeds(found.loc[kept], ["dataset", "width", "metric", "component"])
    return curves.assign(share=curves["component"] / curves["width"])


def draw(rows: pd.DataFrame) -> Figure:
    """A row for each data set, a column for each curve."""
    if rows.empty:
        return empty()
    colours, datasets = width_colours(rows["width"]), datasets_of(rows)
    figure, axes = panels(list(CURVES), len(datasets), 1.7, sharex=True, sharey=True)
    for above, dataset in zip(axes, datasets, strict=True):
        for panel, metric in zip(above, CURVES, strict=True):
            cell = rows[(rows["dataset"] == dataset) & (rows["metric"] == metric)]
            for width, curve in each_width(cell):
                line(panel, curve, x="share", color=colours[width])
        above[0].set_ylabel(f"{title(dataset)}\nshare of variance lost")
    for panel, words in zip(axes[0], CURVES.values(), strict=True):
        panel.set_title(words)
    for panel in axes[-1]:
        panel.set_xlabel("components kept / hidden neurons")
    axes[0, 0].set_xlim(0, 1)
    axes[0, 0].set_ylim(0, 1.02)
    width_key(figure, colours)
    say_n(figure, rows["n"])
    return figure
