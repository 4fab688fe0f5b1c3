"""A clock that is put back or forward while jobs run: seconds, status, checkpoints and results."""

import csv
import itertools
import json
import random
import time

import pytest

from faults import SEED, held, sample
from sidestep import config, layout, status
from sidestep.files import read_json
from sidestep.study import runs_of
from sidestep.training.batch import run_batch
from sidestep.watch import report

SEEDS = (3, 4)
NOW = 1_800_000_000.0


def once(at, jump):
    """The clock as the calls of `time.time` see it: it jumps at one of them."""
    return lambda: (NOW + number / 10 + jump * (number >= at) for number in itertools.count())


def always(jump):
    return lambda: (NOW + jump * number for number in itertools.count())


def wild():
    draw = random.Random(SEED)
    return (draw.uniform(-1e9, 4e9) for _ in itertools.count())


CLOCKS = {
    **{
        f"{jump:+g} s at call {at}": once(at, jump)
        for at in (1, 2, 5, 20)
        for jump in (-0.5, -60.0, -3600.0, -NOW, 3600.0, 1e9)
    },
    "it stands still": always(0.0),
    "it runs backwards": always(-1.0),
    "it runs backwards by days": always(-86400.0),
    "it runs fast": always(3600.0),
    "before 1970": once(3, -2 * NOW),
    "anything": wild,
}


class KilledError(Exception):
    """Instead of a signal."""


def steady(run, root):
    found = []
    for seed in SEEDS:
        folder = layout.run(run["study"], run["dataset"], run["variant"], seed, root)
        with (folder / "history.csv").open() as file:
            rows = list(csv.DictReader(file))
        seconds = [float(row["seconds"]) for row in rows]
        assert seconds == sorted(seconds) and seconds[0] >= 0.0
        summary = read_json(folder / "summary.json")
        assert 0.0 <= summary["seconds_train"] < 60.0
        found.append([{**row, "seconds": ""} for row in rows])
        found += [(folder / name).read_bytes() for name in ("model.safetensors", "probes.csv")]
        found.append(summary["final"])
    return found


@pytest.fixture
def small(run):
    return {**run, "train_images": 128, "epochs": 3, "evaluation_images": 50}


@pytest.mark.parametrize("name", sample(list(CLOCKS), 10))
def test_jobs_do_not_mind_the_time_of_day(name, small, digits, tmp_path, monkeypatch):
    train = {"checkpoint_seconds": 0}
    runs = list(runs_of(small, [small["dataset"]], SEEDS))
    run_batch(runs, "", tmp_path / "whole", data=digits, say=lambda _: None, **train)
    expected = steady(small, tmp_path / "whole")
    study = {
        "title": "T",
        "datasets": ["digits"],
        "seeds": list(SEEDS),
        "run": {"network": "mlp", "epochs": 3},
        "grid": {"network.width": [8]},
    }
    asked = config.resolve({"size": "s", "studies": {"width": study}})
    clock = CLOCKS[name]()
    monkeypatch.setattr(time, "time", lambda: next(clock))
    # Every word is written then, if time does not seem to have gone back.
    monkeypatch.setattr(status, "INTERVAL", 0.0)
    root, seen = tmp_path / "other", []
    place = (small["study"], small["dataset"], small["variant"])

    def say(line):
        if line.startswith("epoch ") and not line.startswith("epoch 0/"):
            told = read_json(layout.status(*place, SEEDS[len(seen) >= 3], root))
            assert told["epoch"] == float(line.split()[1].split("/")[0]), "the status is old"
            assert "1 running" in report(asked, root)[0]
            seen.append(line)
            if len(seen) == 5:
                raise KilledError

    with pytest.raises(KilledError):
        run_batch(runs, "", root, data=digits, say=say, **train)
    said = []
    run_batch(runs, "", root, data=digits, say=said.append, **train)
    assert "seed 3 was finished by an earlier job" in said[0]
    assert any(line.startswith("resumed after step 2 of 6") for line in said)
    assert steady(small, root) == expected
    text, done = report(asked, root)
    assert done and "2/2 runs  (2 finished)" in text
    for seed in SEEDS:
        json.dumps(read_json(layout.status(*place, seed, root)), allow_nan=False)
    held("clock: it jumps while a job runs")
