"""Several runs of a variant in one job, one after the other: most of a short job is start-up.

Nothing of one run reaches the next: each ends with the bytes of a job of its own.
"""

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from sidestep import entries, fingerprint, layout
from sidestep.training.job import CHECKPOINT_SECONDS, Say, run_job


def run_batch(
    runs: Sequence[dict[str, Any]],
    given_fingerprint: str,
    root: Path,
    *,
    data: Path | None = None,
    output: Path | None = None,
    say: Say = print,
    checkpoint_seconds: float = CHECKPOINT_SECONDS,
) -> None:
    """Train the runs and write the folder of each.

    A run that was finished before the job was stopped is not trained again: a copy of its summary
    is kept until all runs are finished. A fault in one run ends the job. A job of the same run that
    outlived its Snakemake is waited for.

    Args:
        runs: the resolved configs, in their order.
        given_fingerprint: of the code of all of them that the job was planned with; empty for whatever
            is here.
        root: the results folder.
        data: the data set's file instead of those in the results; its digest file lies beside it.
        output: the folder of the results instead of the usual one; for one run only.
        say: takes a line of the job's log.
        checkpoint_seconds: least time between two checkpoints.

    Raises:
        UserError, RuntimeError: as of `run_job`.
    """
    fingerprint.check_at_start(given_fingerprint, entries.train(*runs))
    codes = [entries.train(run) for run in runs]
    planned = [fingerprint.of(code) for code in codes]
    for run in runs:
        # What an earlier job said of a run that has to wait for others is not true any more.
        layout.status(*_place(run), root).unlink(missing_ok=True)
    for run, code, of_code in zip(runs, codes, planned, strict=True):
        teacher, place = run["teacher"], _place(run)
        folder = output or layout.run(*place, root)
        kept, done = layout.checkpoint(*place, root), layout.done(*place, root)
        with alone(folder, say):
            _tidy(folder, kept, done)
            run_job(
                run,
                of_code,
                code,
                data or layout.data(run["dataset"], root),
                folder,
                teacher=layout.run(*_place(teacher), root) if teacher else None,
                keep=kept,
                done=done if len(runs) > 1 else None,
                status=layout.status(*place, root),
                say=say,
                checkpoint_seconds=checkpoint_seconds,
            )
    for run in runs:
        layout.done(*_place(run), root).unlink(missing_ok=True)


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
