"""Start-up of a job, planning, and a run with nothing to do."""

import functools
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from common import Result, medians, process, seconds

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests" / "workflow"))
from project import TINY, copy_project  # type: ignore[import-not-found]  # noqa: E402

# From the interpreter's start to the first training step of a real job: the loop's first chunk ends.
FIRST_STEP = """
import sys
from sidestep.training import loop
def stop(*_): sys.exit(0)
loop.learn = stop
from sidestep.cli import main
main(["train", "--run", sys.argv[1], "--data", sys.argv[2], "--root", sys.argv[3]])
"""


def run() -> Iterator[Result]:
    """Seconds as ratios to what they are allowed to be."""
    with tempfile.TemporaryDirectory() as name:
        copy_project(Path(name))
        yield from _first_step(Path(name))
        yield from _planning(Path(name))


def _first_step(folder: Path) -> Iterator[Result]:
    from sidestep.config import load
    from sidestep.data.fetch import fetch

    data = folder / "digits.safetensors"
    fetch("digits", data, None, lambda _: None)
    config = load(ROOT / "config.yaml", folder / "tiny.yaml")
    run = next(iter(config.studies["width"].runs()))
    works = {
        "job": process("-c", FIRST_STEP, json.dumps(run), str(data), str(folder / "results")),
        "torch": process("-c", "import torch"),
    }
    taken = medians(works, repeats=7)
    yield Result(
        "start of a job to its first step / import torch",
        taken["job"] / taken["torch"],
        None,
        1.3,
        f"{taken['job']:.2f} s",
    )


def _planning(folder: Path) -> Iterator[Result]:
    """Dry runs of generated configs without results, and a no-op run of a finished tiny paper."""
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}

    def snakemake(*words: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "snakemake", "--cores", "2", *words],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout + done.stderr

    for seeds in (20, 250):
        text = TINY.replace("[0, 1]", str(list(range(seeds))), 1)
        (folder / "many.yaml").write_text(text)
        words = ("--configfile", "many.yaml")
        jobs = int(re.findall(r"^total +(\d+)", snakemake("-n", *words), re.MULTILINE)[-1])
        # The graph of rules is printed in one page, whatever the number of jobs: what is left is
        # planning. A dry run writes a paragraph a job besides.
        plan = functools.partial(snakemake, "--rulegraph", *words)
        dry = functools.partial(snakemake, "--quiet", "all", "-n", *words)
        taken = statistics.median(seconds(plan) for _ in range(3))
        printed = statistics.median(seconds(dry) for _ in range(3))
        allowed = 2.0 + 0.0012 * jobs
        name = f"planning {jobs} jobs / (2 s + 1.2 ms a job)"
        yield Result(name, taken / allowed, None, 1.0, f"{taken:.2f} s")
        name = f"a dry run that prints {jobs} jobs / (2 s + 1.2 ms a job)"
        yield Result(name, printed / allowed, None, None, f"{printed:.2f} s")
    again = functools.partial(snakemake, "--configfile", "tiny.yaml")
    again()
    taken = statistics.median(seconds(again) for _ in range(5))
    yield Result("a run with nothing to do / 3 s", taken / 3.0, None, 1.0, f"{taken:.2f} s")
