"""What a training step costs: seconds, measured alone, and mult-adds, against width."""

from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from sidestep.drawing import (
    colour,
    dataset_key,
    datasets_of,
    empty,
    grid,
    marker,
    note,
    plain_log,
    width_axis,
)
from sidestep.style import TEXT
from sidestep.tables import Tables

ALT = "Cost of a training step against width"
CAPTION = (
    "Cost of one training step (forward, backward and update of one batch) against width: seconds, "
    "measured by a job that runs alone (median over steps; bar: quartiles over steps, since cost is not "
    "measured per seed), and multiply-adds. A data set that was not timed and costs as many multiply-adds "
    "as one that was is not drawn again."
)
SECONDS, MULT_ADDS = "seconds_per_step_", "mult_adds_per_step."


def rows(tables: Tables) -> pd.DataFrame:
    """Per data set, width and phase: `seconds` with quartiles `q1` and `q3`, and `mult_adds`.

    Data sets that were not timed have no seconds; `n` is the number of timed steps.
    """
    frame = tables.main
    keys = ["dataset", "width", "phase"]
    timed = frame[frame["metric"].str.startswith(SECONDS)]
    parts = timed["metric"].str.removeprefix(SECONDS).str.split(".", n=1, expand=True)
    timed = timed.assign(
        quantity=parts[0] if len(timed) else "", phase=parts[1] if len(timed) else ""
    )
    seconds = timed.pivot_table("value", keys, "quantity", sort=False).reset_index()
    seconds = seconds.rename(columns={"median": "seconds"}).rename_axis(columns=None)
    counted = frame[frame["metric"].str.startswith(MULT_ADDS)]
    counted = counted.assign(phase=counted["metric"].str.removeprefix(MULT_ADDS))
    # Every seed of a variant does the same work.
    counted = counted.groupby(keys, sort=False)["value"].first().rename("mult_adds").reset_index()
    found = counted.merge(seconds, "left", keys).reindex(
        columns=[*keys, "mult_adds", "seconds", "q1", "q3"]
    )
    return found.assign(n=tables.study.timing_steps)


def draw(rows: pd.DataFrame) -> Figure:
    """A panel for seconds and one for mult-adds."""
    if rows.empty:
        return empty()
    figure, axes = grid(1, 2, width=TEXT, height=2.2)
    styles = dict(zip(dict.fromkeys(rows["phase"]), ("-", "--", ":", "-."), strict=False))
    seconds, counts = axes[0]
    datasets = _telling(rows)
    lines = rows.loc[rows["dataset"].isin(datasets), ["dataset", "phase"]].drop_duplicates()
    for dataset, phase in zip(lines["dataset"], lines["phase"], strict=True):
        cell = rows[(rows["dataset"] == dataset) & (rows["phase"] == phase)]
        ordered = cell.sort_values("width")
        look: dict[str, Any] = {
            "color": colour(dataset),
            "marker": marker(dataset),
            "linestyle": styles.get(phase, "-"),
            # Equal costs lie on one another: the later marker is smaller.
            "markersize": max(4.5 - 2.0 * datasets.index(dataset), 1.5),
        }
        counts.plot(ordered["width"], ordered["mult_adds"] / 1e6, **look)
        timed = ordered[ordered["seconds"].notna()]
        away = [timed["seconds"] - timed["q1"], timed["q3"] - timed["seconds"]]
        if len(timed):
            seconds.errorbar(
                timed["width"],
                1000 * timed["seconds"],
                yerr=[1000 * part for part in away],
                capsize=3,
                **look,
            )
    if rows["seconds"].notna().any():
        seconds.set_yscale("log")
        plain_log(seconds.yaxis)
    else:
        note(seconds, 0.5, 0.5, "not timed", ha="center")
    counts.set_yscale("log")
    plain_log(counts.yaxis)
    seconds.set_ylabel("milliseconds a step")
    counts.set_ylabel("million multiply-adds a step")
    for panel in axes[0]:
        width_axis(panel, rows["width"])
    dataset_key(figure, datasets)
    note(seconds, 0.02, 0.93, f"n = {int(rows['n'].max())} steps; bar: quartiles")
    return figure


def _telling(rows: pd.DataFrame) -> list[str]:
    """The data sets that were timed or whose mult-adds differ from those of every one before."""
    timed = {name for name in datasets_of(rows) if _cell(rows, name)["seconds"].notna().any()}
    kept: list[str] = []
    seen: list[dict[Any, float]] = []
    for name in sorted(datasets_of(rows), key=lambda name: name not in timed):
        counts = _cell(rows, name).set_index(["width", "phase"])["mult_adds"].to_dict()
        if name in timed or counts not in seen:
            kept.append(name)
        seen.append(counts)
    return [name for name in datasets_of(rows) if name in kept]


def _cell(rows: pd.DataFrame, dataset: str) -> pd.DataFrame:
    return rows[rows["dataset"] == dataset]
