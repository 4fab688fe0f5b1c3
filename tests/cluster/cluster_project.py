"""A part of the tiny paper, copied to a folder of its own, and what the tests ask of Slurm."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from project import copy_project

# The profile as it is, with what a Slurm without a database and tests in a hurry need. Every job of training holds
# two runs, so that there are several of them.
SLURM = (
    *("--profile", "profiles/slurm", "--slurm-status-command", "squeue"),
    *("--slurm-init-seconds-before-status-checks", "5"),
    *("--group-components", "train=2", "measure=4", "timing=4"),
)
GENERIC = (
    *("--profile", "profiles/generic", "--seconds-between-status-checks", "2"),
    *("--group-components", "train=3", "measure=4", "timing=4"),
)
CONFIG = """
size: cluster
studies:
  width:
    datasets: [digits]
    seeds: [0, 1, 2]
    seeds_per_job: 1
    run: {epochs: 500, records: [500], train_images: null, batch_size: 64}
    grid: {network.width: [4, 8]}
    baseline: width-8
    timing: {datasets: [digits], steps: 3}
    metrics: [scores, dead_neurons]
    group_metrics: []
    analyses: []
    figures: [dead_neurons, learning_curves]
"""
# All seeds of a width in one job.
BATCHES = """
studies: {width: {seeds_per_job: 3}}
"""
# A job that insists on a GPU, on a cluster where the GPU is a stand-in.
GPU = """
studies: {width: {run: {device: cuda}}}
"""
PARTITIONS = """
partitions:
  cpu: {max_runtime: 1440}
  gpu: {max_runtime: 1440, max_gpu: 1}
"""
# Two figures of one table: jobs that share one of Slurm's and hang together, of which two could run at once.
TARGETS = (
    *("results/tables/width_summary.csv", "results/figures/width/dead_neurons.svg"),
    "results/figures/width/learning_curves.svg",
)
# Nothing of a test may wait for ever, whatever Slurm does.
LIMIT = 240


@dataclass
class ClusterProject:
    """A copied project and the environment in which its commands run.

    Attributes:
        targets: the files that a run is asked for.
    """

    folder: Path
    variables: dict[str, str]
    targets: tuple[str, ...] = TARGETS
    _started: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(
        self, *words: str, config: tuple[str, ...] = ("cluster.yaml",)
    ) -> subprocess.Popen[bytes]:
        """Start Snakemake; its output goes to `said.txt`, after what is there already."""
        with (self.folder / "said.txt").open("ab") as said:
            process = subprocess.Popen(
                [sys.executable, "-m", "snakemake", *words, "--configfile", *config],
                cwd=self.folder,
                stdout=said,
                stderr=subprocess.STDOUT,
                env=self._environment(),
                start_new_session=True,
            )
        self._started.append(process)
        return process

    def run(
        self, *words: str, fails: bool = False, config: tuple[str, ...] = ("cluster.yaml",)
    ) -> str:
        """Run Snakemake to its end and return all that was said so far."""
        process = self.start(*words, config=config)
        try:
            code = process.wait(LIMIT)
        except subprocess.TimeoutExpired:
            self.kill(process)
            raise AssertionError(f"not done after {LIMIT} s\n{self.said()[-6000:]}") from None
        assert (code != 0) == fails, self.said()[-6000:]
        return self.said()

    def wait_until(self, what: str, true: Callable[[], object], seconds: float = 120) -> None:
        """Look twice a second until something is so, while Snakemake runs.

        Raises:
            AssertionError: it is not so in time, or Snakemake ended before.
        """

        def still() -> bool:
            assert self._started[-1].poll() is None, f"Snakemake ended\n{self.said()[-6000:]}"
            return bool(true())

        self.wait_for(what, still, seconds)

    def wait_for(self, what: str, true: Callable[[], object], seconds: float = 120) -> None:
        """Look twice a second until something is so, whatever runs."""
        end = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < end, f"not within {seconds} s: {what}\n{self.said()[-6000:]}"
            time.sleep(0.5)

    def said(self) -> str:
        path = self.folder / "said.txt"
        return path.read_text() if path.exists() else ""

    def kill(self, process: subprocess.Popen[bytes]) -> None:
        """End Snakemake at once, so that it can tidy nothing; jobs on Slurm live on."""
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def command(self, *words: str | Path) -> str:
        """The standard output of a command that is run in the folder."""
        done = subprocess.run(
            words,
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=LIMIT,
            env=self._environment(),
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def status(self) -> str:
        words = ("-m", "sidestep", "status", "--config", "config.yaml", "cluster.yaml")
        return self.command("env", f"PYTHONPATH={self.folder / 'src'}", sys.executable, *words)

    def jobs(self) -> dict[str, dict[str, str]]:
        """Every job that this folder ever sent: number → its facts."""
        facts = {
            **{"job": "%i", "state": "%T", "limit": "%l", "cpus": "%C", "memory": "%m"},
            **{"node": "%N", "partition": "%P", "name": "%j", "what": "%k", "folder": "%Z"},
        }
        shown = self.command("squeue", "-h", "-t", "all", "-o", "|".join(facts.values()))
        rows = [dict(zip(facts, line.split("|"), strict=True)) for line in shown.splitlines()]
        return {row["job"]: row for row in rows if row["folder"] == str(self.folder)}

    def close(self) -> None:
        """Leave no Snakemake and no job behind, however the test ended."""
        for process in self._started:
            if process.poll() is None:
                self.kill(process)
        self.command("profiles/slurm/cancel")
        # A node that was taken away ends none of its processes: on a real cluster its machine would be gone.
        for process in self.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)

    def processes(self) -> list[int]:
        """Whatever still runs in the folder."""
        found = []
        for place in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if (place / "cwd").readlink() == self.folder:
                    found.append(int(place.name))
        return found

    def _environment(self) -> dict[str, str]:
        # The commands of the rules must find this Python first, and nobody else's settings.
        dropped = ("PYTHONPATH", "SIDESTEP_DATA")
        kept = {key: value for key, value in self.variables.items() if key not in dropped}
        return {**kept, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{kept['PATH']}"}


def copy_cluster_project(folder: Path, variables: dict[str, str]) -> ClusterProject:
    """Copy the project; its jobs write a checkpoint each second, so that short ones can be killed."""
    project = copy_project(folder)
    (folder / "cluster.yaml").write_text(CONFIG)
    (folder / "batches.yaml").write_text(BATCHES)
    (folder / "gpu.yaml").write_text(GPU)
    (folder / "partitions.yaml").write_text(PARTITIONS)
    project.edit("cli.py", "type=float, default=20.0", "type=float, default=1.0")
    return ClusterProject(folder.resolve(), variables)
