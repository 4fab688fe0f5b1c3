"""Test accuracy against the size that layers have come to, beside static layers of all sizes."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, MaxNLocator

from sidestep import drawing_parts as shared
from sidestep import sizing, variants
from sidestep.drawing import datasets_of, empty, title
from sidestep.drawing_variants import accuracy_axis, errors, plain_ticks
from sidestep.figures.shared import resizing
from sidestep.style import BLACK
from sidestep.tables import Tables

ALT = "Test accuracy against final size"
CAPTION = (
    "Test accuracy against the neurons that a layer uses, both at the end of training; logarithmic "
    "abscissa, and an ordinate that is a logarithm of the share of errors. Point: mean over the seeds that "
    "finished; bars: its 95 % t intervals. Lines join static layers that differ in their size alone. "
    "Of several gated layers: the first."
)
KEPT = [
    *("dataset", "variant", "method", "start", "price", "decay", "n", "diverged", "size"),
    *("size_low", "size_high", "accuracy", "accuracy_low", "accuracy_high"),
]
# A smaller layer has no place on a logarithmic axis that others can be told apart on.
LEAST = 1.0
# Errors that differ by a smaller factor have ticks at equal distances.
CLOSE = 3.0
JOINED = ("-", "--", ":", "-.")


def rows(tables: Tables) -> pd.DataFrame:
    """Every variant with a final size and accuracy; `joined` numbers the lines of static ones, else −1."""
    study = tables.study
    still = [v.name for v in study.variants if sizing.method(v.run) == "static"]
    groups = variants.differing_in(study, "network.width")
    of = {v.name: place for place, group in enumerate(groups) for v in group if v.name in still}
    found = tables.analysis("final_sizes")[KEPT]
    found = found[found["size"].notna() & found["accuracy"].notna()]
    return found.assign(joined=[of.get(name, -1) for name in found["variant"]])


def draw(rows: pd.DataFrame) -> Figure:
    """A panel for each data set, the key above."""
    drawn = rows[rows["size"].astype(float) >= LEAST]
    if drawn.empty:
        return empty()
    datasets = datasets_of(drawn)
    figure, place = resizing.row_of(len(datasets), 2.7, resizing.method_key(drawn["method"]))
    axes = place.subplots(1, len(datasets), squeeze=False)[0]
    for panel, name in zip(axes, datasets, strict=True):
        _panel(panel, drawn[drawn["dataset"] == name])
        panel.set_title(title(name))
        panel.set_xlabel("neurons used at the end")
    axes[0].set_ylabel("test accuracy (%)")
    few = len(rows) - len(drawn)
    note = f"{few} variant{'s' * (few > 1)} of less than one neuron left out" if few else ""
    shared.bottom(figure, drawn["n"], resizing.BAR, note, resizing.of_lost(rows))
    return figure


def _panel(panel: Axes, rows: pd.DataFrame) -> None:
    names = {"mean": "accuracy", "low": "accuracy_low", "high": "accuracy_high"}
    both = errors(rows.assign(**{name: rows[of] for name, of in names.items()}))
    lines = both[both["joined"] >= 0]
    for index, (_, its) in enumerate(lines.groupby("joined")):
        its = its.sort_values("size")
        stroke = JOINED[index % len(JOINED)]
        panel.plot(its["size"], its["mean"], color=BLACK, linewidth=0.8, linestyle=stroke, zorder=1)
    panel.set_xscale("log")
    for method, its in both.groupby("method", sort=False):
        resizing.points(
            panel, its["size"], its["mean"], x_bounds=(its["size_low"].clip(LEAST), its["size_high"]),
            y_bounds=(its["low"], its["high"]), zorder=2, **resizing.point(str(method)) | {"markersize": 3.6},
        )  # fmt: skip
    low, high = rows["size"].min(), rows["size"].max()
    panel.set_xlim(low / 1.3, high * 1.3)
    plain_ticks(panel.xaxis)
    bounds = both[["mean", "low", "high"]].to_numpy(float).ravel()
    bounds = bounds[np.isfinite(bounds)]
    accuracy_axis(panel, bounds)
    if bounds.max() < CLOSE * bounds.min():
        ends = (1 - bounds.max(), 1 - bounds.min())
        ticks = 1 - np.asarray(MaxNLocator(6, steps=[1, 2, 5, 10]).tick_values(*ends))
        panel.yaxis.set_major_locator(FixedLocator(ticks.tolist()))
        panel.set_ylim(1.05 * bounds.max(), bounds.min() / 1.05)
