"""The tiny paper of the faults, built once, and the table of what was tried at the end."""

import fcntl
import os
import shutil
import signal
import sys
from pathlib import Path

import pytest

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "workflow")]

import faults  # noqa: E402
from paper import Paper, copy_paper  # noqa: E402


def pytest_collection_modifyitems(items):
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.faults)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session):
    """Workers of pytest-xdist hand over what they counted."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["faults"] = faults.COUNTS


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node):
    for kind, (count,) in getattr(node, "workeroutput", {}).get("faults", {}).items():
        faults.held(kind, count)


def pytest_terminal_summary(terminalreporter):
    """Kinds of faults and how many cases of each held; what fails is told above."""
    if not faults.COUNTS:
        return
    what = "all cases" if faults.FULL else f"a sample (seed {faults.SEED}); FULL=1 tries all"
    terminalreporter.section(f"faults: {what}")
    width = max(map(len, faults.COUNTS))
    for kind, (count,) in sorted(faults.COUNTS.items()):
        terminalreporter.line(f"{kind:<{width}}  {count:5d} held")
    total = sum(count for (count,) in faults.COUNTS.values())
    terminalreporter.line(f"{'all':<{width}}  {total:5d} held")


@pytest.fixture(scope="session", autouse=True)
def _terminated():
    """Whoever ends the tests with SIGTERM ends what they started, too."""
    before = signal.signal(signal.SIGTERM, lambda *_: pytest.exit("terminated", 143))
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory):
    """The finished paper; tests look at it and do not change it."""
    own = tmp_path_factory.getbasetemp()
    # Workers of pytest-xdist share one: whoever comes first builds it.
    place = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    folder = place / "undisturbed"
    with (place / "undisturbed.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "results/paper.pdf").exists():
            shutil.rmtree(folder, ignore_errors=True)
            paper = copy_paper(folder)
            try:
                paper.finish()
            finally:
                paper.close()
    return Paper(folder.resolve())


@pytest.fixture
def finished(undisturbed, tmp_path):
    """A copy of the finished paper, times of files and Snakemake's records included."""
    folder = tmp_path / "paper"
    shutil.copytree(undisturbed.folder, folder, symlinks=True)
    paper = Paper(folder)
    yield paper
    paper.close()


@pytest.fixture
def papers(tmp_path):
    """Makes papers before anything was run, as many as asked for."""
    made = []

    def make():
        made.append(copy_paper(tmp_path / f"paper{len(made)}"))
        return made[-1]

    yield make
    for paper in made:
        paper.close()


@pytest.fixture
def fresh(papers):
    """The paper before anything was run."""
    return papers()
