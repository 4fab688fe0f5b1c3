"""Made studies of networks whose blocks learn apart, with every row that their figures read."""

import math
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from sidestep import registry, variants
from sidestep.study import Study, Variant
from sidestep.tables import Tables

PER_EPOCH, EPOCHS = 40, 5
ANALYSES = (
    *("timeline", "family", "order", "published_curves", "data_settings", "learning_rates"),
    "equal_seconds",
)
AUGMENTED = [{"name": "random_crop"}, {"name": "horizontal_flip"}]
Row = tuple[Any, ...]
Run = dict[str, Any]


def run(**changes: Any) -> Run:
    """A resolved run: the whole network, end to end."""
    return {
        "network": {"name": "basic_cnn"},
        "strategy": {"name": "end_to_end"},
        "optimiser": {"name": "adam", "lr": 0.001},
        "schedule": {"name": "constant"},
        "batch_size": 128,
        "epochs": EPOCHS,
        "records": [EPOCHS],
        "evaluate": ["train", "test"],
        "probes": [{"name": "own_heads"}],
        "normalisation": "unit",
        "augmentations": [],
        **changes,
    }


def blocks(signal: Run, order: str = "together", ends: Any = (), **changes: Any) -> Run:
    """A run that trains blocks."""
    strategy = {"name": "blockwise", "order": order, "signal": signal, "ends": list(ends)}
    return run(strategy=strategy, **changes)


def greedy(order: str = "together", head: Any = "mlp", **changes: Any) -> Run:
    """Blocks with an auxiliary classifier each."""
    thing = {"name": head} if isinstance(head, str) else head
    signal = {"name": "auxiliary_classifier", "head": thing}
    if changes.get("network", {"name": "basic_cnn"})["name"] == "basic_cnn":
        changes = {"ends": ["block1", "block2"], **changes}
    return blocks(signal, order, **changes)


def synthetic(context: str, **changes: Any) -> Run:
    return blocks({"name": "synthetic_gradient", "context": context}, **changes)


def family(**changes: Any) -> dict[str, Run]:
    """The six variants of a setting."""
    return {
        "backprop": run(**changes),
        "dgl": greedy(**changes),
        "cdni": synthetic("labels", **changes),
        "dni": synthetic("none", **changes),
        "sequential": greedy("in_turn", **changes),
        "random": blocks({"name": "nothing"}, **changes),
    }


USUAL = family()
LONG = {"epochs": 60, "records": [60]}
RECONSTRUCTION = {
    "reconstruction": blocks({"name": "reconstruction"}, **LONG),
    "reconstruction-and-classes": blocks({"name": "reconstruction", "prediction": 0.1}, **LONG),
    "reconstruction-shifted": blocks({"name": "reconstruction", "shift": "rising"}, **LONG),
}
# The size of the paper: four settings, heads, rates and what is done to images.
LARGE = {
    **family(**LONG),
    **RECONSTRUCTION,
    **{f"{name}-augmented": its for name, its in family(augmentations=AUGMENTED, **LONG).items()},
    **{f"{name}-vgg16-augmented": its
       for name, its in family(network={"name": "vgg16"}, augmentations=AUGMENTED, **LONG).items()},
    **{f"{name}-vgg11c-augmented": its
       for name, its in family(network={"name": "vgg11c"}, augmentations=AUGMENTED, **LONG).items()},
    **{f"dgl-head-{depth}": greedy(head={"name": "mlp", "depth": depth}, **LONG)
       for depth in (0, 2, 3)},
    "dgl-linear": greedy(head="linear", **LONG),
    "dgl-mlp-sr": greedy(head="mlp_sr", **LONG),
    **{f"backprop-{rate:g}": run(optimiser={"name": "adam", "lr": rate}, **LONG)
       for rate in (0.0001, 0.0003, 0.003, 0.01)},
    **{f"dgl-{rate:g}": greedy(optimiser={"name": "adam", "lr": rate}, **LONG)
       for rate in (0.0001, 0.0003, 0.003, 0.01)},
    **{f"{name}-{kind}": {**its, "normalisation": kind}
       for name, its in {"backprop": run(**LONG), "dgl": greedy(**LONG)}.items()
       for kind in ("none", "symmetric")},
}  # fmt: skip
# Two settings, one of which has no end-to-end variant.
FEW = {
    **{name: USUAL[name] for name in ("backprop", "dgl", "sequential")},
    "dgl-flipped": greedy(augmentations=[{"name": "horizontal_flip"}]),
    "dgl-raw": greedy(normalisation="none"),
    "dgl-slow": greedy(optimiser={"name": "adam", "lr": 1e-05}),
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
        name="decoupled", title="made", datasets=datasets, seeds=seeds,
        variants=tuple(Variant(name, {}, run) for name, run in runs.items()),
        baseline=next(iter(runs)), timing_datasets=timed, timing_steps=20, metrics=(),
        group_metrics=(), analyses=tuple({"name": name} for name in ANALYSES), figures=(),
    )  # fmt: skip
    rows: list[Row] = []
    for dataset in datasets:
        for name, described in runs.items():
            phases = _phases(described)
            place = ("decoupled", dataset, name)
            if dataset in timed:
                rows += [(*place, "", math.nan, "", *row) for row in _timing(phases)]
            for seed in seeds:
                short = (name, seed) in diverged
                noise = np.random.default_rng(zlib.crc32(f"{dataset} {name} {seed}".encode()))
                for row in _run(described, phases, noise, short=short):
                    rows.append((*place, str(seed), *row))
    columns = ["study", "dataset", "variant", "seed", "epoch", "images", "metric"]
    made = Tables(study, _read={"": pd.DataFrame(rows, columns=[*columns, "component", "value"])})
    for name in ANALYSES:
        made._read[name] = registry.load("analyses", name).analyse(made)
    return made


def _work(run: Run) -> float:
    """Millions of multiply-adds of a step of the whole network."""
    return {"basic_cnn": 38e3, "vgg16": 120e3, "vgg11c": 90e3}[run["network"]["name"]]


def _extra(run: Run) -> tuple[float, float]:
    """What a run's signals cost: their share of the step, their parameters."""
    signal = run["strategy"].get("signal", {})
    depth = float(signal.get("head", {}).get("depth", 1))
    depth += {"linear": -0.9, "mlp_sr": -0.3}.get(signal.get("head", {}).get("name", ""), 0.0)
    kinds = {
        "auxiliary_classifier": (0.03 * (1 + depth), 3e5 * (0.2 + depth)),
        "synthetic_gradient": (0.35, 2.4e6),
        "reconstruction": (0.2, 9e5),
        "nothing": (-0.6, 0.0),
    }
    return kinds.get(signal.get("name", ""), (0.0, 0.0))


def _phases(run: Run) -> dict[str, dict[str, float]]:
    """Name → steps, millions of multiply-adds and seconds of a step, seconds before the first."""
    steps, strategy, work = PER_EPOCH * run["epochs"], run["strategy"], _work(run)
    work *= 1 + _extra(run)[0]
    whole = {"steps": steps, "work": work, "step": work * 1e-5, "entry": 0.0}
    if strategy["name"] == "end_to_end":
        return {"all": whole}
    if strategy["order"] == "together":
        return {"together": whole}
    known = variants.stages(run)
    ends = [s for s in known if s in (strategy.get("ends") or known) or s == known[-1]]
    marks = [round(steps * index / len(ends)) for index in range(len(ends) + 1)]
    return {
        end: {
            "steps": marks[index + 1] - marks[index],
            "work": work / len(ends),
            "step": work * 1e-5 / len(ends) + 2e-2,
            "entry": 2.0 * index,
        }
        for index, end in enumerate(ends)
    }


def _timing(phases: dict[str, dict[str, float]]) -> Iterator[Row]:
    """Metric, component and value; sorted by name, as the timing file is."""
    for name, phase in sorted(phases.items()):
        yield f"phase_steps.{name}", math.nan, phase["steps"]
        yield f"seconds_entry.{name}", math.nan, phase["entry"]
        for quantity, factor in (("q1", 0.95), ("median", 1.0), ("q3", 1.15)):
            yield f"seconds_per_step_{quantity}.{name}", math.nan, factor * phase["step"]
    seconds = sum(phase["entry"] + phase["steps"] * phase["step"] for phase in phases.values())
    yield "seconds_run", math.nan, seconds


def _run(
    run: Run, phases: dict[str, dict[str, float]], noise: Any, *, short: bool
) -> Iterator[Row]:
    """Epoch, images, metric, component and value of one run."""
    epochs = run["epochs"]
    size = {"basic_cnn": 1357066.0, "vgg16": 14728266.0, "vgg11c": 17625866.0}
    cost = {
        "parameters": size[run["network"]["name"]],
        "parameters_of_signals": _extra(run)[1],
        "peak_memory_bytes": 2**20 * (700 + 300 * _extra(run)[0] + 20 * noise.random()),
        "steps": PER_EPOCH * epochs,
    }
    for name, value in cost.items():
        yield epochs, "", name, math.nan, value
    for name, phase in phases.items():
        yield epochs, "", f"mult_adds_per_step.{name}", math.nan, 1e6 * phase["work"]
        yield epochs, "", f"mult_adds_per_entry.{name}", math.nan, 1e9 * phase["entry"]
    ends = np.cumsum([phase["steps"] for phase in phases.values()])
    marks = sorted({*range(0, PER_EPOCH * epochs + 1, PER_EPOCH), *map(int, ends)})
    best = {"end_to_end": 0.82, "dgl": 0.79, "cdni": 0.66, "dni": 0.56, "sequential": 0.76}.get(
        variants.method(run), 0.6
    )
    best += 0.04 * bool(run["augmentations"]) + 0.05 * (run["network"]["name"] != "basic_cnn")
    best -= 0.03 * abs(math.log10(run["optimiser"]["lr"] / 0.001)) ** 2
    best -= 0.02 * (run["normalisation"] != "unit")
    best += 0.006 * noise.standard_normal()
    for step in marks:
        index = int(np.searchsorted(ends, step, side="left"))
        name = [*phases][index]
        begin = int(ends[index - 1]) if index else 0
        spent = (step - begin) / PER_EPOCH
        top = name in variants.WHOLE or name == variants.stages(run)[-1]
        stop = short and step > PER_EPOCH * epochs / 3
        learned = 1 - math.exp(-0.55 * spent) if top else 0.0
        epoch = step // PER_EPOCH
        for images, more in (("train", 0.002 * epoch), ("test", 0.0)):
            share = 0.1 + (best - 0.1 + more) * learned + 0.004 * noise.standard_normal()
            share = min(max(share, 0.0), 0.999)
            loss = math.nan if stop else max(2.303 * (1 - share) ** 0.8, 1e-3)
            yield epoch, images, "history_loss", step, loss
            yield epoch, images, "history_accuracy", step, 0.1 if stop else share
        if step:
            yield epoch, "batch", "history_loss", step, math.nan if stop else 1.0
            yield epoch, "batch", "history_accuracy", step, math.nan
        if stop:
            return
        for stage in _heads(run, name):
            place = 1 + variants.stages(run).index(stage)
            share = 0.1 + (best - 0.1) * (1 - 0.4 / place) * (1 - math.exp(-0.6 * spent))
            for images in ("train", "test"):
                yield (
                    epoch,
                    images,
                    f"probe_own_heads.{stage}",
                    step,
                    share * (1 + 0.01 * noise.standard_normal()),
                )


def _heads(run: Run, phase: str) -> list[str]:
    """The stages whose blocks' heads are read in a phase."""
    strategy, known = run["strategy"], variants.stages(run)
    if phase in known and phase != known[-1]:
        return [phase]
    greedy = strategy.get("signal", {}).get("name") == "auxiliary_classifier"
    if phase == "together" and greedy:
        return [s for s in known if s in (strategy["ends"] or known) or s == known[-1]]
    return [known[-1]]
