"""Results on a disk that is full, slow or may not be written: told in a sentence, and finished once that is over."""

import contextlib
import shutil
import subprocess
from pathlib import Path

import pytest

from faults import held, sample
from paper import Paper


@contextlib.contextmanager
def mounted(place: Path, *options: str):
    """A small disk in memory at a folder, on a machine that mounts one for us."""
    place.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        ["mount", "-t", "tmpfs", *options, "faults", str(place)], capture_output=True, text=True
    )
    if done.returncode:
        pytest.skip(f"NOT TESTED: this machine mounts no small disk: {done.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


STAGES = {
    # Stage → a pattern of what is taken away, so that it has to be made again, and what the disk still has room for.
    "train": (("runs", "measures", "tables", "figures", "numbers.json", "paper.pdf"), 24),
    "measure": (("measures", "tables", "figures", "numbers.json", "paper.pdf"), 4),
    "tabulate": (("tables", "figures", "numbers.json", "paper.pdf"), 8),
    "plot": (("figures", "numbers.json", "paper.pdf"), 8),
}


@pytest.mark.parametrize("stage", sample(list(STAGES), 2))
def test_a_full_disk(undisturbed, tmp_path, stage):
    """The results lie on a disk with a few KiB left; then there is room, and a plain Snakemake goes on."""
    folder = tmp_path / "paper"
    shutil.copytree(
        undisturbed.folder, folder, symlinks=True, ignore=shutil.ignore_patterns("results")
    )
    paper = Paper(folder)
    with mounted(paper.results, "-o", "size=64m"):
        shutil.copytree(undisturbed.results, paper.results, dirs_exist_ok=True, symlinks=True)
        gone, room = STAGES[stage]
        for name in gone:
            path = paper.results / name
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        fill = paper.results / "fill"
        free = shutil.disk_usage(paper.results).free
        fill.write_bytes(bytes(max(0, free - room * 1024)))
        code, said = paper.run()
        assert code != 0, "the disk was not full"
        assert "No space left on device" in said, said[-4000:]
        paper.nothing_wrong(undisturbed)
        assert not any(
            path.stat().st_size == 0
            for path in paper.results.glob("runs/**/[!.]*")
            if path.is_file()
        )
        fill.unlink()
        paper.finish()
        paper.equals(undisturbed)
    held("a full disk")


def test_a_results_folder_that_may_not_be_written(finished, undisturbed):
    """Also for root: a file stands where a folder has to be made."""
    shutil.rmtree(finished.results / "figures")
    (finished.results / "figures").write_text("no folder")
    (finished.results / "paper.pdf").unlink()
    code, said = finished.run()
    assert code != 0 and ("Not a directory" in said or "File exists" in said), said[-3000:]
    finished.nothing_wrong(undisturbed)
    (finished.results / "figures").unlink()
    finished.finish()
    finished.equals(undisturbed)
    held("a results folder that may not be written")


def test_a_read_only_disk(finished, undisturbed):
    with mounted(finished.results / "tables", "-o", "size=1m,ro"):
        (finished.results / "paper.pdf").unlink()
        code, said = finished.run()
        assert code != 0 and "Read-only file system" in said, said[-3000:]
        finished.nothing_wrong(undisturbed)
    finished.finish()
    finished.equals(undisturbed)
    held("a results folder that may not be written")


def test_a_slow_disk(fresh, undisturbed, tmp_path):
    """Every flush and rename of our jobs takes its time, as on a network disk."""
    slow = tmp_path / "slow"
    slow.mkdir()
    (slow / "sitecustomize.py").write_text(
        "import os, time\n"
        "def late(function):\n"
        "    def wrapped(*words, **more):\n"
        "        time.sleep(0.2)\n"
        "        return function(*words, **more)\n"
        "    return wrapped\n"
        "os.fsync, os.replace, os.rename = map(late, (os.fsync, os.replace, os.rename))\n"
    )
    code, said = fresh.run(PYTHONPATH=str(slow))
    assert code == 0, said[-4000:]
    fresh.equals(undisturbed)
    held("a slow disk")
