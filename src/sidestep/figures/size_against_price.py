"""The size of layers at the end of training against the price of a neuron."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from sidestep import drawing_parts as shared
from sidestep import sizing
from sidestep.drawing import datasets_of, empty, title
from sidestep.drawing_variants import round_values
from sidestep.figures.shared import resizing
from sidestep.tables import Tables

ALT = "Final size of layers against the price of a neuron"
CAPTION = (
    "Neurons that a layer uses at the end of training against the price of a used neuron in nats of the "
    "loss, by method and weight decay, of those with two prices if there are any; logarithmic abscissa. "
    "Lines join variants that start alike. Point: mean over the seeds that finished; bar: its 95 % t "
    "interval. Of several gated layers: the first."
)
KEPT = [
    *("dataset", "variant", "method", "start", "price", "decay", "line", "family", "style", "n"),
    *("diverged", "size", "size_low", "size_high"),
]


def rows(tables: Tables) -> pd.DataFrame:
    """Variants that pay for neurons, with the `line` of those that start alike and the `family` of all starts."""
    found = tables.analysis("final_sizes")
    found = found[(found["price"] > 0) & found["size"].notna()]
    found = found[~found["method"].isin(sizing.STILL)]
    kinds = list(zip(found["method"], found["decay"], strict=True))
    styles: dict[tuple[str, float], int] = {}
    for method, decay in dict.fromkeys(kinds):
        styles[method, decay] = sum(method == other for other, _ in styles)
    several = {method for method, decay in styles if styles[method, decay] > 0}
    several |= {method for method, decay in styles if decay}
    words = {
        (method, decay): resizing.label(method)
        + (f", decay {resizing.power(decay)}" if decay else ", no decay" * (method in several))
        for method, decay in styles
    }
    found = found.assign(
        family=[words[kind] for kind in kinds],
        style=np.array([styles[kind] for kind in kinds], int),
    )
    return found.assign(line=found["family"] + found["start"].map(", start {:g}".format))[KEPT]


def draw(rows: pd.DataFrame) -> Figure:
    """A panel for each data set, the key above."""
    if rows.empty:
        return empty()
    prices = rows.groupby("family")["price"].transform("nunique")
    every, rows = rows, rows[prices > 1] if (prices > 1).any() else rows
    left = every["variant"].nunique() - rows["variant"].nunique()
    datasets = datasets_of(rows)
    figure, place = resizing.row_of(len(datasets), 2.5, resizing.family_key(rows))
    axes = place.subplots(1, len(datasets), squeeze=False, sharey=True)[0]
    for panel, name in zip(axes, datasets, strict=True):
        _panel(panel, rows[rows["dataset"] == name])
        panel.set_title(title(name))
        panel.set_xlabel("price of a neuron (nats)")
        panel.tick_params(labelleft=True)
    cut = resizing.heights(axes, rows, "size")
    axes[0].set_ylabel("neurons used at the end")
    shared.bottom(
        figure, rows["n"], resizing.BAR, cut, resizing.of_lost(rows), resizing.left_out(left)
    )
    return figure


def _panel(panel: Axes, rows: pd.DataFrame) -> None:
    families = list(dict.fromkeys(rows["family"]))
    for _, its in rows.groupby("line", sort=False):
        its = its.sort_values("price")
        look = resizing.line_of(str(its["method"].iloc[0]), int(its["style"].iloc[0]))
        # Methods are paid for at the same prices: points beside each other.
        place = families.index(its["family"].iloc[0]) - (len(families) - 1) / 2
        away = 1.5 ** (place / len(families))
        bounds = its["size_low"], its["size_high"]
        resizing.points(panel, its["price"] * away, its["size"], y_bounds=bounds, **look)
    low, high = float(rows["price"].min()) / 2.5, float(rows["price"].max()) * 2.5
    panel.set_xscale("log")
    panel.set_xlim(low, high)
    panel.xaxis.set_major_locator(FixedLocator(round_values(low, high, 5)))
    panel.xaxis.set_major_formatter(FuncFormatter(lambda value, _: resizing.power(value)))
    panel.xaxis.set_minor_locator(NullLocator())
