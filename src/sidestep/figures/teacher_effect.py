"""What a teacher changes: pairs of variants that differ in it alone."""

import pandas as pd
from matplotlib.figure import Figure

from sidestep.drawing import empty
from sidestep.figures.shared import pairs
from sidestep.tables import Tables

ALT = "What a teacher changes at the end of training"
CAPTION = (
    "Pairs of networks that differ in nothing but a teacher. Left: test accuracy at the end of training, "
    "alone (open) and taught (filled), means over the seeds that finished in both. Middle and right: taught "
    "minus alone in accuracy and loss, paired by seed; point: mean; bar: its 95 % t interval. Dotted: no "
    "difference."
)
KEPT = [
    *("dataset", "layer", "alone", "taught", "teacher", "pairs", "accuracy_alone"),
    *("accuracy_taught", "difference", "low", "high", "separates", "loss_difference"),
    *("loss_low", "loss_high"),
]
LOOK = pairs.Look(
    first="accuracy_alone",
    second="accuracy_taught",
    differences=(
        pairs.Difference("difference", "low", "high", 100.0, "taught − alone,\naccuracy (points)"),
        pairs.Difference(
            "loss_difference", "loss_low", "loss_high", 1.0, "taught − alone,\nloss (nats)"
        ),
    ),
)


def rows(tables: Tables) -> pd.DataFrame:
    """Every pair with a seed that finished in both, named after the variant that learns alone."""
    return pairs.rows_of(tables.analysis("teaching")[KEPT], "alone")


def draw(rows: pd.DataFrame) -> Figure:
    """A line for each pair, three panels for each data set."""
    if rows.empty:
        return empty()
    faces = rows.assign(first_filled=0, second_filled=1, filled=1, small=0)
    return pairs.draw(faces, LOOK)
