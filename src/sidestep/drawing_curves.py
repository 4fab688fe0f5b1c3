"""What figures of curves share: losses and accuracies along epochs or seconds, a row of panels for each setting."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from sidestep.drawing import line, over_seeds
from sidestep.drawing_parts import (
    Part,
    bottom,
    fitting,
    handles,
    height,
    key,
    key_height,
    left_out,
    members,
    parts_of,
    sheet,
    stroke,
)
from sidestep.drawing_variants import (
    colour,
    each_variant,
    of_diverged,
    plain_ticks,
)
from sidestep.tables import Tables

GREYS = ("#777777", "#b0b0b0")
STYLES = ("-", "--", ":", "-.")
# Evaluations up to which each has a marker.
FEW_MARKS = 12
# A loss more than this many times the highest before training leaves the panel.
BEYOND = 1.5
# Where a loss falls by more than this factor, its axis is logarithmic.
DEEP = 20
PANELS = {
    ("train", "loss"): "training images",
    ("test", "loss"): "test images",
    ("train", "accuracy"): "training images",
    ("test", "accuracy"): "test images",
}
LABELS = {"loss": "loss (nats)", "accuracy": "accuracy (%)"}


def runs_of(tables: Tables) -> pd.DataFrame:
    """Loss and accuracy of single runs, with `step` and `epoch`, up to where one diverged.

    A network that diverged still has an accuracy, that of chance, which is none of its learning.
    """
    frame = tables.main
    chosen = frame["metric"].isin(["history_loss", "history_accuracy"])
    found = frame[chosen & frame["images"].isin(["train", "test"])]
    found = found.assign(
        split=found["images"],
        quantity=found["metric"].str.removeprefix("history_"),
        step=found["component"].astype(int),
        value=found["value"].astype(float),
    )
    keys = ["dataset", "variant", "seed", "step"]
    lost = found.loc[(found["quantity"] == "loss") & ~np.isfinite(found["value"]), keys]
    whole = ~found.set_index(keys).index.isin(lost.set_index(keys).index)
    found = found[whole].drop(columns="epoch")
    return found.assign(epoch=epochs_of(tables, found, found["step"]))


def epochs_of(tables: Tables, frame: pd.DataFrame, steps: pd.Series) -> pd.Series:
    """Steps of the rows' runs in epochs, of which the table has whole numbers only."""
    found = tables.main
    found = found[(found["metric"] == "history_loss") & (found["epoch"].astype(float) > 0)]
    each = (found["component"] / found["epoch"].astype(float)).groupby(
        [found["dataset"], found["variant"]]
    )
    per_epoch = each.min().to_dict()
    cells = zip(frame["dataset"], frame["variant"], strict=True)
    found_epochs: pd.Series = steps / np.array([per_epoch.get(cell, 1.0) for cell in cells], float)
    return found_epochs


def curve_rows(tables: Tables) -> pd.DataFrame:
    """Loss and accuracy of the drawn variants on training and test images at every evaluation."""
    its = members(tables)
    keys = ["dataset", "variant", "split", "quantity", "step", "epoch"]
    found = over_seeds(runs_of(tables), keys)
    found = found.merge(its[its["drawn"] > 0], on=["dataset", "variant"])
    timeline = tables.analysis("timeline")
    cells = ["dataset", "variant", "step"]
    seconds = timeline.drop_duplicates(cells)[[*cells, "seconds", "diverged"]]
    found = found.merge(seconds, "left", cells).fillna({"diverged": 0})
    kept = ["dataset", "setting", "variant", "method", "look", "left", "split", "quantity", "step"]
    return found[[*kept, "epoch", "seconds", "mean", "low", "high", "n", "diverged"]]


def curves(
    rows: pd.DataFrame,
    x: str,
    label: str,
    *,
    behind: pd.DataFrame | None = None,
    notes: Sequence[str] = (),
) -> Figure:
    """Losses and accuracies along an axis: a row of panels for each setting, its key above.

    Args:
        rows: of `curve_rows`, not empty, with a finite column `x`.
        x: the column of the abscissa.
        label: of the abscissa.
        behind: published curves, as `rows` with a column `label` and a number `style`; grey.
        notes: what else to say at the foot.
    """
    known = [pair for pair in PANELS if (rows["split"] + rows["quantity"]).eq("".join(pair)).any()]
    parts = parts_of(rows)
    published = [_of_part(behind, part) for part in parts]
    keys = [
        [*handles(part.rows), *_grey_handles(grey)]
        for part, grey in zip(parts, published, strict=True)
    ]
    above = [key_height(shown) for shown in keys]
    each = height(above, 1.3, 1.7 if len(parts) > 1 else 2.0)
    heights = [each + keys_of for keys_of in above]
    fit, note = fitting(parts, heights)
    figure, places = sheet(heights[: len(fit)])
    cut = False
    for part, place, grey, shown in zip(fit, places, published, keys, strict=False):
        axes = place.subplots(1, len(known), squeeze=False)[0]
        key(place, part.name, shown)
        for pair, panel in zip(known, axes, strict=True):
            cut |= _curves_panel(panel, part.rows, grey, pair, x)
            panel.set_title(PANELS[pair], fontsize=7.5)
            panel.set_xlabel(label)
        _alike(dict(zip(known, axes, strict=True)))
    shown_rows = pd.concat([part.rows for part in fit])
    higher = "higher losses leave the panel" if cut else ""
    bottom(
        figure, shown_rows["n"], "line: mean; band: smallest to largest seed", *notes, higher,
        left_out(shown_rows), note, of_diverged(shown_rows),
    )  # fmt: skip
    return figure


def _of_part(behind: pd.DataFrame | None, part: Part) -> pd.DataFrame:
    if behind is None:
        return pd.DataFrame()
    dataset, setting = part.rows[["dataset", "setting"]].iloc[0]
    found: pd.DataFrame = behind[(behind["dataset"] == dataset) & (behind["setting"] == setting)]
    return found


def _grey(style: int) -> Mapping[str, Any]:
    """How the published curve of that number is drawn."""
    shade = GREYS[style // len(STYLES) % len(GREYS)]
    return {"color": shade, "linestyle": STYLES[style % len(STYLES)], "linewidth": 0.9}


def _grey_handles(grey: pd.DataFrame) -> list[Line2D]:
    if grey.empty:
        return []
    each = grey.drop_duplicates("style").sort_values("style")
    return [
        Line2D([], [], label=str(name), **_grey(int(style)))
        for name, style in zip(each["label"], each["style"], strict=True)
    ]


def _curves_panel(
    panel: Axes, rows: pd.DataFrame, grey: pd.DataFrame, pair: tuple[str, str], x: str
) -> bool:
    """Curves of one split and quantity; whether some loss is above the panel's edge."""
    split, quantity = pair
    accuracy = quantity == "accuracy"
    scale = 100 if accuracy else 1
    cell = rows[(rows["split"] == split) & (rows["quantity"] == quantity)]
    few = cell["step"].nunique() <= FEW_MARKS
    for look, its in each_variant(cell, sorted(set(cell["look"]))):
        line(
            panel, its, x=x, color=colour(look), scale=scale, linewidth=1.0,
            marker="." if few else "", markersize=3.5, zorder=3 if look else 3.5,
            linestyle=stroke(look),
        )  # fmt: skip
    last = float(rows[x].max())
    theirs = grey
    if len(grey):
        theirs = grey[(grey["split"] == split) & (grey["quantity"] == quantity)]
        for style, its in theirs.groupby("style", sort=False):
            one = "." if len(its) == 1 else ""
            panel.plot(its[x], scale * its["mean"], zorder=1, marker=one, **_grey(int(str(style))))
    panel.set_xlim(-0.03 * last, 1.03 * last)
    panel.xaxis.set_major_locator(MaxNLocator(4, integer=x == "epoch"))
    if accuracy or cell.empty:
        panel.yaxis.set_major_locator(MaxNLocator(5))
        return False
    seen = cell.loc[cell["mean"] > 0]
    first = seen.loc[seen.groupby("variant")["step"].idxmin(), "mean"].max()
    top = min(float(seen["high"].max()), BEYOND * float(first))
    low = float(seen["low"][seen["low"] > 0].min())
    if len(theirs):
        low = min(low, max(float(theirs["mean"].min()), low / 3))
    if top / low > DEEP:
        panel.set_yscale("log", nonpositive="mask")
        panel.set_ylim(low / 1.2, top * 1.2)
    else:
        panel.set_ylim(low - 0.06 * (top - low), top + 0.06 * (top - low))
        panel.yaxis.set_major_locator(MaxNLocator(5))
    return bool(seen["mean"].max() > top)


def _alike(axes: Mapping[tuple[str, str], Axes]) -> None:
    """The same limits for training and test images; the ordinate's label on the first of them."""
    for quantity, label in LABELS.items():
        both = [panel for (_, each), panel in axes.items() if each == quantity]
        if not both:
            continue
        low = min(panel.get_ylim()[0] for panel in both)
        high = max(panel.get_ylim()[1] for panel in both)
        scale = "log" if any(panel.get_yscale() == "log" for panel in both) else "linear"
        for panel in both:
            if panel.get_yscale() != scale:
                panel.set_yscale(scale, nonpositive="mask")
            panel.set_ylim(max(low, 1e-4) if scale == "log" else low, high)
            if scale == "log":
                plain_ticks(panel.yaxis, most=6)
        both[0].set_ylabel(label)
        for panel in both[1:]:
            panel.tick_params(labelleft=False)
