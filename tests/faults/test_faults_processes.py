"""Jobs and Snakemake killed at any moment, by anybody: the next plain `snakemake` ends with the undisturbed paper."""

import contextlib
import os
import random
import resource
import signal
import subprocess
import sys
import time

import pytest
from project import environment

from faults import FULL, SEED, held, sample
from sidestep import layout
from sidestep.config import load
from sidestep.files import canonical_json, read_json

SIGNALS = (signal.SIGKILL, signal.SIGTERM)
MOMENTS = 30 if FULL else 2
# Moments that one paper is disturbed at before it is finished and compared.
IN_A_ROW = 6 if FULL else 2
ROWS = [(number, first) for number in SIGNALS for first in range(0, MOMENTS, IN_A_ROW)]


def unlocked(paper):
    """What the documents say to do after Snakemake was killed."""
    code, said = paper.run("--unlock")
    assert code == 0, said


def quiet(paper):
    """Wait until no job of a killed Snakemake is left."""
    paper.until("no job runs", lambda: not paper.jobs())


def moment(draw, seconds):
    """Let a random part of some seconds pass: this is the case that is tried, not a way to wait for something."""
    time.sleep(draw.random() * seconds)


@pytest.mark.parametrize(("number", "first"), ROWS)
def test_a_training_job_is_killed(fresh, undisturbed, number, first):
    draw = random.Random(f"{SEED} job {number} {first}")
    for _ in range(IN_A_ROW):
        process = fresh.start()
        found = fresh.until("a training job", lambda: fresh.jobs("train"), process)
        if not found:
            # All are trained already: the paper is finished below.
            break
        # A training job of this paper lives some three seconds, most of them to start up.
        moment(draw, 4)
        victim = draw.choice(fresh.jobs("train") or found)
        with contextlib.suppress(ProcessLookupError):
            os.kill(victim, number)
        fresh.until("Snakemake ended", lambda p=process: p.poll() is not None, seconds=400)
        fresh.nothing_wrong(undisturbed)
        held(f"a training job: {number.name}")
    fresh.finish()
    fresh.equals(undisturbed)


@pytest.mark.parametrize("whole", [True, False], ids=["all", "main"])
@pytest.mark.parametrize(("number", "first"), ROWS)
def test_snakemake_is_killed(fresh, undisturbed, number, first, whole):
    draw = random.Random(f"{SEED} snakemake {number} {first} {whole}")
    for _ in range(IN_A_ROW):
        process = fresh.start()
        moment(draw, 40)
        # Its jobs are killed with it, or left running.
        fresh.kill(process, number, group=whole)
        fresh.nothing_wrong(undisturbed)
        # Before the next start they must be gone, or two jobs would write the same files.
        quiet(fresh)
        fresh.nothing_wrong(undisturbed)
        unlocked(fresh)
        held(f"Snakemake {'and its jobs' if whole else 'alone'}: {number.name}")
    fresh.finish()
    fresh.equals(undisturbed)


def test_a_lost_machine_leaves_locks_and_incomplete_files(fresh, undisturbed):
    process = fresh.start()
    fresh.until("a training job", lambda: fresh.jobs("train"), process)
    fresh.kill(process)
    quiet(fresh)
    # What a machine that lost its power may leave of files that were being written.
    half = fresh.results / "runs/layerwise/digits/adam/seed0"
    half.mkdir(parents=True, exist_ok=True)
    (half / ".model.safetensors.x1y2z3").write_bytes(b"half")
    code, said = fresh.run()
    assert code != 0 and "--unlock" in said, said
    unlocked(fresh)
    fresh.finish()
    fresh.equals(undisturbed)
    held("a machine is lost: unlocked, then plain Snakemake")


def test_two_snakemakes_in_one_folder(fresh, undisturbed):
    first = fresh.start()
    second = fresh.start()
    codes = {first.wait(400), second.wait(400)}
    # One has the lock; the other says so, unless the first had finished before it looked.
    assert 0 in codes, fresh.said()[-4000:]
    assert codes == {0} or "lock" in fresh.said().lower()
    fresh.equals(undisturbed)
    held("two Snakemakes at once: one works, the other says that the folder is locked")


def test_the_kernel_kills_a_job_for_its_memory(fresh, undisturbed):
    """The OOM killer sends SIGKILL to the Python process, not to the shell or Snakemake."""
    process = fresh.start()
    (victim, *_) = fresh.until("a training job", lambda: fresh.jobs("train"), process)
    os.kill(victim, signal.SIGKILL)
    fresh.until("Snakemake ended", lambda: process.poll() is not None, seconds=400)
    assert process.returncode != 0
    fresh.nothing_wrong(undisturbed)
    fresh.finish()
    fresh.equals(undisturbed)
    held("out of memory: killed")


def commands(folder, scratch):
    """Stage → its command, which writes to a folder of its own, and the file that says that it is finished."""
    config = load(folder / "config.yaml")
    study = config.studies["layerwise"]
    root = ["--root", str(folder / "results")]
    plans = (folder / "results/plan").glob("study-*.json")
    (plan,) = (path for path in plans if read_json(path)["name"] == study.name)
    run = canonical_json(study.run("digits", "adam", 0))
    task = canonical_json(study.measure_task("digits", "adam"))
    place = ["--study", str(plan), *root]
    return {
        "train": (
            ["train", "--run", run, *root, "--output", str(scratch / "run")],
            scratch / "run/summary.json",
        ),
        "measure": (
            ["measure", "--task", task, *root, "--output", str(scratch / "m")],
            scratch / "m/summary.json",
        ),
        "tabulate": (["tabulate", *place, "--output", str(scratch / "t.csv")], scratch / "t.csv"),
    }


@pytest.mark.parametrize("stage", sample(["train", "measure", "tabulate"], 2))
def test_memory_that_is_not_given(undisturbed, tmp_path, stage):
    """Less and less address space: a command ends with an error and no result, or with the whole result."""
    words, result = commands(undisturbed.folder, tmp_path)[stage]
    outcomes = set()
    for limit in sample([150, 400, 700, 1000, 2000, 4000], 3):
        done = subprocess.run(
            [sys.executable, "-m", "sidestep", *words],
            capture_output=True,
            text=True,
            env={**environment(), "PYTHONPATH": str(undisturbed.folder / "src")},
            preexec_fn=lambda limit=limit: resource.setrlimit(
                resource.RLIMIT_AS, (limit << 20,) * 2
            ),
        )
        assert (done.returncode == 0) == result.exists(), done.stderr[-3000:]
        outcomes.add(done.returncode == 0)
        result.unlink(missing_ok=True)
        held("out of memory: refused to a job")
    assert False in outcomes
    layout.checkpoint("layerwise", "digits", "adam", 0, undisturbed.results).unlink(missing_ok=True)
