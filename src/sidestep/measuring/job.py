"""The measuring job: the finished runs of a variant in, tidy rows and per-neuron arrays out."""

import csv
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import safe_open
from safetensors.numpy import save_file

from sidestep import entries, fingerprint, runs, seals, surgery
from sidestep.building import build_network, dataset_of
from sidestep.data.dataset import Dataset
from sidestep.data.load import load, split
from sidestep.device import make_repeatable
from sidestep.errors import UserError
from sidestep.files import canonical_json, replacing, sha256, write_text, write_with
from sidestep.measuring.group import Group
from sidestep.measuring.rows import Row, Values
from sidestep.measuring.snapshot import Library, Snapshot
from sidestep.registry import arguments
from sidestep.registry import load as load_thing
from sidestep.study import runs_of, split_settings

COLUMNS = ("seed", "epoch", "images", "metric", "component", "value")
Arrays = dict[str, NDArray[np.float64]]


class Placed(NamedTuple):
    """A row with where it belongs."""

    seed: str
    epoch: int
    row: Row


def measure_job(
    task: dict[str, Any],
    given_fingerprint: str,
    data: Path,
    run_folders: dict[int, Path],
    folder: Path,
    say: Callable[[str], None] = print,
) -> None:
    """Measure every seed of a variant, then all of them together.

    A run that diverged has no metrics but `diverged`.

    Args:
        task: `Study.measure_task`.
        given_fingerprint: of the code that the job was planned with; empty for whatever is here.
        data: the data set's file.
        run_folders: seed → folder of its run.
        folder: where `metrics.csv`, `arrays.safetensors` and `summary.json` go.
        say: takes a line of the job's log.

    Raises:
        UserError: a run is missing, damaged, of another config or of other code.
    """
    code = entries.measure(task)
    before = fingerprint.check_at_start(given_fingerprint, code)
    first = task["run"]
    make_repeatable(first["threads"])
    dataset = dataset_of(first)
    library = library_of(first, dataset, data)
    placed: list[Placed] = []
    arrays: dict[int, dict[int, Arrays]] = {}
    digests: dict[str, str] = {}
    for run in runs_of(first, [first["dataset"]], task["seeds"]):
        seed, run_folder = run["seed"], run_folders[run["seed"]]
        summary = runs.check(run_folder, run, fingerprint.of(entries.train(run)))
        digests[str(seed)] = sha256(run_folder / "summary.json")
        if summary["status"] == "diverged":
            say(f"seed {seed} diverged: nothing is measured")
            continue
        if run["resample"]:
            library = library_of(run, dataset, data)
        for epoch, network in networks(run, run_folder, dataset):
            last = epoch == run["epochs"]
            snapshot = Snapshot(network, epoch, last, seed, library, library.parts)
            rows, kept = measure(snapshot, task["metrics"])
            placed += [Placed(str(seed), epoch, row) for row in rows]
            arrays.setdefault(epoch, {})[seed] = kept
            say(f"seed {seed}, epoch {epoch}: {len(rows)} rows")
    for epoch, by_seed in arrays.items():
        group = Group(epoch, by_seed)
        for thing in task["group_metrics"]:
            module = load_thing("group_metrics", thing["name"])
            rows = module.measure(group, **arguments(thing))
            placed += [Placed("pooled", epoch, row) for row in rows]
    fingerprint.check_at_end(code, before)
    _write(folder, task, placed, arrays, digests, fingerprint.of(code))


def library_of(run: dict[str, Any], dataset: Dataset, data: Path) -> Library:
    """The images of a run; those of all seeds are the same, unless each draws its own."""
    return Library(dataset, split(load(data), **split_settings(run)))


def networks(
    run: dict[str, Any], folder: Path, dataset: Dataset
) -> Iterator[tuple[int, torch.nn.Sequential]]:
    """Each recorded epoch with the network as it was then, in evaluation mode, on the CPU."""
    for epoch in run["records"]:
        last = epoch == run["epochs"]
        name, prefix = ("model", "") if last else ("records", f"epoch{epoch}.")
        with safe_open(folder / f"{name}.safetensors", framework="pt") as file:
            tensors = {
                key.removeprefix(prefix): file.get_tensor(key)
                for key in file.keys()  # noqa: SIM118
                if key.startswith(prefix) and not key.startswith("signals.")
            }
        network = build_network(run, dataset)
        surgery.restore(network, tensors)
        network.eval()
        yield epoch, network


def measure(snapshot: Snapshot, metrics: list[dict[str, Any]]) -> tuple[list[Row], Arrays]:
    """Every metric of one network: rows, and the arrays that they keep."""
    rows: list[Row] = []
    kept: Arrays = {}
    for thing in metrics:
        module = load_thing("metrics", thing["name"])
        dataset = snapshot.library.dataset
        if dataset.target == "number" and not getattr(module, "TAKES_NUMBERS", False):
            raise UserError(
                f"metric '{thing['name']}' is of classes, but dataset '{dataset.name}' has a number to "
                f"predict"
            )
        for item in module.measure(snapshot, **arguments(thing)):
            if isinstance(item, Values):
                kept[item.name] = item.array
            else:
                rows.append(item)
    return rows, kept


def _write(
    folder: Path,
    task: dict[str, Any],
    placed: list[Placed],
    arrays: dict[int, dict[int, Arrays]],
    digests: dict[str, str],
    code: str,
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "summary.json").unlink(missing_ok=True)
    write_text(folder / "config.json", canonical_json(task) + "\n")
    path = folder / "metrics.csv"
    with replacing(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for seed, epoch, row in placed:
            component = "" if row.component is None else f"{row.component:.9g}"
            # What is no number, or too large for one, is no measurement.
            value = f"{row.value:.9g}" if math.isfinite(row.value) else ""
            writer.writerow([seed, epoch, row.images, row.metric, component, value])
    flat = {
        f"seed{seed}.epoch{epoch}.{name}": np.ascontiguousarray(array)
        for epoch, by_seed in arrays.items()
        for seed, kept in by_seed.items()
        for name, array in kept.items()
    }
    write_with(folder / "arrays.safetensors", lambda temporary: save_file(flat, temporary))
    files = ("config.json", "metrics.csv", "arrays.safetensors")
    summary = {
        "fingerprint": code,
        "runs": digests,
        "files": {name: sha256(folder / name) for name in files},
    }
    seals.write(folder / "summary.json", summary)
