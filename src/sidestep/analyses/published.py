"""Figures that the older works published, beside ours at the same or the nearest width and epoch.

The published figures are in `paper/published.csv`, each with its source (a citation key of the paper's bibliography).
"""

import math
from collections.abc import Hashable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from sidestep.analyses.shared.curves import NETWORK, POOLED, Array, Curves, saturation_of, verdict
from sidestep.errors import UserError
from sidestep.registry import PACKAGE
from sidestep.settings import Fraction
from sidestep.statistics.intervals import mean_interval
from sidestep.tables import Tables

PATH = PACKAGE.parents[1] / "paper" / "published.csv"
PUBLISHED = (
    "source",
    "study",
    "dataset",
    "width",
    "epochs",
    "quantity",
    "component",
    "value",
    "images",
    "how",
    "note",
)
OURS = (
    "our_width",
    "our_epochs",
    "our_source",
    "mean",
    "low",
    "high",
    "n",
    "difference",
    "outcome",
)
# What the journal took from the neurons of all replicates together.
POOLED_QUANTITIES = (
    "normality_all",
    "normality_living",
    "exponential_normal_share",
    "two_gammas_share",
)
PEAK, SATURATION = "_peak", "accuracy_saturation"


def analyse(tables: Tables, *, margin: Fraction = 0.001) -> pd.DataFrame:
    """One row per published figure of this study on one of its data sets.

    Columns: as published `source, study, dataset, width, epochs, quantity, component, value, images, how` (`exact`,
    read off a vector drawing or table; `calculated` from such figures; `eye`; `text`), `note`; ours: `our_width`
    (nearest in octaves; empty where the figure belongs to no width), `our_epochs` (nearest recorded), `our_source`
    (`network`: mean over seeds; `pooled`: one value on the neurons of all seeds, as the journal's W and mixtures),
    `mean`, `low`, `high` (95 % t interval; bootstrap for a width), `n` seeds; `difference`, ours − published;
    `outcome`: `agrees` or `differs` (published value inside or outside our interval, at the same width and epochs),
    `no interval` (same width and epochs, but pooled or one seed), `different epochs`, `different width`, `different
    width and epochs`, or `not defined` (not measured, or a mixture that is not identifiable). `quantity` is a metric
    of the study's table, or `normality_all_peak`, `normality_living_peak` (the width of the largest pooled W),
    `accuracy_saturation` (a width).

    Args:
        tables: of the study, which has a column `width`.
        margin: of accuracy below the best that counts as saturated.

    Raises:
        UserError: there is no `paper/published.csv`, or it lacks a column.
    """
    figures = read(PATH)
    curves = Curves.of(tables)
    frame = tables.main
    wanted = figures["study"].eq(curves.study) & figures["dataset"].isin(curves.datasets)
    with_component = frame[
        frame["metric"].isin(set(figures["quantity"]))
        & frame["component"].notna()
        & ~frame["seed"].isin(["", POOLED])
    ]
    rows = [
        {**figure, **_beside(figure, curves, with_component, margin)}
        for figure in figures[wanted].to_dict("records")
    ]
    return pd.DataFrame(rows, columns=[*PUBLISHED, *OURS])


def read(path: Path) -> pd.DataFrame:
    """The published figures.

    Raises:
        UserError: no such file, or a column is missing.
    """
    try:
        frame = pd.read_csv(path)
    except FileNotFoundError:
        raise UserError(f"{path}: there is no such file of published figures") from None
    missing = [column for column in PUBLISHED if column not in frame]
    if missing:
        raise UserError(f"{path}: lacks the column {', '.join(missing)}")
    return frame[list(PUBLISHED)].fillna({"images": "", "note": ""})


def _beside(
    figure: Mapping[Hashable, object], curves: Curves, with_component: pd.DataFrame, margin: float
) -> dict[str, object]:
    """Our columns for one published figure."""
    quantity, dataset = str(figure["quantity"]), str(figure["dataset"])
    images, published = str(figure["images"]), _float(figure["value"])
    width, component = _float(figure["width"]), _float(figure["component"])
    epoch = min(curves.epochs, key=lambda known: abs(known - _float(figure["epochs"])))
    source = POOLED if quantity.removesuffix(PEAK) in POOLED_QUANTITIES else NETWORK
    row = None
    our_width = math.nan
    if not math.isnan(width):
        row = int(np.argmin(np.abs(np.log2(curves.widths / width))))
        our_width = float(curves.widths[row])

    metric = "accuracy" if quantity == SATURATION else quantity.removesuffix(PEAK)
    n = curves.seeds_with(dataset, epoch, metric, images)
    values = curves.values(dataset, epoch, metric, images, source)
    if row is None:
        numbers = _width_of(quantity, curves, values, margin)
    elif not math.isnan(component):
        numbers = _interval(
            _at_component(with_component, dataset, epoch, quantity, images, our_width, component)
        )
        n = 0
    else:
        numbers = _interval(values[row])
    mean, low, high, columns = numbers
    if source == NETWORK:
        n = columns
    same_width = row is None or our_width == width
    return {
        "our_width": our_width,
        "our_epochs": epoch,
        "our_source": source,
        "mean": mean,
        "low": low,
        "high": high,
        "n": n,
        "difference": mean - published,
        "outcome": _outcome(
            mean, low, high, published, same_width, epoch == _float(figure["epochs"])
        ),
    }


def _width_of(
    quantity: str, curves: Curves, values: Array, margin: float
) -> tuple[float, float, float, int]:
    """A width read off a whole curve: where it is largest, or where it saturates."""
    if quantity == SATURATION:
        found = verdict(saturation_of(margin), curves.widths, values)
        return found.width, found.low, found.high, found.n
    if not quantity.endswith(PEAK) or not np.isfinite(values).any():
        return math.nan, math.nan, math.nan, 0
    return float(curves.widths[int(np.nanargmax(values[:, 0]))]), math.nan, math.nan, 1


def _at_component(
    frame: pd.DataFrame,
    dataset: str,
    epoch: int,
    metric: str,
    images: str,
    width: float,
    component: float,
) -> Array:
    chosen = frame["dataset"].eq(dataset) & frame["epoch"].eq(epoch) & frame["metric"].eq(metric)
    chosen &= frame["images"].eq(images) & frame["width"].eq(width)
    chosen &= frame["component"].eq(component)
    return frame[chosen]["value"].to_numpy(np.float64)


def _interval(values: Array) -> tuple[float, float, float, int]:
    found = mean_interval(values[np.isfinite(values)])
    return found.mean, found.low, found.high, found.n


def _outcome(
    mean: float, low: float, high: float, published: float, same_width: bool, same_epochs: bool
) -> str:
    if math.isnan(mean):
        return "not defined"
    different = ["width"] * (not same_width) + ["epochs"] * (not same_epochs)
    if different:
        return f"different {' and '.join(different)}"
    if math.isnan(low):
        return "no interval"
    return "agrees" if low <= published <= high else "differs"


def _float(value: object) -> float:
    return float(str(value))
