"""Made studies of networks whose convolutions are substituted, with every row that their figures read."""

import math
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from sidestep import registry
from sidestep import variants as settings_of
from sidestep.study import Study, Variant
from sidestep.tables import Tables

PER_EPOCH, EPOCHS = 30, 6
ANALYSES = (
    *("timeline", "pareto", "teaching", "decay", "speedup", "repeats", "matrix_fit"),
    "published_substitution",
)
SETTINGS: dict[str, dict[str, Any]] = {
    "matrix_fit": {"sizes_per_layer": 2, "matrices": 2, "steps": 2, "side": 8}
}
Row = tuple[Any, ...]
Run = dict[str, Any]
MATCHED = ("narrower", "shallower")
MAIN = ("hashed", "separable_hashed", "low_rank")
OTHERS = (
    "separable",
    "tied_low_rank",
    "shuffle",
    "tensor_train",
    "tucker",
    "cp",
    "acdc",
    "monarch",
)
# Layer → share of the dense accuracy that a tenth of the parameters keeps, multiply-adds and seconds
# for those of the dense network at that size.
LAYERS = {
    "dense": (1.0, 1.0, 1.0), "narrower": (0.87, 0.12, 0.3), "shallower": (0.82, 0.2, 0.25),
    "hashed": (0.93, 1.0, 1.3), "separable_hashed": (0.95, 0.14, 0.7), "low_rank": (0.9, 0.11, 0.8),
    "separable": (0.96, 0.13, 0.6), "tied_low_rank": (0.85, 0.16, 0.9), "shuffle": (0.92, 0.11, 0.75),
    "tensor_train": (0.88, 0.3, 1.6), "tucker": (0.91, 0.12, 0.85), "cp": (0.8, 0.1, 1.1),
    "acdc": (0.78, 0.25, 2.4), "monarch": (0.9, 0.15, 1.2),
}  # fmt: skip
DENSE = 174970


def run(layer: str = "dense", budget: float = 1.0, **changes: Any) -> Run:
    """A resolved run of a network with a layer, or matched to a budget."""
    match = layer if layer in MATCHED else "none"
    network = {
        "name": "wide_resnet", "depth": 16, "width": 1, "budget": budget, "base": "network",
        "layer": {"name": "dense" if layer in MATCHED else layer}, "match": match,
    }  # fmt: skip
    return {
        "network": network,
        "strategy": {"name": "end_to_end"},
        "optimiser": {"name": "sgd", "lr": 0.1, "momentum": 0.9, "weight_decay": 0.0005},
        "schedule": {"name": "cosine"},
        "batch_size": 128,
        "epochs": EPOCHS,
        "train_images": None,
        "records": [EPOCHS],
        "evaluate": ["train", "test"],
        "probes": [],
        "normalisation": "standard",
        "augmentations": [{"name": "random_crop"}, {"name": "horizontal_flip"}],
        "precision": "float32",
        "teacher": None,
        "substituted_decay": "full",
        **changes,
    }


def taught(layer: str, budget: float, **changes: Any) -> Run:
    """The same, with the dense network as its teacher."""
    strategy = {"name": "distilled", "stages": ["group1", "group2", "group3"]}
    return run(layer, budget, strategy=strategy, teacher="dense", **changes)


def at(budget: float, layers: tuple[str, ...], mark: str = "") -> dict[str, Run]:
    """Each layer at a budget, alone and taught."""
    return {
        **{f"{layer}{mark}": run(layer, budget) for layer in layers},
        **{f"{layer}{mark}-taught": taught(layer, budget) for layer in layers},
    }


# Eleven variants, the small size of the study.
USUAL = {"dense": run(), **at(0.25, (*MATCHED, *MAIN))}
# Its full size.
LARGE = {
    "dense": run(),
    **{name: its for budget in (0.05, 0.1, 0.3)
       for name, its in at(budget, (*MATCHED, *MAIN), f"-{budget:g}").items()},
    **at(0.1, OTHERS, "-0.1"),
    **{f"{layer}-0.1-decay": run(layer, 0.1, substituted_decay="scaled")
       for layer in (*MAIN, *OTHERS)},
    **{f"{layer}-0.1-taught-decay": taught(layer, 0.1, substituted_decay="scaled")
       for layer in MAIN},
}  # fmt: skip
# A pair of variants that are the same but for their names.
TWICE = {
    **USUAL,
    "hashed-again": run("hashed", 0.25),
    "hashed-decay": run("hashed", 0.25, substituted_decay="scaled"),
}


def tables(
    variants: dict[str, Run] | None = None,
    *,
    datasets: tuple[str, ...] = ("cifar10",),
    seeds: tuple[int, ...] = (0, 1, 2),
    timed: tuple[str, ...] | None = None,
    diverged: tuple[tuple[str, int], ...] = (),
) -> Tables:
    """A study; its `diverged` runs (variant, seed) stop after a third of their steps."""
    runs = USUAL if variants is None else variants
    timed = datasets[:1] if timed is None else timed
    study = Study(
        name="substitution", title="made", datasets=datasets, seeds=seeds,
        variants=tuple(Variant(name, {}, its) for name, its in runs.items()),
        baseline=next(iter(runs)), timing_datasets=timed, timing_steps=20, metrics=(),
        group_metrics=(), figures=(),
        analyses=tuple({"name": name, **SETTINGS.get(name, {})} for name in ANALYSES),
    )  # fmt: skip
    rows: list[Row] = []
    for dataset in datasets:
        for name, described in runs.items():
            place = ("substitution", dataset, name)
            if dataset in timed:
                rows += [(*place, "", math.nan, "", *row) for row in _timing(described)]
            for seed in seeds:
                noise = np.random.default_rng(zlib.crc32(f"{dataset} {name} {seed}".encode()))
                # The seed's own share, the same for all variants.
                common = np.random.default_rng(seed).standard_normal()
                short = (name, seed) in diverged
                for row in _run(described, noise, common, short=short):
                    rows.append((*place, str(seed), *row))
    columns = ["study", "dataset", "variant", "seed", "epoch", "images", "metric"]
    made = Tables(study, _read={"": pd.DataFrame(rows, columns=[*columns, "component", "value"])})
    for name in ANALYSES:
        analysis = registry.load("analyses", name).analyse
        made._read[name] = analysis(made, **SETTINGS.get(name, {}))
    return made


def _costs(run: Run) -> dict[str, float]:
    """What a network costs, whatever its seed."""
    layer, budget = settings_of.layer(run), float(run["network"]["budget"])
    _, work, slow = LAYERS[layer]
    shift = 1 - (zlib.crc32(layer.encode()) % 40) / 1000
    parameters = DENSE if layer == "dense" else int(DENSE * budget * shift)
    share = work if layer in ("dense", "hashed") else min(1.0, work * (budget / 0.1) ** 0.8)
    extra = {"hashed": 0.01, "monarch": 0.02}.get(layer, 0.0)
    return {
        "parameters": parameters,
        "stored_bytes": 4.0 * parameters + 30000,
        "mult_adds_closed": int(25.7e6 * share),
        "mult_adds_forward_per_image": int(25.7e6 * (share + extra)),
        "seconds_forward": 0.03 * slow * (0.7 + 0.3 * share),
        "seconds_step": 0.09 * slow * (0.7 + 0.3 * share) * (1.3 if run["teacher"] else 1.0),
    }


def _timing(run: Run) -> Iterator[Row]:
    """Metric, component and value."""
    cost, steps = _costs(run), PER_EPOCH * run["epochs"]
    yield "phase_steps.all", math.nan, steps
    yield "seconds_entry.all", math.nan, 0.0
    for quantity, factor in (("q1", 0.95), ("median", 1.0), ("q3", 1.1)):
        yield f"seconds_per_step_{quantity}.all", math.nan, factor * cost["seconds_step"]
        yield f"seconds_forward_{quantity}", math.nan, factor * cost["seconds_forward"]
    yield "batch_size", math.nan, run["batch_size"]
    yield "seconds_run", math.nan, steps * cost["seconds_step"]


def _run(run: Run, noise: Any, common: float, *, short: bool) -> Iterator[Row]:
    """Epoch, images, metric, component and value of one run."""
    epochs, cost = run["epochs"], _costs(run)
    for name in ("parameters", "stored_bytes", "mult_adds_closed", "mult_adds_forward_per_image"):
        yield epochs, "", name, math.nan, cost[name]
    yield epochs, "", "parameters_of_signals", math.nan, 0.0
    yield epochs, "", "steps", math.nan, PER_EPOCH * epochs
    yield epochs, "", "peak_memory_bytes", math.nan, 2**20 * (300 + 20 * noise.random())
    yield epochs, "", "mult_adds_per_step.all", math.nan, 3.0 * 128 * cost["mult_adds_closed"]
    kept = LAYERS[settings_of.layer(run)][0]
    if settings_of.layer(run) != "dense":
        kept *= (float(run["network"]["budget"]) / 0.1) ** 0.06
    best = 0.74 * kept + (0.018 if run["teacher"] else 0.0)
    best += 0.006 * (run["substituted_decay"] == "scaled")
    best += 0.008 * common + 0.006 * noise.standard_normal()
    for step in range(0, PER_EPOCH * epochs + 1, PER_EPOCH):
        stop = short and step > PER_EPOCH * epochs / 3
        epoch = step // PER_EPOCH
        for images, more in (("train", 0.012 * epoch), ("test", 0.0)):
            share = 0.1 + (best - 0.1 + more) * (1 - math.exp(-0.6 * epoch))
            share = min(max(share + 0.004 * noise.standard_normal(), 0.0), 0.999)
            loss = math.nan if stop else max(2.303 * (1 - share) ** 0.8, 1e-3)
            yield epoch, images, "history_loss", step, loss
            yield epoch, images, "history_accuracy", step, 0.1 if stop else share
        if step:
            yield epoch, "batch", "history_loss", step, math.nan if stop else 1.0
        if stop:
            return
