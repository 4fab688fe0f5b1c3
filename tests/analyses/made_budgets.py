"""A small made study of substituted layers at budgets of parameters, whose answers are worked out by hand."""

import math
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from sidestep.study import Study, Variant
from sidestep.tables import Tables

NAN = math.nan
COLUMNS = ["study", "dataset", "variant", "seed", "epoch", "images", "metric", "component", "value"]
DENSE = 36_479_194
BATCH = 128
Run = dict[str, Any]


def run(layer: str = "dense", budget: float = 1.0, match: str = "none", **changes: Any) -> Run:
    network = {
        "name": "wide_resnet", "depth": 28, "width": 10, "layer": {"name": layer},
        "budget": budget, "base": changes.pop("base", "layer"), "match": match,
    }  # fmt: skip
    return {
        "network": network,
        "strategy": {"name": "end_to_end"},
        "optimiser": {"name": "sgd", "lr": 0.1},
        "schedule": {"name": "step"},
        "batch_size": BATCH,
        "epochs": 200,
        "records": [200],
        "validation": 0,
        "train_images": None,
        "augmentations": [{"name": "random_crop"}, {"name": "cutout"}],
        "teacher": None,
        "substituted_decay": "full",
        "evaluate": ["test"],
        "probes": [],
        **changes,
    }


def taught(*args: Any, **changes: Any) -> Run:
    return run(*args, **{"strategy": {"name": "distilled"}, "teacher": "dense", **changes})


RUNS = {
    "dense": run(),
    "narrower": run(budget=0.1, match="narrower"),
    "shallower": run(budget=0.1, match="shallower"),
    "hashed": run("hashed", 0.1),
    "low_rank": run("low_rank", 0.1),
    "narrower-taught": taught(budget=0.1, match="narrower"),
    "hashed-taught": taught("hashed", 0.1),
    "hashed-decay": run("hashed", 0.1, substituted_decay="scaled"),
}
VALUES = {
    "dense": (0.95, 0.96, 0.96),
    "narrower": (0.90, 0.92, 0.91),
    "shallower": (0.80, 0.80, 0.80),
    "hashed": (0.93, 0.93, 0.95),
    "low_rank": (0.70, NAN, 0.72),
    "narrower-taught": (0.93, 0.94, 0.95),
    "hashed-taught": (0.95, 0.94, 0.95),
    "hashed-decay": (0.94, 0.92, 0.97),
}
# Parameters, multiply-adds by closed forms, bytes; seconds of a batch of inference and of a step.
COSTS = {
    "dense": (DENSE, 4000.0, 8e7, 1.28, 4.0),
    "narrower": (3.6e6, 400.0, 1e7, 0.64, 2.0),
    "shallower": (3.5e6, 400.0, 1e7, 0.32, 1.0),
    "hashed": (3.9e6, 4000.0, 2e7, 1.60, 5.0),
    "low_rank": (3.6e6, 100.0, 1e7, 1.92, 6.0),
    "narrower-taught": (3.6e6, 400.0, 1e7, 0.64, 2.5),
    "hashed-taught": (3.9e6, 4000.0, 2e7, 1.60, 5.5),
    "hashed-decay": (3.9e6, 4000.0, 2e7, 1.60, 5.0),
}


def made(
    runs: dict[str, Run] = RUNS,
    values: dict[str, tuple[float, ...]] = VALUES,
    *,
    costs: dict[str, tuple[float, ...]] = COSTS,
    timed: bool = True,
    datasets: tuple[str, ...] = ("cifar10",),
    baseline: str = "",
) -> Tables:
    """A study with the last accuracies of variants by seed; `nan` is a run that diverged. Loss: 1 − accuracy."""
    seeds = range(max(map(len, values.values()), default=1))
    study = Study(
        name="substitution", title="made", datasets=datasets, seeds=tuple(seeds),
        variants=tuple(Variant(name, {}, its) for name, its in runs.items()),
        baseline=baseline or next(iter(runs)), timing_datasets=datasets[:1] if timed else (),
        timing_steps=5, metrics=(), group_metrics=(), analyses=(), figures=(),
    )  # fmt: skip
    rows: list[tuple[Any, ...]] = []
    for dataset in datasets:
        for variant, its in values.items():
            size, work, stored, forward, step = costs.get(variant, (NAN,) * 5)
            for seed, accuracy in enumerate(its):
                place = ("substitution", dataset, variant, str(seed))
                for at, share in ((0, 0.1), (50, 0.99), (100, accuracy)):
                    for metric, value in (("history_accuracy", share), ("history_loss", 1 - share)):
                        rows.append((*place, at // 10, "test", metric, at, value))
                for metric, value in {
                    "parameters": size,
                    "mult_adds_closed": work,
                    "mult_adds_forward_per_image": work + 1,
                    "stored_bytes": stored,
                    "peak_memory_bytes": 1e6 * (1 + seed),
                }.items():
                    rows.append((*place, 10, "", metric, NAN, value))
            if timed and dataset == datasets[0] and not math.isnan(forward):
                place = ("substitution", dataset, variant, "", NAN, "")
                found = {"phase_steps.all": 100, "seconds_entry.all": 0.0}
                for quantity, factor in (("q1", 0.9), ("median", 1.0), ("q3", 1.2)):
                    found[f"seconds_per_step_{quantity}.all"] = factor * step
                    found[f"seconds_forward_{quantity}"] = factor * forward
                rows += [(*place, metric, NAN, value) for metric, value in found.items()]
    return Tables(study, _read={"": pd.DataFrame(rows, columns=COLUMNS)})


def interval(values: Any) -> tuple[float, float, float]:
    """Mean and 95 % t interval, by scipy."""
    low, high = stats.t.interval(0.95, len(values) - 1, np.mean(values), stats.sem(values))
    return float(np.mean(values)), float(low), float(high)
