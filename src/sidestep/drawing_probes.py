"""What the figures of probes share: a panel a stage, a line a variant, over the steps of training."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from sidestep.drawing import RANGE, grid, line, over_seeds, title
from sidestep.drawing_variants import (
    QUIET,
    blocks,
    by_stage,
    colour,
    each_variant,
    foot,
    plain_ticks,
    variant_key,
    with_looks,
)
from sidestep.style import TEXT
from sidestep.tables import Tables

# Ratios of norms beyond which a figure does not follow: the input or the output has vanished.
RATIOS = (1e-3, 1e3)


def probe_rows(tables: Tables, probes: Sequence[str]) -> pd.DataFrame:
    """Mean and range over seeds of what probes read of each stage, at each step, of the main variants."""
    found = by_stage(tables, [f"probe_{probe}" for probe in probes])
    found = with_looks(found, tables.study).rename(columns={"component": "step"})
    found = found.assign(probe=found["measure"].str.removeprefix("probe_"))
    return over_seeds(found, ["dataset", "variant", "look", "probe", "stage", "place", "step"])


def draw_probes(
    rows: pd.DataFrame,
    panels: Mapping[str, Mapping[str, str]],
    *,
    logarithmic: str = "",
    at: float | None = None,
) -> Figure:
    """What probes read over training: a column a stage, rows for each data set and seven variants.

    Args:
        rows: of `probe_rows`, not empty.
        panels: label of the ordinate → probe → style of its line; a row of panels each.
        logarithmic: the label whose ordinate is; its view ends at `RATIOS`.
        at: where a dotted line marks a value.
    """
    stages = rows.drop_duplicates("place").sort_values("place")["stage"].tolist()
    height = 1.55 if len(panels) == 1 else 1.2
    parts, note = blocks(rows, height * len(panels))
    lines = len(parts) * len(panels)
    # The key has a column of its own: beside one low row it would push the rows apart.
    key = 0.45 + 0.068 * max(len(name) for name in rows["variant"])
    figure, axes = grid(
        lines,
        len(stages) + 1,
        width=TEXT,
        height=max(height, 1.9) if lines == 1 else height,
        width_ratios=[*[(TEXT - key) / len(stages)] * len(stages), key],
    )
    for panel in axes[:, -1]:
        panel.set_axis_off()
    for index, panel in enumerate(axes[:, :-1].flat):
        panel.sharex(axes[0, 0])
        panel.sharey(axes[index // len(stages), 0])
        panel.label_outer()
    several = rows["dataset"].nunique() > 1
    for index, (label, styles) in enumerate([*panels.items()] * len(parts)):
        dataset, looks = parts[index // len(panels)]
        cell = rows[(rows["dataset"] == dataset) & rows["look"].isin(looks)]
        for stage, panel in zip(stages, axes[index, :-1], strict=True):
            if label == logarithmic:
                panel.set_yscale("log", nonpositive="mask")
            if at is not None:
                panel.axhline(at, color=QUIET, linestyle=":", linewidth=0.8, zorder=0)
            its = cell[(cell["stage"] == stage) & cell["probe"].isin(styles)]
            for look, curves in each_variant(its, looks):
                for probe, curve in curves.groupby("probe", sort=False):
                    style: dict[str, Any] = {"linestyle": styles[str(probe)], "linewidth": 0.9}
                    line(panel, curve, x="step", color=colour(look), **style)
            if not index:
                panel.set_title(stage)
        if label == logarithmic:
            low, high = axes[index, 0].get_ylim()
            axes[index, 0].set_ylim(max(low, RATIOS[0]), min(high, RATIOS[1]))
            plain_ticks(axes[index, 0].yaxis, most=4)
        axes[index, 0].set_ylabel(label + (f"\n{title(dataset)}" if several else ""))
        if not index % len(panels):
            variant_key(axes[index, -1], cell, looks, shapes=False, inside=True)
    for panel in axes[-1, :-1]:
        panel.xaxis.set_major_locator(MaxNLocator(2, integer=True))
        panel.set_xlabel("training steps")
    foot(figure, rows["n"], RANGE, note)
    return figure
