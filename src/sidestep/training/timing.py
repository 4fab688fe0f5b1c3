"""The timing job: seconds per training step, measured by a job that runs alone."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from sidestep import fingerprint, hardware, seals
from sidestep.contract import Phase
from sidestep.device import make_repeatable, resolve, synchronise
from sidestep.training.loop import Task
from sidestep.training.setup import make_task
from sidestep.training.step import ENTRY_IMAGES, Plan, entry, entry_chunks

WARM_UP = 5
# Chunks of the frozen stages' outputs that are timed.
ENTRY_CHUNKS = 9


def time_job(
    runs: dict[str, dict[str, Any]],
    given_fingerprint: str,
    entries: frozenset[str],
    data: Path,
    output: Path,
    *,
    steps: int,
    threads: int,
    say: Callable[[str], None] = print,
) -> None:
    """Time the steps of every phase of every variant, one after the other, and write the quartiles.

    A step is what the loop does between two evaluations: gather a batch, forward, backward, update.
    Where a phase computes the frozen stages' outputs beforehand, that is timed too, by its chunks;
    and so is inference, by batches of the run's size.
    One job times all variants of a study, because it has to be alone on the machine and most of a
    short job is start-up.

    Args:
        runs: variant → one of its resolved configs.
        given_fingerprint: of the code that the job was planned with; empty for whatever is here.
        entries: modules from which the job's code is reached.
        data: the data set's file.
        output: JSON file to write.
        steps: timed steps per phase.
        threads: torch threads.
        say: takes a line of the job's log.
    """
    before = fingerprint.check_at_start(given_fingerprint, entries)
    variants: dict[str, Any] = {}
    for variant, run in runs.items():
        device = resolve(run["device"])
        make_repeatable(threads, run["precision"])
        task = make_task({**run, "evaluate": [], "probes": []}, data, device)
        phases = {phase.name: _time(task, phase, b, e, steps) for phase, b, e in task.spans}
        total = sum(p["seconds_entry"] + p["steps"] * p["median"] for p in phases.values())
        variants[variant] = {
            "phases": phases,
            "forward": _time_forward(task, steps),
            "steps": task.steps,
            "batch_size": run["batch_size"],
            "seconds_run": total,
            "device": str(device),
        }
        say(f"{variant}: {1000 * total / task.steps:.2f} ms a step")
    fingerprint.check_at_end(entries, before)
    seals.write(
        output,
        {
            "of": seals.digest({"runs": runs, "steps": steps}),
            "variants": variants,
            "steps_timed": steps,
            "fingerprint": fingerprint.of(entries),
            **hardware.describe(device),
        },
    )


def _time(task: Task, phase: Phase, begin: int, end: int, steps: int) -> dict[str, float]:
    """A phase's steps, median and quartiles of its seconds per step, and seconds before its first."""
    planned, focus = task.prepare(phase)
    device = task.splits["train"].labels.device
    images = task.splits["train"].images
    entered, before = None, 0.0
    if task.caches(phase, begin, end, planned):
        with task.computing():
            before = _time_entry(planned, images, device)
        # Steps are timed on the first images alone, whose outputs suffice.
        images = images[: (WARM_UP + steps) * task.batch_size]
        with task.computing():
            entered = entry(planned, images)
    planned.set_modes()
    order = task.order(0)
    order = order[order < len(images)]
    whole_batches = max(len(order) // task.batch_size, 1)
    seconds = []
    for step in range(WARM_UP + steps):
        synchronise(device)
        start = time.perf_counter()
        chosen = task.chosen(order, step % whole_batches)
        kept = None if entered is None else entered.index_select(0, chosen)
        task.learn(planned, chosen, step, kept)
        focus.update(task.schedule(step / (WARM_UP + steps)))
        synchronise(device)
        seconds.append(time.perf_counter() - start)
    q1, median, q3 = _quartiles(seconds[WARM_UP:])
    return {
        "steps": end - begin,
        "q1": q1,
        "median": median,
        "q3": q3,
        "seconds_entry": before,
    }


def _time_forward(task: Task, steps: int) -> dict[str, float]:
    """Median and quartiles of the seconds of one batch's way through the network in evaluation mode."""
    images = task.splits["train"].images[: task.batch_size]
    task.network.eval()
    seconds = []
    for _ in range(WARM_UP + steps):
        synchronise(images.device)
        start = time.perf_counter()
        with torch.no_grad():
            task.network(images)
        synchronise(images.device)
        seconds.append(time.perf_counter() - start)
    q1, median, q3 = _quartiles(seconds[WARM_UP:])
    return {"q1": q1, "median": median, "q3": q3}


def _time_entry(planned: Plan, images: Tensor, device: torch.device) -> float:
    """Seconds for the frozen stages' outputs of all images: the median chunk's, times the chunks."""
    seconds = []
    chunks = entry_chunks(planned, images)
    for _ in range(min(ENTRY_CHUNKS, -(-len(images) // ENTRY_IMAGES))):
        synchronise(device)
        start = time.perf_counter()
        size = len(next(chunks))
        synchronise(device)
        # A short last chunk counts as what a whole one would take.
        seconds.append((time.perf_counter() - start) * ENTRY_IMAGES / size)
    return _quartiles(seconds)[1] * len(images) / ENTRY_IMAGES


def _quartiles(seconds: list[float]) -> tuple[float, float, float]:
    kept = torch.tensor(seconds, dtype=torch.float64)
    q1, median, q3 = torch.quantile(kept, torch.tensor([0.25, 0.5, 0.75], dtype=torch.float64))
    return float(q1), float(median), float(q3)
