"""Status: what files say of running, finished, failed and lost jobs."""

import os
import socket

import pytest

from sidestep import layout, seals
from sidestep.config import resolve
from sidestep.files import read_json, write_json
from sidestep.status import StatusFile
from sidestep.watch import report, watch


@pytest.fixture
def config():
    study = {
        "title": "T",
        "datasets": ["digits"],
        "seeds": [0, 1, 2, 3, 4],
        "run": {"network": "mlp", "epochs": 4},
        "grid": {"network.width": [8]},
    }
    return resolve({"size": "s", "studies": {"width": study}})


def place(seed):
    return ("width", "digits", "width-8", seed)


def test_every_state_is_told_from_files_alone(config, tmp_path):
    here = {"host": socket.gethostname(), "pid": os.getpid(), "updated": 0, "epochs": 4}
    seals.write(layout.run(*place(0), tmp_path) / "summary.json", {"status": "finished"})
    seals.write(layout.run(*place(1), tmp_path) / "summary.json", {"status": "diverged"})
    running = {**here, "state": "running", "epoch": 2.5, "loss": 0.25, "left": 75.0}
    write_json(layout.status(*place(2), tmp_path), running)
    write_json(layout.status(*place(3), tmp_path), {**here, "state": "failed", "reason": "no disk"})
    away = {**here, "host": "elsewhere", "state": "running", "updated": 1000.0}
    write_json(layout.status(*place(4), tmp_path), away)

    text, done = report(config, tmp_path, now=1060.0)
    assert not done
    assert "2/5 runs" in text
    assert "1 finished, 1 diverged, 2 running, 1 failed" in text
    assert "digits/width-8/seed2: epoch 2.5/4  loss 0.2500  1 min 15 s left" in text
    assert "failed   digits/width-8/seed3: no disk" in text
    text, _ = report(config, tmp_path, now=1000.0 + 3600)
    assert "1 running, 1 failed, 1 lost" in text


def test_a_job_whose_process_is_gone_is_lost_and_its_result_wins(config, tmp_path):
    gone = {"host": socket.gethostname(), "pid": 2**22 + 1, "updated": 0, "state": "running"}
    write_json(layout.status(*place(0), tmp_path), gone)
    assert "1 lost" in report(config, tmp_path)[0]
    seals.write(layout.run(*place(0), tmp_path) / "summary.json", {"status": "finished"})
    assert "1 finished" in report(config, tmp_path)[0]


def test_a_job_that_was_told_to_stop_did_not_fail(config, tmp_path):
    facts = {"host": "elsewhere", "pid": 1, "updated": 0, "state": "failed"}
    write_json(layout.status(*place(0), tmp_path), {**facts, "reason": "SystemExit: 143"})
    write_json(layout.status(*place(1), tmp_path), {**facts, "reason": "OSError: 28"})
    text, done = report(config, tmp_path)
    assert not done
    assert "1 failed, 1 stopped, 3 waiting" in text
    assert "stopped  digits/width-8/seed0: by a signal; goes on when it is run again" in text
    assert "failed   digits/width-8/seed1: OSError: 28" in text


def test_watching_ends_when_all_is_done(config, tmp_path, capsys):
    for seed in range(5):
        seals.write(layout.run(*place(seed), tmp_path) / "summary.json", {"status": "finished"})
    watch(config, tmp_path, repeat=True)
    assert "5/5 runs" in capsys.readouterr().out


def test_a_status_file_is_written_at_most_once_a_second_unless_it_must(tmp_path):
    path = tmp_path / "status.json"
    teller = StatusFile(path, {"epochs": 3})
    teller.say("running", epoch=1)
    teller.say("running", epoch=2)
    assert read_json(path)["epoch"] == 1
    teller.say("finished", now=True, epoch=3)
    assert read_json(path)["epoch"] == 3 and read_json(path)["epochs"] == 3
