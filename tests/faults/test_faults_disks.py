"""Results on a disk that is full, slow or may not be written: told in a sentence, and finished once that is over."""

import contextlib
import shutil
import subprocess
from pathlib import Path

import pytest

from faults import held, sample
from paper import Paper

UNSHARE = ("unshare", "--user", "--map-root-user", "--mount")
FULL_DISK = "No space left on device"


@contextlib.contextmanager
def small_disk(paper, place, options):
    """A disk in memory at a folder of a paper, in name spaces of its own: no root is needed, nothing is left mounted.

    Within the block the paper's commands run there, and its files are looked at there.
    """
    place.mkdir(parents=True, exist_ok=True)
    # It lives until its standard input is closed, and the disk as long as it.
    mount = 'mount -t tmpfs -o "$1" faults "$0" && echo ready && exec cat'
    try:
        holder = subprocess.Popen(
            [*UNSHARE, "sh", "-c", mount, str(place), options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
    except FileNotFoundError as error:
        pytest.skip(f"NOT TESTED: this machine mounts no small disk: {error}")
    try:
        if holder.stdout.readline() != "ready\n":
            pytest.skip(f"NOT TESTED: this machine mounts no small disk: {holder.stderr.read()}")
        enter = ["nsenter", "--target", str(holder.pid), "--user", "--preserve-credentials"]
        # Entering leads to the root folder of that name space.
        enter += ["--mount", "sh", "-c", 'cd "$0" && exec "$@"', str(paper.folder)]
        paper.prefix, paper.root = tuple(enter), Path(f"/proc/{holder.pid}/root")
        yield
    finally:
        paper.close()
        paper.prefix, paper.root = (), Path("/")
        holder.communicate()


def assert_no_traceback_of_ours(said):
    """Snakemake may show where it met a fault itself, such as at the removal of a log; our commands do not."""
    assert "/src/sidestep/" not in said, said[-8000:]
    last = [line for line in said.splitlines() if line.startswith(("PermissionError", "OSError"))]
    assert "Traceback" not in said or last, said[-8000:]


STAGES = {
    # Stage → what is taken away, so that it has to be made again, and for how many KiB the disk still has room.
    "train": (("runs", "measures", "tables", "figures", "numbers.json", "paper.pdf"), 24),
    "measure": (("measures", "tables", "figures", "numbers.json", "paper.pdf"), 4),
    "tabulate": (("tables", "figures", "numbers.json", "paper.pdf"), 8),
    "plot": (("figures", "numbers.json", "paper.pdf"), 8),
}


@pytest.mark.parametrize("stage", sample(list(STAGES), 1))
def test_a_full_disk(undisturbed, tmp_path, stage):
    """The results lie on a disk with a few KiB left; then there is room, and a plain Snakemake goes on."""
    folder = tmp_path / "paper"
    without = shutil.ignore_patterns("results")
    shutil.copytree(undisturbed.folder, folder, symlinks=True, ignore=without)
    paper = Paper(folder)
    with small_disk(paper, paper.results, "size=64m"):
        shutil.copytree(undisturbed.results, paper.results, dirs_exist_ok=True)
        gone, room = STAGES[stage]
        paper.take_away(*gone)
        fill = paper.results / "fill"
        free = shutil.disk_usage(paper.results).free
        fill.write_bytes(bytes(max(0, free - room * 1024)))
        code, said = paper.run()
        assert code != 0, "the disk was not full"
        assert FULL_DISK in said, said[-4000:]
        assert_no_traceback_of_ours(said)
        paper.nothing_wrong(undisturbed)
        for path in paper.results.glob("runs/**/[!.]*"):
            assert not path.is_file() or path.stat().st_size, f"{path} is empty"
        fill.unlink()
        paper.finish()
        paper.equals(undisturbed)
    held("a full disk")


def nobody_may_write(folder):
    """Take everybody's leave to write to a folder and all below it."""
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode & ~0o222)


def owner_may_write(folder):
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode | 0o200)


GONE = (("*",), ("figures", "paper.pdf"), ("paper.pdf",))


@pytest.mark.parametrize("gone", sample(GONE, 2), ids=lambda gone: gone[0])
def test_a_results_folder_that_may_not_be_written(finished, undisturbed, gone):
    """Root, too, is held by it, once it has given up the right to pass over permissions."""
    finished.take_away(*gone)
    rights = "-dac_override,-dac_read_search"
    bound = ("setpriv", f"--bounding-set={rights}", f"--inh-caps={rights}")
    if Path("/proc/self/status").read_text().split("Uid:")[1].split()[1] == "0":
        if not shutil.which("setpriv"):
            pytest.skip("NOT TESTED: this machine has no setpriv, by which root gives up a right")
        finished.prefix = bound
    nobody_may_write(finished.results)
    try:
        code, said = finished.run()
        assert code != 0 and "Permission denied" in said, said[-4000:]
        assert_no_traceback_of_ours(said)
        finished.nothing_wrong(undisturbed)
    finally:
        owner_may_write(finished.results)
    finished.finish()
    finished.equals(undisturbed)
    held("a results folder that may not be written")


def test_a_disk_that_became_read_only(finished, undisturbed):
    finished.take_away("numbers.json", "paper.pdf")
    with small_disk(finished, finished.results / "tables", "size=1m,ro"):
        code, said = finished.run()
        assert code != 0 and "Read-only file system" in said, said[-3000:]
        assert_no_traceback_of_ours(said)
        finished.nothing_wrong(undisturbed)
    finished.finish()
    finished.equals(undisturbed)
    held("a read-only disk")


def test_a_slow_disk(finished, undisturbed, tmp_path):
    """Every flush and rename takes its time, as on a network disk; a job is killed between two of them, too."""
    slow = tmp_path / "slow"
    slow.mkdir()
    (slow / "sitecustomize.py").write_text(
        "import os, time\n"
        "def late(function):\n"
        "    def wrapped(*words, **more):\n"
        "        time.sleep(0.05)\n"
        f"        with open({str(slow / 'marks')!r}, 'a') as marks:\n"
        "            marks.write('.')\n"
        "        return function(*words, **more)\n"
        "    return wrapped\n"
        "os.fsync, os.replace, os.rename = map(late, (os.fsync, os.replace, os.rename))\n"
    )
    name = "layerwise/digits/adam"
    run = finished.results / "runs" / name / "seed0"
    finished.take_away(f"runs/{name}", f"measures/{name}", "tables/layerwise*")
    finished.take_away("figures", "numbers.json", "paper.pdf")
    process = finished.start(PYTHONPATH=str(slow))
    finished.until("a run is being written", (run / "history.csv").exists, process)
    assert not (run / "summary.json").exists()
    finished.kill(process)
    finished.quiet()
    finished.nothing_wrong(undisturbed)
    finished.unlock()
    finished.finish(PYTHONPATH=str(slow))
    # More flushes and renames than the files that were written anew.
    assert len((slow / "marks").read_bytes()) > 40
    finished.equals(undisturbed)
    held("a slow disk")
