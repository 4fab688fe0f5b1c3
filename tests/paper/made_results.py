"""A results folder of studies whose values are made up, for tests of numbers and text."""

import itertools
import json
from pathlib import Path

import made_paper
import made_strategies
import numpy as np
import pandas as pd

import made_files
from sidestep import layout
from sidestep.analyse import analyse_job
from sidestep.config import resolve
from sidestep.study import Study

ANALYSES = (
    "trends",
    "normality_peak",
    "verdicts",
    "accuracy_correlation",
    "harder_dataset",
    "counter_example",
    "extrapolation",
    "published",
)
SOURCE = Path(__file__).parents[2] / "paper" / "paper.typ"
_NOISE = ("spread", "dead", "normality", "_share", "_identifiable", "participation", "entropy")


def made_study(
    datasets=("mnist", "fashion_mnist"),
    widths=(16, 64, 256, 1024),
    seeds=(0, 1, 2),
    analyses=ANALYSES,
    figures=(),
) -> Study:
    """A width study, resolved as the pipeline would."""
    run = {"network": {"name": "mlp"}, "epochs": 3, "records": [1, 3]}
    study = {
        "title": "A made study",
        "datasets": list(datasets),
        "seeds": list(seeds),
        "run": {**run, "evaluate": ["test"], "validation": 0},
        "grid": {"network.width": list(widths)},
        "metrics": ["scores"],
        "analyses": list(analyses),
        "figures": list(figures),
    }
    return resolve({"size": "small", "studies": {"width": study}}).studies["width"]


def made_results(root: Path, study: Study, *, diverged=(), **more) -> None:
    """Tables, provenance and digests of a study; `diverged` are (dataset, variant, seed)."""
    make = made_strategies.rows if study.name == "layerwise" else _rows
    rows = list(make(study, diverged=set(diverged), **more))
    table = layout.table(study.name, "", root)
    table.parent.mkdir(parents=True, exist_ok=True)
    columns = ["dataset", "variant", *study.columns, "seed", "epoch", "images", "metric"]
    columns.append("component")
    frame = pd.DataFrame(rows, columns=[*columns, "value"])
    frame.insert(0, "study", study.name)
    frame.to_csv(table, index=False)
    made_files.seal_table(table)
    for thing in study.analyses:
        output = layout.table(study.name, thing["name"], root)
        analyse_job(study, thing["name"], output, root)
    made_paper.make_runs(root, study, diverged)


def made_numbers(root: Path, *studies: Study, size="small", **more) -> dict:
    """What `numbers.json` holds for made results."""
    for study in studies:
        made_results(root, study, **more)
    return made_paper.gathered(root, *studies, size=size)


def _rows(study, diverged, identifiable=True):
    draw = np.random.default_rng(0)
    for dataset, variant in itertools.product(study.datasets, study.variants):
        width = variant.columns["width"]
        place = (dataset, variant.name, width)
        hard = dataset == "fashion_mnist"
        alive = [s for s in study.seeds if (dataset, variant.name, s) not in diverged]
        for seed, epoch in itertools.product(alive, (1, 3)):
            values = _values(width, hard, epoch, draw.normal(0, 0.001), identifiable)
            for (metric, images, component), value in values.items():
                yield (*place, seed, epoch, images, metric, component, value)
                if images == "train" and any(part in metric for part in _NOISE):
                    yield (*place, seed, epoch, "noise", metric, component, 0.5 * value)
            yield (*place, seed, epoch, "noise", "accuracy", None, 1.0)
        for epoch in (1, 3):
            values = _values(width, hard, epoch, 0.0, identifiable)
            for key in values:
                if key[0].startswith(("normality", "exponential", "two_gammas")):
                    yield (*place, "pooled", epoch, key[1], key[0], None, values[key])
        for name, cost in (("parameters", 800), ("mult_adds_forward_per_image", 790)):
            yield (*place, study.seeds[0], 3, "", name, None, cost * width)
        yield (*place, study.seeds[0], 3, "", "mult_adds_per_step.all", None, 300_000 * width)
        if dataset == study.datasets[0]:
            for quartile in ("median", "q1", "q3"):
                yield (*place, "", "", "", f"seconds_per_step_{quartile}.all", None, 1e-4 * width)
            yield (*place, "", "", "", "seconds_run", None, 0.1 * width)


def _values(width, hard, epoch, noise, identifiable):
    octave = np.log2(width)
    test = 0.98 - 0.1 * hard - 0.3 / width + noise
    found = {
        ("accuracy", "train", None): test + 0.001 * octave,
        ("accuracy", "test", None): test,
        ("accuracy_gap", "", None): 0.001 * octave + noise,
        ("loss_gap", "", None): 0.002 * octave + noise,
        ("mean_spread", "train", None): 8 / octave + noise,
        ("sum_of_spread", "train", None): 10 * width**0.5 + noise,
        ("sum_of_variance", "train", None): 12 * width**0.4 + noise,
        ("sum_of_spread_before", "train", None): 30 * width**0.6 + noise,
        ("sum_of_variance_before", "train", None): 90 * width**0.6 + noise,
        ("dead_neurons", "train", None): 0.04 * width,
        ("dead_share", "train", None): 0.04 + noise,
        ("normality_all", "train", None): 0.98 - 0.01 * abs(octave - 8) + noise,
        ("normality_living", "train", None): 0.98 - 0.01 * abs(octave - 6) + noise,
        ("participation_ratio", "train", None): octave + noise,
        ("entropy_rank", "train", None): 2 * octave + noise,
        ("components_for_95", "train", None): 3.0,
        ("components_for_99", "train", None): 4.0,
        ("weight_participation_ratio", "", None): 2 * octave + noise,
        ("weight_entropy_rank", "", None): 3 * octave + noise,
        ("weight_stable_rank", "", None): octave + noise,
        ("weight_components_for_95", "", None): 5.0,
        ("low_rank", "test", None): 6.0,
    }
    for model in ("exponential_normal", "two_gammas"):
        found[f"{model}_identifiable", "train", None] = float(identifiable)
        found[f"{model}_share", "train", None] = octave / 20 if identifiable else np.nan
        bic = 10.0 * len(model) if identifiable else np.nan
        found[f"{model}_bic", "train", None] = bic
    if epoch == 3:
        for k in (0, 1, 2, 4, 8, 16):
            found["reconstruction_error", "train", k] = 100 * np.exp(-k) * (k < 16)
            found["reconstruction_error_transposed", "train", k] = 100 * (1 - k / 16)
            if k:
                found["component_accuracy", "test", k] = test - 0.1 / k
    return found


def as_json(study: Study) -> str:
    """The resolved study as the planning step writes it."""
    return json.dumps(study.to_json())
