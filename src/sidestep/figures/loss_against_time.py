"""The loss of the whole network against seconds of training, one line a variant: the study's graph."""

import pandas as pd
from matplotlib.figure import Figure

from sidestep.drawing import empty
from sidestep.drawing_time import against_time, curve_rows
from sidestep.tables import Tables

ALT = "Loss of the whole network against training time"
CAPTION = (
    "Test loss of the whole network against seconds of training, on one machine: steps times the median "
    "seconds of a step, timed by a job that runs alone, with the time to compute outputs that are kept. "
    "Line: mean over seeds; band: smallest to largest. A marker ends a phase. While the last stage is "
    "untrained, the whole network's loss says little; the thin line is then the training loss of the "
    "trained block's own classifier, where its signal is one."
)


def rows(tables: Tables) -> pd.DataFrame:
    """Mean and range of the loss at every evaluation of the main variants, with its seconds."""
    return curve_rows(tables, "loss")


def draw(rows: pd.DataFrame) -> Figure:
    """Logarithmic axes; the network before its first step is at the left edge."""
    return empty() if rows.empty else against_time(rows, "test loss (nats)", accuracy=False)
