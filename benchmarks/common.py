"""What the benchmarks share: medians of interleaved repeats, so that a slow minute hits both sides."""

import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple


class Result(NamedTuple):
    """One measured ratio and what it has to be."""

    name: str
    ratio: float
    least: float | None
    most: float | None
    detail: str

    @property
    def fine(self) -> bool:
        """Whether the ratio is within its bounds."""
        above = self.least is None or self.ratio >= self.least
        return above and (self.most is None or self.ratio <= self.most)

    def line(self) -> str:
        """The result as a line of the report."""
        if self.least is None and self.most is None:
            return f"     {self.name:58} {self.ratio:7.2f}  {self.detail}"
        bound = f"≥ {self.least:g}" if self.least is not None else f"≤ {self.most:g}"
        verdict = "ok  " if self.fine else "MISS"
        return f"{verdict} {self.name:58} {self.ratio:7.2f}  (wanted {bound})  {self.detail}"


def seconds(work: Callable[[], object]) -> float:
    """Seconds that one call takes."""
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def medians(works: Mapping[str, Callable[[], object]], repeats: int) -> dict[str, float]:
    """Median seconds of each work, the repeats of all interleaved; one unmeasured call first."""
    for work in works.values():
        work()
    taken: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(repeats):
        for name, work in works.items():
            taken[name].append(seconds(work))
    return {name: statistics.median(values) for name, values in taken.items()}


def process(*words: str, cwd: str | None = None) -> Callable[[], object]:
    """A call of this Python in a new process."""
    command = [sys.executable, *words]
    return lambda: subprocess.run(command, check=True, capture_output=True, cwd=cwd)
