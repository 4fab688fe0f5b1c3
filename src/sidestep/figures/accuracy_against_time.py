"""The accuracy of the whole network against seconds of training, one line a variant."""

import pandas as pd
from matplotlib.figure import Figure

from sidestep.drawing import empty
from sidestep.drawing_time import against_time, curve_rows
from sidestep.tables import Tables

ALT = "Accuracy of the whole network against training time"
CAPTION = (
    "Test accuracy of the whole network against seconds of training, on one machine: steps times the "
    "median seconds of a step, timed by a job that runs alone. The ordinate is a logarithm of the share "
    "of errors. Line: mean over seeds; band: smallest to largest. A marker ends a phase."
)


def rows(tables: Tables) -> pd.DataFrame:
    """Mean and range of the accuracy at every evaluation of the main variants, with its seconds."""
    return curve_rows(tables, "accuracy")


def draw(rows: pd.DataFrame) -> Figure:
    """Logarithmic axes; the network before its first step is at the left edge."""
    return empty() if rows.empty else against_time(rows, "test accuracy (%)", accuracy=True)
