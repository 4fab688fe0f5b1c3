"""How graphs grow, what their operations are worth and what they reach, from round to round."""

from bisect import bisect_left
from typing import Any

import pandas as pd

from sidestep.analyses.shared import timeline
from sidestep.analyses.shared.evolution import (
    GRAPH,
    INFERENCE,
    Scores,
    finite,
    probed,
    round_ends,
    seconds,
)
from sidestep.analyses.shared.finals import Values
from sidestep.statistics.intervals import mean_interval
from sidestep.tables import Tables

READS = ("table", "runs", "data")
SPLITS = ("train", "validation", "test")
COLUMNS = [
    *("study", "dataset", "variant", "step", "epoch", "round", "quantity"),
    *("n", "mean", "low", "high"),
]
KEYS = ["dataset", "variant", "quantity", "step", "epoch"]


def analyse(tables: Tables) -> pd.DataFrame:
    """One row per data set, variant, quantity and evaluation.

    Columns: `study`, `dataset`, `variant`; `step` and `epoch` of the evaluation, and `round`, the phase of which it was
    the step, from 1 (1 for a variant without rounds, and before the first step); `quantity`; over the `n` runs that
    finished and have a finite value, its `mean` with a 95 % t interval (`low`, `high`), of scores and losses corrected
    for the overlap of splits where runs draw their own.

    Quantities, where they are known: `operations`, `depth`, `constants`, `leaves` of the graph and `parameters` of the
    network; `importance_inputs` and `importance_operations`, sums over columns of what each contributes to the outputs,
    and of operations the `importance_least` of a leaf, `importance_median` and `importance_most`; `train`,
    `validation` and `test` score, and `train_loss`, `validation_loss` and `test_loss`; `seconds` of training by the
    clock of the jobs, which run side by side; `seconds_1` and `seconds_256` of a forward pass.
    """
    study, scores = tables.study, Scores.of(tables)
    every = pd.concat(
        [probed(tables, (*GRAPH, *INFERENCE)), _learned(tables, scores), _clock(tables)],
        ignore_index=True,
    )
    steps = every.groupby(["dataset", "variant"])["step"].max().to_dict()
    ends = {
        (dataset, variant.name): round_ends(variant.run, int(steps[dataset, variant.name]))
        for dataset in study.datasets
        for variant in study.variants
        if (dataset, variant.name) in steps
    }
    cells: dict[tuple[Any, ...], Values] = {}
    for *key, seed, value in zip(*(every[name] for name in (*KEYS, "seed", "value")), strict=True):
        if int(seed) not in scores.ends.lost.get((key[0], key[1]), ()):
            cells.setdefault(tuple(key), {})[int(seed)] = float(value)
    rows: list[dict[str, Any]] = []
    for (dataset, variant, quantity, step, epoch), each in cells.items():
        values = finite(each)
        if not values:
            continue
        corrected = quantity in _scores()
        found = scores.interval(dataset, values) if corrected else mean_interval([*values.values()])
        rows.append(
            {
                "study": study.name,
                "dataset": dataset,
                "variant": variant,
                "step": int(step),
                "epoch": int(epoch),
                "round": 1 + bisect_left(ends[dataset, variant], step),
                "quantity": quantity,
                "n": found.n,
                "mean": found.mean,
                "low": found.low,
                "high": found.high,
            }
        )
    quantities = [*GRAPH, *_scores(), "seconds", *INFERENCE]
    orders = {
        "dataset": {name: place for place, name in enumerate(study.datasets)},
        "variant": {variant.name: place for place, variant in enumerate(study.variants)},
        "quantity": {name: place for place, name in enumerate(quantities)},
    }
    rows.sort(key=lambda row: ([order[row[name]] for name, order in orders.items()], row["step"]))
    return pd.DataFrame(rows, columns=COLUMNS)


def _scores() -> list[str]:
    """Quantities of single splits."""
    return [*SPLITS, *(f"{name}_loss" for name in SPLITS)]


def _learned(tables: Tables, scores: Scores) -> pd.DataFrame:
    """Scores and losses, in the columns of `probed`."""
    curves = timeline.history(tables)
    curves = curves[curves["split"].isin(SPLITS)]
    of_loss = curves["quantity"] == "loss"
    named = curves["split"].where(~of_loss, curves["split"] + "_loss")
    right = curves["quantity"] == curves["dataset"].map(dict(scores.measures))
    return curves.assign(quantity=named)[of_loss | right][[*KEYS, "seed", "value"]]


def _clock(tables: Tables) -> pd.DataFrame:
    """Seconds of training at every evaluation, in the columns of `probed`."""
    history = tables.main[tables.main["metric"] == "history_loss"]
    epochs = {
        (str(dataset), str(variant), int(seed), int(step)): int(epoch)
        for dataset, variant, seed, step, epoch in zip(
            *(history[name] for name in ("dataset", "variant", "seed", "component", "epoch")),
            strict=True,
        )
    }
    runs = dict.fromkeys(key[:3] for key in epochs)
    clocks = {run: seconds(tables, *run) for run in runs}
    rows = [
        (dataset, variant, "seconds", step, epoch, seed, clocks[dataset, variant, seed][step])
        for (dataset, variant, seed, step), epoch in epochs.items()
        if step in clocks[dataset, variant, seed]
    ]
    return pd.DataFrame(rows, columns=[*KEYS, "seed", "value"])
