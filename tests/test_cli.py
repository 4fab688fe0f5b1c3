"""The command line: one sentence and an exit code for whatever goes wrong."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from sidestep import planned
from sidestep.cli import main

CONFIG = Path(__file__).parents[1] / "config.yaml"


def refused(capsys, *words):
    with pytest.raises(SystemExit) as caught:
        main(list(words))
    assert caught.value.code == 2
    error = capsys.readouterr().err
    assert "Traceback" not in error
    return error


def test_an_unknown_dataset_is_named_with_the_nearest(capsys, tmp_path):
    error = refused(capsys, "fetch", "mnits", "--output", str(tmp_path / "x.safetensors"))
    assert "'mnits' (did you mean 'mnist'?" in error


def test_a_missing_config_file_is_named(capsys, tmp_path):
    assert "no such config file" in refused(capsys, "check", "--config", str(tmp_path / "no.yaml"))


def test_data_that_are_not_there_are_named(capsys, run, tmp_path):
    path = tmp_path / "none.safetensors"
    error = refused(
        capsys, "train", "--run", json.dumps(run), "--data", str(path), "--root", str(tmp_path)
    )
    assert str(path) in error or "none" in error


@pytest.mark.parametrize("text", ["{", "[]"])
def test_a_run_that_is_no_json_mapping_is_refused(capsys, text):
    assert "JSON" in refused(capsys, "train", "--run", text)


def test_a_run_whose_file_is_not_there_is_refused(capsys):
    assert "/nowhere/at/all cannot be read" in refused(capsys, "train", "--run", "@/nowhere/at/all")


def test_who_stops_reading_is_told_nothing():
    """As `python -m sidestep status | head` does."""
    read, written = os.pipe()
    os.close(read)
    words = [sys.executable, "-m", "sidestep", "check", "--config", str(CONFIG)]
    done = subprocess.run(words, stdout=written, stderr=subprocess.PIPE, text=True)
    os.close(written)
    assert (done.returncode, done.stderr) == (141, "")


@pytest.mark.parametrize(
    "words", [("plot", "x", "--study", "y", "--output", "z"), ("fetch", "digits", "--code", "x")]
)
def test_an_option_that_would_be_ignored_is_refused(capsys, words):
    assert "unrecognized arguments" in refused(capsys, *words)


def test_other_code_than_the_planned_one_is_refused(capsys, run, tmp_path):
    code = planned.write("code", "{}", tmp_path)
    words = ("--run", json.dumps(run), "--code", str(code), "--root", str(tmp_path))
    assert "the code changed since this job was planned" in refused(capsys, "train", *words)
    code.write_text("{ }")
    assert f"{code} is damaged" in refused(capsys, "train", *words)


def test_a_study_file_that_is_none_is_named(capsys, tmp_path):
    path = tmp_path / "study.json"
    path.write_text("{}")
    assert "study.json does not hold" in refused(capsys, "tabulate", "--study", str(path))
