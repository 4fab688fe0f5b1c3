"""How far apart each stage puts the classes over training, and whether it collapses."""

import pandas as pd
from matplotlib.figure import Figure

from sidestep.drawing import empty
from sidestep.drawing_probes import draw_probes, probe_rows
from sidestep.tables import Tables

ALT = "Norms and cosines of each stage's outputs over training"
CAPTION = (
    "Geometry of each stage's outputs over training, on training images: the median over images of the "
    "norm of the output over that of the input (the view ends at 1/1000 and 1000; without any input the "
    "ratio is meaningless), and the mean cosine of pairs of images with the same "
    "label (solid) and with different labels (dashed). A stage collapses where both cosines rise to 1 or "
    "the ratio of norms falls to 0. Line: mean over seeds; band: smallest to largest."
)
PANELS = {
    "norm ratio": {"norm_ratio_median": "-"},
    "cosine": {"cosine_same": "-", "cosine_different": "--"},
}


def rows(tables: Tables) -> pd.DataFrame:
    """Mean and range of the three readings of the main variants at every evaluation."""
    return probe_rows(tables, [name for panel in PANELS.values() for name in panel])


def draw(rows: pd.DataFrame) -> Figure:
    """A column of panels a stage; norms on a logarithmic axis."""
    return empty() if rows.empty else draw_probes(rows, PANELS, logarithmic="norm ratio")
