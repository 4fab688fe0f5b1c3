"""The sum of spread against width, with a logarithm and a power law fitted to it."""

import math

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from sidestep.drawing import by_width, colour, datasets_of, empty, marker, panels, say_n, width_axis
from sidestep.statistics.trends import LOGARITHMIC, POWER_LAW, Trend
from sidestep.style import BLACK, GREY
from sidestep.tables import Tables

ALT = "Sum of spread against width"
CAPTION = (
    "Sum of the neurons' spread against width (points: mean over seeds, bars: smallest to largest "
    "seed), with a logarithm and a power law of the width w fitted to the means by least squares in "
    "the units of the sum, and the share R² of the variance that each explains."
)
POINTS = 100


def rows(tables: Tables) -> pd.DataFrame:
    """The `measured` sums, and points on the two curves that the analysis `trends` has fitted."""
    measured = by_width(tables, "sum_of_spread").assign(curve="measured", a=math.nan, b=math.nan)
    parts = [measured.assign(r_squared=math.nan)]
    trends = tables.analysis("trends")
    trends = trends[
        (trends["metric"] == "sum_of_spread") & (trends["epoch"] == trends["epoch"].max())
    ]
    widths = measured["width"].astype(float)
    for _, found in trends.iterrows():
        for name, short in ((LOGARITHMIC, "logarithmic"), (POWER_LAW, "power")):
            fit = Trend(name, *(found[f"{short}_{part}"] for part in ("a", "b", "r_squared")))
            if math.isnan(fit.b):
                continue
            x = np.geomspace(widths.min(), widths.max(), POINTS)
            values = {"width": x, "mean": fit.at(x), "a": fit.a, "b": fit.b}
            curve = pd.DataFrame({**values, "r_squared": fit.r_squared})
            parts.append(curve.assign(dataset=found["dataset"], metric="sum_of_spread", curve=name))
    return pd.concat(parts, ignore_index=True)


def draw(rows: pd.DataFrame) -> Figure:
    """A panel for each data set."""
    if rows.empty:
        return empty()
    datasets = datasets_of(rows)
    figure, axes = panels(datasets, height=2.2, sharey=True)
    measured = rows["curve"] == "measured"
    for panel, dataset in zip(axes[0], datasets, strict=True):
        cell = rows[rows["dataset"] == dataset]
        points = cell[cell["curve"] == "measured"].sort_values("width")
        away = [points["mean"] - points["low"], points["high"] - points["mean"]]
        panel.errorbar(
            points["width"],
            points["mean"],
            yerr=away,
            linestyle="",
            marker=marker(dataset),
            color=colour(dataset),
            label="measured",
            zorder=3,
        )
        for name, style, shade in ((LOGARITHMIC, "--", BLACK), (POWER_LAW, "-", GREY)):
            curve = cell[cell["curve"] == name]
            if len(curve):
                panel.plot(
                    curve["width"],
                    curve["mean"],
                    linestyle=style,
                    color=shade,
                    label=_formula(curve),
                )
        panel.axhline(0, color=GREY, linewidth=0.5, zorder=0)
        width_axis(panel, rows.loc[measured, "width"])
        panel.legend(loc="upper left")
    axes[0, 0].set_ylabel("sum of spread")
    say_n(figure, rows.loc[measured, "n"], "bar: smallest to largest")
    return figure


def _formula(curve: pd.DataFrame) -> str:
    first = curve.iloc[0]
    a, b = first["a"], first["b"]
    sign = "−" if b < 0 else "+"
    law = f"{a:.3g} w$^{{{b:.2f}}}$"
    if first["curve"] == LOGARITHMIC:
        law = f"{a:.0f} {sign} {abs(b):.0f} log$_2$ w".replace("-", "−")
    return f"{law} (R² = {first['r_squared']:.3f})"
