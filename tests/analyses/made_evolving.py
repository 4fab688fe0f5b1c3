"""A small made study of graphs that evolve, whose numbers are worked out by hand in the tests of its analyses."""

import csv
import itertools
import math
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import stdtrit

from made_files import save as save_file
from made_files import seal_run
from sidestep import layout
from sidestep.analyses import (
    boosting,
    equal_score,
    evolution_contrasts,
)
from sidestep.study import Study, Variant
from sidestep.tables import Tables

NAN = math.nan
Array = npt.NDArray[Any]
Run = dict[str, Any]
#: (data set, variant, seed, split) → score and loss at the end.
End = Callable[[str, str, int, str], tuple[float, float]]

STEPS = (0, 10, 20)
SPLITS = ("train", "validation", "test")
# Rows for training and for testing: overlaps of 1/3 and 1/4.
SIZES = {"wine": (90, 30), "breast_cancer": (80, 20), "diabetes": (100, 25)}
COLUMNS = ["study", "dataset", "variant", "seed", "epoch", "images", "metric", "component", "value"]


def run(network: Mapping[str, Any], **changes: Any) -> Run:
    """A resolved run."""
    return {
        "network": dict(network),
        "gates": {},
        "resample": True,
        "subset": None,
        "member": 0,
        "strategy": {"name": "end_to_end"},
        "optimiser": {"name": "adam", "lr": 0.01},
        "schedule": {"name": "constant"},
        "batch_size": 16,
        "epochs": 2,
        "records": [2],
        "train_images": None,
        "validation": 0.2,
        "evaluate": list(SPLITS),
        "evaluation_images": None,
        "outputs": ["test"],
        "probes": [{"name": "graph"}, {"name": "inference"}],
        "normalisation": "unit",
        "augmentations": [],
        "precision": "float32",
        "teacher": None,
        "substituted_decay": "full",
        **changes,
    }


def evolving(member: int = 0, **edit: Any) -> Run:
    """A graph that evolves in four rounds and settles for a fifth of the steps."""
    rule = {"name": "evolve", **edit}
    strategy = {"name": "rounds", "rounds": 4, "settle": 0.2, "edit": rule}
    return run({"name": "evolving"}, strategy=strategy, member=member)


# Names say nothing.
RUNS: dict[str, Run] = {
    "a": run({"name": "linear"}),
    "b": run({"name": "equal_mlp", "operations": 6}),
    "c": run({"name": "evolving", "size": 6}),
    "d": evolving(),
    "f": evolving(member=1, judge="validation"),
    "e": evolving(judge="validation"),
}
TESTS = {
    "a": (0.70, 0.72, 0.77),
    "b": (0.80, 0.81, 0.79),
    "c": (0.80, 0.84, 0.82),
    "d": (0.85, 0.83, 0.90),
    "e": (0.88, 0.92, 0.90),
    "f": (0.90, 0.89, 0.91),
}
OPERATIONS = {"c": 6, "d": 4, "e": 5, "f": 5}


def usual(dataset: str, variant: str, seed: int, part: str) -> tuple[float, float]:
    """Score and loss at the end."""
    above = {"train": 0.08 + 0.01 * seed, "validation": 0.02, "test": 0.0}[part]
    score = TESTS[variant][seed] + above - {"wine": 0.0}.get(dataset, 0.1)
    return score, 2 * (1 - score)


def made(
    root: Path,
    runs: Mapping[str, Run] = RUNS,
    *,
    datasets: tuple[str, ...] = ("wine", "breast_cancer", "diabetes"),
    seeds: tuple[int, ...] = (0, 1, 2),
    diverged: Collection[tuple[str, str, int]] = (),
    end: End = usual,
) -> Tables:
    """A study; scores rise from 0 to half in the first epoch, and to the end in the second."""
    study = Study(
        name="evolution", title="made", datasets=datasets, seeds=seeds,
        variants=tuple(Variant(name, {}, its) for name, its in runs.items()),
        baseline=next(iter(runs)), timing_datasets=(), timing_steps=1, metrics=(),
        group_metrics=(), figures=(), analyses=({"name": "boosting"},),
    )  # fmt: skip
    rows: list[tuple[Any, ...]] = []
    for dataset in datasets:
        data(root, dataset)
        for name, seed in itertools.product(runs, seeds):
            lost = (dataset, name, seed) in diverged
            of = ("evolution", dataset, name, str(seed))
            rows += [(*of, *row) for row in _rows(dataset, name, seed, runs[name], end, lost=lost)]
            folder = layout.run("evolution", dataset, name, seed, root)
            folder.mkdir(parents=True)
            with (folder / "history.csv").open("w", newline="", encoding="utf-8") as file:
                writer = csv.writer(file)
                writer.writerow(("step", "epoch", "seconds", "split", "loss", "accuracy", "r2"))
                for step, part in itertools.product(STEPS[: 2 if lost else 3], SPLITS):
                    writer.writerow((step, step // 10, clock(name, seed, step), part, 0, 0, ""))
            seal_run(folder)
    return Tables(study, root, _read={"": pd.DataFrame(rows, columns=COLUMNS)})


def clock(variant: str, seed: int, step: int) -> float:
    """Seconds of training."""
    return step * (0.1 + 0.01 * seed + 0.1 * (variant in OPERATIONS))


def _rows(dataset: str, name: str, seed: int, its: Run, end: End, *, lost: bool) -> Any:
    for step in STEPS[: 2 if lost else 3]:
        epoch, share = step // 10, step / 20
        for part in SPLITS:
            score, loss = end(dataset, name, seed, part)
            yield epoch, part, "history_loss", step, NAN if lost and step else loss
            number = dataset == "diabetes"
            yield epoch, part, "history_accuracy", step, NAN if number else score * share
            if number:
                yield epoch, part, "history_r2", step, score * share
        graph = its["network"]["name"] == "evolving"
        # Only what evolves grows.
        count = round(OPERATIONS.get(name, 0) * (1 if name == "c" else share))
        first = {"linear": "output", "equal_mlp": "hidden"}.get(its["network"]["name"], "graph")
        yield epoch, "", f"probe_parameters.{first}", step, 30.0 + count
        yield epoch, "", "probe_seconds_1.output", step, 1e-5 * (1 + seed + count)
        yield epoch, "", "probe_seconds_256.output", step, 1e-4 * (1 + seed + count)
        if graph:
            yield epoch, "", "probe_operations.graph", step, float(count)
            yield epoch, "", "probe_depth.graph", step, float(seed + 1)
            yield epoch, "", "probe_importance_median.graph", step, 0.5 + seed if count else NAN
    for metric, value in (
        ("parameters", 40), ("stored_bytes", 400 + seed), ("peak_memory_bytes", 7000),
        ("mult_adds_forward_per_image", 39), ("seconds_train", 10 + seed),
    ):  # fmt: skip
        yield 2, "", metric, NAN, float(value)


def data(root: Path, name: str) -> Path:
    """A small file in the shape of a data set; the first column tells the answer."""
    path = layout.data(name, root)
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(7)
    features = {"wine": 13, "breast_cancer": 30, "diabetes": 10}[name]
    arrays: dict[str, Array] = {}
    for part, count in zip(("train", "test"), SIZES[name], strict=True):
        values = noise.normal(5, 2, (count, features, 1, 1)).astype(np.float32)
        latent = values[:, 0, 0, 0] - 5 + noise.normal(0, 0.5, count)
        arrays[f"{part}_images"] = values
        arrays[f"{part}_labels"] = (
            (20 * latent + 100).astype(np.float32)
            if name == "diabetes"
            else np.digitize(latent, [-1, 1] if name == "wine" else [0]).astype(np.uint8)
        )
    save_file(arrays, path)
    return path


def interval(values: Collection[float], overlap: float = 0.0) -> tuple[float, float, float]:
    """Mean and bounds, by the formula."""
    array = np.array(list(values))
    half = stdtrit(len(array) - 1, 0.975) * array.std(ddof=1) * math.sqrt(1 / len(array) + overlap)
    return array.mean(), array.mean() - half, array.mean() + half


def fits(datasets: Collection[str], seeds: Collection[int] = (0, 1, 2)) -> pd.DataFrame:
    """A table of boosting: test scores of 0.6 and a little, that rise with the seed."""
    rows = [
        {
            "study": "evolution", "dataset": dataset, "method": method, "seed": seed,
            "test": 0.6 + 0.05 * seed + (method == "exact_linear"), "train": 1.0, "loss": 0.5 + seed,
        }
        for dataset, method, seed in itertools.product(datasets, ("boosting", "exact_linear"), seeds)
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=boosting.COLUMNS)


def contrasted(tables: Tables) -> pd.DataFrame:
    tables._read["boosting"] = fits(tables.study.datasets, tables.study.seeds)
    return evolution_contrasts.analyse(tables)


def equalled(tables: Tables) -> pd.DataFrame:
    tables._read["boosting"] = fits(tables.study.datasets, tables.study.seeds)
    return equal_score.analyse(tables)


def spread(row: Any, name: str) -> list[float]:
    return [row[name], row[f"{name}_low"], row[f"{name}_high"]]


def one_cell(table: pd.DataFrame, dataset: str, variant: str, quantity: str) -> pd.DataFrame:
    chosen = (table["dataset"] == dataset) & (table["variant"] == variant)
    return table[chosen & (table["quantity"] == quantity)]
