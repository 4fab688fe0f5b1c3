"""What scaling the weight decay of substituted layers by their compression changes."""

import pandas as pd
from matplotlib.figure import Figure

from sidestep.drawing import empty
from sidestep.figures.shared import pairs
from sidestep.tables import Tables

ALT = "What scaled weight decay changes at the end of training"
CAPTION = (
    "Pairs of networks that differ in nothing but the weight decay of the weights that stand for those of "
    "a convolution: full, or scaled by the layer's compression. Left: test accuracy at the end of training with "
    "full (large) and scaled decay (small), means over the seeds that finished in both. Right: scaled minus full, "
    "paired by seed; point: mean; bar: its 95 % t interval. Dotted: no difference."
)
KEPT = [
    *("dataset", "layer", "full", "scaled", "taught", "pairs", "accuracy_full"),
    *("accuracy_scaled", "difference", "low", "high", "separates"),
]
LOOK = pairs.Look(
    first="accuracy_full",
    second="accuracy_scaled",
    differences=(
        pairs.Difference("difference", "low", "high", 100.0, "scaled − full,\naccuracy (points)"),
    ),
)


def rows(tables: Tables) -> pd.DataFrame:
    """Every pair with a seed that finished in both, named after the variant with the full decay."""
    return pairs.rows_of(tables.analysis("decay")[KEPT], "full")


def draw(rows: pd.DataFrame) -> Figure:
    """A line for each pair, two panels for each data set."""
    if rows.empty:
        return empty()
    taught = rows["taught"].astype(int)
    faces = rows.assign(first_filled=taught, second_filled=taught, filled=taught, small=1)
    return pairs.draw(faces, LOOK)
