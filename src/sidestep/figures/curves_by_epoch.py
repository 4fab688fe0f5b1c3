"""Loss and accuracy on training and test images against epochs, beside what was published."""

import pandas as pd
from matplotlib.figure import Figure

from sidestep import drawing_curves
from sidestep import drawing_parts as shared
from sidestep.drawing import empty
from sidestep.figures.shared.substitution import by_budget
from sidestep.tables import Tables

ALT = "Loss and accuracy over the epochs of training"
CAPTION = (
    "Loss and accuracy of the whole network after each epoch, a row of panels for each network and kind of "
    "data. Line: mean over seeds; band: smallest to largest. Blocks in turn: the whole network says little "
    "until the last one learns. Grey: curves published for the same network and augmentation, with the "
    "source's own name for the run; other settings may differ. They are cut off at our last epoch."
)
KEPT = [
    *("dataset", "setting", "variant", "method", "look", "left", "split", "quantity", "step"),
    *("epoch", "mean", "low", "high", "n", "diverged", "source", "label", "style"),
]


def rows(tables: Tables) -> pd.DataFrame:
    """Our curves, and the published ones of each setting, which have a `label` and no variant."""
    found = []
    for part in shared.parts_of(by_budget(drawing_curves.curve_rows(tables), tables.study)):
        found.append(part.rows.assign(source="", label="", style=-1))
        found += _published(tables, part.rows)
    return pd.concat(found, ignore_index=True)[KEPT] if found else pd.DataFrame(columns=KEPT)


def draw(rows: pd.DataFrame) -> Figure:
    """Four panels for each setting, published curves behind."""
    ours, behind = rows[rows["label"] == ""], rows[rows["label"] != ""]
    if ours.empty:
        return empty()
    notes = ["grey: as published" * bool(len(behind))]
    return drawing_curves.curves(ours, "epoch", "epoch", behind=behind, notes=notes)


def _published(tables: Tables, ours: pd.DataFrame) -> list[pd.DataFrame]:
    """The published curves of a setting, each up to its first value after our last epoch.

    None in a study that is not compared with them.
    Ends alone (the best epoch, a mean of the last ones) are no curves and stay in the table.
    """
    if "published_curves" not in {thing["name"] for thing in tables.study.analyses}:
        return []
    dataset, setting, variant = ours[["dataset", "setting", "variant"]].iloc[0]
    run = tables.study.variant(variant).run
    found = tables.analysis("published_curves")
    chosen = (found["dataset"] == dataset) & (found["network"] == run["network"]["name"])
    chosen &= found["augmented"].astype(bool) == bool(run.get("augmentations"))
    chosen &= found["split"].isin(["train", "test"]) & found["quantity"].isin(["loss", "accuracy"])
    found = found[chosen & ~found["how"].str.contains(";", regex=False)]
    last = float(ours["epoch"].max())
    nothing = float("nan")
    kept: list[pd.DataFrame] = []
    for (_, name), each in found.groupby(["source", "run"], sort=False):
        near = [
            # The value after the last epoch leads the line to the panel's edge.
            curve[curve["epoch"].shift(1, fill_value=0) < last]
            for _, curve in each.sort_values("epoch").groupby(["split", "quantity"], sort=False)
            if curve["epoch"].min() <= last
        ]
        if near:
            made = pd.concat(near)[["source", "method", "split", "quantity", "epoch", "value"]]
            kept.append(
                made.rename(columns={"value": "mean"}).assign(
                    dataset=dataset, setting=setting, variant="", look=-1, left=0, step=nothing,
                    low=nothing, high=nothing, n=0, diverged=0, label=str(name), style=len(kept),
                )
            )  # fmt: skip
    return kept
