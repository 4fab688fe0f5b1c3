"""How figures look: one style, and one colour for one thing everywhere.

Colours are Okabe and Ito's (2008), distinguishable to colour-blind readers; widths are drawn along
the perceptually uniform `viridis`, because they are ordered.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl

mpl.use("agg")

from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

# Inches: one column of the paper, and its whole text width.
COLUMN, TEXT = 3.4, 7.0

BLACK, ORANGE, SKY, GREEN = "#000000", "#E69F00", "#56B4E9", "#009E73"
YELLOW, BLUE, VERMILION, PURPLE = "#F0E442", "#0072B2", "#D55E00", "#CC79A7"
GREY = "#999999"

COLOURS = {
    "mnist": BLUE,
    "fashion_mnist": VERMILION,
    "cifar10": GREEN,
    "digits": PURPLE,
    "train": BLACK,
    "validation": PURPLE,
    "test": ORANGE,
    "noise": GREY,
    "exponential_normal": GREEN,
    "two_gammas": PURPLE,
}
MARKERS = {"mnist": "o", "fashion_mnist": "s", "cifar10": "^", "digits": "D"}
TITLES = {
    "mnist": "MNIST",
    "fashion_mnist": "Fashion-MNIST",
    "cifar10": "CIFAR-10",
    "digits": "Digits",
}

_STYLE: Any = {
    "font.size": 8,
    "font.family": "DejaVu Sans",
    "axes.titlesize": 8,
    "axes.labelsize": 8,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "legend.fontsize": 7,
    "legend.frameon": False,
    "lines.linewidth": 1.1,
    "lines.markersize": 3.5,
    "errorbar.capsize": 1.5,
    "figure.constrained_layout.use": True,
    "savefig.bbox": None,
    # Text stays text, and the ids in the file do not change from run to run.
    "svg.fonttype": "path",
    "svg.hashsalt": "sidestep",
}


@contextmanager
def using() -> Iterator[None]:
    """Draw in the project's style."""
    with mpl.rc_context(_STYLE):
        yield
    plt.close("all")


def subplots(
    rows: int, columns: int, width: float = TEXT, height: float = 2.3, **more: Any
) -> tuple[Figure, Any]:
    """A figure of that many panels, `width` inches wide and `height` inches per row; axes as 2-D array."""
    figure, axes = plt.subplots(
        rows, columns, figsize=(width, height * rows), squeeze=False, **more
    )
    return figure, axes


def width_axis(axes: Axes, widths: Sequence[float]) -> None:
    """A logarithmic axis with a tick at every other width, written as a number."""
    axes.set_xscale("log", base=2)
    shown = list(widths)[:: max(1, round(len(widths) / 8))]
    axes.set_xticks(shown, [f"{int(width)}" for width in shown], rotation=45)
    axes.minorticks_off()
    axes.set_xlabel("hidden neurons")


def width_colours(widths: Sequence[float]) -> dict[float, Any]:
    """A colour for each width, dark for small ones."""
    colours = mpl.colormaps["viridis"]
    last = max(len(widths) - 1, 1)
    return {width: colours(0.92 * index / last) for index, width in enumerate(sorted(widths))}
