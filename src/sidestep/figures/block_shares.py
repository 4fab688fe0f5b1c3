"""What sharing a run's steps differently among its blocks does: final loss, accuracy and time."""

import pandas as pd
from matplotlib.figure import Figure

from sidestep.drawing_sweeps import draw_sweeps, sweep_rows
from sidestep.tables import Tables

ALT = "How long to train each block"
CAPTION = (
    "Final test loss, final test accuracy and training time by how a run's steps are shared among "
    "the blocks that are trained in turn: equally, in proportion to parameters or to multiply-adds, "
    "falling (front-loaded) or rising (back-loaded) along the network. Nothing else differs between "
    "the values of one colour. Point: mean over seeds; bar: its 95 % t interval."
)


def rows(tables: Tables) -> pd.DataFrame:
    """The members of every sweep over the setting `shares`; none in a study without one."""
    return sweep_rows(tables, "shares")


def draw(rows: pd.DataFrame) -> Figure:
    """A row of panels for each data set: loss, accuracy and, where timed, seconds."""
    return draw_sweeps(rows, "shares of the steps")
