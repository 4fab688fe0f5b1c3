"""How well each block's own head classifies, by the epochs that the block was trained for."""

from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from sidestep import drawing_curves, things, variants
from sidestep import drawing_parts as shared
from sidestep.drawing import empty, line, over_seeds
from sidestep.drawing_variants import QUIET, by_stage, colour, each_variant, of_diverged
from sidestep.style import TEXT
from sidestep.tables import Tables

ALT = "Accuracy of each block's own head"
CAPTION = (
    "Test accuracy of the head of each block, by the epochs that were spent on that block. A panel is named "
    "after the block's last stage; the last one's head is the network itself. Solid: all blocks are "
    "trained together; dashed: in turn, each with a share of the epochs. Line: mean over seeds; band: "
    "smallest to largest. Variants whose blocks have no classifier are in the last panel alone."
)
ACROSS = 9
KEYS = ["dataset", "setting", "variant", "look", "left", "order", "stage", "place", "last", "epoch"]


def rows(tables: Tables) -> pd.DataFrame:
    """Mean and range over seeds of the heads' accuracies; `epoch` counts those spent on the block."""
    found = by_stage(tables, ["probe_own_heads"])
    found = found[found["images"] == "test"]
    its = shared.members(tables)
    its = its[its["drawn"] > 0]
    runs = {variant.name: variant.run for variant in tables.study.variants}
    found = found.drop(columns="place").merge(its, on=["dataset", "variant"])
    stages = {name: list(variants.stages(run)) for name, run in runs.items()}
    pairs = list(zip(found["variant"], found["stage"], strict=True))
    found = found.assign(
        step=found["component"].astype(float),
        place=[stages[name].index(stage) for name, stage in pairs],
        last=[int(stage == stages[name][-1]) for name, stage in pairs],
        order=[_order(runs[name]) for name, _ in pairs],
    )
    spent = found["step"] - _begins(tables, found)
    found = found.assign(epoch=drawing_curves.epochs_of(tables, found, spent))
    cells = ["dataset", "variant"]
    rank = {
        cell: index for index, cell in enumerate(zip(its["dataset"], its["variant"], strict=True))
    }
    found = found.assign(rank=[rank[cell] for cell in zip(*(found[c] for c in cells), strict=True)])
    found = found.sort_values(["rank", "place", "step"], kind="stable")
    lost = tables.analysis("timeline").drop_duplicates(cells)[[*cells, "diverged"]]
    return over_seeds(found, KEYS).merge(lost, "left", cells).fillna({"diverged": 0})


def draw(rows: pd.DataFrame) -> Figure:
    """Panels of each setting, a few beside each other; one ordinate for all of a setting."""
    if rows.empty:
        return empty()
    parts = shared.parts_of(rows)
    keys = [[*shared.handles(part.rows), *_style_key(part.rows)] for part in parts]
    lines = [-(-part.rows["stage"].nunique() // ACROSS) for part in parts]
    # The tallest panels of those with which the most settings fit.
    tries = [
        _heights(lines, keys, tall) for tall in ((1.2, 1.0, 0.8) if sum(lines) > 1 else (1.6,))
    ]
    heights = max(tries, key=lambda each: len(shared.fitting(parts, each)[0]))
    parts, note = shared.fitting(parts, heights)
    figure, places = shared.sheet(heights[: len(parts)])
    for part, place, shown, many in zip(parts, places, keys, lines, strict=False):
        stages = part.rows.drop_duplicates("stage").sort_values("place")
        across = -(-len(stages) // many)
        axes = place.subplots(many, across, squeeze=False, sharex=True, sharey=True)
        shared.key(place, part.name, shown, TEXT)
        for panel, stage, last in zip(axes.flat, stages["stage"], stages["last"], strict=False):
            cell = part.rows[part.rows["stage"] == stage]
            few = cell["epoch"].nunique() <= 2 * drawing_curves.FEW_MARKS
            for look, its in each_variant(cell, sorted(set(cell["look"]))):
                in_turn = its["order"].iloc[0] == "in turn"
                style = "--" if in_turn else shared.stroke(look)
                line(
                    panel, its, x="epoch", color=colour(look), scale=100, linestyle=style,
                    linewidth=1.0, marker="." if few else "",
                )  # fmt: skip
            panel.set_title(stage + " = network" * bool(last and across < 5), fontsize=7.5)
            panel.xaxis.set_major_locator(MaxNLocator(3 if across > 4 else 5, integer=True))
            panel.yaxis.set_major_locator(MaxNLocator(4))
        for index, panel in enumerate(axes.flat):
            if index >= len(stages):
                panel.set_axis_off()
            # The lowest panel of its column.
            elif index + across >= len(stages):
                panel.tick_params(labelbottom=True)
                panel.set_xlabel("epochs spent" if across < 8 else "epochs")
        for panel in axes[:, 0]:
            panel.set_ylabel("accuracy (%)")
    shown_rows = pd.concat([part.rows for part in parts])
    shared.bottom(
        figure, shown_rows["n"], "line: mean; band: smallest to largest seed",
        shared.left_out(shown_rows), note, of_diverged(shown_rows),
    )  # fmt: skip
    return figure


def _heights(lines: list[int], keys: list[list[Line2D]], tall: float) -> list[float]:
    return [
        tall * many + 0.3 + shared.key_height(shown)
        for many, shown in zip(lines, keys, strict=True)
    ]


def _style_key(rows: pd.DataFrame) -> list[Line2D]:
    styles: dict[str, Any] = {"together": "-", "in turn": "--"}
    if rows["order"].nunique() < 2:
        return []
    return [
        Line2D([], [], color=QUIET, linestyle=style, linewidth=1.0, label=f"blocks {order}")
        for order, style in styles.items()
    ]


def _order(run: variants.Run) -> str:
    strategy = things.complete("strategies", run["strategy"])
    return "in turn" if strategy.get("order") == "in_turn" else "together"


def _begins(tables: Tables, found: pd.DataFrame) -> list[float]:
    """The step at which each row's block began to learn.

    It is the last end of a phase before the block's first reading; phases of runs that were not
    timed are told by the last readings of blocks that learned before.
    """
    timeline = tables.analysis("timeline")
    timeline = timeline[timeline["phase_end"] > 0]
    cells = ["dataset", "variant"]
    ends = timeline.groupby(cells)["step"].agg(set).to_dict()
    begins: dict[tuple[str, str, str], float] = {}
    for (dataset, variant), cell in found.groupby(cells, sort=False):
        firsts = cell.groupby("stage")["step"].agg(["min", "max"])
        known = {0.0, *ends.get((dataset, variant), ()), *firsts["max"]}
        for stage, first in firsts["min"].items():
            before = [step for step in known if step < first]
            begins[str(dataset), str(variant), str(stage)] = max(before, default=0.0)
    places = zip(found["dataset"], found["variant"], found["stage"], strict=True)
    return [begins[place] for place in places]
