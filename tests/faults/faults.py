"""What the suite of faults shares: how many cases it tries, which of them, and how many held."""

import os
import random
from collections.abc import Sequence
from typing import TypeVar

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
