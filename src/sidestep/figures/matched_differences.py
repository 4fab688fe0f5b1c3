"""How accurate layers that sized themselves are beside static ones."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from sidestep import drawing_parts as shared
from sidestep.drawing import empty, title
from sidestep.drawing_variants import QUIET
from sidestep.figures.shared import resizing
from sidestep.tables import Tables

ALT = "Layers that sized themselves beside static ones"
CAPTION = (
    "Accuracy at the end of training of layers that sized themselves, in parentheses their mean size in "
    "neurons, minus that of static ones: left, of the size that the layer has come to with the same seed, "
    "trained in the same way; right, of the static variant that is most accurate on the test images. Filled: test "
    "images; open: training images. Point: mean difference, paired by seed; bar: its 95 % t interval."
)
AGAINST = {
    "matched": "− static of matched size\n(points of accuracy)",
    "best": "− best static variant\n(points of accuracy)",
}
# Images → where they are drawn beside the line, and whether hollow.
IMAGES = {"test": (-0.17, False), "train": (0.17, True)}
KEPT = [
    *("dataset", "variant", "method", "price", "decay", "size", "against", "other", "images"),
    *("pairs", "difference", "low", "high", "separates"),
]
# Inches of a line of names.
LINE = 0.2


def rows(tables: Tables) -> pd.DataFrame:
    """Every difference with a seed that finished in both, with the variant's runs that `diverged`."""
    found = tables.analysis("matched_accuracy")[KEPT]
    return resizing.lost(tables, found[found["difference"].notna()].fillna({"other": ""}))


def draw(rows: pd.DataFrame) -> Figure:
    """A line for each variant, two panels for each data set."""
    if rows.empty:
        return empty()
    each = rows.drop_duplicates(["dataset", "variant"])
    faces = [
        Line2D([], [], color=QUIET, marker="o", linestyle="", label=f"{word}: {name} images",
               markerfacecolor="white" if word == "open" else QUIET)
        for word, name in (("filled", "test"), ("open", "training"))
    ]  # fmt: skip
    shown = [*resizing.method_key(each["method"]), *faces]
    above = shared.key_height(shown) + 0.55
    fit, left = resizing.that_fit(each, above, LINE)
    parts = resizing.each_part(fit)
    figure, places = shared.sheet([above + LINE * max(len(part), 3) for _, part in parts])
    for place, (name, part) in zip(places, parts, strict=True):
        shared.key(place, title(name), shown)
        axes = place.subplots(1, len(AGAINST), sharey=True)
        names = list(part["variant"])
        sizes = [f"{name} ({size:.0f})" for name, size in zip(names, part["size"], strict=True)]
        shared.name_lines(axes[0], sizes)
        cell = rows[rows["dataset"] == name]
        for panel, (against, label) in zip(axes, AGAINST.items(), strict=True):
            _panel(panel, cell[cell["against"] == against], names)
            panel.set_xlabel(label)
            panel.tick_params(axis="y", length=0)
    shared.bottom(
        figure, rows["pairs"], resizing.BAR, resizing.of_lost(rows), resizing.left_out(left, "line")
    )
    return figure


def _panel(panel: Axes, rows: pd.DataFrame, names: list[str]) -> None:
    for line in range(len(names)):
        panel.axhline(line, color="#eeeeee", linewidth=0.5, zorder=-1)
    for one in rows[rows["variant"].isin(names)].to_dict("records"):
        away, hollow = IMAGES[str(one["images"])]
        resizing.points(
            panel, [100 * one["difference"]], [names.index(one["variant"]) + away],
            x_bounds=([100 * one["low"]], [100 * one["high"]]),
            **resizing.point(str(one["method"]), hollow=hollow) | {"markersize": 3.8},
        )  # fmt: skip
    shared.zero(panel)
    panel.margins(x=0.08)
    panel.xaxis.set_major_locator(MaxNLocator(5))
