"""What cutting the network elsewhere does: final loss, accuracy and time."""

import pandas as pd
from matplotlib.figure import Figure

from sidestep.drawing_sweeps import draw_sweeps, sweep_rows
from sidestep.tables import Tables

ALT = "Where to cut the network into blocks"
CAPTION = (
    "Final test loss, final test accuracy and training time by the stages after which the network "
    "is cut into blocks that are trained apart. Nothing else differs between the values of one "
    "colour. Point: mean over seeds; bar: its 95 % t interval."
)


def rows(tables: Tables) -> pd.DataFrame:
    """The members of every sweep over the setting `ends`; none in a study without one."""
    return sweep_rows(tables, "ends")


def draw(rows: pd.DataFrame) -> Figure:
    """A row of panels for each data set: loss, accuracy and, where timed, seconds."""
    return draw_sweeps(rows, "where blocks end")
