"""Accuracy of a network that keeps only its most important neurons, for every order of importance."""

import pandas as pd
from matplotlib.figure import Figure

from sidestep import drawing_parts as shared
from sidestep.drawing import datasets_of, empty, line, over_seeds, plain_log, title
from sidestep.figures.shared import resizing
from sidestep.tables import Tables

ALT = "Accuracy against neurons kept, by their order"
CAPTION = (
    "Test accuracy of a static network of which only the most important neurons are kept, without training "
    "again, against their number, for orders by the exact increase of the loss without a neuron, by what "
    "stands in for it, and at random; at the end of training. Line: mean over seeds; band: smallest to largest."
)
METRIC = "accuracy_kept_"


def rows(tables: Tables) -> pd.DataFrame:
    """The curve of each measure for the baseline, or for the first variant of which it is known."""
    frame, study = tables.main, tables.study
    chosen = frame["metric"].isin([METRIC + name for name in resizing.MEASURES])
    found = frame[chosen & (frame["component"] > 0) & ~frame["seed"].isin(["", "pooled"])]
    known = set(found["variant"])
    names = [study.baseline, *(variant.name for variant in study.variants)]
    name = next((name for name in names if name in known), "")
    found = found[found["variant"] == name]
    found = found.assign(measure=found["metric"].str.removeprefix(METRIC))
    kept = ["dataset", "variant", "measure", "images", "component"]
    return resizing.lost(tables, over_seeds(found, kept))


def draw(rows: pd.DataFrame) -> Figure:
    """A panel for each data set, the key above."""
    if rows.empty:
        return empty()
    datasets = datasets_of(rows)
    figure, place = resizing.row_of(len(datasets), 2.5, resizing.measure_key(rows["measure"]))
    axes = place.subplots(1, len(datasets), squeeze=False)[0]
    for panel, name in zip(axes, datasets, strict=True):
        cell = rows[rows["dataset"] == name]
        for measure in [each for each in resizing.MEASURES if each in set(cell["measure"])]:
            its = cell[cell["measure"] == measure]
            look = resizing.measure_line(measure) | {"markersize": 2.5}
            line(panel, its, x="component", scale=100, **look)
        panel.set_title(f"{title(name)}: {rows['variant'].iloc[0]}")
        panel.set_xscale("log")
        plain_log(panel.xaxis)
        panel.set_xlabel("neurons kept")
    axes[0].set_ylabel(f"{rows['images'].iloc[0]} accuracy (%)")
    shared.bottom(figure, rows["n"], "band: smallest to largest seed", resizing.of_lost(rows))
    return figure
