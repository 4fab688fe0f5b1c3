"""Rows of a study of strategies whose values are made up, for tests of numbers and text."""

import itertools
import zlib

import numpy as np

from sidestep import things
from sidestep.config import resolve
from sidestep.study import Study

ANALYSES = ("timeline", "time_to_target", "phase_cost", "strategy_sweeps")
STAGES = ("conv1", "conv2", "dense", "logits")
WORK = {"conv1": 60.0, "conv2": 750.0, "dense": 480.0, "logits": 1.5}
PER_EPOCH, EPOCHS = 20, 6
STEPS = PER_EPOCH * EPOCHS
BLOCKS = {"name": "blockwise", "order": "in_turn", "signal": "sub_model"}
END_TO_END = {"strategy": "end_to_end"}
DIFFERENCE = {"strategy": {"signal": "maximum_difference"}}
USUAL = {
    "adam": END_TO_END,
    "one-cycle": {
        **END_TO_END,
        "optimiser": {"name": "sgd", "lr": 0.1, "momentum": 0.9},
        "schedule": "one_cycle",
    },
    "sub-model": {},
    "sub-model-together": {"strategy": {"order": "together"}},
    "difference": DIFFERENCE,
    "difference-stable": {
        "strategy": {"signal": {"name": "maximum_difference", "loss": "stabilised"}}
    },
    "similarity": {"strategy": {"signal": "similarity_matching"}},
    "divergence": {"strategy": {"signal": {"name": "divergence"}}},
}
SWEPT = {
    **{f"shares-{rule}": {"strategy": {"shares": rule}} for rule in ("front", "back")},
    **{f"fine-tune-{share}": {"strategy": {"fine_tune": share / 100}} for share in (10, 50)},
    "cut-conv1": {"strategy": {"ends": ["conv1"]}},
    "not-frozen": {"strategy": {"freeze": False}},
    "difference-equal": {"strategy": {"signal": {"name": "maximum_difference", "loss": "equal"}}},
    "predicted": {"strategy": {"signal": {"name": "similarity_matching", "prediction": 0.01}}},
    "neighbours": {"strategy": {"signal": {"name": "divergence", "estimator": "nearest_neighbours"}}},
    "author": {
        "network": {"name": "mnist_cnn", "stage_ends": "before_pool"},
        "strategy": {
            "signal": {"name": "maximum_difference", "loss": "all"},
            "freeze": False,
            "fine_tune": 0.5,
        },
    },
}  # fmt: skip


def made_study(
    runs=USUAL,
    datasets=("mnist",),
    seeds=(0, 1, 2),
    timed=("mnist",),
    analyses=ANALYSES,
    figures=(),
    **run,
) -> Study:
    """A study of those variants, resolved as the pipeline would; the first is the baseline."""
    study = {
        "title": "A made study",
        "datasets": list(datasets),
        "seeds": list(seeds),
        "run": {
            "network": "mnist_cnn",
            "strategy": BLOCKS,
            "optimiser": {"name": "adam", "lr": 0.001},
            "batch_size": 50,
            "epochs": EPOCHS,
            "train_images": 1000,
            "evaluate": ["test"],
            "evaluation_images": 500,
            **run,
        },
        "variants": dict(runs),
        "analyses": list(analyses),
        "figures": list(figures),
    }
    if timed:
        study["timing"] = {"datasets": list(timed), "steps": 20}
    return resolve({"size": "small", "studies": {"layerwise": study}}).studies["layerwise"]


def rows(study, diverged=(), timed=("mnist",), quick=(), collapsed=(), measured=True):
    """Every row of the study's table as `dataset, variant, seed, epoch, images, metric, component, value`.

    Args:
        study: of `made_study`.
        diverged: (data set, variant, seed) of runs that stop early.
        timed: data sets with a timing job.
        quick: variants whose loss falls much lower and faster.
        collapsed: variants whose outputs end in one direction.
        measured: whether there are probes.
    """
    for dataset, variant in itertools.product(study.datasets, study.variants):
        place = (dataset, variant.name)
        phases = _phases(variant.run)
        if dataset in timed:
            for metric, value in _timing(phases):
                yield (*place, "", "", "", metric, None, value)
        for seed in study.seeds:
            noise = np.random.default_rng(zlib.crc32(f"{place} {seed}".encode()))
            stops = (*place, seed) in diverged
            made = _run(variant.run, phases, noise, stops, variant.name in quick)
            for row in made:
                yield (*place, seed, *row)
            if measured and not stops:
                for row in _probed(variant, noise, variant.name in collapsed):
                    yield (*place, seed, *row)


def _phases(run):
    """Name → begin, end, millions of operations and seconds of a step, seconds before the first."""
    strategy = things.complete("strategies", run["strategy"])
    whole = 3 * sum(WORK.values())
    if not strategy.get("signal"):
        return {"all": (0, STEPS, whole, whole * 2.5e-6, 0.0)}
    left = round(STEPS * (1 - strategy["fine_tune"]))
    found = {}
    if strategy["order"] == "together":
        found["together"] = (0, left, whole, whole * 2.8e-6, 0.0)
    else:
        ends = [s for s in STAGES if s in (strategy["ends"] or STAGES) or s == STAGES[-1]]
        for index, end in enumerate(ends):
            first = STAGES.index(ends[index - 1]) + 1 if index else 0
            work = 3 * sum(WORK[stage] for stage in STAGES[first : STAGES.index(end) + 1])
            begin, last = left * index // len(ends), left * (index + 1) // len(ends)
            found[end] = (begin, last, work, work * 2.5e-6 + 1e-4, 0.02 * index)
    if left < STEPS:
        found["fine_tune"] = (left, STEPS, whole, whole * 2.5e-6, 0.0)
    return found


def _timing(phases):
    for name, (begin, end, _, seconds, entry) in sorted(phases.items()):
        yield f"phase_steps.{name}", end - begin
        yield f"seconds_entry.{name}", entry
        for quartile, factor in (("q1", 0.9), ("median", 1.0), ("q3", 1.2)):
            yield f"seconds_per_step_{quartile}.{name}", factor * seconds
    yield "seconds_run", sum(entry + (b - a) * s for a, b, _, s, entry in phases.values())


def _run(run, phases, noise, stops, quick):
    yield EPOCHS, "", "parameters", None, 3_274_634
    for name, (_, _, work, _, entry) in phases.items():
        yield EPOCHS, "", f"mult_adds_per_step.{name}", None, 1e6 * work
        if entry:
            yield EPOCHS, "", f"mult_adds_per_entry.{name}", None, 2e9
    signal = run["strategy"].get("signal", {}).get("name", "")
    best = 0.001 if quick else {"": 0.05, "sub_model": 0.08}.get(signal, 0.4)
    # A factor of its own for each seed and variant.
    best *= 1 + 0.1 * noise.standard_normal()
    ends = sorted(end for _, end, *_ in phases.values())
    for step in sorted({*range(0, STEPS + 1, PER_EPOCH), *ends}):
        name = next(name for name, (_, end, *_) in phases.items() if step <= end)
        loss = 2.303 + 0.02 * noise.standard_normal()
        if step and (name not in STAGES[:-1]):
            loss = best + (2.2 - best) / (1 + (step - phases[name][0]) * (3.0 if quick else 0.3))
        stopped = stops and step > STEPS / 3
        loss = float("nan") if stopped else loss
        epoch = step // PER_EPOCH
        yield epoch, "test", "history_loss", step, loss
        yield (
            epoch,
            "test",
            "history_accuracy",
            step,
            max(0.0, 1 - 0.3 * loss) if not stopped else 0.1,
        )
        if step:
            yield epoch, "batch", "history_loss", step, 0.9 * loss
        if stopped:
            return


def _probed(variant, noise, collapsed):
    for place, stage in enumerate(STAGES):
        yield (
            EPOCHS,
            "test",
            f"linear_probe.{stage}",
            None,
            0.9 + 0.02 * place + 0.01 * noise.random(),
        )
        for step in (0, STEPS):
            gone = 1e-4 if collapsed and step else 1.0
            for name, factor in (("min", 0.7), ("median", 1.0), ("max", 1.5)):
                yield (
                    step // PER_EPOCH,
                    "train",
                    f"probe_norm_ratio_{name}.{stage}",
                    step,
                    factor * gone,
                )
            same, apart = (0.999, 0.998) if collapsed and step else (0.8, 0.4)
            wobble = 1e-4 * noise.random()
            yield step // PER_EPOCH, "train", f"probe_cosine_same.{stage}", step, same + wobble
            yield (
                step // PER_EPOCH,
                "train",
                f"probe_cosine_different.{stage}",
                step,
                apart - wobble,
            )
    if variant.run["strategy"].get("signal"):
        for place, stage in enumerate(STAGES[:-1]):
            yield 1, "train", f"probe_gradient_angle.{stage}", 20, 70 + 10 * place + noise.random()
