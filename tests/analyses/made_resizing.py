"""A small made study of networks that size themselves, whose true values are in the tables of this file."""

import math
from collections.abc import Callable, Collection, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from sidestep.study import Study, Variant
from sidestep.tables import Tables

Run = dict[str, Any]
Array = npt.NDArray[np.float64]
#: Data set → variant → a value per seed.
PerSeed = Mapping[str, Mapping[str, tuple[float, ...]]]
#: (data set, variant, seed, epoch, measure) → a value per neuron.
Importance = Callable[[str, str, int, int, str], Array]
#: (data set, variant, seed, measure) → a value.
OfOrder = Callable[[str, str, int, str], float]

NAN = math.nan
COLUMNS = ["study", "dataset", "variant", "seed", "epoch", "images", "metric", "component", "value"]
DATASETS = ("mnist", "fashion_mnist")
SEEDS = (0, 1, 2)
EPOCHS = 4
# Every epoch is evaluated in its middle too.
STEPS_PER_EPOCH = 10
RECORDS = (1, 2, 4)
STAGE = "hidden"
WIDTH = 50
PRICE, DECAY = 1e-3, 1e-5
PROXIES = ("spread", "incoming_norm", "outgoing_norm", "gradient_times_activation", "fisher")
MEASURES = ("zeroing", *PROXIES)
ORDERS = (*MEASURES, "random")
# As the tables of orders are not needed where they are not asked for.
FAST: dict[str, Any] = {"orders": False}


def run(width: int = WIDTH, gate: dict[str, Any] | None = None, **changes: Any) -> Run:
    """A plain layer, or a gated one; `decay` is the optimiser's."""
    return {
        "network": {"name": "mlp", "width": width},
        "gates": {} if gate is None else {STAGE: gate},
        "strategy": {"name": "end_to_end"},
        "optimiser": {"name": "adam", "lr": 1e-3, "weight_decay": changes.pop("decay", DECAY)},
        "schedule": {"name": "constant"},
        "normalisation": "unit",
        "precision": "float32",
        "batch_size": 128,
        "epochs": EPOCHS,
        "records": list(RECORDS),
        "validation": 0,
        "train_images": None,
        "augmentations": [],
        "teacher": None,
        "substituted_decay": "full",
        "evaluate": ["train", "test"],
        "evaluations": 2,
        "probes": [{"name": "sizes"}],
        **changes,
    }


def flexible(start: float, **changes: Any) -> Run:
    """A flexible layer; settings of its gate are in `gate`."""
    gate = {"name": "flexible", "start": start, "price": PRICE} | changes.pop("gate", {})
    return run(gate=gate, **changes)


def matched(teacher: str, **changes: Any) -> Run:
    """A plain layer as large as its teacher's has become."""
    return run(gate={"name": "open", "as_teacher": True}, teacher=teacher, **changes)


def sparsified(width: int, **changes: Any) -> Run:
    """A sparsified layer whose dead neurons are removed between rounds."""
    gate = {"name": "sparsified", "price": PRICE} | changes.pop("gate", {})
    strategy = {"name": "rounds", "edit": {"name": "remove_dead"}, "rounds": 2}
    return run(width, gate, **{"strategy": strategy, **changes})


def by_worth(width: int, price: float = PRICE, **changes: Any) -> Run:
    """A layer whose neurons are sorted by worth between rounds."""
    strategy = {"name": "rounds", "edit": {"name": "by_worth", "price": price}, "rounds": 2}
    return run(width, {"name": "open"}, **{"strategy": strategy, **changes})


RUNS: dict[str, Run] = {
    "plain-small": run(20),
    "plain-large": run(50),
    "soft-low": flexible(5.0),
    "soft-high": flexible(40.0),
    "soft-low-again": matched("soft-low"),
    "soft-high-again": matched("soft-high"),
    "sparse-low": sparsified(10),
    "sparse-high": sparsified(50),
    "sorted-low": by_worth(8),
    "sorted-high": by_worth(40),
}
BASELINE = "plain-large"
METHODS = {
    "plain-small": "static",
    "plain-large": "static",
    "soft-low": "flexible",
    "soft-high": "flexible",
    "soft-low-again": "matched",
    "soft-high-again": "matched",
    "sparse-low": "sparsified",
    "sparse-high": "sparsified",
    "sorted-low": "by_worth",
    "sorted-high": "by_worth",
}

# Neurons used at the last evaluation. Flexible: one size from both starts; sparsified: the start
# stays; sorted: one size on each data set, larger on the harder one. Flexible ones become smaller there.
SIZES: PerSeed = {
    "mnist": {
        "plain-small": (20, 20, 20),
        "plain-large": (50, 50, 50),
        "soft-low": (20.5, 22.0, 21.5),
        "soft-high": (22.0, 21.0, 23.0),
        "soft-low-again": (20, 22, 22),
        "soft-high-again": (22, 21, 23),
        "sparse-low": (9, 10, 8),
        "sparse-high": (31, 33, 29),
        "sorted-low": (16, 17, 17),
        "sorted-high": (17, 16, 18),
    },
    "fashion_mnist": {
        "plain-small": (20, 20, 20),
        "plain-large": (50, 50, 50),
        "soft-low": (14.0, 15.0, 15.5),
        "soft-high": (15.0, 15.0, 16.5),
        "soft-low-again": (14, 15, 16),
        "soft-high-again": (15, 15, 16),
        "sparse-low": (10, 9, 10),
        "sparse-high": (38, 41, 39),
        "sorted-low": (24, 27, 26),
        "sorted-high": (26, 25, 28),
    },
}
# Neurons that are there at the last evaluation: those of a flexible layer never leave.
NEURONS: PerSeed = {
    dataset: {
        name: (WIDTH,) * 3 if METHODS[name] == "flexible" else sizes for name, sizes in its.items()
    }
    for dataset, its in SIZES.items()
}
# Test accuracy at the last evaluation.
ACCURACIES: PerSeed = {
    "mnist": {
        "plain-small": (0.950, 0.952, 0.951),
        "plain-large": (0.975, 0.977, 0.976),
        "soft-low": (0.960, 0.963, 0.961),
        "soft-high": (0.962, 0.962, 0.963),
        "soft-low-again": (0.965, 0.966, 0.967),
        "soft-high-again": (0.961, 0.964, 0.962),
        "sparse-low": (0.940, 0.938, 0.942),
        "sparse-high": (0.979, 0.980, 0.978),
        "sorted-low": (0.958, 0.959, 0.957),
        "sorted-high": (0.957, 0.960, 0.958),
    },
    "fashion_mnist": {
        "plain-small": (0.860, 0.862, 0.861),
        "plain-large": (0.885, 0.887, 0.883),
        "soft-low": (0.865, 0.868, 0.866),
        "soft-high": (0.866, 0.868, 0.868),
        "soft-low-again": (0.870, 0.871, 0.873),
        "soft-high-again": (0.866, 0.869, 0.867),
        "sparse-low": (0.840, 0.838, 0.843),
        "sparse-high": (0.889, 0.890, 0.886),
        "sorted-low": (0.872, 0.875, 0.872),
        "sorted-high": (0.873, 0.872, 0.874),
    },
}


def train_accuracy(accuracy: float) -> float:
    """That of the training images, by test accuracy: closer to 1."""
    return 1 - (1 - accuracy) / 2


def loss(accuracy: float) -> float:
    """Loss in nats of the images that have this accuracy."""
    return 3 * (1 - accuracy)


def liveness(size: float) -> float:
    """Sum of the absolute factors of a sparsified layer, by size; that of any other gate is the size."""
    return 0.8 * size


def costs(neurons: float, seed: int) -> dict[str, float]:
    """What a run of so many neurons costs."""
    return {
        "parameters": 795 * neurons + 10,
        "mult_adds_forward_per_image": 794 * neurons,
        "stored_bytes": 3180 * neurons + 40,
        "seconds_train": 10 + neurons + seed,
    }


def importance(dataset: str, variant: str, seed: int, epoch: int, measure: str) -> Array:
    """Drawn anew for every epoch, no two alike."""
    place = (DATASETS.index(dataset), list(METHODS).index(variant), MEASURES.index(measure))
    count = int(NEURONS[dataset][variant][seed])
    return np.random.default_rng([*place, seed, epoch]).exponential(size=count)


def area(dataset: str, variant: str, seed: int, measure: str) -> float:
    """What an order keeps: the exact one most, chance least; differences wander with the seed."""
    drawn = list(METHODS).index(variant) + DATASETS.index(dataset)
    place = ORDERS.index(measure)
    return 0.8 - 0.05 * place - 0.003 * (((place + 1) * (seed + 1) + drawn) % 11)


def rank_correlation(dataset: str, variant: str, seed: int, measure: str) -> float:
    """With the exact order, of a proxy."""
    drawn = list(METHODS).index(variant) - DATASETS.index(dataset)
    return 0.9 - 0.1 * MEASURES.index(measure) + 0.02 * seed - 0.005 * drawn


def outgoing(scales: Array, decay: float) -> Array:
    """Mean absolute outgoing weights by factors: with decay those switched off are nearly 0."""
    initial = 0.5 / math.sqrt(len(scales))
    off = 0.01 * initial if decay else initial
    return np.where(scales < 0.5, off, 3 * initial)


def made(
    runs: Mapping[str, Run] = RUNS,
    *,
    sizes: PerSeed = SIZES,
    accuracies: PerSeed = ACCURACIES,
    neurons: PerSeed = NEURONS,
    datasets: tuple[str, ...] = DATASETS,
    seeds: tuple[int, ...] = SEEDS,
    baseline: str = BASELINE,
    diverged: Collection[tuple[str, str, int]] = (),
    importances: Importance = importance,
    areas: OfOrder = area,
    rank_correlations: OfOrder = rank_correlation,
    orders: bool = True,
    analyses: tuple[dict[str, Any], ...] = (),
    more: Collection[tuple[Any, ...]] = (),
) -> Tables:
    """The study.

    Args:
        runs: variant → its run.
        sizes: at the last evaluation, of gated variants; they move there from the start in equal steps.
        accuracies: of test images at the last evaluation; losses follow from them by `loss`.
        neurons: that are there at the last evaluation.
        datasets: of the study.
        seeds: of the study.
        baseline: a variant.
        diverged: runs, as data set, variant and seed, whose last losses are not finite.
        importances: of neurons at each recorded epoch.
        areas: of orders, `area_kept_<order>`.
        rank_correlations: of proxies.
        orders: whether importances and what belongs to them are measured.
        analyses: that the study names.
        more: rows besides, of `COLUMNS` without the study.
    """
    study = Study(
        name="resizing", title="made", datasets=datasets, seeds=seeds,
        variants=tuple(Variant(name, {}, its) for name, its in runs.items()),
        baseline=baseline, timing_datasets=(), timing_steps=1,
        metrics=(), group_metrics=(), analyses=analyses, figures=(),
    )  # fmt: skip
    rows: list[tuple[Any, ...]] = []
    for dataset in datasets:
        for name, its in runs.items():
            for seed in seeds:
                place = (dataset, name, str(seed))
                size = sizes[dataset][name][seed] if its["gates"] else NAN
                there = neurons[dataset][name][seed]
                accuracy = accuracies[dataset][name][seed]
                lost = (dataset, name, seed) in diverged
                rows += [(*place, *row) for row in history(accuracy, lost)]
                rows += [(*place, *row) for row in probes(its, size, there)]
                for metric, value in costs(there, seed).items():
                    rows.append((*place, EPOCHS, "", metric, NAN, value))
                if lost:
                    continue
                gate = its["gates"].get(STAGE, {})
                if gate.get("name") == "flexible":
                    scales = 1 / (1 + np.exp(np.arange(there) - size))
                    decay = its["optimiser"]["weight_decay"]
                    curves = {
                        "gate_scale": scales,
                        "gate_incoming": np.full(len(scales), 0.03),
                        "gate_outgoing": outgoing(scales, decay),
                    }
                    for metric, values in curves.items():
                        for index, value in enumerate(values):
                            rows.append((*place, EPOCHS, "", metric, float(index), float(value)))
                if orders:
                    for epoch in its["records"]:
                        for measure in MEASURES:
                            found = importances(dataset, name, seed, epoch, measure)
                            rows += [
                                (*place, epoch, "train", f"importance_{measure}", index, value)
                                for index, value in enumerate(found)
                            ]
                    for measure in PROXIES:
                        value = rank_correlations(dataset, name, seed, measure)
                        row = (EPOCHS, "train", f"rank_correlation_{measure}", NAN, value)
                        rows.append((*place, *row))
                    for measure in ORDERS:
                        kept = areas(dataset, name, seed, measure)
                        rows.append((*place, EPOCHS, "test", f"area_kept_{measure}", NAN, kept))
                        for count in (1, 2, 4, int(there)):
                            share = accuracy - (accuracy - 0.1) * (1 - count / there) * (1 - kept)
                            for metric, value in (("accuracy", share), ("loss", loss(share))):
                                row = (EPOCHS, "test", f"{metric}_kept_{measure}", count, value)
                                rows.append((*place, *row))
    rows = [("resizing", *row) for row in (*rows, *more)]
    return Tables(study, _read={"": pd.DataFrame(rows, columns=COLUMNS)})


# Of the evaluations.
STEPS = [STEPS_PER_EPOCH * half // 2 for half in range(2 * EPOCHS + 1)]


def history(accuracy: float, lost: bool) -> list[tuple[Any, ...]]:
    """Rows of a run's losses and accuracies from `epoch` on; one that is lost stops half-way."""
    rows = []
    steps = STEPS[: len(STEPS) // 2 + 1] if lost else STEPS
    for step in steps:
        # Before the end everything is far worse.
        test = accuracy if step == STEPS[-1] else 0.1 + 0.5 * accuracy * step / STEPS[-1]
        for images, share in (("test", test), ("train", train_accuracy(test))):
            cost = math.inf if lost and step == steps[-1] else loss(share)
            for metric, value in (("history_loss", cost), ("history_accuracy", share)):
                rows.append((step // STEPS_PER_EPOCH, images, metric, float(step), value))
    return rows


def probes(its: Run, size: float, neurons: float) -> list[tuple[Any, ...]]:
    """Rows of all gates' sizes from `epoch` on: from the start to the last one in equal steps."""
    rows = []
    for stage, gate in its["gates"].items():
        is_flexible = gate["name"] == "flexible"
        start = gate["start"] if is_flexible else its["network"]["width"]
        for step in STEPS:
            share = 1.0 if gate.get("as_teacher", False) else step / STEPS[-1]
            now = start + share * (size - start)
            there = neurons if is_flexible else start + share * (neurons - start)
            scale = liveness(now) if gate["name"] == "sparsified" else now
            found = {"size": now, "neurons": there, "scale": scale}
            if is_flexible:
                found["boundary"] = now - 0.5
            epoch = step // STEPS_PER_EPOCH
            for name, value in found.items():
                rows.append((epoch, "", f"probe_{name}.{stage}", float(step), value))
            if is_flexible:
                name = f"probe_boundary_gradient.{stage}"
                rows.append((epoch, "train", name, float(step), 1e-3 * (now - size)))
    return rows


def interval(values: Any) -> tuple[float, float, float]:
    """Mean and 95 % t interval, with the quantile by scipy."""
    mean, n = float(np.mean(values)), len(values)
    half = float(stats.t.ppf(0.975, n - 1) * np.std(values, ddof=1) / math.sqrt(n))
    return mean, mean - half, mean + half


def paired(mine: Any, theirs: Any) -> tuple[float, float, float]:
    """Of differences, seed by seed."""
    return interval(np.subtract(mine, theirs))


def with_cell(of: PerSeed, dataset: str, variant: str, *values: float) -> Any:
    """The same values, but for those of one variant on one data set."""
    return {**of, dataset: {**of[dataset], variant: values}}
