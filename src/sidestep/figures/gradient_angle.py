"""The angle between the gradient that teaches a stage and the true one, over training."""

import pandas as pd
from matplotlib.figure import Figure

from sidestep.drawing import empty
from sidestep.drawing_probes import draw_probes, probe_rows
from sidestep.tables import Tables

ALT = "Angle of each stage's gradient to the true one"
CAPTION = (
    "Angle between the gradient by which a stage is taught and the gradient of the whole network's loss, "
    "at the same weights on the same training images. Below 90 degrees (dotted) a step lowers the whole "
    "network's loss, to first order; end-to-end training has 0. A stage has an angle while it is trained. "
    "Line: mean over seeds; band: smallest to largest."
)


def rows(tables: Tables) -> pd.DataFrame:
    """Mean and range of the angles (degrees) of the main variants at every evaluation."""
    return probe_rows(tables, ["gradient_angle"])


def draw(rows: pd.DataFrame) -> Figure:
    """A column of panels a stage; the right angle is dotted."""
    if rows.empty:
        return empty()
    return draw_probes(rows, {"degrees": {"gradient_angle": "-"}}, at=90.0)
