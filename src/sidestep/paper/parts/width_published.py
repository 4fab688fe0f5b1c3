"""The older work's figures beside ours."""

import math
from typing import Any

import pandas as pd

from sidestep.paper.parts import formats as f
from sidestep.paper.parts import sentences as say
from sidestep.paper.parts.study import each_row
from sidestep.paper.parts.width_study import WidthStudy
from sidestep.paper.parts.words import dataset_name, metric_head
from sidestep.statistics.intervals import Interval

# Signs in the cells of the table of published figures.
SIGNS = {"agrees": " =", "differs": " ≠"}


def published(study: WidthStudy) -> dict[str, Any]:
    """How our figures compare with the older work's: a sentence, and tables of those at our widths."""
    found = study.analysis("published")
    if found.empty:
        absent = say.absent(
            "the comparison with published figures, or there is none to compare with"
        )
        return {"sentences": [absent], "by_width": [], "other": {"head": [], "rows": []}}
    same = found["outcome"].isin(SIGNS)
    missing = found["outcome"] == "not measured"
    sentence = comparison(
        int(same.sum()),
        int((found["outcome"] == "agrees").sum()),
        int((~same & ~missing).sum()),
        int(missing.sum()),
    )
    at_width = (found["width"] == found["our_width"]) & found["component"].isna()
    curves = (found["width"] == found["our_width"]) & found["component"].notna()
    other = found[~missing & (found["our_width"].isna() | curves)]
    return {
        "sentences": [sentence],
        "by_width": [
            table
            for keys, group in found[at_width].groupby(["dataset", "epochs"], sort=False)
            if (table := _by_width(str(keys[0]), group))["rows"]
        ],
        "other": {
            "head": ["Data set", "Quantity", "Width", "k", "Published", "after", "Ours", "after"],
            "rows": [_other_row(row) for row in each_row(other)],
        },
    }


def _by_width(dataset: str, found: pd.DataFrame) -> f.Table:
    """Published figures of one data set and training time beside ours, a column for each quantity."""
    quantities = list(dict.fromkeys(found["quantity"]))
    rows = []
    for width, group in found.groupby("width"):
        cells = {row.quantity: _beside(row) for row in each_row(group)}
        rows.append([f.count(float(str(width))), *(cells.get(name, "–") for name in quantities)])
    first = found.iloc[0]
    return {
        "dataset": dataset_name(dataset),
        "epochs": f.count(first["epochs"]),
        "our_epochs": f.count(first["our_epochs"]),
        "signs": bool(
            found["outcome"].isin(SIGNS).any() or (found["epochs"] == found["our_epochs"]).any()
        ),
        "head": ["Width", *(_column(name) for name in quantities)],
        "rows": rows,
    }


def _column(quantity: str) -> str:
    return metric_head(quantity) + (" %" if quantity == "accuracy" else "")


def _beside(row: Any) -> str:
    """`published | ours ± half of the interval`, with a sign where the two may be compared."""

    if row.quantity == "accuracy":
        show: f.Show = f.bare_percent
    else:
        digits = 3 if row.quantity.endswith("_share") or row.quantity.startswith("normality") else 1

        def show(value: float) -> str:
            return f.decimal(value, digits)

    ours = f.cell(Interval(row.mean, math.nan, 0, row.low, row.high), show)
    return f"{show(row.value)} | {ours}{SIGNS.get(row.outcome, '')}"


def _other_row(row: Any) -> list[str]:
    if row.quantity.endswith(("_peak", "_saturation")):
        ours = f.width_estimate(row.mean, row.low, row.high)
        value = f.width(row.value)
    else:
        ours = f.estimate(row.mean, row.low, row.high, lambda x: f.significant(x, 4))
        value = f.significant(row.value, 4)
    images = f" ({row.images})" if isinstance(row.images, str) else ""
    return [
        dataset_name(str(row.dataset)),
        metric_head(str(row.quantity)) + images,
        f.count(row.width) if f.defined(row.width) else "–",
        f.count(row.component) if f.defined(row.component) else "–",
        value + {"text": " (in words)", "eye": " (by eye)"}.get(str(row.how), ""),
        f.count(row.epochs) if f.defined(row.epochs) else "–",
        ours + SIGNS.get(row.outcome, ""),
        f.count(row.our_epochs) if f.defined(row.our_epochs) else "–",
    ]


def comparison(same: int, agreeing: int, elsewhere: int, missing: int) -> str:
    """How our figures compare with the published ones."""
    parts = []
    if same:
        parts.append(
            f"{f.count(same)} can be held against one of ours at the same width and epoch, and "
            f"{f.count(agreeing)} of these lie inside our interval"
        )
    else:
        parts.append("none can be held against one of ours at the same width and epoch")
    if elsewhere:
        parts.append(
            f"{f.count(elsewhere)} stand beside one of another width, another epoch or without interval"
        )
    if missing:
        parts.append(f"{f.count(missing)} have no counterpart")
    total = same + elsewhere + missing
    if total == 0:
        return "The older work published no figure for these data sets."
    if elsewhere == total:
        return (
            f"None of the {f.plural(total, 'published figure')} can be held against one of ours at the "
            "same width and epoch with an interval; where the width is one of ours, the tables show both "
            "side by side."
        )
    return f"Of {f.plural(total, 'published figure')}, {f.listed(parts)}."
