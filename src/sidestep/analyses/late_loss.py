"""Is the loss noisy late in training, and is it the optimiser's doing?

The journal saw losses that jump after many epochs, blamed Adam at very low loss, and asked for the least and
the largest loss of several runs and for a comparison with AdaMax; neither was done.
"""

import itertools
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from sidestep import variants
from sidestep.analyses.shared import timeline
from sidestep.study import Study
from sidestep.sweeps import OPTIMISER, sweeps_of
from sidestep.tables import Tables

COLUMNS = [
    *("study", "dataset", "variant", "optimiser", "epoch", "n", "least", "median", "most", "jumps"),
]
# A loss has jumped when it is this many times the one of the evaluation before.
JUMP = 2.0
# Step → loss on the training images, of one run.
Curve = Mapping[int, float]


def analyse(tables: Tables) -> pd.DataFrame:
    """One row per data set, variant and evaluation of every group of variants that `compared` gives.

    Columns: `study`, `dataset`, `variant`; its `optimiser` in words; `epoch`, passes over the training images until
    the evaluation, a fraction within an epoch; `n`, runs that were evaluated then with a finite loss; `least`,
    `median` and `most` of these losses on the training images (nats); `jumps`, of how many runs the loss has more than
    doubled since the evaluation before, and with it exceeds the least so far by more than a factor of 2. A loss that
    is not finite has jumped, and its run is not among the `n`; in later rows a run that has stopped counts nowhere.

    Args:
        tables: of the study; runs that were not evaluated on the training images have no rows.
    """
    study, every = tables.study, curves(tables)
    rows: list[dict[str, Any]] = []
    for dataset in study.datasets:
        for group in compared(study):
            for variant, words in group.items():
                runs = every.get((dataset, variant), {})
                run = study.variant(variant).run
                place = {"study": study.name, "dataset": dataset, "variant": variant}
                rows += [{**place, "optimiser": words, **row} for row in _rows(runs, run)]
    return pd.DataFrame(rows, columns=COLUMNS)


def compared(study: Study) -> list[dict[str, str]]:
    """Groups of variants that differ in the optimiser alone and have two of other names: variant → words.

    Where only a setting of one update rule differs, such as its decay, that is another question.
    """
    found = []
    for sweep in sweeps_of(study):
        if sweep.setting == OPTIMISER:
            names = {study.variant(m.variant).run["optimiser"]["name"] for m in sweep.members}
            if len(names) > 1:
                found.append({member.variant: member.label for member in sweep.members})
    return found


def curves(tables: Tables) -> dict[tuple[str, str], dict[int, Curve]]:
    """Data set and variant → seed → the losses on the training images by step, in their order."""
    frame = timeline.history(tables)
    chosen = frame[(frame["split"] == "train") & (frame["quantity"] == "loss")]
    found: dict[tuple[str, str], dict[int, dict[int, float]]] = {}
    columns = (chosen.sort_values("step")[key] for key in ("dataset", "variant", "seed", "step"))
    values = chosen.sort_values("step")["value"]
    for dataset, variant, seed, step, value in zip(*columns, values, strict=True):
        runs = found.setdefault((str(dataset), str(variant)), {})
        runs.setdefault(int(seed), {})[int(step)] = float(value)
    return {key: dict(runs) for key, runs in found.items()}


def jumps(curve: Curve) -> tuple[int, ...]:
    """The steps of a run at which its loss has jumped."""
    steps = list(curve)
    return tuple(
        step
        for before, step in itertools.pairwise(steps)
        if not np.isfinite(curve[step]) or curve[step] > JUMP * curve[before]
    )


def _rows(runs: Mapping[int, Curve], run: variants.Run) -> list[dict[str, Any]]:
    """Those of one data set and variant, by rising step."""
    steps = sorted({step for curve in runs.values() for step in curve})
    jumped = {seed: jumps(curve) for seed, curve in runs.items()}
    rows = []
    for step in steps:
        values = np.array([curve[step] for curve in runs.values() if step in curve])
        finite = values[np.isfinite(values)]
        some = len(finite) > 0
        rows.append(
            {
                # The run that came furthest has done all its epochs.
                "epoch": run["epochs"] * step / steps[-1] if steps[-1] else 0.0,
                "n": len(finite),
                "least": finite.min() if some else np.nan,
                "median": np.median(finite) if some else np.nan,
                "most": finite.max() if some else np.nan,
                "jumps": sum(step in its for its in jumped.values()),
            }
        )
    return rows
