"""The timing job: seconds per training step of each phase, measured by a job that runs alone."""

import time
from pathlib import Path
from typing import Any

import torch

from sidestep import fingerprint, hardware
from sidestep.device import make_repeatable, resolve, synchronise
from sidestep.files import write_json
from sidestep.training.loop import Task
from sidestep.training.setup import make_task
from sidestep.training.step import learn

WARM_UP = 5


def time_job(
    run: dict[str, Any],
    given_fingerprint: str,
    entries: frozenset[str],
    data: Path,
    output: Path,
    *,
    steps: int,
    threads: int,
) -> None:
    """Time the steps of every phase of a run and write median and quartiles.

    A step is what the loop does between two evaluations: gather a batch, forward, backward, update.

    Args:
        run: the resolved config.
        given_fingerprint: of the code that the job was planned with; empty for whatever is here.
        entries: modules from which the job's code is reached.
        data: the data set's file.
        output: JSON file to write.
        steps: timed steps per phase.
        threads: torch threads.
    """
    before = fingerprint.check_at_start(given_fingerprint, entries)
    device = resolve(run["device"])
    make_repeatable(threads)
    task = make_task({**run, "evaluate": []}, data, device)
    phases = {phase.name: _time(task, index, steps) for index, phase in enumerate(task.phases)}
    fingerprint.check_at_end(entries, before)
    shares = {phase.name: phase.share for phase in task.phases}
    seconds = sum(shares[name] * phases[name]["median"] for name in phases) * task.steps
    write_json(
        output,
        {
            "phases": phases,
            "shares": shares,
            "steps": task.steps,
            "steps_timed": steps,
            "batch_size": run["batch_size"],
            "seconds_run": seconds,
            "fingerprint": fingerprint.of(entries),
            **hardware.describe(device),
        },
    )


def _time(task: Task, index: int, steps: int) -> dict[str, float]:
    """Median and quartiles of a phase's seconds per step."""
    planned, focus = task.prepare(task.phases[index])
    planned.set_modes()
    device = task.splits["train"].labels.device
    order = task.order(0)
    whole_batches = max(len(order) // task.batch_size, 1)
    seconds = []
    for step in range(WARM_UP + steps):
        synchronise(device)
        begin = time.perf_counter()
        learn(planned, task.batch(order, step % whole_batches))
        focus.update(task.schedule(step / task.steps))
        synchronise(device)
        seconds.append(time.perf_counter() - begin)
    kept = torch.tensor(seconds[WARM_UP:], dtype=torch.float64)
    q1, median, q3 = torch.quantile(kept, torch.tensor([0.25, 0.5, 0.75], dtype=torch.float64))
    return {"q1": float(q1), "median": float(median), "q3": float(q3)}
