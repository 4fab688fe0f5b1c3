"""A paper of two small studies in a folder of its own, and what the tests do to it and ask of it."""

import contextlib
import csv
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from project import copy_project, environment

from sidestep import runs, seals
from sidestep.errors import UserError

# Jobs of two seeds that share one and are measured and timed, and jobs of one seed whose networks and outputs an
# analysis reads.
CONFIG = """
size: faults
studies:
  layerwise:
    title: Two variants of one study, measured and timed
    datasets: [digits]
    seeds: [0, 1]
    seeds_per_job: 2
    run:
      network: {name: mnist_cnn, channels: 2, hidden: 8}
      strategy: {name: blockwise, order: in_turn, signal: sub_model}
      optimiser: {name: adam, lr: 0.003}
      batch_size: 50
      epochs: 4
      records: [2, 4]
      train_images: 400
      validation: 100
      evaluate: [test]
      evaluation_images: 100
      probes: [{name: geometry, images: 40}]
    variants:
      adam: {strategy: end_to_end}
      sub-model: {}
    baseline: adam
    timing: {datasets: [digits], steps: 3}
    metrics: [{name: linear_probe, train_images: 100, test_images: 100}]
    analyses: [timeline]
    figures: [loss_against_time]
  graphs:
    title: A study that measures nothing, whose analysis reads networks and outputs
    datasets: [wine]
    seeds: [0, 1]
    seeds_per_job: 1
    run:
      network: {name: evolving, size: 6, constants: 0.3, operations: [add, multiply]}
      strategy: end_to_end
      optimiser: {name: adam, lr: 0.02}
      batch_size: 32
      epochs: 4
      train_images: null
      validation: 0.2
      resample: true
      evaluate: [train, validation, test]
      outputs: [validation, test]
      probes: [graph]
    variants:
      random: {}
      random-2: {member: 1}
    baseline: random
    timing: {datasets: []}
    analyses: [population]
    figures: []
"""
# Nothing of a test may wait for ever.
LIMIT = 420
MEMORY = "peak_memory_bytes"
# What a stop-watch says of an undisturbed run and of a disturbed one differs.
OF_TIME = re.compile(r"second|speed|horizon|^q[13]$|^before$")


@dataclass
class Paper:
    """The folder of a paper, and the processes that were started in it."""

    folder: Path
    # Words before every command, such as those that enter another name space, and where its root is seen from here.
    prefix: tuple[str, ...] = ()
    root: Path = Path("/")
    _started: list[subprocess.Popen] = field(default_factory=list)

    @property
    def results(self) -> Path:
        return self.root / self.folder.relative_to("/") / "results"

    def start(self, *words, cores=2, **variables) -> subprocess.Popen:
        """Start a plain Snakemake in a session of its own; its output goes to `said.txt`, after what is there."""
        with (self.folder / "said.txt").open("ab") as said:
            process = subprocess.Popen(
                [*self.prefix, sys.executable, "-m", "snakemake", "--cores", str(cores), *words],
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
                env={**environment(), **variables},
                start_new_session=True,
            )
        self._started.append(process)
        return process

    def run(self, *words, **more) -> tuple[int, str]:
        """Run Snakemake to its end: exit code and what it said."""
        before = len(self.said())
        process = self.start(*words, **more)
        try:
            code = process.wait(LIMIT)
        except subprocess.TimeoutExpired:
            self.close()
            raise AssertionError(f"not done after {LIMIT} s\n{self.said()[-6000:]}") from None
        return code, self.said()[before:]

    def finish(self, *words, **more) -> str:
        """A plain Snakemake that has to succeed."""
        code, said = self.run(*words, **more)
        assert code == 0, said[-8000:]
        return said

    def locked(self) -> bool:
        """Whether a Snakemake that was killed left its lock."""
        return any((self.folder / ".snakemake/locks").glob("*"))

    def unlock(self) -> None:
        """What a plain Snakemake says, and the documents say, to do then."""
        code, said = self.run("--unlock")
        assert code == 0, said
        assert not self.locked()

    def lasted(self) -> tuple[float, float]:
        """Seconds of the last whole run, and of a training job in the middle of theirs, by what Snakemake said."""
        said = self.said()
        hours, minutes, seconds = re.findall(r"Elapsed time: (\d+):(\d+):([\d.]+)", said)[-1]
        begun, trained = {}, []
        events = re.findall(r"^\[(.+?)\]\n(Job|Finished jobid:) (\d+)(.*)$", said, re.MULTILINE)
        for at, what, job, rest in events:
            when = time.mktime(time.strptime(at))
            if what == "Job" and rest.startswith(": train "):
                begun[job] = when
            elif job in begun and what != "Job":
                trained.append(when - begun.pop(job))
        return int(hours) * 3600 + int(minutes) * 60 + float(seconds), statistics.median(trained)

    def outputs(self) -> set[str]:
        """What says how far a run is: the files that its jobs write last."""
        last = ("data/*.source.json", "**/summary.json", "timing/*/*.json", "tables/*.csv")
        names = (*last, "figures/*/*.svg", "numbers.json", "paper.pdf")
        return {
            str(path.relative_to(self.results))
            for name in names
            for path in globbed(self.results, name)
        }

    def take_away(self, *names: str) -> None:
        """Remove results, which have to be made again."""
        for name in names:
            for path in list(self.results.glob(name)):
                shutil.rmtree(path) if path.is_dir() else path.unlink()

    def said(self) -> str:
        path = self.folder / "said.txt"
        return path.read_text(errors="replace") if path.exists() else ""

    def until(self, what, true, process=None, seconds=120):
        """Look often until something is so; False if the process ends before.

        Raises:
            AssertionError: it is not so in time.
        """
        end = time.monotonic() + seconds
        while True:
            found = true()
            if found:
                return found
            if process is not None and process.poll() is not None:
                return False
            assert time.monotonic() < end, f"not in {seconds} s: {what}\n{self.said()[-6000:]}"
            time.sleep(0.01)

    def kill(self, process, number=signal.SIGKILL, *, group=True):
        """Send a signal to Snakemake, or to everything that it started too, and wait until it is gone."""
        with contextlib.suppress(ProcessLookupError):
            (os.killpg if group else os.kill)(process.pid, number)
        process.wait(LIMIT)

    def jobs(self, name="") -> list[int]:
        """Processes of jobs that run in this folder: Python itself, not the shells around it."""
        found = []
        for place in Path("/proc").glob("[0-9]*"):
            try:
                words = (place / "cmdline").read_bytes().split(b"\0")
                here = (place / "cwd").readlink() == self.folder
            except OSError:
                continue
            job = b"sidestep" in words[:4] and b"python" in words[0]
            if here and job and (not name or name.encode() in words):
                found.append(int(place.name))
        return found

    def quiet(self) -> None:
        """Wait until no job of a killed Snakemake is left."""
        self.until("no job runs", lambda: not self.jobs())

    def close(self) -> None:
        """Leave nothing running."""
        for process in self._started:
            if process.poll() is None:
                self.kill(process)
        for job in self.jobs():
            with contextlib.suppress(ProcessLookupError):
                os.kill(job, signal.SIGKILL)
        self.quiet()

    def tables(self) -> dict[str, list[dict[str, str]]]:
        """Every table without what depends on the machine's speed and memory."""
        return {path.name: comparable(path) for path in sorted(self.results.glob("tables/*.csv"))}

    def networks(self) -> dict[str, bytes]:
        """The bytes of every network, record and output of the runs."""
        return {
            str(path.relative_to(self.results)): path.read_bytes()
            for path in sorted(self.results.glob("runs/**/*.safetensors"))
        }

    def nothing_wrong(self, undisturbed: "Paper") -> None:
        """Whatever passes for a result is one: readers take nothing that is not the undisturbed paper's."""
        for summary in globbed(self.results, "runs/**/summary.json"):
            other = undisturbed.results / summary.relative_to(self.results)
            mine = runs.read_summary(summary.parent)["files"]
            for name, theirs in runs.read_summary(other.parent)["files"].items():
                assert name in mine, f"{summary} does not name {name}"
                if name.endswith((".safetensors", "probes.csv", "config.json")):
                    assert mine[name] == theirs, f"{summary.parent / name} differs"
                # A summary is written last, and away before anything else is written.
                runs.check_file(summary.parent, name)
        for summary in globbed(self.results, "measures/**/summary.json"):
            for name in runs.read_summary(summary.parent)["files"]:
                mine = runs.check_file(summary.parent, name)
                theirs = undisturbed.results / mine.relative_to(self.results)
                assert mine.read_bytes() == theirs.read_bytes(), f"{mine} differs"
        for table in self.results.glob("tables/*.csv"):
            with contextlib.suppress(UserError):
                seals.check_beside(table)
                assert comparable(table) == comparable(undisturbed.results / "tables" / table.name)
        for path in (self.results / "numbers.json", *self.results.glob("timing/*/*.json")):
            if path.exists():
                seals.read(path)
        paper = self.results / "paper.pdf"
        assert not paper.exists() or paper.read_bytes().rstrip().endswith(b"%%EOF")

    def equals(self, undisturbed: "Paper") -> None:
        """The finished paper has the undisturbed one's tables and networks, and nothing is left to do."""
        mine, theirs = self.tables(), undisturbed.tables()
        assert mine.keys() == theirs.keys()
        for name in mine:
            assert mine[name] == theirs[name], name
        assert self.networks() == undisturbed.networks()
        self.nothing_wrong(undisturbed)
        left = [str(p) for p in self.results.glob("checkpoints/**/*.*")]
        assert not left, left


def globbed(folder: Path, pattern: str) -> list[Path]:
    """What matches, while jobs are at work: a folder of theirs may be gone before it is looked into."""
    while True:
        with contextlib.suppress(FileNotFoundError):
            return list(folder.glob(pattern))


def comparable(path: Path) -> list[dict[str, str]]:
    """A table's rows without those and those columns that say how long something took or how much memory."""
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return [
        {key: value for key, value in row.items() if not OF_TIME.search(key)}
        for row in rows
        if not (
            row.get("metric", "").startswith(("seconds", MEMORY))
            or row.get("unit", "").endswith("s")
        )
    ]


def copy_paper(folder: Path) -> Paper:
    """The project with the two studies, whose jobs write a checkpoint after every epoch."""
    folder.mkdir(parents=True)
    project = copy_project(folder)
    (folder / "tiny.yaml").unlink()
    (folder / "config.yaml").write_text(CONFIG)
    project.edit("cli.py", "type=float, default=20.0", "type=float, default=0.0")
    return Paper(folder.resolve())


@contextlib.contextmanager
def changed(path: Path) -> Iterator[None]:
    """What is done to a file in the block is undone after it, its times included."""
    facts, content = path.stat(), path.read_bytes()
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        path.write_bytes(content)
        os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns))
