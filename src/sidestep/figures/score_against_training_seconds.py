"""Test scores of graphs that evolve, and of what else predicts from tables, against seconds of training."""

import pandas as pd
from matplotlib.figure import Figure

from sidestep.figures.shared import evolution
from sidestep.tables import Tables

ALT = "Test score against seconds of training"
CAPTION = (
    "Score on the test part at the end of training, accuracy or R², against seconds of training by the clock "
    "of the training jobs, edits of the graph included; logarithmic abscissa. Point: mean over the seeds that "
    "finished, each with a split of its own; bars: 95 % intervals, of scores wider for splits that overlap. "
    "Of gradient boosting the seconds of its fit, on one thread."
)
KEPT = [
    *("dataset", "variant", "measure", "n", "diverged", "test", "test_low", "test_high"),
    *("seconds_train", "seconds_train_low", "seconds_train_high"),
]
COSTS = ("cost", "cost_low", "cost_high")


def rows(tables: Tables) -> pd.DataFrame:
    """Final score and seconds (`cost`), with intervals, of every variant and of boosting."""
    ours = tables.analysis("final_scores")[KEPT]
    ours = ours.rename(columns=dict(zip(KEPT[-3:], COSTS, strict=True)))
    theirs = evolution.boosting(tables).rename(
        columns=dict(zip(("seconds", "seconds_low", "seconds_high"), COSTS, strict=True))
    )[ours.columns]
    found = evolution.together(tables.study, ours[ours["test"].notna()], theirs)
    return evolution.with_kinds(found, tables.study)


def draw(rows: pd.DataFrame) -> Figure:
    """A panel for each data set, the key above."""
    return evolution.against(rows, "seconds of training", "")
