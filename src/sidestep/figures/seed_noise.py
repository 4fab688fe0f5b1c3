"""How much results change with the seed alone."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from sidestep import drawing_parts as shared
from sidestep.drawing import datasets_of, empty, title
from sidestep.drawing_variants import QUIET, colour
from sidestep.figures.shared import substitution
from sidestep.tables import Tables

ALT = "How much test accuracy changes with the seed"
CAPTION = (
    "Test accuracy at the end of training of each seed that finished, minus the mean of its variant: a dot "
    "for each seed. Bar: one standard deviation to either side. Grey band: the median standard deviation of all "
    "variants of the panel. Last, variants that are the same but for their names: the difference at each seed."
)
COLUMNS = [
    *(
        "dataset",
        "variant",
        "other",
        "layer",
        "taught",
        "look",
        "n",
        "diverged",
        "accuracy",
        "sd",
        "seed",
    ),
    "deviation",
]


def rows(tables: Tables) -> pd.DataFrame:
    """The `deviation` of each of two seeds or more from the mean of their variant, with its `sd` and `n`.

    Of two variants that are the same but for their names (`other`), their difference at each seed; then
    `accuracy` is the mean difference.
    """
    ended = substitution.finals(tables)
    ended = ended[ended["split"] == "test"]
    lost = substitution.lost(tables, ended)
    found = substitution.with_looks(tables.analysis("repeats"))
    found = found.assign(other=found["other"].fillna(""))
    cells = list(zip(found["dataset"], found["variant"], strict=True))
    found = found.assign(diverged=[lost.get(cell, 0) for cell in cells])
    place = ["dataset", "variant"]
    # A single seed is at its own mean, as if there were no noise.
    single = found[(found["other"] == "") & (found["n"] > 1)].merge(
        ended[[*place, "seed", "accuracy"]], on=place, suffixes=("", "_seed")
    )
    single = single.assign(deviation=single["accuracy_seed"] - single["accuracy"])
    twice = found[found["other"] != ""].drop(columns=["sd", "n", "accuracy"])
    mine = ended[[*place, "seed", "accuracy"]]
    theirs = mine.set_axis(["dataset", "other", "seed", "accuracy_other"], axis=1)
    twice = twice.merge(mine, on=place).merge(theirs, on=["dataset", "other", "seed"])
    twice = twice.assign(deviation=twice["accuracy"] - twice["accuracy_other"], diverged=0)
    groups = twice.groupby(["dataset", "variant", "other"], sort=False)["deviation"]
    twice = twice.assign(
        accuracy=groups.transform("mean"), sd=groups.transform("std"), n=groups.transform("count")
    )
    both = [part[COLUMNS] for part in (single, twice) if len(part)]
    return pd.concat(both, ignore_index=True) if both else single[COLUMNS]


def draw(rows: pd.DataFrame) -> Figure:
    """A line for each variant, then one for each pair, a panel for each data set."""
    if rows.empty:
        return empty()
    minus = np.where(rows["other"] == "", "", " − " + rows["other"].astype(str))
    rows = rows.assign(line=rows["variant"] + minus)
    each = rows.drop_duplicates(["dataset", "line"])
    shown = [
        *substitution.layer_key(each),
        *substitution.teaching_key(each),
        Line2D([], [], color=QUIET, linewidth=0.8, label="standard deviation"),
    ]
    above = 0.55 + shared.key_height(shown)
    fit, left = substitution.lines_that_fit(each, above)
    names = datasets_of(fit)
    counts = [max(3, int((fit["dataset"] == name).sum())) for name in names]
    heights = [above + substitution.LINE * count for count in counts]
    figure, places = shared.sheet(heights)
    for name, place in zip(names, places, strict=True):
        shared.key(place, title(name), shown)
        lines = list(fit.loc[fit["dataset"] == name, "line"])
        panel = place.subplots(1, 1)
        shared.name_lines(panel, lines)
        _panel(panel, rows[rows["dataset"] == name], lines)
    shared.bottom(figure, fit["n"], "bar: standard deviation", substitution.of_lost(fit), left)
    return figure


def _panel(panel: Axes, rows: pd.DataFrame, lines: list[str]) -> None:
    single = rows[rows["other"] == ""].drop_duplicates("line")
    usual = 100 * float(single["sd"].median())
    if np.isfinite(usual):
        panel.axvspan(-usual, usual, color="#eeeeee", linewidth=0, zorder=-2)
    for place, name in enumerate(lines):
        its = rows[rows["line"] == name]
        one = its.iloc[0]
        how = substitution.point(int(one["look"]), taught=bool(one["taught"]))
        how |= {"markersize": 3.8}
        middle = 0.0 if one["other"] == "" else 100 * float(one["accuracy"])
        sd = 100 * float(one["sd"])
        if np.isfinite(sd):
            shade = colour(int(one["look"]))
            ends = [middle - sd, middle + sd]
            panel.plot(ends, [place] * 2, color=shade, linewidth=0.8, marker="|", zorder=1)
        panel.plot(100 * its["deviation"], [place] * len(its), zorder=2, **how)
    shared.zero(panel)
    panel.xaxis.set_major_locator(MaxNLocator(7))
    panel.set_xlabel("test accuracy − mean of the variant's seeds (points)")
