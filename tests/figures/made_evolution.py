"""Made studies of graphs of operations that evolve, with the files of their runs and every row that figures read."""

import atexit
import csv
import functools
import math
import shutil
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pandas as pd
import torch
from sklearn.ensemble import HistGradientBoostingClassifier

from made_files import save as save_file
from made_files import seal_data, seal_run
from sidestep import layout, registry
from sidestep.analyses import boosting
from sidestep.data.load import load, split
from sidestep.graphs.graph import Graph
from sidestep.graphs.layer import encoded
from sidestep.graphs.mutation import grow
from sidestep.study import Study, Variant, split_settings
from sidestep.tables import Tables

PER_EPOCH, EPOCHS, ROUNDS = 4, 10, 8
# Rows for training, a fifth of which choose, and for testing.
SIZES = {"digits": (200, 60), "wine": (85, 30), "diabetes": (100, 50)}
SHAPES = {"digits": (1, 8, 8), "wine": (13, 1, 1), "diabetes": (10, 1, 1)}
# Classes; 0 where a number is predicted.
CLASSES = {"digits": 10, "wine": 3, "diabetes": 0}
OPERATIONS, CONSTANTS = 24, 0.3
KINDS = ("add", "multiply", "sine", "gated_product")
ANALYSES = (
    *("final_scores", "evolution_contrasts", "boosting", "generations", "final_graphs"),
    *("equal_score", "population"),
)
Row = tuple[Any, ...]
Run = dict[str, Any]
Array = np.ndarray


def run(network: dict[str, Any], **changes: Any) -> Run:
    """A resolved run of a network that does not evolve."""
    return {
        "network": network,
        "gates": {},
        "resample": True,
        "member": 0,
        "strategy": {"name": "end_to_end"},
        "optimiser": {"name": "adam", "lr": 0.01},
        "schedule": {"name": "constant"},
        "batch_size": 32,
        "epochs": EPOCHS,
        "records": [EPOCHS],
        "train_images": None,
        "subset": None,
        "validation": 0.2,
        "evaluate": ["train", "validation", "test"],
        "evaluations": 1,
        "evaluation_images": None,
        "outputs": ["validation", "test"],
        "probes": [{"name": "graph"}, {"name": "inference"}],
        "normalisation": "unit",
        "augmentations": [],
        "precision": "float32",
        "teacher": None,
        "substituted_decay": "full",
        "device": "cpu",
        "threads": 1,
        **changes,
    }


def graph(size: int, **changes: Any) -> Run:
    """A graph that begins with random operations."""
    network = {"name": "evolving", "size": size, "operations": list(KINDS), "constants": CONSTANTS}
    return run(network, **changes)


def evolving(*, member: int = 0, **edit: Any) -> Run:
    """A graph that begins empty and evolves; settings of the edit."""
    rule = {"name": "evolve", "prunes": 1, "adds": 4, **edit}
    strategy = {"name": "rounds", "rounds": ROUNDS, "settle": 0.2, "edit": rule}
    return graph(0, strategy=strategy, member=member)


JUDGED = {"candidates": 8, "by": "loss", "judge": "validation"}
# The seven variants of the study, `random` its baseline.
USUAL = {
    "linear": run({"name": "linear"}),
    "mlp": run({"name": "equal_mlp", "operations": OPERATIONS, "constants": CONSTANTS}),
    "random": graph(OPERATIONS),
    "evolved": evolving(),
    "judged": evolving(**JUDGED),
    "judged-2": evolving(member=1, **JUDGED),
    "judged-3": evolving(member=2, **JUDGED),
}
# Without a population, and without a graph that evolves.
ALONE = {name: USUAL[name] for name in ("linear", "mlp", "random", "evolved", "judged")}
STILL = {name: USUAL[name] for name in ("linear", "mlp", "random")}
CASES = {
    "seven variants": {},
    "no population, a run diverged": {"variants": ALONE, "diverged": (("evolved", 1),)},
    "one seed, one data set": {"datasets": ("wine",), "seeds": (4,)},
    "numbers alone, a variant that always diverges": {
        "datasets": ("diabetes",),
        "seeds": (0, 1),
        "diverged": (("judged", 0), ("judged", 1)),
    },
    "nothing evolves": {"variants": STILL, "datasets": ("digits", "wine")},
    "nothing finished": {
        "variants": {name: USUAL[name] for name in ("random", "evolved")},
        "datasets": ("wine",),
        "seeds": (0,),
        "diverged": (("random", 0), ("evolved", 0)),
    },
}
# Share of the images that is classified right, or of the variance that is explained, at the end.
SCORES = {"linear": 0.80, "mlp": 0.86, "random": 0.84, "evolved": 0.88, "judged": 0.92}


def tables(
    variants: dict[str, Run] | None = None,
    *,
    datasets: tuple[str, ...] = ("digits", "wine", "diabetes"),
    seeds: tuple[int, ...] = (0, 1, 2),
    diverged: tuple[tuple[str, int], ...] = (),
) -> Tables:
    """A study; its `diverged` runs (variant, seed) stop after a third of their steps and keep no network."""
    runs = USUAL if variants is None else variants
    study = Study(
        name="evolution", title="made", datasets=datasets, seeds=seeds,
        variants=tuple(Variant(name, {}, its) for name, its in runs.items()),
        baseline="random", timing_datasets=(), timing_steps=20, metrics=(),
        group_metrics=(), figures=(), analyses=tuple({"name": name} for name in ANALYSES),
    )  # fmt: skip
    root = folder()
    rows: list[Row] = []
    for dataset in datasets:
        (root / "data").mkdir(exist_ok=True)
        shutil.copy(data(dataset), layout.data(dataset, root))
        seal_data(layout.data(dataset, root))
        for name, described in runs.items():
            for seed in seeds:
                where = layout.run("evolution", dataset, name, seed, root)
                where.mkdir(parents=True)
                made = Made(dataset, name, seed, described, short=(name, seed) in diverged)
                made.write(where)
                rows += [("evolution", dataset, name, str(seed), *row) for row in made.rows()]
    columns = ["study", "dataset", "variant", "seed", "epoch", "images", "metric"]
    main = pd.DataFrame(rows, columns=[*columns, "component", "value"])
    found = Tables(study, root, _read={"": main})
    fits = pd.concat([fitted(d, seed) for d in datasets for seed in seeds], ignore_index=True)
    found._read["boosting"] = fits
    for name in ANALYSES:
        if name != "boosting":
            found._read[name] = registry.load("analyses", name).analyse(found)
    return found


def folder() -> Path:
    """A new folder, which is gone when the tests are done."""
    found = Path(tempfile.mkdtemp(prefix="evolution-"))
    atexit.register(shutil.rmtree, found, ignore_errors=True)
    return found


@functools.cache
def data(dataset: str) -> Path:
    """The file of a small made data set with the shape of a real one."""
    noise = np.random.default_rng(zlib.crc32(dataset.encode()))
    classes, shape = CLASSES[dataset], SHAPES[dataset]
    arrays: dict[str, Array] = {}
    centres = noise.normal(size=(max(classes, 1), *shape))
    for part, count in zip(("train", "test"), SIZES[dataset], strict=True):
        latent = noise.normal(size=(count, *shape))
        if classes:
            labels = noise.integers(classes, size=count)
            latent += centres[labels]
            arrays[f"{part}_labels"] = labels.astype(np.uint8)
        else:
            flat = latent.reshape(count, -1)
            target = 150 + 40 * (flat[:, 0] + flat[:, 1]) + 20 * noise.normal(size=count)
            arrays[f"{part}_labels"] = target.astype(np.float32)
        grey = np.clip(8 + 3 * latent, 0, 16)
        arrays[f"{part}_images"] = grey.astype(np.uint8 if dataset == "digits" else np.float32)
    path = folder() / f"{dataset}.safetensors"
    save_file(arrays, path)
    return path


@functools.cache
def fitted(dataset: str, seed: int) -> pd.DataFrame:
    """What the analysis `boosting` finds for one seed of a data set."""
    root = folder()
    (root / "data").mkdir()
    shutil.copy(data(dataset), layout.data(dataset, root))
    seal_data(layout.data(dataset, root))
    study = Study(
        name="evolution", title="made", datasets=(dataset,), seeds=(seed,),
        variants=(Variant("random", {}, USUAL["random"]),), baseline="random", timing_datasets=(),
        timing_steps=20, metrics=(), group_metrics=(), figures=(), analyses=(),
    )  # fmt: skip
    made = Tables(study, root, _read={"": pd.DataFrame()})
    # A fifth of the trees, a fifth of the time.
    few = functools.partial(HistGradientBoostingClassifier, max_iter=20)
    with mock.patch.object(boosting, "HistGradientBoostingClassifier", few):
        return boosting.analyse(made, repeats=2)


class Made:
    """One run: its outputs, its graph, and how it came to them."""

    def __init__(self, dataset: str, variant: str, seed: int, its: Run, *, short: bool) -> None:
        self.dataset, self.its, self.short = dataset, its, short
        self.noise = np.random.default_rng(zlib.crc32(f"{dataset} {variant} {seed}".encode()))
        self.classes = CLASSES[dataset]
        self.inputs = math.prod(SHAPES[dataset])
        self.of_graph = its["network"]["name"] == "evolving"
        self.evolves = "edit" in its["strategy"]
        level = SCORES[variant.split("-")[0]]
        parts = split(load(data(dataset)), **split_settings({**its, "seed": seed}))
        self.outputs: dict[str, Array] = {}
        for part in ("train", "validation", "test"):
            above = {"train": 0.05, "validation": 0.02, "test": 0.0}[part]
            self.outputs |= self._said(part, parts[part].labels.numpy(), level + above)
        self.last = {part: self._score(part) for part in ("train", "validation", "test")}
        generator = torch.Generator().manual_seed(
            zlib.crc32(f"{dataset} {variant} {seed}".encode())
        )
        self.graph = Graph(self.inputs)
        drawn: list[Any] = []
        if self.of_graph:
            self.graph, drawn = grow(self.graph, generator, KINDS, CONSTANTS, OPERATIONS)
        self.constants = [value + 0.3 * self.noise.normal() for one in drawn for value in one.start]

    def _said(self, part: str, labels: Array, level: float) -> dict[str, Array]:
        """Outputs of a split of about this score."""
        if not self.classes:
            numbers = ((labels - labels.mean()) / labels.std())[:, None]
            error = math.sqrt(1 - level) * self.noise.normal(size=numbers.shape)
            labels, said = numbers.astype(np.float32), numbers + error
        else:
            right = self.noise.random(len(labels)) < level
            chosen = np.where(right, labels, (labels + 1) % self.classes)
            said = self.noise.normal(size=(len(labels), self.classes))
            said[np.arange(len(labels)), chosen] = said.max(1) + 2 * self.noise.random(len(labels))
            labels = labels.astype(np.int64)
        return {f"{part}_outputs": said.astype(np.float32), f"{part}_labels": labels}

    def _score(self, part: str) -> tuple[float, float]:
        """Score and loss."""
        outputs = self.outputs[f"{part}_outputs"].astype(float)
        labels = self.outputs[f"{part}_labels"]
        if not self.classes:
            squares = ((outputs - labels) ** 2).mean()
            return float(1 - squares / labels.var()), float(squares)
        shifted = outputs - outputs.max(1, keepdims=True)
        logs = shifted - np.log(np.exp(shifted).sum(1, keepdims=True))
        loss = -logs[np.arange(len(labels)), labels].mean()
        return float((outputs.argmax(1) == labels).mean()), float(loss)

    def steps(self) -> list[int]:
        """Of the evaluations, one an epoch."""
        found = list(range(0, PER_EPOCH * EPOCHS + 1, PER_EPOCH))
        return [step for step in found if not self.short or step <= PER_EPOCH * EPOCHS / 3]

    def operations(self, step: int) -> int:
        """How many there are when a step is done."""
        if not self.evolves:
            return OPERATIONS if self.of_graph else 0
        return min(OPERATIONS, 3 * (step // PER_EPOCH))

    def parameters(self, operations: int) -> int:
        """Of the whole network."""
        outputs = self.classes or 1
        if self.its["network"]["name"] == "equal_mlp":
            operations = OPERATIONS
        return (self.inputs + operations + 1) * outputs + round(CONSTANTS * operations)

    def seconds(self, step: int) -> float:
        """Of training."""
        return step * (0.02 + 0.03 * self.of_graph + 0.02 * self.evolves)

    def history(self) -> Iterator[tuple[int, str, float, float]]:
        """Step, split, loss and score of each evaluation."""
        for step in self.steps():
            left = math.exp(-6 * step / (PER_EPOCH * EPOCHS)) if step < PER_EPOCH * EPOCHS else 0.0
            for part, (score, loss) in self.last.items():
                stop = self.short and step == self.steps()[-1]
                now = loss + (2.0 - loss) * left
                yield step, part, math.nan if stop else now, score * (1 - left)

    def rows(self) -> Iterator[Row]:
        """Epoch, images, metric, component and value, as the study's table has them."""
        measure = "accuracy" if self.classes else "r2"
        for step, part, loss, score in self.history():
            epoch = step // PER_EPOCH
            yield epoch, part, "history_loss", step, loss
            yield epoch, part, "history_accuracy", step, score if self.classes else math.nan
            if not self.classes:
                yield epoch, part, f"history_{measure}", step, score
        for step in self.steps():
            epoch = step // PER_EPOCH
            for stage, name, value in self._probed(step):
                images = "train" if name.startswith("importance") else ""
                yield epoch, images, f"probe_{name}.{stage}", step, value
        last = self.steps()[-1]
        parameters = self.parameters(self.operations(last))
        for metric, value in (
            ("parameters", parameters), ("mult_adds_forward_per_image", parameters - 1),
            ("stored_bytes", 4 * parameters + 900), ("peak_memory_bytes", 5e6 + 40 * parameters),
            ("seconds_train", self.seconds(last) * (1 + 0.1 * self.noise.random())), ("steps", last),
        ):  # fmt: skip
            yield EPOCHS, "", metric, math.nan, float(value)

    def _probed(self, step: int) -> Iterator[tuple[str, str, float]]:
        count = self.operations(step)
        first = {"linear": "output", "equal_mlp": "hidden"}.get(
            self.its["network"]["name"], "graph"
        )
        yield first, "parameters", float(self.parameters(count))
        slow = 1 + 0.2 * self.noise.random() + count / 20
        yield "output", "seconds_1", 3e-5 * slow
        yield "output", "seconds_256", 9e-5 * slow
        if not self.of_graph:
            return
        share = count / OPERATIONS
        found = {
            "operations": count, "depth": round(6 * share), "constants": round(CONSTANTS * count),
            "leaves": round(0.4 * count),
        }  # fmt: skip
        inputs = 4.0 * (1 - 0.3 * share) * (1 + 0.1 * self.noise.random())
        found |= {"importance_inputs": inputs, "importance_operations": 3.0 * share}
        if count:
            typical = 0.2 * (1 + 0.1 * self.noise.random())
            found |= {"importance_least": 0.2 * typical, "importance_median": typical}
            found["importance_most"] = 5 * typical
        for name, value in found.items():
            yield "graph", name, float(value)

    def write(self, where: Path) -> None:
        """The files of the run that analyses read."""
        with (where / "history.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(("step", "epoch", "seconds", "split", "loss", "accuracy", "r2"))
            for step, part, loss, score in self.history():
                both = (score, "") if self.classes else ("", score)
                writer.writerow((step, step // PER_EPOCH, self.seconds(step), part, loss, *both))
        seal_run(where)
        if self.short:
            return
        kept = {key: value for key, value in self.outputs.items() if not key.startswith("train")}
        save_file(kept, where / "outputs.safetensors")
        outputs, columns = self.classes or 1, self.graph.columns
        strength = self.noise.exponential(0.5, size=columns)
        weights = {
            "output.linear.weight": strength * self.noise.normal(size=(outputs, columns)),
            "output.linear.bias": self.noise.normal(size=outputs),
        }
        if self.of_graph:
            count = len(self.graph.ops)
            weights |= {
                "graph.layer.constants": np.array(self.constants),
                "graph.layer.running_mean": 0.2 * self.noise.normal(size=count),
                "graph.layer.running_var": 0.5 + self.noise.random(count),
                "graph.layer.seen": np.full(count, 40.0),
            }
        named = {name: value.astype(np.float32) for name, value in weights.items()}
        if self.of_graph:
            tensors = encoded(self.graph)
            named |= {f"graph.layer.{name}": tensor.numpy() for name, tensor in tensors.items()}
        save_file(named, where / "model.safetensors")
