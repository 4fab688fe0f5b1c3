"""Loss and accuracy against training time, as curves over seeds: what the study's main graph draws."""

from collections import Counter

import numpy as np
import pandas as pd

from sidestep import variants
from sidestep.analyses.shared import timeline
from sidestep.tables import Tables

KEYS = ["dataset", "variant", "split", "quantity", "step", "seconds", "phase"]
COLUMNS = ["study", *KEYS, "phase_end", "reads", "mean", "low", "high", "n", "diverged"]


def analyse(tables: Tables) -> pd.DataFrame:
    """One row per data set, variant, split, quantity and evaluation.

    Columns: `study`, `dataset`, `variant`; `split` (`test`, `validation`, `train`, or `batch`: the
    mean training loss over the batches since the evaluation before); `quantity` (`loss` or
    `accuracy`); `step`; `seconds` of training by then (empty where the data set was not timed);
    `phase` in which the step was done; `phase_end`, 1 where it was the phase's last; `reads`, whose
    loss it is: `network`, the cross-entropy of the whole network (nats); `own head`, that of the
    trained block's own classifier (nats); `signal`, a signal's own unit, or a sum of objectives;
    `mean`, `low`, `high` (smallest and largest) and `n` over the seeds whose value is finite; `diverged`, how
    many seeds of the variant lose that on their way. An evaluation at which no seed has a finite value
    is left out.
    """
    study = tables.study
    curves = timeline.history(tables)
    finite = curves[np.isfinite(curves["value"].astype(float))]
    found = finite.groupby(KEYS, sort=False, dropna=False)["value"].agg(
        mean="mean", low="min", high="max", n="count"
    )
    table = found.reset_index()
    runs = {variant.name: variant.run for variant in study.variants}
    ends = {
        (*place, phase.end) for place, phases in timeline.phases(tables).items() for phase in phases
    }
    places = zip(table["dataset"], table["variant"], table["step"], strict=True)
    table["phase_end"] = [int(place in ends) for place in places]
    table["reads"] = [
        _reads(runs[name], phase, split)
        for name, phase, split in zip(table["variant"], table["phase"], table["split"], strict=True)
    ]
    lost = Counter((dataset, name) for dataset, name, _ in timeline.diverged(curves))
    cells = zip(table["dataset"], table["variant"], strict=True)
    return table.assign(study=study.name, diverged=[lost[cell] for cell in cells])[COLUMNS]


def _reads(run: variants.Run, phase: str, split: str) -> str:
    return variants.reads(run, phase) if split == "batch" else variants.NETWORK
