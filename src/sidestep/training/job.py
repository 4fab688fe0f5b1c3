"""The training job: a run's config and data in, the run's folder out; resumed where it was killed."""

import csv
import dataclasses
import functools
import math
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor

from sidestep import cost, counting, entries, fingerprint, hardware, runs, seals
from sidestep.contract import Batch
from sidestep.device import make_repeatable, resolve
from sidestep.errors import UserError
from sidestep.files import (
    canonical_json,
    replacing,
    sha256,
    write_json,
    write_text,
    write_with,
)
from sidestep.registry import PACKAGE
from sidestep.status import StatusFile
from sidestep.surgery import gates_of
from sidestep.training import checkpoint, finished
from sidestep.training.evaluation import outputs_of
from sidestep.training.loop import Task, leave_untaught, train
from sidestep.training.setup import make_task, signals_of
from sidestep.training.state import HistoryRow, ProbeRow, Progress
from sidestep.training.step import entry

# Seconds between checkpoints: a killed job loses at most this and one epoch.
CHECKPOINT_SECONDS = 20.0
# The last epochs whose mean the summary gives.
LAST_EPOCHS = 5

Say = Callable[[str], None]


def run_job(
    run: dict[str, Any],
    given_fingerprint: str,
    code: frozenset[str],
    data: Path,
    folder: Path,
    *,
    teacher: Path | None = None,
    keep: Path | None = None,
    done: Path | None = None,
    status: Path | None = None,
    say: Say = print,
    checkpoint_seconds: float = CHECKPOINT_SECONDS,
) -> None:
    """Train one run and write its folder, `summary.json` last.

    A run whose teacher diverged has diverged, too, before its first step.

    Args:
        run: the resolved config.
        given_fingerprint: of the code that the job was planned with; empty for whatever is here.
        code: modules from which the job's code is reached.
        data: the data set's file; its digest file lies beside it.
        folder: where the results go.
        teacher: the folder of the run whose network teaches; needed if the run names one.
        keep: the checkpoint's file, or None to keep none.
        done: the file for a copy of the summary, for a run that shares its job with others; a finished
            run whose copy is there is not trained again. None to keep none.
        status: the status file, or None.
        say: takes a line of the job's log.
        checkpoint_seconds: least time between two checkpoints.

    Raises:
        UserError: the code changed, the device is absent, the data or the teacher are not there or
            damaged.
        RuntimeError: code outside the fingerprint was loaded.
    """
    before = fingerprint.check_at_start(given_fingerprint, code)
    name = "/".join(str(run[key]) for key in ("study", "dataset", "variant", "seed"))
    teller = StatusFile(status, {"run": name, "epochs": run["epochs"]})
    teller.say("starting", now=True, epoch=0)
    try:
        device = resolve(run["device"])
        make_repeatable(run["threads"], run["precision"])
        lost = teacher_diverged(run, teacher)
        state = _put_back(run, code, data, folder, teacher, done, say)
        if state is None:
            # A network that diverged is not looked at: its sizes, too, may be no numbers.
            weights = teacher / "model.safetensors" if teacher and not lost else None
            task = make_task(run, data, device, weights)
            identity = _identity(run, code, data, teacher)
            progress = (
                leave_untaught(task)
                if lost
                else _go(task, identity, keep, teller, say, checkpoint_seconds)
            )
            if (why := _why_diverged(run, progress)) is not None:
                say(f"diverged: {why}")
            fingerprint.check_at_end(code, before)
            _write(folder, run, identity, task, progress, device)
            state = "finished" if progress.diverged_at is None else "diverged"
            teller.facts["epoch"] = progress.rows[-1].epoch
            if done:
                finished.keep(done, folder)
    except BaseException as error:
        teller.say("failed", now=True, reason=f"{type(error).__name__}: {error}")
        raise
    if keep:
        keep.unlink(missing_ok=True)
    teller.say(state, now=True, left=0.0)
    say(f"{name}: {state}")


def _identity(
    run: dict[str, Any], code: frozenset[str], data: Path, teacher: Path | None
) -> dict[str, Any]:
    """What a run is: two jobs with the same one have the same results."""
    return {
        "run": run,
        "fingerprint": fingerprint.of(code),
        "data": seals.read(data.with_suffix(".digest.json")),
        "teacher": sha256(teacher / "model.safetensors") if teacher else None,
    }


def _put_back(
    run: dict[str, Any],
    code: frozenset[str],
    data: Path,
    folder: Path,
    teacher: Path | None,
    done: Path | None,
    say: Say,
) -> str | None:
    """The status of a run that an earlier job finished, made whole again; None if it has to be trained."""
    if done is None or not done.exists():
        return None
    try:
        state = finished.put_back(done, folder, _identity(run, code, data, teacher))
    except finished.RefusedError as refusal:
        say(f"the copy {done} {refusal}: training starts over")
        done.unlink()
        return None
    say(
        f"{run['dataset']}, seed {run['seed']} was finished by an earlier job: its summary is put back "
        f"from {done}"
    )
    return state


def teacher_diverged(run: dict[str, Any], folder: Path | None) -> bool:
    """Whether the run has a teacher, which is whole and of today's code and config, and diverged.

    Raises:
        UserError: the teacher's run is missing, damaged, or of another config or code.
    """
    if not run["teacher"]:
        return False
    if folder is None:
        raise UserError(
            f"the run has the teacher '{run['teacher']['variant']}' but no folder of it"
        )
    code = fingerprint.of(entries.train(run["teacher"]))
    return bool(runs.check(folder, run["teacher"], code)["status"] == "diverged")


def _go(
    task: Task,
    identity: dict[str, Any],
    keep: Path | None,
    teller: StatusFile,
    say: Say,
    checkpoint_seconds: float,
) -> Progress:
    signals = signals_of(task.phases)
    progress = Progress()
    if keep and keep.exists():
        try:
            progress = checkpoint.restore(keep, identity, task.network, signals, task.optimiser)
            say(f"resumed after step {progress.step} of {task.steps} from {keep}")
        except checkpoint.RefusedError as refusal:
            say(f"the checkpoint {keep} {refusal}: training starts over")
            keep.unlink()
    saved = begun = time.monotonic()
    first = progress.step

    def left() -> float:
        done = progress.step - first
        elapsed = time.monotonic() - begun
        return elapsed / done * (task.steps - progress.step) if done else math.nan

    def after_chunk(progress: Progress, loss: float) -> None:
        epoch = progress.step / task.steps_per_epoch
        shown = loss if math.isfinite(loss) else None
        teller.say("running", epoch=round(epoch, 2), left=round(left(), 1), loss=shown)

    def after_mark(progress: Progress) -> None:
        nonlocal saved
        say(f"{_line(progress, task)}, {left():.0f} s left")
        last = progress.step == task.steps
        if keep and not last and time.monotonic() - saved >= checkpoint_seconds:
            checkpoint.save(keep, identity, progress, task.network, signals, task.optimiser)
            saved = time.monotonic()

    train(task, progress, after_chunk=after_chunk, after_mark=after_mark)
    return progress


def _why_diverged(run: dict[str, Any], progress: Progress) -> str | None:
    """Why a run diverged, in words; None if it did not."""
    if progress.diverged_at is None:
        return None
    if progress.diverged_at == 0:
        return f"its teacher '{run['teacher']['variant']}' diverged and can teach nothing"
    return f"the loss is not finite at step {progress.diverged_at}"


def _line(progress: Progress, task: Task) -> str:
    epoch = progress.step / task.steps_per_epoch
    parts = [
        f"{row.split} loss {row.loss:.4f}"
        + (f" accuracy {row.accuracy:.4f}" if row.accuracy is not None else "")
        + (f" R² {row.r2:.4f}" if row.r2 is not None else "")
        for row in progress.rows
        if row.step == progress.step
    ]
    return f"epoch {epoch:.3g}/{task.epochs}: {', '.join(parts)}, {progress.seconds:.1f} s trained"


def _write(
    folder: Path,
    run: dict[str, Any],
    identity: dict[str, Any],
    task: Task,
    progress: Progress,
    device: torch.device,
) -> None:
    """Write every file of the run; the summary, with the others' digests, comes last."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "summary.json").unlink(missing_ok=True)
    write_text(folder / "config.json", canonical_json(run) + "\n")
    write_rows(folder / "history.csv", HistoryRow, progress.rows)
    write_rows(folder / "probes.csv", ProbeRow, progress.readings)
    network = {n: value.cpu().contiguous() for n, value in task.network.state_dict().items()}
    kept = {
        f"signals.{index}.{name}": value.cpu().contiguous()
        for index, signal in enumerate(signals_of(task.phases))
        for name, value in signal.state_dict().items()
    }
    records = {
        f"epoch{epoch}.{name}": value.contiguous()
        for epoch, record in progress.records.items()
        for name, value in record.items()
    }
    write_with(folder / "model.safetensors", lambda path: save_file(network | kept, path))
    if run["outputs"]:
        said = _outputs(run, task)
        write_with(folder / "outputs.safetensors", lambda path: save_file(said, path))
    write_with(folder / "records.safetensors", lambda path: save_file(records, path))
    provenance = {
        "fingerprint": identity["fingerprint"],
        "data": identity["data"],
        "commit": hardware.commit(PACKAGE),
        **hardware.describe(device),
    }
    write_json(folder / "provenance.json", provenance)
    others = [
        "config.json",
        "history.csv",
        "probes.csv",
        "model.safetensors",
        *(["outputs.safetensors"] if run["outputs"] else []),
        "records.safetensors",
    ]
    summary = {
        **_results(run, task, progress),
        "fingerprint": identity["fingerprint"],
        "teacher": identity["teacher"],
        "peak_memory_bytes": hardware.peak_memory(device),
        "files": {name: sha256(folder / name) for name in (*others, "provenance.json")},
    }
    seals.write(folder / "summary.json", summary)


def _outputs(run: dict[str, Any], task: Task) -> dict[str, Tensor]:
    """What the final network says of the splits that the run asks for, and what it should say.

    Of the images that are scored: what is made of outputs is held against scores.
    """
    found, shown = {}, run["evaluation_images"]
    for name in run["outputs"]:
        split = Batch(task.splits[name].images[:shown], task.splits[name].labels[:shown])
        found[f"{name}_outputs"] = outputs_of(task.network, split).cpu()
        found[f"{name}_labels"] = split.labels.cpu()
    return found


def _results(run: dict[str, Any], task: Task, progress: Progress) -> dict[str, Any]:
    """Figures of the run: scores, and what it cost."""
    final, recent = {}, {}
    for split in task.evaluated:
        rows = [row for row in progress.rows if row.split == split]
        whole = [row for row in rows if row.epoch > 0 and row.step % task.steps_per_epoch == 0]
        last = (whole or rows[-1:])[-LAST_EPOCHS:]
        final[split] = _scores(rows[-1:])
        recent[split] = _scores(last)
    images = task.splits["train"].images
    diverged = progress.diverged_at is not None
    return {
        "run": {key: run[key] for key in ("study", "dataset", "variant", "seed")},
        "status": "diverged" if diverged else "finished",
        "diverged_at_step": progress.diverged_at,
        "diverged_because": _why_diverged(run, progress),
        "steps": progress.step,
        "seconds_train": round(progress.seconds, 3),
        "final": final,
        f"mean_of_last_{LAST_EPOCHS}_epochs": recent,
        "parameters": cost.parameters(task.network),
        "parameters_of_signals": sum(map(cost.parameters, signals_of(task.phases))),
        "mult_adds_forward_per_image": cost.mult_adds_forward(task.network, images[:1]),
        "mult_adds_closed": sum(
            row.mult_adds for row in counting.count(task.network, tuple(images.shape[1:]))
        ),
        **_phase_costs(task, progress),
        "sizes": {stage: gate.neurons for stage, gate in gates_of(task.network).items()},
        "stored_bytes": cost.stored_bytes(task.network),
    }


def _phase_costs(task: Task, progress: Progress) -> dict[str, dict[str, int]]:
    """Multiply-adds of each phase's first step, and of computing the frozen stages' outputs before it.

    A phase that was never reached is counted on the network as it was left.
    """
    images = task.splits["train"].images
    per_step, per_entry = {}, {}
    for phase, begin, end in task.spans:
        planned, _ = task.prepare(phase)
        chosen = task.chosen(task.order(0), 0)
        kept = None
        if task.caches(phase, begin, end, planned):
            one = cost.mult_adds(lambda planned=planned: entry(planned, images[:1]))  # type: ignore[misc]
            per_entry[phase.name] = len(images) * one
            with task.computing():
                kept = entry(planned, task.batch(chosen).images)
        if phase.name in progress.costs:
            per_step[phase.name] = progress.costs[phase.name]
            continue
        planned.set_modes()
        work: Callable[[], object] = functools.partial(task.learn, planned, chosen, 0, kept)
        per_step[phase.name] = cost.mult_adds(work)
    return {"mult_adds_per_training_step": per_step, "mult_adds_per_entry": per_entry}


def _scores(rows: list[HistoryRow]) -> dict[str, float | None]:
    """Mean loss, and accuracy or R²; None where a diverged run's is no number."""
    found: dict[str, float | None] = {}
    for name in ("loss", "accuracy", "r2"):
        values = [getattr(row, name) for row in rows]
        if None not in values:
            mean = statistics.fmean(values)
            found[name] = mean if math.isfinite(mean) else None
    return found


def write_rows(path: Path, kind: type, rows: Sequence[HistoryRow | ProbeRow]) -> None:
    """Write rows of one kind as CSV, atomically; floats are written so that they read back equal."""
    with replacing(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        names = [field.name for field in dataclasses.fields(kind)]
        writer.writerow(names)
        for row in rows:
            writer.writerow([_cell(name, getattr(row, name)) for name in names])


def _cell(name: str, value: object) -> object:
    if isinstance(value, float):
        # A log of the machine's speed, not a result.
        return f"{value:.4f}" if name == "seconds" else repr(value)
    return "" if value is None else value
