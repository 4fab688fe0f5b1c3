"""Finished studies that nobody trained, as readers check them, for benchmarks of many runs and for nothing else.

Every file is there, with the digest, the config and the fingerprint that it needs; networks are empty and numbers are
drawn. No result of the paper comes from here.
"""

import json
import math
import random
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from sidestep import entries, fingerprint, layout, seals
from sidestep.config import resolve
from sidestep.data.fetch import fetch
from sidestep.files import canonical_json, json_text, sha256
from sidestep.measuring.job import COLUMNS
from sidestep.study import Study, runs_of

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "workflow"))
from project import copy_parts  # type: ignore[import-not-found]

SEEDS = 20
# A tensor file without tensors: the length of its header, and the header.
NO_TENSORS = (2).to_bytes(8, "little") + b"{}"
SCALARS = ("loss", "accuracy", "rank", "participation_ratio", "dead_neurons", "dead_share")
ANALYSES = ("summary", "trends", "harder_dataset")
FIGURES = ("learning_curves", "dead_neurons", "accuracy_against_metrics")


def make_project(folder: Path, runs: int, seeds_per_job: int) -> Study:
    """A project whose only study has that many runs, a grid of widths × seeds, and no results.

    Args:
        folder: an empty folder.
        runs: how many, a multiple of `SEEDS`.
        seeds_per_job: of the study.

    Returns:
        The study, resolved.
    """
    copy_parts(folder)
    study = {
        "title": "How many runs can be planned and gathered?",
        "datasets": ["digits"],
        "seeds": list(range(SEEDS)),
        "seeds_per_job": seeds_per_job,
        "run": {
            "network": "mlp",
            "epochs": 4,
            "records": [2, 4],
            "train_images": 256,
            "validation": 0,
            "evaluate": ["test"],
        },
        "grid": {"network.width": list(range(1, runs // SEEDS + 1))},
        "timing": {"datasets": []},
        "metrics": ["scores", "dead_neurons", "principal_components"],
        "analyses": list(ANALYSES),
        "figures": list(FIGURES),
    }
    # Not a study of the paper, whose section would ask for more than is made here.
    config = {"size": "made", "studies": {"made": study}}
    (folder / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    return resolve(config).studies["made"]


def make_results(folder: Path, study: Study, curve: int) -> None:
    """Write every run and every measure of a study, and its data set.

    Args:
        folder: the project's.
        study: as `make_project` returned it.
        curve: rows of a curve that is measured of each run at each recorded epoch.
    """
    root = folder / layout.RESULTS
    data = layout.data("digits", root)
    fetch("digits", data, None, lambda _: None)
    for run in study.runs():
        _make_run(run, root)
    for variant in study.variants:
        _make_measures(study, variant.name, root, curve)


def _make_run(run: dict[str, Any], root: Path) -> None:
    folder = layout.run(run["study"], run["dataset"], run["variant"], run["seed"], root)
    draw = random.Random(f"{run['variant']} {run['seed']}")
    code = fingerprint.of(entries.train(run))
    history = ["step,epoch,seconds,split,loss,accuracy,r2"]
    for epoch in range(run["epochs"] + 1):
        for split in ("batch", "test") if epoch else ("test",):
            score = _score(run["network"]["width"], draw)
            history.append(f"{2 * epoch},{epoch},{epoch}.0000,{split},{1 - score},{score},")
    network = [NO_TENSORS, NO_TENSORS]
    provenance = {"cores": 2, "device": "cpu", "fingerprint": code, "platform": "made"}
    texts = {
        "config.json": canonical_json(run) + "\n",
        "history.csv": "\n".join(history) + "\n",
        "probes.csv": "step,epoch,phase,probe,stage,images,value\n",
        "provenance.json": json.dumps(provenance),
    }
    files = {name: text.encode() for name, text in texts.items()}
    files |= dict(zip(("model.safetensors", "records.safetensors"), network, strict=True))
    parameters = 75 * run["network"]["width"]
    costs = {
        "parameters": parameters,
        "parameters_of_signals": 0,
        "mult_adds_forward_per_image": parameters,
        "mult_adds_closed": parameters,
        "stored_bytes": 4 * parameters,
        "peak_memory_bytes": 1,
        "seconds_train": 1.0,
        "steps": 2 * run["epochs"],
        "mult_adds_per_training_step": {"all": 300 * parameters},
        "mult_adds_per_entry": {},
    }
    _write(folder, files, {**costs, "status": "finished", "fingerprint": code, "teacher": None})


def _make_measures(study: Study, variant: str, root: Path, curve: int) -> None:
    task = study.measure_task("digits", variant)
    rows = [",".join(COLUMNS)]
    for run in runs_of(task["run"], ["digits"], task["seeds"]):
        draw = random.Random(f"measures of {variant} {run['seed']}")
        for epoch in run["records"]:
            rows += [f"{run['seed']},{epoch},{row}" for row in _metrics(run, draw, curve)]
    files = {
        "config.json": (canonical_json(task) + "\n").encode(),
        "metrics.csv": ("\n".join(rows) + "\n").encode(),
        "arrays.safetensors": NO_TENSORS,
    }
    folder = layout.measures(study.name, "digits", variant, root)
    runs = {
        str(seed): sha256(layout.run(study.name, "digits", variant, seed, root) / "summary.json")
        for seed in study.seeds
    }
    _write(folder, files, {"fingerprint": fingerprint.of(entries.measure(task)), "runs": runs})


def _metrics(run: dict[str, Any], draw: random.Random, curve: int) -> Iterator[str]:
    for images in ("train", "test"):
        for name in SCALARS:
            yield f"{images},{name},,{_score(run['network']['width'], draw):.9g}"
    for index in range(curve):
        yield f"test,singular_value,{index},{draw.random() / (index + 1):.9g}"


def _score(width: int, draw: random.Random) -> float:
    return 0.9 - 0.5 / math.sqrt(width) + 0.02 * draw.random()


def _write(folder: Path, files: dict[str, bytes], summary: dict[str, Any]) -> None:
    """Write files, then the summary with their digests; nothing is flushed, unlike a job's results."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    digests = {name: sha256(folder / name) for name in files}
    text = json_text(seals.sealed({**summary, "files": digests}))
    (folder / "summary.json").write_text(text)
