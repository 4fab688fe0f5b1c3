"""Batches of runs that are stopped in the middle, and what Snakemake does then."""

import pytest

from sidestep import layout
from sidestep.study import runs_of
from sidestep.training.batch import run_batch

# What a run writes that does not hold the seconds on the clock.
FILES = ("config.json", "model.safetensors", "records.safetensors", "probes.csv")


class KilledError(Exception):
    """Instead of a signal."""


def train_batch(run, seeds, digits, root, say=lambda _: None):
    """Train the run's variant for each of those seeds in one job, which writes a checkpoint whenever it may."""
    runs = list(runs_of(run, [run["dataset"]], seeds))
    run_batch(runs, "", root, data=digits, say=say, checkpoint_seconds=0)


def stop_batch(run, seeds, digits, root, when):
    """Stop a batch as soon as `when` is true of the lines of its log so far; Snakemake removes the job's outputs."""
    seen = []

    def say(line):
        seen.append(line)
        if when(seen):
            raise KilledError

    with pytest.raises(KilledError):
        train_batch(run, seeds, digits, root, say)
    lose_summaries(run, seeds, root)


def at_line(line):
    """When a batch says that line, or begins a line with it and a colon."""
    return lambda seen: seen[-1] == line or seen[-1].startswith(f"{line}:")


def after_seed(seed):
    """When a seed is finished and the next one is at its second epoch.

    The checkpoint of an epoch is written after its line, so that the next one reads that of the epoch before.
    """
    return lambda seen: (
        seen[-1].startswith("epoch 2/") and any(f"/{seed}: finished" in line for line in seen)
    )


def lose_summaries(run, seeds, root):
    """Remove what says that runs are finished."""
    for seed in seeds:
        place = layout.run(run["study"], run["dataset"], run["variant"], seed, root)
        (place / "summary.json").unlink(missing_ok=True)
