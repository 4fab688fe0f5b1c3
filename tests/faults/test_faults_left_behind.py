"""A training job that outlives its Snakemake, and the same job started again: one at a time, whole runs at the end."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from faults import held
from sidestep import layout, runs
from sidestep.files import canonical_json

SRC = Path(layout.__file__).parents[1]
# Stops itself after it took the digests of a run's files, before it writes the summary that holds them.
STOPS = """
import os, signal, sys
from sidestep import seals
from sidestep.cli import main
write = seals.write
def stopping(path, value):
    if path.name == "summary.json":
        os.kill(os.getpid(), signal.SIGSTOP)
    write(path, value)
seals.write = stopping
main(sys.argv[1:])
"""
LIMIT = 120


def until(what, true):
    end = time.monotonic() + LIMIT
    while not true():
        assert time.monotonic() < end, what
        time.sleep(0.01)


def state(process):
    """The letter of a process's state, `T` when it was stopped."""
    return Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()[0]


@pytest.mark.parametrize("seeds", [(3,), (3, 4)], ids=["one-seed", "batch"])
def test_a_job_waits_for_one_that_writes_the_same_files(run, digits, tmp_path, seeds):
    words = ["train", "--run", canonical_json(run), "--seeds", *map(str, seeds)]
    words += ["--root", str(tmp_path), "--data", str(digits), "--checkpoint-seconds", "0"]
    started = []

    def start(*how):
        log = (tmp_path / f"log{len(started)}").open("wb")
        environment = {**os.environ, "PYTHONPATH": str(SRC)}
        command = [sys.executable, *how, *words]
        process = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
        log.close()
        started.append(process)
        return process

    def said(number):
        return (tmp_path / f"log{number}").read_text()

    try:
        left = start("-c", STOPS)
        until("it is about to write a summary", lambda: state(left) == "T")
        again = start("-m", "sidestep")
        until("the other waits, or ended", lambda: "waiting" in said(1) or again.poll() is not None)
        while left.poll() is None:
            left.send_signal(signal.SIGCONT)
            time.sleep(0.01)
        assert left.returncode == 0, said(0)
        assert again.wait(LIMIT) == 0, said(1)
    finally:
        for process in started:
            process.kill()
            process.wait()
    for seed in seeds:
        folder = layout.run(run["study"], run["dataset"], run["variant"], seed, tmp_path)
        for name in runs.read_summary(folder)["files"]:
            runs.check_file(folder, name)
    assert not [path for path in (tmp_path / "checkpoints").rglob("*") if path.is_file()]
    held("a job left behind, and the same one again: one at a time")
