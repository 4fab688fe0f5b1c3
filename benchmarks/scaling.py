"""Thousands of runs: what planning, gathering and drawing them costs, per run and at most."""

import itertools
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from common import Result
from made_runs import ANALYSES, FIGURES, make_project, make_results

from sidestep.study import Study

SIZES = (1000, 5000, 20000)
# Rows of a curve, a run and recorded epoch: with it, a run has about as many rows as one of the paper's width study.
CURVE = 300
# Snakemake's own work on each job is timed up to here: it takes a minute for thousands of jobs, and more.
MOST_RECORDED = 1000
# Rules of strings only, with as many jobs, files and arrows as ours.
PLAIN = Path(__file__).with_name("plain.smk")
GIGABYTE = 1e9
MEMORY = 4.0
# Seconds a run may grow by this factor between the smaller and the larger sizes: linear, up to noise.
LINEAR = 1.3

# Runs a command and prints what it used: seconds, seconds of user and system time, peak bytes of memory. A process of
# its own, because a child's peak begins with the memory of the process that started it.
WATCHED = """
import json, os, subprocess, sys, time
begin = time.perf_counter()
child = subprocess.Popen(sys.argv[2:], stdout=open(sys.argv[1], "wb"), stderr=subprocess.STDOUT)
_, status, used = os.wait4(child.pid, 0)
taken = time.perf_counter() - begin
print(json.dumps([os.waitstatus_to_exitcode(status), taken, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024]))
"""
# Snakemake that marks everything as made, with its own records, without the 0.1 s that it sleeps for each job.
TOUCH = """
from snakemake.executors.touch import Executor
Executor.SLEEPING_TIME = 0
from snakemake.cli import main
main()
"""


class Used(NamedTuple):
    """What a command took."""

    seconds: float
    cpu: float
    memory: float
    said: str

    def __str__(self) -> str:
        return f"{self.cpu:.2f} s CPU, {self.seconds:.2f} s, {self.memory / GIGABYTE:.2f} GB"


def run() -> Iterator[Result]:
    """Bounds of planning, of memory and of growth; everything else as it was."""
    yield from measure(SIZES)


def measure(sizes: Sequence[int]) -> Iterator[Result]:
    """All of it at some sizes, in runs, the smallest first."""
    taken: dict[str, dict[int, Used]] = {}
    for size in sizes:
        for name, used, result in _one_size(size):
            taken.setdefault(name, {})[size] = used
            if result:
                yield result
            over = None if result else MEMORY
            yield Result(
                f"{size} runs: {name}, memory / GB", used.memory / GIGABYTE, None, over, str(used)
            )
    for name, used_by_size in taken.items():
        yield from _growth(name, used_by_size)


def _growth(name: str, used: Mapping[int, Used]) -> Iterator[Result]:
    """CPU time a run between the two largest sizes, over that between the two smallest."""
    sizes = sorted(used)
    slopes = [
        (used[large].cpu - used[small].cpu) / (large - small)
        for small, large in itertools.pairwise(sizes)
    ]
    if len(slopes) > 1 and slopes[0] > 0:
        detail = ", ".join(f"{1000 * slope:.3f} ms a run" for slope in slopes)
        yield Result(f"growth of {name}", slopes[-1] / slopes[0], None, LINEAR, detail)


def _one_size(size: int) -> Iterator[tuple[str, Used, Result | None]]:
    """Name, use and, for planning, the bound of each thing that is measured."""
    for together in (10, 1):
        with tempfile.TemporaryDirectory() as name:
            project = Project(Path(name))
            study = make_project(project.folder, size, together)
            yield from _planning(project, size, together)
            if together == 1:
                yield from _plain(size)
                yield from _finished(project, study)


def _planning(project: "Project", size: int, together: int) -> Iterator[tuple[str, Used, Result]]:
    """A plan without results. The first one, which parses every module of ours, is not measured."""
    said = project.snakemake("-n", "--quiet", "rules").said
    jobs = int(re.findall(r"^total +(\d+)", said, re.MULTILINE)[-1])
    # The graph of rules is one page whatever the number of jobs, so that what is left is planning.
    used = project.snakemake("--rulegraph")
    name = f"planning, {together} seed{'s' * (together > 1)} a job"
    bound = f"{size} runs: {name}, {jobs} jobs / (2 s + 1.2 ms a job)"
    # A job of ten seeds has ten outputs, whose files cost more than the job: no bound a job for it.
    most = 1.0 if together == 1 else None
    yield name, used, Result(bound, used.cpu / (2 + 0.0012 * jobs), None, most, str(used))


def _plain(size: int) -> Iterator[tuple[str, Used, Result | None]]:
    """The same number of jobs with rules of strings only, planned in the same minute: Snakemake's own part."""
    with tempfile.TemporaryDirectory() as name:
        project = Project(Path(name))
        (project.folder / "code.json").write_text("{}")
        used = project.snakemake("-s", str(PLAIN), "--config", f"runs={size}", "--rulegraph")
        yield "planning, rules of strings only", used, None


def _finished(project: "Project", study: Study) -> Iterator[tuple[str, Used, Result | None]]:
    """A finished study: its tables, figures and numbers, and a run of the workflow that has nothing to do."""
    make_results(project.folder, study, CURVE)
    (file,) = (project.folder / "results" / "plan").glob("study-*.json")
    words = ("--study", str(file.relative_to(project.folder)))
    yield "tabulate", project.sidestep("tabulate", *words), None
    for name in ANALYSES:
        yield f"analyse {name}", project.sidestep("analyse", name, *words), None
    for name in FIGURES:
        yield f"plot {name}", project.sidestep("plot", name, *words), None
    yield "numbers", project.sidestep("numbers", *words, "--size", "made"), None
    goals = ("results/numbers.json", "figures")
    yield "a plan without Snakemake's records", project.snakemake("-n", *goals), None
    if len(list(study.runs())) > MOST_RECORDED:
        return
    for backend in ("file", "db"):
        kept = ("--persistence-backend", backend)
        marked = project.python("-c", TOUCH, "--cores", "2", "--touch", "--forceall", *kept, *goals)
        yield f"Snakemake's own work, records in {backend}", marked, None
        again = project.snakemake(*kept, *goals)
        if "Nothing to be done" not in again.said:
            raise RuntimeError(f"a run with nothing to do did something: {again.said[-2000:]}")
        yield f"nothing to do, records in {backend}", again, None


class Project(NamedTuple):
    """A project's folder, in which commands are run and measured."""

    folder: Path

    def snakemake(self, *words: str) -> Used:
        """A call of Snakemake."""
        return self.python("-m", "snakemake", "--cores", "2", *words)

    def sidestep(self, *words: str) -> Used:
        """One of our commands."""
        return self.python("-m", "sidestep", *words)

    def python(self, *words: str) -> Used:
        """A call of this Python, its end awaited; RuntimeError if it fails."""
        said = self.folder / "said.txt"
        environment = {
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PYTHONPATH": str(self.folder / "src"),
        }
        done = subprocess.run(
            [sys.executable, "-c", WATCHED, str(said), sys.executable, *words],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        code, seconds, cpu, memory = json.loads(done.stdout)
        text = said.read_text(encoding="utf-8")
        if code:
            raise RuntimeError(f"{' '.join(words)} ended with {code}: {text[-4000:]}")
        return Used(seconds, cpu, memory, text)


if __name__ == "__main__":
    for result in measure([int(word) for word in sys.argv[1:]] or SIZES):
        print(result.line(), flush=True)
