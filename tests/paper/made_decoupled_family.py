"""A results folder of a study of decoupled blocks whose values are made up, for tests of numbers and text."""

import itertools
import zlib

import made_paper
import numpy as np
import pandas as pd

import made_files
from sidestep import layout, things, variants
from sidestep.analyse import analyse_job
from sidestep.config import resolve
from sidestep.study import Study
from sidestep.tables import Tables

ANALYSES = (
    "timeline",
    "family",
    "order",
    "data_settings",
    "learning_rates",
    "equal_seconds",
    "published_curves",
)
PER_EPOCH, EPOCHS = 10, 4
STEPS = PER_EPOCH * EPOCHS
HEAD = {"name": "mlp", "width": 64}
CROP_FLIP = ["random_crop", "horizontal_flip"]
WHOLE = {"strategy": "end_to_end"}
USUAL = {
    "backprop": WHOLE,
    "dgl": {},
    "cdni": {
        "strategy": {"ends": [], "signal": {"name": "synthetic_gradient", "context": "labels"}}
    },
    "dni": {"strategy": {"ends": [], "signal": "synthetic_gradient"}},
    "sequential": {"strategy": {"order": "in_turn"}},
    "random": {"strategy": {"signal": "nothing"}},
}
RECONSTRUCTION = "reconstruction"
SWEPT = {
    "backprop-augmented": {**WHOLE, "augmentations": CROP_FLIP},
    "dgl-augmented": {"augmentations": CROP_FLIP},
    "plain": {**WHOLE, "normalisation": "none"},
    "reconstruction": {"strategy": {"signal": RECONSTRUCTION}},
    "mixed-shifted": {
        "strategy": {"signal": {"name": RECONSTRUCTION, "shift": "rising", "prediction": 0.5}}
    },
    "backprop-low": {**WHOLE, "optimiser": {"lr": 0.0003}},
    "dgl-low": {"optimiser": {"lr": 0.0003}},
    "head-linear": {"strategy": {"signal": {"head": "linear"}}},
    "head-cnn": {"strategy": {"signal": {"head": "cnn"}}},
    "vgg11": {**WHOLE, "network": "vgg11"},
    "vgg11-dgl": {"network": "vgg11", "strategy": {"ends": ["conv1", "conv2"]}},
    "alone": {"network": "dgl_cnn"},
}
# Final test accuracy by method, so that the made order is the published one.
ENDS = {
    "end_to_end": 0.60,
    "dgl": 0.595,
    "sequential": 0.55,
    "cdni": 0.50,
    "dni": 0.40,
    "random_features": 0.35,
}


def made_study(
    runs=USUAL,
    datasets=("cifar10",),
    seeds=(0, 1, 2),
    timed=("cifar10",),
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
            "network": {"name": "basic_cnn", "channels": 16, "hidden": 64},
            "strategy": {
                "name": "blockwise",
                "order": "together",
                "ends": ["block1", "block2"],
                "signal": {"name": "auxiliary_classifier", "head": HEAD},
            },
            "optimiser": {"name": "adam", "lr": 0.003},
            "batch_size": 50,
            "epochs": EPOCHS,
            "train_images": 500,
            "validation": 500,
            "normalisation": "symmetric",
            "evaluate": ["train", "test"],
            "probes": [{"name": "own_heads", "images": 100}],
            **run,
        },
        "variants": dict(runs),
        "analyses": list(analyses),
        "figures": list(figures),
    }
    if timed:
        study["timing"] = {"datasets": list(timed), "steps": 20}
    return resolve({"size": "small", "studies": {"decoupled": study}}).studies["decoupled"]


def rows(study, diverged=(), timed=("cifar10",), ends=ENDS, noise=0.002, probed=True, trained=True):
    """Every row of the study's table as `dataset, variant, seed, epoch, images, metric, component, value`.

    Args:
        study: of `made_study`.
        diverged: (data set, variant, seed) of runs that stop early.
        timed: data sets with a timing job.
        ends: final test accuracy by method.
        noise: of each seed's accuracy.
        probed: whether there are own heads.
        trained: whether training images are scored.
    """
    for dataset, variant in itertools.product(study.datasets, study.variants):
        place = (dataset, variant.name)
        phases = _phases(variant.run)
        if dataset in timed:
            for metric, value in _timing(phases):
                yield (*place, "", "", "", metric, None, value)
        end = ends.get(variants.method(variant.run), 0.45)
        for seed in study.seeds:
            draw = np.random.default_rng(zlib.crc32(f"{place} {seed}".encode()))
            stops = (*place, seed) in diverged
            for row in _run(
                variant.run, phases, end + noise * draw.standard_normal(), stops, trained
            ):
                yield (*place, seed, *row)
            if probed and not stops:
                for row in _heads(variant.run, phases, draw):
                    yield (*place, seed, *row)


def _phases(run):
    """Name → begin, end, operations and seconds of a step."""
    if variants.method(run) == "end_to_end":
        return {"all": (0, STEPS, 3e8, 0.01)}
    stages = variants.stages(run)
    if things.complete("strategies", run["strategy"])["order"] == "together":
        return {"together": (0, STEPS, 4e8, 0.013)}
    ends = [s for s in stages if s in (*run["strategy"]["ends"], stages[-1])]
    places = [STEPS * index // len(ends) for index in range(len(ends) + 1)]
    return {
        name: (begin, end, 1.5e8, 0.005)
        for name, begin, end in zip(ends, places[:-1], places[1:], strict=True)
    }


def _timing(phases):
    for name, (begin, end, _, seconds) in sorted(phases.items()):
        yield f"phase_steps.{name}", end - begin
        yield f"seconds_entry.{name}", 0.0
        for quartile, factor in (("q1", 0.9), ("median", 1.0), ("q3", 1.2)):
            yield f"seconds_per_step_{quartile}.{name}", factor * seconds
    yield "seconds_run", sum((b - a) * s for a, b, _, s in phases.values())


def _run(run, phases, end, stops, trained):
    whole = variants.method(run) == "end_to_end"
    costs = {
        "parameters": 65_000.0,
        "parameters_of_signals": 0.0 if whole else 240_000.0,
        "peak_memory_bytes": 5e8,
        "steps": STEPS,
    }
    for name, value in costs.items():
        yield EPOCHS, "", name, None, value
    for name, (_, _, work, _) in phases.items():
        yield EPOCHS, "", f"mult_adds_per_step.{name}", None, work
    for step in range(0, STEPS + 1, PER_EPOCH):
        accuracy = 0.1 + (end - 0.1) * step / STEPS
        stopped = stops and step > PER_EPOCH
        loss = float("nan") if stopped else 2.3 - 2 * accuracy
        gap = 0.1 * step / STEPS * (accuracy - 0.3)
        for split, more in (("train", gap), ("test", 0.0)):
            if split == "test" or trained:
                place = (step // PER_EPOCH, split)
                yield (*place, "history_loss", step, loss)
                yield (*place, "history_accuracy", step, 0.1 if stopped else accuracy + more)
        if stopped:
            return


def _heads(run, phases, draw):
    stages = variants.stages(run)
    signal = run["strategy"].get("signal", {})
    if signal.get("name") not in (None, "auxiliary_classifier"):
        return
    ends = run["strategy"].get("ends") or [stages[-1]]
    for number, stage in enumerate(s for s in stages if s in (*ends, stages[-1])):
        _, end, _, _ = phases.get(stage, (0, STEPS, 0, 0))
        value = 0.4 + 0.05 * number + (0.03 if "together" in phases else 0.0)
        yield (
            end // PER_EPOCH,
            "test",
            f"probe_own_heads.{stage}",
            end,
            value + 1e-3 * draw.random(),
        )


def made_results(root, study, **more) -> Tables:
    """Tables, provenance and digests of a study; `more` is that of `rows`."""
    table = layout.table(study.name, "", root)
    table.parent.mkdir(parents=True, exist_ok=True)
    columns = ["dataset", "variant", "seed", "epoch", "images", "metric", "component", "value"]
    frame = pd.DataFrame(list(rows(study, **more)), columns=columns)
    frame.insert(0, "study", study.name)
    frame.to_csv(table, index=False)
    made_files.seal_table(table)
    for thing in study.analyses:
        output = layout.table(study.name, thing["name"], root)
        analyse_job(study, thing["name"], output, root)
    return Tables(study, root)


def made_numbers(root, study, **more) -> dict:
    """What `numbers.json` holds for made results."""
    made_results(root, study, **more)
    made_paper.make_runs(root, study, more.get("diverged", ()))
    return made_paper.gathered(root, study)
