"""The timing job: seconds per training step, measured by a job that runs alone."""

import time
from collections.abc import Callable
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
    make_repeatable(threads)
    variants: dict[str, Any] = {}
    for variant, run in runs.items():
        device = resolve(run["device"])
        task = make_task({**run, "evaluate": []}, data, device)
        phases = {phase.name: _time(task, index, steps) for index, phase in enumerate(task.phases)}
        shares = {phase.name: phase.share for phase in task.phases}
        mean = sum(shares[name] * phases[name]["median"] for name in phases)
        variants[variant] = {
            "phases": phases,
            "shares": shares,
            "steps": task.steps,
            "batch_size": run["batch_size"],
            "seconds_run": mean * task.steps,
            "device": str(device),
        }
        say(f"{variant}: {1000 * mean:.2f} ms a step")
    fingerprint.check_at_end(entries, before)
    write_json(
        output,
        {
            "variants": variants,
            "steps_timed": steps,
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
