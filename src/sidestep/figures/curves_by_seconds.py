"""Loss and accuracy on training and test images against seconds of training."""

import pandas as pd
from matplotlib.figure import Figure

from sidestep import drawing_curves
from sidestep.drawing import empty
from sidestep.tables import Tables

ALT = "Loss and accuracy against training time"
CAPTION = (
    "Loss and accuracy of the whole network on training and test images against seconds of training on one "
    "machine, a row of panels for each network and kind of data. Seconds are steps times the median seconds "
    "of a step, timed by a job that runs alone. Line: mean over seeds; band: smallest to largest. Where blocks "
    "learn in turn, the whole network says little until the last one learns."
)


def rows(tables: Tables) -> pd.DataFrame:
    """The curves of the drawn variants at every evaluation; no seconds where nothing was timed."""
    return drawing_curves.curve_rows(tables)


def draw(rows: pd.DataFrame) -> Figure:
    """Four panels for each setting that was timed."""
    timed = rows[rows["seconds"].notna()]
    if timed.empty:
        return empty()
    others = [name for name in dict.fromkeys(rows["variant"]) if name not in set(timed["variant"])]
    note = f"not timed: {', '.join(others)}" if others else ""
    return drawing_curves.curves(timed, "seconds", "seconds of training", notes=[note])
