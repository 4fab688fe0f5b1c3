"""Made studies of blocks trained in turn or together, with every row that their figures read."""

import math
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from sidestep.analyses import phase_cost, strategy_sweeps, time_to_target, timeline
from sidestep.study import Study, Variant
from sidestep.tables import Tables

STAGES = ("conv1", "conv2", "dense", "logits")
# Millions of multiply-adds of a step that trains one stage alone, from kept inputs.
WORK = {"conv1": 60.0, "conv2": 750.0, "dense": 480.0, "logits": 1.5}
PER_EPOCH, EPOCHS = 20, 12
SHARES = {"front": (4, 3, 2, 1), "back": (1, 2, 3, 4), "parameters": (0.1, 2, 97, 0.9)}
Row = tuple[Any, ...]
Run = dict[str, Any]


def run(**changes: Any) -> Run:
    """A resolved run: blocks in turn by sub-models, with Adam."""
    return {
        "network": {"name": "mnist_cnn"},
        "strategy": {"name": "blockwise", "order": "in_turn", "signal": {"name": "sub_model"}},
        "optimiser": {"name": "adam", "lr": 0.001},
        "schedule": {"name": "constant"},
        "batch_size": 50,
        "epochs": EPOCHS,
        "records": [EPOCHS],
        "evaluate": ["test"],
        "probes": [{"name": "geometry"}, {"name": "gradient_angle"}],
        **changes,
    }


def blocks(signal: Any = "sub_model", **strategy: Any) -> Run:
    """A run that trains blocks."""
    thing = {"name": signal} if isinstance(signal, str) else signal
    return run(strategy={"name": "blockwise", "signal": thing, **strategy})


END_TO_END = {"name": "end_to_end"}
SGD = {"name": "sgd", "lr": 0.1, "momentum": 0.9}
USUAL = {
    "adam": run(strategy=END_TO_END),
    "one-cycle": run(strategy=END_TO_END, optimiser=SGD, schedule={"name": "one_cycle"}),
    "sub-model": blocks(),
    "sub-model-together": blocks(order="together"),
    "difference": blocks("maximum_difference"),
    "difference-stable": blocks({"name": "maximum_difference", "loss": "stabilised"}),
    "similarity": blocks("similarity_matching"),
    "divergence": blocks({"name": "divergence", "estimator": "gaussian_diagonal"}),
}
SWEPT = {
    **{f"shares-{rule}": blocks(shares=rule) for rule in ("parameters", "front", "back")},
    "shares-listed": blocks(shares=[0.7, 0.1, 0.1, 0.1]),
    **{f"fine-tune-{share}": blocks(fine_tune=share / 100) for share in (10, 25, 50)},
    **{f"similarity-fine-tune-{share}": blocks("similarity_matching", fine_tune=share / 100)
       for share in (10, 25, 50)},
    **{f"cut-{stage}": blocks(ends=[stage]) for stage in STAGES[:3]},
    "not-frozen": blocks(freeze=False),
}  # fmt: skip
MANY = {
    **USUAL,
    "sgd": run(strategy=END_TO_END, optimiser={"name": "sgd", "lr": 0.01}),
    "adamw-cosine": run(
        strategy=END_TO_END, optimiser={"name": "adamw", "lr": 0.001}, schedule={"name": "cosine"}
    ),
    **{f"{signal}-together": blocks(signal, order="together")
       for signal in ("maximum_difference", "similarity_matching", "divergence")},
    **SWEPT,
}  # fmt: skip
# One sweep of each kind, and blocks that are trained at the same time.
FEW = {name: {**USUAL, **SWEPT}[name] for name in (
    *("adam", "sub-model", "sub-model-together", "difference", "shares-back", "fine-tune-25"),
    "cut-conv2",
)}  # fmt: skip
# More than a figure has room for, none of which is in a sweep of the strategy.
CROWD = {f"batch-{size}": {**blocks(), "batch_size": size} for size in range(1, 41)}


def tables(
    variants: dict[str, Run] | None = None,
    *,
    datasets: tuple[str, ...] = ("mnist",),
    seeds: tuple[int, ...] = (0, 1, 2),
    timed: tuple[str, ...] | None = None,
    diverged: tuple[tuple[str, int], ...] = (),
) -> Tables:
    """A study; its `diverged` runs (variant, seed) stop after a third of their steps."""
    runs = USUAL if variants is None else variants
    timed = datasets[:1] if timed is None else timed
    names = ("timeline", "time_to_target", "phase_cost", "strategy_sweeps")
    study = Study(
        name="layerwise", title="made", datasets=datasets, seeds=seeds,
        variants=tuple(Variant(name, {}, run) for name, run in runs.items()),
        baseline=next(iter(runs)), timing_datasets=timed, timing_steps=20, metrics=(),
        group_metrics=(), analyses=tuple({"name": name} for name in names), figures=(),
    )  # fmt: skip
    rows: list[Row] = []
    for dataset in datasets:
        for name, described in runs.items():
            phases = _phases(described)
            place = ("layerwise", dataset, name)
            if dataset in timed:
                rows += [(*place, "", math.nan, "", *row) for row in _timing(phases)]
            for seed in seeds:
                short = (name, seed) in diverged
                salt = zlib.crc32(f"{dataset} {name} {seed}".encode())
                noise = np.random.default_rng(salt)
                for row in _run(described, phases, noise, hard=dataset != "mnist", short=short):
                    rows.append((*place, str(seed), *row))
    columns = ["study", "dataset", "variant", "seed", "epoch", "images", "metric"]
    made = Tables(study, _read={"": pd.DataFrame(rows, columns=[*columns, "component", "value"])})
    for name, module in zip(
        names, (timeline, time_to_target, phase_cost, strategy_sweeps), strict=True
    ):
        made._read[name] = module.analyse(made)
    return made


def _phases(run: Run) -> dict[str, dict[str, float]]:
    """Name → steps, millions of multiply-adds and seconds of a step, seconds before the first."""
    steps, strategy = PER_EPOCH * EPOCHS, run["strategy"]
    whole = 3 * sum(WORK.values())
    if strategy["name"] == "end_to_end":
        return {"all": {"steps": steps, "work": whole, "step": whole * 2.5e-5, "entry": 0.0}}
    left = 1 - strategy.get("fine_tune", 0.0)
    ends = [s for s in STAGES if s in (strategy.get("ends") or STAGES) or s == STAGES[-1]]
    found = {}
    if strategy.get("order") == "together":
        found["together"] = {"steps": steps, "work": whole, "step": whole * 2.8e-5, "entry": 0.0}
        ends = []
    shares = strategy.get("shares", "equal")
    weights = SHARES.get(shares, (1, 1, 1, 1)) if isinstance(shares, str) else shares
    weights = weights[: len(ends)]
    done = 0
    for index, end in enumerate(ends):
        last = round(steps * left * sum(weights[: index + 1]) / sum(weights))
        first = STAGES.index(ends[index - 1]) + 1 if index else 0
        work = 3 * sum(WORK[stage] for stage in STAGES[first : STAGES.index(end) + 1])
        found[end] = {
            "steps": last - done,
            "work": work,
            "step": work * 2.5e-5 + 4e-4,
            "entry": 0.3 * index,
        }
        done = last
    if left < 1:
        found["fine_tune"] = {
            "steps": steps - done,
            "work": whole,
            "step": whole * 2.5e-5,
            "entry": 0.0,
        }
    return {name: phase for name, phase in found.items() if phase["steps"]}


def _timing(phases: dict[str, dict[str, float]]) -> Iterator[Row]:
    """Metric, component and value; sorted by name, as the timing file is."""
    for name, phase in sorted(phases.items()):
        yield f"phase_steps.{name}", math.nan, phase["steps"]
        yield f"seconds_entry.{name}", math.nan, phase["entry"]
        for quantity, factor in (("q1", 0.95), ("median", 1.0), ("q3", 1.15)):
            yield f"seconds_per_step_{quantity}.{name}", math.nan, factor * phase["step"]


def _run(
    run: Run, phases: dict[str, dict[str, float]], noise: Any, *, hard: bool, short: bool
) -> Iterator[Row]:
    """Epoch, images, metric, component and value of one run."""
    for name, phase in phases.items():
        yield EPOCHS, "", f"mult_adds_per_step.{name}", math.nan, 1e6 * phase["work"]
        if phase["entry"]:
            yield EPOCHS, "", f"mult_adds_per_entry.{name}", math.nan, 2e9
    steps = PER_EPOCH * EPOCHS
    signal = run["strategy"].get("signal", {}).get("name", "")
    best = {"": 0.05, "sub_model": 0.09, "similarity_matching": 0.12}.get(signal, 0.3)
    best *= (2.0 if hard else 1.0) * (1 + 0.1 * noise.standard_normal())
    ends = np.cumsum([phase["steps"] for phase in phases.values()])
    marks = sorted({*range(0, steps + 1, PER_EPOCH), *map(int, ends)})
    for step in marks:
        index = int(np.searchsorted(ends, step, side="left"))
        name = [*phases][index]
        begin = int(ends[index - 1]) if index else 0
        done = (step - begin) / 10
        top = name not in STAGES[:-1]
        loss = 2.303 + 0.02 * noise.standard_normal()
        own = best + 1.2 / (1 + done)
        if top and step:
            start = 2.3 if not index else 0.4
            loss = (best + (start - best) / (1 + done)) * (1 + 0.05 * noise.standard_normal())
            own = 0.7 * loss
        stop = short and step > steps / 3
        loss, own = (math.nan, math.nan) if stop else (loss, own)
        epoch = step // PER_EPOCH
        if step:
            yield epoch, "batch", "history_loss", step, own
            yield epoch, "batch", "history_accuracy", step, math.nan
        yield epoch, "test", "history_loss", step, loss
        correct = max(0.0, 1 - 0.39 * loss) if not stop else 0.1
        yield epoch, "test", "history_accuracy", step, correct
        if stop:
            return
        for row in _probes(signal, name, step / steps, noise):
            yield epoch, "train", row[0], step, row[1]
    for place, stage in enumerate(STAGES):
        accuracy = 1 - (0.1 - 0.02 * place) * (1 + best) * (1 + 0.1 * noise.standard_normal())
        yield EPOCHS, "test", f"linear_probe.{stage}", math.nan, accuracy


def _probes(signal: str, phase: str, done: float, noise: Any) -> Iterator[tuple[str, float]]:
    """Metric and value of every probe at one evaluation; `done` is a share of the run."""
    taught = STAGES if phase not in STAGES else (phase,)
    collapse = 3.0 if signal == "maximum_difference" else 0.3
    for place, stage in enumerate(STAGES):
        for name, factor in (("min", 0.7), ("median", 1.0), ("max", 1.5)):
            ratio = factor * (1 + place) * math.exp(-collapse * done)
            yield f"probe_norm_ratio_{name}.{stage}", ratio * (1 + 0.05 * noise.random())
        yield f"probe_cosine_same.{stage}", 0.6 + 0.35 * done - 0.02 * noise.random()
        yield f"probe_cosine_different.{stage}", 0.5 - 0.3 * done + 0.05 * noise.random()
        if stage in taught:
            angle = 0.0 if not signal or place == 3 else 40 + 45 * done + 3 * noise.random()
            yield f"probe_gradient_angle.{stage}", angle
