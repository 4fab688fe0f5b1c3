"""Runs and jobs from beginning to end, killed ones among them."""

import pytest
import torch

from made_batches import KilledError
from sidestep import entries, fingerprint
from sidestep.files import read_json
from sidestep.training.job import run_job
from sidestep.training.loop import train
from sidestep.training.setup import make_task
from sidestep.training.state import Progress

CPU = torch.device("cpu")


def done(run, digits, teacher=None):
    task, progress = make_task(run, digits, CPU, teacher), Progress()
    train(task, progress, after_chunk=lambda *_: None, after_mark=lambda _: None)
    return task, progress


def job(run, digits, folder, **more):
    code = entries.train(run)
    given = {"checkpoint_seconds": 0, "say": lambda _: None, **more}
    run_job(run, fingerprint.of(code), code, digits, folder, **given)


def history(folder):
    """Without the seconds, which are a log of the machine's speed."""
    lines = (folder / "history.csv").read_text().splitlines()
    return [line.split(",")[:2] + line.split(",")[3:] for line in lines]


def check_resuming(run, digits, folder, first=1, step=1):
    """Kill the run after its evaluations, beginning with `first`; each ends as an undisturbed one does."""
    said = []
    job(run, digits, folder / "whole", say=said.append)
    marks = [line for line in said if line.startswith("epoch ")]
    for index in range(first, len(marks), step):
        keep, seen = folder / f"{index}.safetensors", []

        def kill(line, seen=seen, index=index):
            seen.append(line)
            if sum(other.startswith("epoch ") for other in seen) == index + 1:
                raise KilledError

        with pytest.raises(KilledError):
            job(run, digits, folder / "x", keep=keep, say=kill)
        resumed = []
        job(run, digits, folder / str(index), keep=keep, say=resumed.append)
        assert resumed[0].startswith("resumed after step ")
        assert history(folder / str(index)) == history(folder / "whole")
        for name in ("model.safetensors", "records.safetensors", "probes.csv"):
            mine, whole = folder / str(index) / name, folder / "whole" / name
            assert mine.read_bytes() == whole.read_bytes(), name
        summaries = [read_json(folder / f / "summary.json") for f in (str(index), "whole")]
        for key in ("sizes", "mult_adds_per_training_step", "parameters", "stored_bytes"):
            assert summaries[0][key] == summaries[1][key]
    return len(marks)
