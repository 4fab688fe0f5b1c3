"""What normalising and augmenting the images does to test accuracy, for variants that differ in that alone."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from sidestep import drawing_parts as shared
from sidestep.drawing import empty, title
from sidestep.drawing_variants import DIVERGED, of_diverged
from sidestep.tables import Tables

ALT = "What normalisation and augmentation of the images do"
CAPTION = (
    "Test accuracy at the end of training for variants that differ only in how the images are normalised, "
    "cropped at random and flipped; and the difference, over the same seeds, to the member with neither, or "
    "to the first one. Point: mean over the seeds that finished; bar: its 95 % t interval. Hollow: the member "
    "to which the others are compared."
)
KEPT = [
    *(
        "dataset",
        "group",
        "variant",
        "normalisation",
        "crop",
        "flip",
        "accuracy",
        "low",
        "high",
        "n",
    ),
    *("diverged", "difference", "difference_low", "difference_high", "pairs", "separates"),
]


def rows(tables: Tables) -> pd.DataFrame:
    """The members of every group; `look` is that of the group's method."""
    found = tables.analysis("data_settings")[KEPT]
    return found.merge(
        shared.members(tables)[["dataset", "variant", "setting", "look"]], on=["dataset", "variant"]
    )


def draw(rows: pd.DataFrame) -> Figure:
    """For each group its accuracies and, beside them, the differences."""
    if rows.empty or not rows["n"].any():
        return empty()
    several = rows["dataset"].nunique() > 1
    every = [
        shared.Part(f"{title(str(dataset))}: {group}" if several else str(group), cell)
        for (dataset, group), cell in rows.groupby(["dataset", "group"], sort=False)
    ]
    heights = [0.5 + 0.18 * len(part.rows) + shared.key_height([]) for part in every]
    parts, left = shared.fitting(every, heights)
    figure, places = shared.sheet(heights[: len(parts)])
    for part, place in zip(parts, places, strict=True):
        cell = part.rows.assign(look=int(part.rows["look"].iloc[0]))
        axes = place.subplots(1, 2, sharey=True)
        shared.key(place, part.name, [])
        shared.name_lines(axes[0], [_name(one) for one in cell.to_dict("records")])
        axes[1].tick_params(axis="y", length=0)
        # To itself a member has no difference.
        compared = cell["difference"].notna()
        looks: tuple[tuple[pd.Series, dict[str, Any]], ...]
        looks = ((compared, {}), (~compared, {"markerfacecolor": "white"}))
        for chosen, look in looks:
            lines = [index for index, one in enumerate(chosen) if one]
            shared.dots(axes[0], cell[chosen], "accuracy", ("low", "high"), places=lines, **look)
        lines = [index for index, one in enumerate(compared) if one]
        bounds = ("difference_low", "difference_high")
        shared.dots(axes[1], cell[compared], "difference", bounds, places=lines)
        shared.zero(axes[1])
        axes[0].set_xlabel("test accuracy (%)")
        axes[1].set_xlabel("difference (points)")
        for panel in axes:
            panel.xaxis.set_major_locator(MaxNLocator(5))
            panel.margins(x=0.1)
    shown = pd.concat([part.rows for part in parts])
    note = left.replace("setting", "group")
    shared.bottom(figure, shown["n"], "bar: 95 % t interval", note, of_diverged(shown))
    return figure


def _name(one: Mapping[Any, Any]) -> str:
    """A variant with what its images went through."""
    done = {"crop": "crop", "flip": "flip"}
    words = [f"{one['normalisation']}", *(word for key, word in done.items() if one[key])]
    wrong = f" {DIVERGED}" if one["diverged"] else ""
    return f"{one['variant']} ({', '.join(words)}){wrong}"
