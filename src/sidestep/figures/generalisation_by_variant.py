"""How much better graphs that evolved, and others, know the rows they learned from than new ones."""

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from sidestep import drawing_parts as shared
from sidestep.drawing import datasets_of, empty
from sidestep.figures.shared import evolution, resizing
from sidestep.tables import Tables

ALT = "Gap between training and test scores"
CAPTION = (
    "Score on the training part minus score on the test part at the end of training, accuracy or R². Point: "
    "mean over the seeds that finished, each with a split of its own; bar: its 95 % interval, wider for splits "
    "that overlap. Of gradient boosting the plain t interval over seeds."
)
KEPT = ["dataset", "variant", "measure", "n", "diverged", "gap", "gap_low", "gap_high"]


def rows(tables: Tables) -> pd.DataFrame:
    """The gap of every variant with a seed that finished, and of boosting."""
    ours, theirs = tables.analysis("final_scores")[KEPT], evolution.boosting(tables)[KEPT]
    found = evolution.together(tables.study, ours[ours["gap"].notna()], theirs)
    return evolution.with_kinds(found, tables.study)


def draw(rows: pd.DataFrame) -> Figure:
    """A line for each variant, a panel for each data set."""
    if rows.empty:
        return empty()
    shown = evolution.kind_key(rows, others=False)
    every = evolution.ordered(rows)
    names = every[: evolution.lines_that_fit(shown)]
    figure, (panels,), unseen = evolution.named(names, datasets_of(rows), shown)
    cut = False
    for name, panel in panels.items():
        shared.zero(panel)
        cell = rows[(rows["dataset"] == name) & rows["variant"].isin(names)]
        if cell.empty:
            continue
        scale, label = evolution.difference_in(cell["measure"].iloc[0])
        for one in cell.to_dict("records"):
            resizing.points(
                panel, [scale * one["gap"]], [names.index(one["variant"])],
                x_bounds=([scale * one["gap_low"]], [scale * one["gap_high"]]),
                **evolution.point(str(one["kind"])) | {"markersize": 3.8},
            )  # fmt: skip
        panel.set_xlabel(label)
        panel.xaxis.set_major_locator(MaxNLocator(3))
        ends = scale * cell[["gap_low", "gap_high"]].to_numpy(float).ravel()
        cut |= evolution.limits(panel, "x", [0.0, *(scale * cell["gap"])], ends)
    shared.bottom(
        figure, rows["n"], "bar: 95 % interval", resizing.CUT if cut else "",
        evolution.lost(rows), resizing.left_out(len(every) - len(names)),
        resizing.left_out(unseen, "data set"),
    )  # fmt: skip
    return figure
