"""Files at the edge: whole or not there."""

import resource
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidestep.files import read_json, replacing, sha256, write_json, write_text


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "a.txt"
    write_text(path, "old")

    def fail():
        with replacing(path) as temporary:
            temporary.write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_new_file_has_the_permissions_of_any_other(tmp_path):
    write_text(tmp_path / "ours", "x")
    (tmp_path / "plain").write_text("x")
    assert (tmp_path / "ours").stat().st_mode == (tmp_path / "plain").stat().st_mode


@given(st.dictionaries(st.text(max_size=4), st.integers() | st.text(max_size=4), max_size=4))
def test_json_reads_back(tmp_path_factory, value):
    path = tmp_path_factory.mktemp("json") / "value.json"
    write_json(path, value)
    assert read_json(path) == value


def test_digests_are_those_of_the_bytes(tmp_path):
    (tmp_path / "x").write_bytes(b"abc")
    assert sha256(tmp_path / "x").startswith("ba7816bf8f01cfea")


@pytest.mark.parametrize("limit", [200, 2_000, 20_000])
def test_a_full_disk_is_one_line_and_leaves_nothing_that_looks_finished(
    limit, run, digits, tmp_path
):
    """No file may grow beyond the limit, so that each kind of write fails in its turn."""
    wide = {**run, "network": {"name": "mlp", "width": 128}}
    done = subprocess.run(
        [
            *(sys.executable, "-B", "-m", "sidestep", "train"),
            *("--run", __import__("json").dumps(wide), "--data", str(digits)),
            *("--root", str(tmp_path), "--checkpoint-seconds", "3600"),
        ],
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert done.stderr.startswith("error: ") and len(done.stderr.splitlines()) == 1
    folder = tmp_path / "runs/width/digits/width-8/seed3"
    left = {path.name for path in folder.iterdir()} if folder.exists() else set()
    assert "summary.json" not in left
    assert not any(name.startswith(".") for name in left)
