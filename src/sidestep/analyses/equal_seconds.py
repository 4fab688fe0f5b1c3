"""What variants reach in equal time: the time that the quickest of a setting needs for its whole run.

As in benchmarks of training speed nothing is interpolated: a variant has reached by then what its last
evaluation showed. Seconds are those of the timing job.
"""

import math
from typing import Any

import pandas as pd

from sidestep import variants
from sidestep.analyses.shared import timeline
from sidestep.analyses.shared.finals import Values, apart, finals, mean
from sidestep.tables import Tables

COLUMNS = [
    *("study", "dataset", "setting", "variant", "method", "head", "seconds", "step", "epoch"),
    *("accuracy", "low", "high", "n", "final_accuracy", "seconds_run", "parameters_of_signals"),
    *("difference", "difference_low", "difference_high", "pairs", "separates"),
]
# Of the seconds compared at: sums of phases differ in their last bits.
ROUNDING = 1e-9


def analyse(tables: Tables) -> pd.DataFrame:
    """One row per data set and timed variant of a setting that has two or more of them.

    Columns: `study`, `dataset`; `setting`, the network and what is done to images, in words; `variant`;
    `method` of learning; `head`, what its blocks learn from, in words (the head of an auxiliary
    classifier, else the signal; empty for end-to-end training); `seconds`, the shortest run of the
    setting, at which all are compared; `step` and `epoch` (whole ones done) of the last evaluation done by then;
    test `accuracy` there with `low` and `high` (95 % t interval) over the `n` seeds that finished;
    `final_accuracy`, their mean at the end of the run, which takes `seconds_run`;
    `parameters_of_signals`; over the `pairs` of seeds that finished in both, the `difference` of
    accuracy at equal seconds to the setting's reference (`sidestep.variants.references`) with
    `difference_low` and `difference_high`; `separates`, 1 where that interval excludes 0.
    """
    study, ends = tables.study, finals(tables)
    phases, references = timeline.phases(tables), variants.references(study)
    curves = timeline.history(tables)
    curves = curves[(curves["split"] == "test") & (curves["quantity"] == "accuracy")]
    signals = tables.main[tables.main["metric"] == "parameters_of_signals"]
    extra = signals.groupby(["dataset", "variant"], sort=False)["value"].mean().to_dict()
    rows: list[dict[str, Any]] = []
    for dataset in study.datasets:
        for setting, group in variants.by_setting(study).items():
            whole = {
                variant.name: timeline.boundaries(phases[dataset, variant.name])[-1]
                for variant in group
                if phases[dataset, variant.name]
            }
            whole = {name: seconds for name, seconds in whole.items() if not math.isnan(seconds)}
            if len(whole) < 2:
                continue
            limit = min(whole.values())
            reached = {
                name: _by_then(
                    curves[(curves["dataset"] == dataset) & (curves["variant"] == name)],
                    limit,
                    ends.lost.get((dataset, name), set()),
                )
                for name in whole
            }
            for name, (step, epoch, values) in reached.items():
                run, reference = study.variant(name).run, references[name]
                _, _, theirs = reached.get(reference, (0, 0, {}))
                found = mean(values)
                rows.append(
                    {
                        **found,
                        "study": study.name,
                        "dataset": dataset,
                        "setting": setting,
                        "variant": name,
                        "method": variants.method(run),
                        "head": variants.head(run),
                        "seconds": limit,
                        "step": step,
                        "epoch": epoch,
                        "accuracy": found["mean"],
                        "final_accuracy": mean(ends.of(dataset, name, "test", "accuracy"))["mean"],
                        "seconds_run": whole[name],
                        "parameters_of_signals": extra.get((dataset, name), math.nan),
                        **apart(values, {} if name == reference else theirs),
                    }
                )
    return pd.DataFrame(rows, columns=COLUMNS)


def _by_then(cell: pd.DataFrame, limit: float, lost: set[int]) -> tuple[float, float, Values]:
    """Step and epoch of the last evaluation by then of a variant's runs that finished, and the values."""
    cell = cell[(cell["seconds"] <= limit * (1 + ROUNDING)) & ~cell["seed"].isin(lost)]
    if cell.empty:
        return math.nan, math.nan, {}
    last = cell[cell["step"] == cell["step"].max()]
    values = dict(zip(last["seed"].astype(int), last["value"].astype(float), strict=True))
    return int(last["step"].iloc[0]), int(last["epoch"].iloc[0]), values
