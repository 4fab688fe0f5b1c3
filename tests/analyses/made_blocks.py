"""A small made study of blocks that are trained apart, for its analyses."""

import math
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from sidestep.study import Study, Variant
from sidestep.tables import Tables

NAN = math.nan


COLUMNS = ["study", "dataset", "variant", "seed", "epoch", "images", "metric", "component", "value"]


STEPS = 10  # an epoch


CROP_FLIP = [{"name": "random_crop"}, {"name": "horizontal_flip"}]


MLP = {"name": "auxiliary_classifier", "head": {"name": "mlp"}}


Run = dict[str, Any]


# (variant, seed) → epoch → test accuracy
Curves = dict[tuple[str, int], dict[int, float]]


def run(**changes: Any) -> Run:
    return {
        "network": {"name": "basic_cnn"},
        "strategy": {"name": "end_to_end"},
        "optimiser": {"name": "adam", "lr": 3e-5},
        "schedule": {"name": "constant"},
        "batch_size": 256,
        "epochs": 2,
        "records": [2],
        "validation": 0,
        "train_images": None,
        "normalisation": "symmetric",
        "augmentations": [],
        "precision": "float32",
        "evaluate": ["train", "test"],
        "evaluations": 1,
        "probes": [],
        **changes,
    }


def blocks(signal: Any, **settings: Any) -> Run:
    changes = {key: settings.pop(key) for key in list(settings) if key in run()}
    signal = {"name": signal} if isinstance(signal, str) else signal
    strategy = {"name": "blockwise", "order": "together", "signal": signal, **settings}
    return run(strategy=strategy, **changes)


def made(
    runs: dict[str, Run],
    curves: Curves,
    *,
    seconds: dict[str, float | dict[str, tuple[int, float, float]]] | None = None,
    train: bool = True,
    datasets: tuple[str, ...] = ("cifar10",),
    work: dict[str, dict[str, float]] | None = None,
    baseline: str = "",
) -> Tables:
    """A study; the loss is 1 − accuracy, training accuracy 0.1 above, ten steps an epoch.

    `seconds` of a step, or of each phase steps, seconds before and seconds of a step; `work`, the
    multiply-adds of a step of each phase. An accuracy that is no number is a run that diverged.
    """
    seeds = tuple(dict.fromkeys(seed for _, seed in curves))
    timed = datasets[:1] if seconds else ()
    study = Study(
        name="decoupled", title="made", datasets=datasets, seeds=seeds,
        variants=tuple(Variant(name, {}, run) for name, run in runs.items()),
        baseline=baseline or next(iter(runs)), timing_datasets=timed, timing_steps=5, metrics=(),
        group_metrics=(), analyses=(), figures=(),
    )  # fmt: skip
    rows: list[tuple[Any, ...]] = []
    for dataset in datasets:
        for (variant, seed), curve in curves.items():
            place = ("decoupled", dataset, variant, str(seed))
            for epoch, accuracy in curve.items():
                step = STEPS * epoch
                rows.append((*place, epoch, "batch", "history_loss", step, 1 - accuracy))
                rows.append((*place, epoch, "batch", "history_accuracy", step, NAN))
                for split, more in (("train", 0.1), ("test", 0.0))[not train :]:
                    rows.append((*place, epoch, split, "history_loss", step, 1 - accuracy - more))
                    rows.append((*place, epoch, split, "history_accuracy", step, accuracy + more))
            for name, value in {
                "steps": STEPS * max(curve),
                "parameters": 1000.0,
                "parameters_of_signals": 100.0 + seed,
                "peak_memory_bytes": 1e6 * (1 + seed),
            }.items():
                rows.append((*place, 2, "", name, NAN, value))
            for phase, value in (work or {}).get(variant, {"all": 1e6}).items():
                rows.append((*place, 2, "", f"mult_adds_per_step.{phase}", NAN, value))
    for dataset in timed:
        for variant, its in (seconds or {}).items():
            ends = [max(curve) for (name, _), curve in curves.items() if name == variant]
            whole = {"all": (STEPS * max(ends), 0.0, its)} if isinstance(its, float) else its
            for phase, (steps, entry, median) in whole.items():
                values = {"phase_steps": steps, "seconds_entry": entry}
                values |= {f"seconds_per_step_{key}": median for key in ("q1", "median", "q3")}
                for metric, value in values.items():
                    at = ("decoupled", dataset, variant, "", NAN, "", f"{metric}.{phase}")
                    rows.append((*at, NAN, value))
    return Tables(study, _read={"": pd.DataFrame(rows, columns=COLUMNS)})


def ends(**values: tuple[float, ...]) -> Curves:
    """Variant → its last accuracies, by seed; each begins at 0.1, and `nan` is a run that diverged."""
    return {
        (name, seed): {0: 0.1, 1: value / 2, 2: value}
        for name, its in values.items()
        for seed, value in enumerate(its)
    }


def interval(values: Any) -> tuple[float, float, float]:
    """Mean and 95 % t interval, by scipy."""
    low, high = stats.t.interval(0.95, len(values) - 1, np.mean(values), stats.sem(values))
    return float(np.mean(values)), float(low), float(high)


RECONSTRUCTION = {"name": "reconstruction"}


FAMILY = {
    "backprop": run(),
    "dgl": blocks(MLP),
    "turn": blocks(MLP, order="in_turn"),
    "augmented": blocks(MLP, augmentations=CROP_FLIP),
}


ENDS = ends(
    backprop=(0.60, 0.62, 0.67), dgl=(0.50, 0.55, 0.56), turn=(0.52, NAN, 0.51),
    augmented=(0.7, 0.7, 0.7),
)  # fmt: skip


TURN = {"block1": (8, 0.5, 0.01), "classifier": (12, 1.5, 0.025)}


TIMED: Any = {"backprop": 0.1, "dgl": 0.15, "turn": TURN, "augmented": 0.1}


WORK = {"dgl": {"together": 2e6}, "turn": {"block1": 1e6, "classifier": 3e6}}
