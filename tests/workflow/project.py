"""The project copied to a folder of its own, with every study tiny, on the embedded `digits` data."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PARTS = (
    "Snakefile",
    "config.yaml",
    "environment.yml",
    "config",
    "workflow",
    "profiles",
    "src",
    "paper",
)
TINY = """
size: tiny
studies:
  width:
    datasets: [digits]
    seeds: [0, 1]
    seeds_per_job: 1
    run: {epochs: 2, records: [1, 2], train_images: null, batch_size: 64}
    grid: {network.width: [4, 8, 16]}
    variants:
      wild: {network: {width: 4}, optimiser: {name: sgd, lr: 1e30}}
    baseline: width-16
    timing: {datasets: [digits], steps: 3}
  layerwise:
    datasets: [digits]
    seeds: [0, 1]
    seeds_per_job: 2
    run:
      network: {name: mnist_cnn, channels: 2, hidden: 8}
      epochs: 4
      train_images: 256
      validation: 100
      evaluation_images: 100
      probes: [{name: geometry, images: 40}, {name: gradient_angle, images: 40}]
    search:
      grid: {optimiser.lr: [0.01]}
      seeds: [7]
    metrics: [{name: linear_probe, train_images: 100, test_images: 100}]
    timing: {datasets: [digits], steps: 3}
  decoupled:
    datasets: [digits]
    seeds: [0, 1]
    seeds_per_job: 2
    run:
      network: {name: basic_cnn, channels: 2, hidden: 8}
      epochs: 2
      train_images: 256
      validation: 100
      evaluation_images: 100
      probes: [{name: own_heads, images: 50}]
    search:
      grid: {optimiser.lr: [0.01]}
      seeds: [7]
    timing: {datasets: [digits], steps: 3}
  substitution:
    datasets: [digits]
    seeds: [0, 1]
    seeds_per_job: 2
    run:
      network: {depth: 16, budget: 0.45}
      epochs: 1
      train_images: 128
      validation: 100
      evaluation_images: 100
      batch_size: 32
    search:
      grid: {optimiser.lr: [0.03]}
      seeds: [7]
    timing: {datasets: [digits], steps: 3}
    analyses:
      - timeline
      - pareto
      - teaching
      - decay
      - speedup
      - repeats
      - {name: matrix_fit, steps: 5, matrices: 2, sizes_per_layer: 2, side: 8}
      - published_substitution
  resizing:
    datasets: [digits]
    seeds: [0, 1]
    seeds_per_job: 2
    run: {epochs: 2, train_images: 256, evaluation_images: 100}
    variants: {static: {records: [1, 2]}}
    metrics: [{name: neuron_importance, count: 100}, gate_profile]
  evolution:
    datasets: [digits]
    seeds: [0, 1]
    seeds_per_job: 2
    run: {epochs: 2, subset: 200, network: {size: 12}}
    variants:
      mlp: {network: {operations: 12}}
      evolved: {strategy: {rounds: 3}}
      judged: {strategy: {rounds: 3}}
      judged-2:
        network: {size: 0}
        strategy:
          name: rounds
          rounds: 3
          edit: {name: evolve, prunes: 1, adds: 4, candidates: 8, by: loss, judge: validation}
        member: 1
"""


@dataclass
class Project:
    """A copied project folder."""

    folder: Path

    def run(self, *words, check=True, config="tiny.yaml"):
        command = [sys.executable, "-m", "snakemake", *words, "--cores", "2"]
        done = subprocess.run(
            [*command, "--configfile", config],
            cwd=self.folder,
            capture_output=True,
            text=True,
            env=environment(),
        )
        output = done.stdout + done.stderr
        if check:
            assert done.returncode == 0, output[-6000:]
        return done.returncode, output

    def planned(self, *words):
        """What a dry run says would run: rule → number of jobs."""
        _, output = self.run("--dry-run", *words)
        if "Nothing to be done" in output:
            return {}
        table = output.split("Job stats:")[1].split("total")[0]
        found = re.findall(r"^(\w+) +(\d+)$", table, re.MULTILINE)
        return {rule: int(count) for rule, count in found if rule not in ("all", "figures")}

    def to_train(self, *words):
        """What training jobs a dry run says would run: data set's variant of a study, and seeds."""
        _, output = self.run("--dry-run", *words)
        found = re.findall(r"^Job \d+: train (\S+), seeds? ([\d, ]+)$", output, re.MULTILINE)
        assert len(set(found)) == len(found)
        return {(cell, tuple(map(int, seeds.split(", ")))) for cell, seeds in found}

    def jobs(self, study=None, strategy=None):
        """The training jobs that the config asks for, of a study or strategy; a student goes with its teacher."""
        from sidestep.config import load

        config = load(self.folder / "config.yaml", self.folder / "tiny.yaml")
        return {
            ("/".join(run[key] for key in ("study", "dataset", "variant")), batch.seeds)
            for name, found in config.studies.items()
            if study in (None, name)
            for run in found.runs()
            if strategy
            in (None, run["strategy"]["name"], (run["teacher"] or run)["strategy"]["name"])
            for batch in found.batches
            if run["seed"] in batch.seeds
        }

    def command(self, *words, check=True):
        done = subprocess.run(
            [sys.executable, "-m", "sidestep", *words],
            cwd=self.folder,
            capture_output=True,
            text=True,
            env={**environment(), "PYTHONPATH": str(self.folder / "src")},
        )
        if check:
            assert done.returncode == 0, done.stderr
        return done

    def edit(self, name, old, new):
        path = self.folder / "src" / "sidestep" / name
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new, 1))


def environment():
    kept = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "SIDESTEP_DATA")}
    # The commands of the rules must find this Python first.
    return {**kept, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{kept['PATH']}"}


def copy_parts(folder):
    """What a project consists of, without results."""
    ignore = shutil.ignore_patterns("__pycache__", "*.egg-info")
    for part in PARTS:
        source = ROOT / part
        if source.is_dir():
            shutil.copytree(source, folder / part, ignore=ignore)
        else:
            shutil.copy2(source, folder / part)


def copy_project(folder):
    copy_parts(folder)
    (folder / "tiny.yaml").write_text(TINY)
    return Project(folder)
