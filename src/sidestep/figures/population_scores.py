"""What several graphs that evolved from other beginnings are worth together."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from sidestep import drawing_parts as shared
from sidestep.drawing import datasets_of, empty, title
from sidestep.drawing_variants import TALLEST
from sidestep.figures.shared import evolution, resizing
from sidestep.style import BLUE, GREY, TEXT, VERMILION
from sidestep.tables import Tables

ALT = "Scores of populations of graphs"
CAPTION = (
    "Test score of a population of graphs that evolved on the same split from other initial weights and "
    "mutations, against its members: the mean of single ones, the one with the least loss on the validation "
    "part, and the average of all their outputs. Means over all subsets of so many members, then over seeds; "
    "bar: 95 % interval, wider for splits that overlap."
)
# Column → colour, marker, place beside the number of members, and label.
LOOKS = {
    "single": (GREY, "o", -0.09, "single"),
    "chosen": (BLUE, "s", 0.0, "chosen by validation loss"),
    "ensemble": (VERMILION, "D", 0.09, "average of outputs"),
}
KEPT = [
    *("dataset", "variant", "members", "measure", "n"),
    *(name + end for name in LOOKS for end in ("", "_low", "_high")),
]
TALL = 1.6


def rows(tables: Tables) -> pd.DataFrame:
    """Scores of populations of each size, of which some seed's members all finished."""
    found = tables.analysis("population")[KEPT]
    return evolution.together(tables.study, found[found["single"].notna()])


def draw(rows: pd.DataFrame) -> Figure:
    """A part for each population, a panel for each data set in it."""
    if rows.empty:
        return empty()
    names = list(dict.fromkeys(rows["variant"]))
    each = {name: datasets_of(rows[rows["variant"] == name]) for name in names}
    shown = [
        Line2D([], [], color=colour, marker=marker, markersize=4.0, linewidth=1.0, label=label)
        for colour, marker, _, label in LOOKS.values()
    ]
    across = min(evolution.ACROSS, max(map(len, each.values())))
    width = TEXT if across > 1 else 0.75 * TEXT
    above = shared.key_height(shown, width)
    heights = [above + TALL * -(-len(sets) // across) + 0.15 for sets in each.values()]
    count = 1
    while count < len(names) and sum(heights[: count + 1]) <= TALLEST - shared.FOOT:
        count += 1
    lines = max(1, int((TALLEST - shared.FOOT - above) / TALL))
    heights = [min(tall, above + lines * TALL + 0.15) for tall in heights]
    figure, places = shared.sheet(heights[:count], width=width)
    cut = False
    for name, place in zip(names, places, strict=False):
        fit = each[name][: lines * across]
        shared.key(place, name if len(names) > 1 else "", shown, width)
        axes = place.subplots(-(-len(fit) // across), across, squeeze=False)
        for panel in axes.flat[len(fit) :]:
            panel.remove()
        for index, (dataset, panel) in enumerate(zip(fit, axes.flat, strict=False)):
            cell = rows[(rows["variant"] == name) & (rows["dataset"] == dataset)]
            cut |= _panel(panel, cell)
            panel.set_title(title(dataset))
            if index + across >= len(fit):
                panel.set_xlabel("members")
    shared.bottom(
        figure, rows["n"], "bar: 95 % interval", resizing.CUT if cut else "",
        resizing.left_out(len(names) - count, "population"),
    )  # fmt: skip
    return figure


def _panel(panel: Axes, rows: pd.DataFrame) -> bool:
    scale, label = evolution.in_units(rows["measure"].iloc[0])
    rows = rows.sort_values("members")
    for name, (colour, marker, away, _) in LOOKS.items():
        resizing.points(
            panel, rows["members"] + away, scale * rows[name],
            y_bounds=(scale * rows[f"{name}_low"], scale * rows[f"{name}_high"]),
            color=colour, marker=marker, markersize=3.4, linewidth=1.0,
        )  # fmt: skip
    panel.set_ylabel(f"test {label}")
    panel.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    panel.yaxis.set_major_locator(MaxNLocator(5))
    panel.set_xlim(rows["members"].min() - 0.4, rows["members"].max() + 0.4)
    ends = [name + end for name in LOOKS for end in ("_low", "_high")]
    values = scale * rows[list(LOOKS)].to_numpy(float).ravel()
    bars = scale * rows[ends].to_numpy(float).ravel()
    return evolution.limits(panel, "y", values, bars, best=scale)
