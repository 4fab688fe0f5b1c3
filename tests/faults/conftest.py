"""The table of what was tried and held, at the end of a run of the fault tests."""

import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent
sys.path[:0] = [str(FOLDER), str(FOLDER.parents[0] / "workflow")]

import faults  # noqa: E402


def pytest_collection_modifyitems(items):
    for item in items:
        if FOLDER in item.path.parents:
            item.add_marker(pytest.mark.faults)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session):
    """Workers of pytest-xdist hand over what they counted."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["faults"] = faults.COUNTS


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node):
    for kind, (count, _) in getattr(node, "workeroutput", {}).get("faults", {}).items():
        faults.held(kind, count)


def pytest_terminal_summary(terminalreporter):
    """Kinds of faults and how many cases of each held; what fails is told above."""
    if not faults.COUNTS:
        return
    what = "all cases" if faults.FULL else f"a sample (seed {faults.SEED}); FULL=1 tries all"
    terminalreporter.section(f"faults: {what}")
    width = max(map(len, faults.COUNTS))
    for kind, (count, _) in sorted(faults.COUNTS.items()):
        terminalreporter.line(f"{kind:<{width}}  {count:5d} held")
    total = sum(count for count, _ in faults.COUNTS.values())
    terminalreporter.line(f"{'all':<{width}}  {total:5d} held")
