"""How the end of training depends on the learning rate, where nothing else differs."""

import math
from typing import Any

import pandas as pd

from sidestep import things, variants
from sidestep.analyses.shared.finals import finals, spread
from sidestep.analyses.shared.groups import labelled
from sidestep.study import Variant
from sidestep.tables import Tables

COLUMNS = [
    *("study", "dataset", "group", "variant", "learning_rate"),
    *("accuracy", "low", "high", "loss", "loss_low", "loss_high", "n", "diverged", "best"),
]


def analyse(tables: Tables) -> pd.DataFrame:
    """One row per data set and variant of a group of two or more that differ in the learning rate alone.

    Columns: `study`, `dataset`; `group`, its setting and its method of learning (with what its blocks
    learn from, and then a number, where groups would have one name); `variant`; `learning_rate`, rising
    within a group; on the test images at the last evaluation, over the `n` seeds that finished, `accuracy`
    with `low` and `high` and `loss` (nats) with `loss_low` and `loss_high` (95 % t intervals);
    `diverged`, the seeds that did not finish; `best`, 1 for the group's highest mean accuracy (the lowest
    rate of those that are equal).
    """
    study, ends = tables.study, finals(tables)
    groups = [sorted(group, key=_rate) for group in variants.differing_in(study, "optimiser.lr")]
    names = labelled(
        groups,
        lambda variant: f"{variants.setting(variant.run)}: {variants.method(variant.run)}",
        lambda variant: variants.head(variant.run),
    )
    rows: list[dict[str, Any]] = []
    for dataset in study.datasets:
        for name, group in zip(names, groups, strict=True):
            found = {
                variant.name: spread(ends.of(dataset, variant.name, "test", "accuracy"), "accuracy")
                for variant in group
            }
            known = {key: each["accuracy"] for key, each in found.items()}
            known = {key: value for key, value in known.items() if not math.isnan(value)}
            best = max(known, key=lambda key: known[key], default="")
            for variant in group:
                its = found[variant.name]
                rows.append(
                    {
                        "study": study.name,
                        "dataset": dataset,
                        "group": name,
                        "variant": variant.name,
                        "learning_rate": _rate(variant),
                        "accuracy": its["accuracy"],
                        "low": its["accuracy_low"],
                        "high": its["accuracy_high"],
                        **spread(ends.of(dataset, variant.name, "test", "loss"), "loss"),
                        "n": len(ends.of(dataset, variant.name, "test", "accuracy")),
                        "diverged": ends.diverged(dataset, variant.name),
                        "best": int(variant.name == best),
                    }
                )
    return pd.DataFrame(rows, columns=COLUMNS)


def _rate(variant: Variant) -> float:
    return float(things.complete("optimisers", variant.run["optimiser"]).get("lr", math.nan))
