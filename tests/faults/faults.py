"""What the fault tests share: how many cases are tried, and the count of those in which all held."""

import os
import random
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")

FULL = bool(os.environ.get("FULL"))
SEED = 20261121
COUNTS: dict[str, list[int]] = {}
"""Kind of fault → cases tried and cases in which all held."""


def sample(cases: Sequence[T], few: int) -> list[T]:
    """All cases in a full run, else a few of them, always the same."""
    if FULL or few >= len(cases):
        return list(cases)
    return random.Random(SEED).sample(list(cases), few)


def held(kind: str, count: int = 1) -> None:
    """Count cases of a kind of fault; called after their assertions."""
    tried = COUNTS.setdefault(kind, [0, 0])
    tried[0] += count
    tried[1] += count
