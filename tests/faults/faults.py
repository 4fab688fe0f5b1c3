"""What the suite of faults shares: how many cases it tries, which of them, how many held, and readers of results."""

import csv
import json
import os
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn, TypeVar

T = TypeVar("T")

# All cases instead of a sample that CI has time for.
FULL = os.environ.get("FULL", "") not in ("", "0")
SEED = 20261121
# Kind of fault → how many cases were tried, and how many of them held.
COUNTS: dict[str, list[int]] = {}


def sample(cases: Sequence[T], few: int) -> list[T]:
    """All cases, or a few of them, the same ones each time, in their order."""
    if FULL or few >= len(cases):
        return list(cases)
    chosen = random.Random(SEED).sample(range(len(cases)), few)
    return [cases[index] for index in sorted(chosen)]


def held(kind: str, count: int = 1) -> None:
    """Count cases of a kind whose assertions all held."""
    COUNTS.setdefault(kind, [0])[0] += count


def read_rows(path: Path) -> list[dict[str, str]]:
    """The rows of a table."""
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def strictly(path: Path) -> Any:
    """What a file of JSON holds, without the `NaN` and `Infinity` that Python would take."""

    def no_constant(word: str) -> NoReturn:
        raise AssertionError(f"{word} is not JSON")

    return json.loads(path.read_text(), parse_constant=no_constant)
