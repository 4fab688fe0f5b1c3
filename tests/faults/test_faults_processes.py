"""Jobs and Snakemake killed at any moment, by anybody: the next plain `snakemake` ends with the undisturbed paper."""

import contextlib
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time

import pytest
from project import environment

from faults import FULL, SEED, held, sample
from sidestep.config import load
from sidestep.files import canonical_json, read_json

SIGNALS = (signal.SIGKILL, signal.SIGTERM)
# Of each kind of victim and each signal.
MOMENTS = 30
# Moments that one paper is disturbed at before it is finished and compared.
IN_A_ROW = 30
# What is made again where a test needs no whole run: a batch of two seeds, and what comes of it.
PART = (
    "runs/layerwise/digits/adam",
    "measures/layerwise/digits/adam",
    "tables/layerwise*",
    "figures",
    "numbers.json",
    "paper.pdf",
)
# Seconds in which a Snakemake reads its rules and plans.
PLANNING = 3


def spread(*kinds, few):
    """Moments spread over 0 to 1, as many of each kind, in rows that each have the kinds and moments mixed.

    Args:
        kinds: what is disturbed, and how.
        few: moments of all kinds together in a sample.
    """
    draw = random.Random(f"{SEED} {kinds}")
    count = MOMENTS if FULL else max(1, few // len(kinds))
    cases = [((index + draw.random()) / count, kind) for kind in kinds for index in range(count)]
    draw.shuffle(cases)
    return [cases[first : first + IN_A_ROW] for first in range(0, len(cases), IN_A_ROW)]


def whole_part(paper):
    """Take the part away that a test has made again."""
    paper.take_away(*PART)
    return paper


@pytest.mark.parametrize(
    "cases", spread(*SIGNALS, few=4), ids=lambda cases: f"{len(cases)}-moments"
)
def test_training_jobs_are_killed(papers, undisturbed, cases):
    """Also what the kernel does where memory is short: SIGKILL to the Python process, not to Snakemake."""
    waiting, (_, life) = list(cases), undisturbed.lasted()
    while waiting:
        paper = papers()
        while waiting:
            victims = {}
            process = paper.start()
            hit = paper.until(
                "Snakemake ended",
                lambda p=process, v=victims, q=paper, w=waiting: (
                    kill_jobs(q, w, v, life) or p.poll() is not None
                ),
                seconds=400,
            )
            assert hit
            # Moments that no job lived to see come earlier in the life of a next one.
            missed = [case for *_, case, killed in victims.values() if not killed]
            waiting += [(share * 0.5, number) for share, number in missed]
            paper.nothing_wrong(undisturbed)
            killed = [case for *_, case, killed in victims.values() if killed]
            if not killed:
                assert process.returncode == 0, paper.said()[-4000:]
                break
            assert process.returncode != 0 and not paper.locked()
            for _, number in killed:
                held(f"a training job: {number.name}")
        paper.finish()
        paper.equals(undisturbed)


def kill_jobs(paper, waiting, victims, life):
    """Give each new training job a moment of its life, and kill those whose moment has come; never true."""
    now, living = time.monotonic(), paper.jobs("train")
    for job in living:
        if job not in victims and waiting:
            case = waiting.pop()
            victims[job] = (now + case[0] * life, case, False)
    for job, (at, case, killed) in victims.items():
        if not killed and now >= at and job in living:
            # It may have been finished since.
            with contextlib.suppress(ProcessLookupError):
                os.kill(job, case[1])
                victims[job] = (at, case, True)
    return False


ALL, ALONE = True, False
VICTIMS = [(group, number) for group in (ALL, ALONE) for number in SIGNALS]


@pytest.mark.parametrize(
    "cases", spread(*VICTIMS, few=4), ids=lambda cases: f"{len(cases)}-moments"
)
def test_snakemake_is_killed(fresh, undisturbed, cases):
    """A row of moments over one course of the paper, from its first second to its last job."""
    draw, outputs = random.Random(f"{SEED} {cases}"), undisturbed.outputs()
    for share, (group, number) in sorted(cases):
        process = until_moment(fresh, share * (len(outputs) - 1), draw)
        # Its jobs are killed with it, or live on.
        fresh.kill(process, number, group=group)
        fresh.nothing_wrong(undisturbed)
        # Before the next start they should be gone; what happens if they are not has a test of its own.
        fresh.quiet()
        fresh.nothing_wrong(undisturbed)
        if fresh.locked():
            fresh.unlock()
        held(f"Snakemake {'and its jobs' if group else 'alone'}: {number.name}")
    fresh.finish()
    fresh.equals(undisturbed)


def until_moment(paper, outputs, draw):
    """Start Snakemake and wait for so many outputs and a random part of a job, or of planning if they are there."""
    while True:
        part = draw.random() * (1 if len(paper.outputs()) < outputs else PLANNING)
        process, since = paper.start(), []

        def come(since=since, part=part):
            if not since and len(paper.outputs()) >= outputs:
                since.append(time.monotonic())
            return since and time.monotonic() >= since[0] + part

        if paper.until("the moment", come, process):
            return process
        assert process.returncode == 0, paper.said()[-6000:]
        # It was finished before: there is something to do again.
        paper.take_away("numbers.json", "paper.pdf")


def test_a_lost_machine_leaves_locks_and_half_written_files(finished, undisturbed):
    paper = whole_part(finished)
    process = paper.start()
    folder = paper.results / "checkpoints/layerwise/digits/adam"
    log = training_log(paper)
    # The log of the undisturbed paper lies there until a job begins its own.
    paper.until("a training job", lambda: paper.jobs("train"), process)
    # A checkpoint does not live long; the log tells of one that was missed.
    paper.until("a checkpoint", lambda: [*folder.glob("*.s*")] or lines_of(log) > 2, process)
    assert process.poll() is None
    paper.kill(process)
    paper.quiet()
    # What a machine that lost its power may leave of files that were being written.
    for checkpoint in folder.glob("*.safetensors"):
        checkpoint.write_bytes(checkpoint.read_bytes()[:100])
    half = paper.results / "runs/layerwise/digits/adam/seed0"
    half.mkdir(parents=True, exist_ok=True)
    (half / ".model.safetensors.x1y2z3").write_bytes(b"half")
    (half / "model.safetensors").write_bytes(b"")
    code, said = paper.run()
    assert code != 0 and "--unlock" in said, said
    paper.nothing_wrong(undisturbed)
    paper.unlock()
    paper.finish()
    paper.equals(undisturbed)
    held("a machine is lost: unlocked, then plain Snakemake")


@pytest.mark.parametrize("number", sample(range(4), 1))
def test_jobs_that_a_killed_snakemake_left_behind(finished, undisturbed, number):
    """Started again at once, while a training job lives on: it is waited for."""
    paper = whole_part(finished)
    draw = random.Random(f"{SEED} left {number}")
    process = paper.start()
    (left,) = paper.until("a training job", lambda: paper.jobs("train"), process)
    log = training_log(paper)
    lines = draw.randrange(1, 9)
    paper.until("a moment of its life", lambda: lines_of(log) >= lines or not alive(left))
    # It stands still until the next one has come, as on a disk that hangs.
    os.kill(left, signal.SIGSTOP)
    paper.kill(process, group=False)
    code, said = paper.run()
    assert code != 0 and "--unlock" in said, said
    paper.unlock()
    process = paper.start()
    paper.until("it waits", lambda: log.exists() and b"waiting until" in log.read_bytes(), process)
    assert len(paper.jobs("train")) == 2
    os.kill(left, signal.SIGCONT)
    paper.until("Snakemake ended", lambda: process.poll() is not None, seconds=400)
    assert process.returncode == 0, paper.said()[-6000:]
    assert "Nothing to be done" in paper.finish()
    paper.equals(undisturbed)
    held("jobs left behind by a killed Snakemake, unlocked and started again at once")


def training_log(paper):
    return paper.results / "logs/train_network/layerwise/digits/adam/train_seeds_0_1.log"


def lines_of(path):
    return path.read_bytes().count(b"\n") if path.exists() else 0


def alive(process):
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize("number", sample(range(3), 1))
def test_two_snakemakes_in_one_folder(finished, undisturbed, number):
    paper = whole_part(finished)
    first = paper.start()
    # The second comes while the first plans.
    part = random.Random(f"{SEED} two {number}").random()
    begun = time.monotonic()
    paper.until("a moment", lambda: time.monotonic() >= begun + part, first)
    second = paper.start()
    codes = {process.wait(400) for process in (first, second)}
    # One has the lock; the other says so, unless the first had finished before it looked.
    assert 0 in codes, paper.said()[-4000:]
    assert codes == {0} or "Directory cannot be locked" in paper.said()
    assert "Nothing to be done" in paper.finish()
    paper.equals(undisturbed)
    held("two Snakemakes at once: one works, the other says that the folder is locked")


def commands(folder, root):
    """Stage → its command, which writes to a folder of its own, and the file that says that it is finished."""
    config = load(folder / "config.yaml")
    study = config.studies["layerwise"]
    plans = (root / "plan").glob("study-*.json")
    (plan,) = (path for path in plans if read_json(path)["name"] == study.name)
    run = canonical_json(study.run("digits", "adam", 0))
    task = canonical_json(study.measure_task("digits", "adam"))
    out, place = root / "out", ["--root", str(root), "--output"]
    return {
        "train": (["train", "--run", run, *place, str(out / "run")], out / "run/summary.json"),
        "measure": (["measure", "--task", task, *place, str(out / "m")], out / "m/summary.json"),
        "tabulate": (
            ["tabulate", "--study", str(plan), *place, str(out / "t.csv")],
            out / "t.csv",
        ),
    }


@pytest.mark.parametrize("stage", sample(["train", "measure", "tabulate"], 1))
def test_memory_that_is_not_given(undisturbed, tmp_path, stage):
    """Less and less address space: a command ends with an error and no result, or with the whole result."""
    shutil.copytree(undisturbed.results, tmp_path / "results")
    words, result = commands(undisturbed.folder, tmp_path / "results")[stage]
    outcomes = set()
    for limit in [20, *sample([25, 30, 60, 100, 150, 400, 700, 1000, 2000, 4000], 3)]:
        done = subprocess.run(
            [sys.executable, "-m", "sidestep", *words],
            capture_output=True,
            text=True,
            env={**environment(), "PYTHONPATH": str(undisturbed.folder / "src")},
            preexec_fn=lambda limit=limit: resource.setrlimit(
                resource.RLIMIT_AS, (limit << 20,) * 2
            ),
            timeout=120,
        )
        assert (done.returncode == 0) == result.exists(), done.stderr[-3000:]
        outcomes.add(done.returncode == 0)
        result.unlink(missing_ok=True)
        held("out of memory: refused to a job")
    assert False in outcomes
