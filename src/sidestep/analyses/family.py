"""The decoupled family beside end-to-end training: what each variant reaches, what it costs, and what sets it apart."""

import math
from typing import Any

import pandas as pd

from sidestep import variants
from sidestep.analyses.shared import timeline
from sidestep.analyses.shared.finals import Finals, apart, finals, mean, spread
from sidestep.study import Study
from sidestep.tables import Tables

MULT_ADDS = "mult_adds_per_step."
# Numbers of a run that the table has of every seed.
OF_RUN = ("parameters", "parameters_of_signals", "peak_memory_bytes")
COLUMNS = [
    *("study", "dataset", "variant", "setting", "method", "n", "diverged"),
    *("accuracy", "accuracy_low", "accuracy_high", "loss", "loss_low", "loss_high"),
    *("train_accuracy", "train_accuracy_low", "train_accuracy_high", "train_loss"),
    *("gap", "gap_low", "gap_high", "reference"),
    *("pairs", "difference", "difference_low", "difference_high", "separates"),
    *("seconds_run", "seconds_per_step", "relative_seconds", "steps"),
    *("mult_adds_per_step", "relative_mult_adds", *OF_RUN),
]


def analyse(tables: Tables) -> pd.DataFrame:
    """One row per data set and variant.

    Columns: `study`, `dataset`, `variant`; `setting`, the network and what is done to images, in words,
    and `method` of learning (`sidestep.variants`); at the last evaluation, over the `n` seeds that
    finished (`diverged`, those that did not), with 95 % t intervals (`_low`, `_high`): test `accuracy` and
    `loss` (nats), `train_accuracy` and `train_loss` (empty where training images were not scored) and
    their `gap`, training minus test accuracy, paired by seed; `reference`, the variant of the same setting
    that it is compared to (the study's baseline, else the setting's first that learns end to end, else
    empty); over the `pairs` of seeds that finished in both, the `difference` in test accuracy to it with
    its interval, and `separates`, 1 where that excludes 0 (a reference has none to itself).

    Costs: `seconds_run`, of training by the timing job (empty if not timed); `seconds_per_step`, that over
    the run's `steps`, and so with what phases compute before their first step; `relative_seconds`, of a
    step, over the reference's; `mult_adds_per_step`, the mean over the run's steps of what phases count
    (empty where how its steps are shared between phases is not known), without what they compute before
    their first; `relative_mult_adds`, over the reference's; means over all seeds of `parameters` (of the
    network), `parameters_of_signals` and `peak_memory_bytes`.
    """
    study = tables.study
    ends, phases = finals(tables), timeline.phases(tables)
    references = variants.references(study)
    rows: list[dict[str, Any]] = []
    for dataset in study.datasets:
        frame = tables.main[tables.main["dataset"] == dataset]
        costs = {
            variant.name: _costs(
                frame[frame["variant"] == variant.name], phases[dataset, variant.name]
            )
            for variant in study.variants
        }
        for variant in study.variants:
            cost = costs[variant.name]
            known = costs.get(references[variant.name], {})
            rows.append(
                {
                    **_ends(ends, study, dataset, variant.name, references[variant.name]),
                    **cost,
                    "relative_seconds": _ratio(cost, known, "seconds_per_step"),
                    "relative_mult_adds": _ratio(cost, known, "mult_adds_per_step"),
                }
            )
    return pd.DataFrame(rows, columns=COLUMNS)


def _ends(ends: Finals, study: Study, dataset: str, variant: str, reference: str) -> dict[str, Any]:
    """What a variant reaches, and how that differs from its reference."""
    run = study.variant(variant).run
    accuracy = ends.of(dataset, variant, "test", "accuracy")
    train = ends.of(dataset, variant, "train", "accuracy")
    theirs = ends.of(dataset, reference, "test", "accuracy")
    gap = {seed: train[seed] - accuracy[seed] for seed in train.keys() & accuracy.keys()}
    return {
        "study": study.name,
        "dataset": dataset,
        "variant": variant,
        "setting": variants.setting(run),
        "method": variants.method(run),
        "n": len(accuracy),
        "diverged": ends.diverged(dataset, variant),
        **spread(accuracy, "accuracy"),
        **spread(ends.of(dataset, variant, "test", "loss"), "loss"),
        **spread(train, "train_accuracy"),
        "train_loss": mean(ends.of(dataset, variant, "train", "loss"))["mean"],
        **spread(gap, "gap"),
        "reference": reference,
        **apart(accuracy, {} if variant == reference else theirs),
    }


def _costs(cell: pd.DataFrame, phases: timeline.Phases) -> dict[str, float]:
    """What the table holds of a variant's costs, and what follows from it."""
    means = cell[cell["seed"] != ""].groupby("metric", sort=False)["value"].mean().to_dict()
    steps = float(phases[-1].end) if phases else means.get("steps", math.nan)
    ends = timeline.boundaries(phases)
    seconds = ends[-1] if ends else math.nan
    return {
        "seconds_run": seconds,
        "seconds_per_step": seconds / steps if steps else math.nan,
        "steps": steps,
        "mult_adds_per_step": _mult_adds(means, phases),
        **{name: means.get(name, math.nan) for name in OF_RUN},
    }


def _mult_adds(means: dict[Any, float], phases: timeline.Phases) -> float:
    """Of a step, as a mean over all steps of the run."""
    counted = {
        str(metric).removeprefix(MULT_ADDS): value
        for metric, value in means.items()
        if str(metric).startswith(MULT_ADDS)
    }
    if len(counted) == 1:
        return next(iter(counted.values()))
    shares = {phase.name: phase.end - phase.begin for phase in phases}
    if not counted or counted.keys() != shares.keys():
        return math.nan
    return sum(counted[name] * share for name, share in shares.items()) / sum(shares.values())


def _ratio(mine: dict[str, float], theirs: dict[str, float], name: str) -> float:
    return mine[name] / (theirs.get(name, math.nan) or math.nan)
