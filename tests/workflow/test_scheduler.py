"""Snakemake's scheduler as the workflow leaves it: it ends when it is told to, and wakes no more often than it must."""

import re
import subprocess
import sys

import pytest
from project import environment

pytestmark = pytest.mark.workflow

# Snakemake that gets SIGTERM while it holds its scheduler's lock, which its handler takes too.
TERMINATED = """
import os, signal, sys
from snakemake.cli import main
from snakemake.scheduling.job_scheduler import JobScheduler
remaining = JobScheduler.remaining_jobs.fget
def asked_under_the_lock(self):
    assert self._lock.locked()
    os.kill(os.getpid(), signal.SIGTERM)
    return remaining(self)
JobScheduler.remaining_jobs = property(asked_under_the_lock)
main()
"""


def test_snakemake_ends_when_it_is_told_to_while_it_chooses_jobs(fresh):
    done = subprocess.run(
        [sys.executable, "-c", TERMINATED, "--cores", "2", "--configfile", "tiny.yaml"],
        cwd=fresh.folder,
        capture_output=True,
        text=True,
        env=environment(),
        timeout=60,
    )
    assert done.returncode == 1
    assert "Will exit after finishing currently running jobs" in done.stderr
    # Nothing is locked.
    assert "Job stats" in fresh.run("-n")[1]


# Snakemake that says at its end how many timers were alive at a time, at most.
COUNTED = """
import atexit, threading
from snakemake.cli import main
alive, start = [], threading.Timer.start
def counted(self):
    start(self)
    alive.append(sum(isinstance(each, threading.Timer) for each in threading.enumerate()))
threading.Timer.start = counted
atexit.register(lambda: print("timers:", len(alive), "at most", max(alive)))
main()
"""


def test_one_timer_at_a_time_wakes_the_scheduler(fresh):
    """Snakemake's own are one for each job that was finished while others wait."""
    goal = "results/measures/width/digits/width-4/summary.json"
    done = subprocess.run(
        [sys.executable, "-c", COUNTED, "--cores", "1", "--configfile", "tiny.yaml", "--", goal],
        cwd=fresh.folder,
        capture_output=True,
        text=True,
        env=environment(),
    )
    assert done.returncode == 0, done.stderr
    set_, most = map(int, re.findall(r"timers: (\d+) at most (\d+)", done.stdout)[0])
    assert set_ > 2 and most == 1
