"""Several seeds of a run in one job, one after the other: most of a short job is start-up.

Nothing of one seed reaches the next: each ends with the bytes of a job of its own.
"""

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from sidestep import entries, layout
from sidestep.training.job import CHECKPOINT_SECONDS, Say, run_job


def runs_of(run: dict[str, Any], seeds: Sequence[int]) -> Iterator[dict[str, Any]]:
    """The run with each of the seeds, which are its teacher's too."""
    for seed in seeds:
        teacher = run["teacher"]
        yield {**run, "seed": seed, "teacher": {**teacher, "seed": seed} if teacher else None}


def run_batch(
    run: dict[str, Any],
    seeds: Sequence[int],
    given_fingerprint: str,
    data: Path,
    root: Path,
    *,
    output: Path | None = None,
    say: Say = print,
    checkpoint_seconds: float = CHECKPOINT_SECONDS,
) -> None:
    """Train a run with each of the seeds and write the folder of each.

    A seed that was finished before the job was stopped is not trained again: a copy of its summary
    is kept until all seeds are finished. A fault in one seed ends the job. A job of the same run that
    outlived its Snakemake is waited for.

    Args:
        run: the resolved config.
        seeds: in their order.
        given_fingerprint: of the code that the job was planned with; empty for whatever is here.
        data: the data set's file; its digest file lies beside it.
        root: the results folder.
        output: the folder of the results instead of the usual one; for one seed only.
        say: takes a line of the job's log.
        checkpoint_seconds: least time between two checkpoints.

    Raises:
        UserError, RuntimeError: as of `run_job`.
    """
    cell = (run["study"], run["dataset"], run["variant"])
    for seed in seeds:
        # What an earlier job said of a seed that has to wait for others is not true any more.
        layout.status(*cell, seed, root).unlink(missing_ok=True)
    for one in runs_of(run, seeds):
        teacher, seed = one["teacher"], one["seed"]
        folder = output or layout.run(*cell, seed, root)
        kept, done = layout.checkpoint(*cell, seed, root), layout.done(*cell, seed, root)
        with alone(folder, say):
            _tidy(folder, kept, done)
            run_job(
                one,
                given_fingerprint,
                entries.train(one),
                data,
                folder,
                teacher=layout.run(*_place(teacher), root) if teacher else None,
                keep=kept,
                done=done if len(seeds) > 1 else None,
                status=layout.status(*cell, seed, root),
                say=say,
                checkpoint_seconds=checkpoint_seconds,
            )
    for seed in seeds:
        layout.done(*cell, seed, root).unlink(missing_ok=True)


@contextmanager
def alone(folder: Path, say: Say) -> Iterator[None]:
    """Hold a run's folder for this process; wait while another one holds it.

    Two jobs that write one folder at the same time could leave files of both, which readers refuse.
    The system drops the lock when its process ends, however it ends. Where the disk has no such locks
    (some that are shared between machines), nobody waits.

    Args:
        folder: made if it is not there.
        say: told if another process has to be waited for.

    Raises:
        OSError: the folder cannot be made or opened.
    """
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                say(f"another process writes {folder}: waiting until it has ended")
                fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _tidy(folder: Path, *files: Path) -> None:
    """Remove what a killed job left half-written: in its folder, and beside files that it was to replace."""
    left = [
        *folder.glob(".*"),
        *(one for file in files for one in file.parent.glob(f".{file.name}.*")),
    ]
    for path in left:
        path.unlink(missing_ok=True)


def _place(run: dict[str, Any]) -> tuple[str, str, str, int]:
    return run["study"], run["dataset"], run["variant"], run["seed"]
