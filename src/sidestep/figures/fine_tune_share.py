"""What a final stage that trains the whole network does: final loss, accuracy and time."""

import pandas as pd
from matplotlib.figure import Figure

from sidestep.drawing_sweeps import draw_sweeps, sweep_rows
from sidestep.tables import Tables

ALT = "How much final training of the whole network pays"
CAPTION = (
    "Final test loss, final test accuracy and training time by the share of a run's steps that goes "
    "to training the whole network by the true loss at the end. The number of steps is the same. "
    "Nothing else differs between the values of one colour. Point: mean over seeds; bar: its 95 % t "
    "interval."
)


def rows(tables: Tables) -> pd.DataFrame:
    """The members of every sweep over the setting `fine_tune`; none in a study without one."""
    return sweep_rows(tables, "fine_tune")


def draw(rows: pd.DataFrame) -> Figure:
    """A row of panels for each data set: loss, accuracy and, where timed, seconds."""
    return draw_sweeps(rows, "share of steps for fine-tuning (%)", numbers=True)
