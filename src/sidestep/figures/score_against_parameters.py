"""Test scores of graphs that evolve, and of what else predicts from tables, against parameters."""

import pandas as pd
from matplotlib.figure import Figure

from sidestep.figures.shared import evolution
from sidestep.tables import Tables

ALT = "Test score against parameters"
CAPTION = (
    "Score on the test part at the end of training, accuracy or R², against trained parameters; logarithmic "
    "abscissa. Point: mean over the seeds that finished, each with a split of its own; bar: its 95 % interval, "
    "wider for splits that overlap. Points that would lie on one another are moved aside. Dashed: mean of "
    "gradient boosting, which has no such parameters."
)
KEPT = [
    *("dataset", "variant", "measure", "n", "diverged", "test", "test_low", "test_high"),
    "parameters",
]


def rows(tables: Tables) -> pd.DataFrame:
    """Final score with its interval and parameters (`cost`) of every variant, and boosting's score."""
    ours = tables.analysis("final_scores")[KEPT].rename(columns={"parameters": "cost"})
    theirs = evolution.boosting(tables)[KEPT[:-1]].assign(cost=float("nan"))
    found = evolution.together(tables.study, ours[ours["test"].notna()], theirs)
    return evolution.with_kinds(found, tables.study)


def draw(rows: pd.DataFrame) -> Figure:
    """A panel for each data set, the key above."""
    return evolution.against(rows, "parameters", "")
