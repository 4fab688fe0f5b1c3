"""Random numbers: one integer seed a run, from which every purpose derives a stream of its own."""

import hashlib
from collections.abc import Mapping
from typing import Any


def derive(seed: int, *purpose: object) -> int:
    """A 63-bit seed for one purpose of a run, such as `("order", epoch)`.

    Streams of different purposes do not disturb each other: a variant that draws more numbers while
    it initialises still sees the same data order, so comparisons between variants are paired.
    """
    text = "/".join(map(str, (seed, *purpose)))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def of_run(run: Mapping[str, Any]) -> int:
    """The seed of a run's training: its own, or that of a further member of a population of its kind.

    Members share the run's data, also where its seed draws them anew.

    Args:
        run: the resolved config.
    """
    seed, member = int(run["seed"]), int(run["member"])
    return derive(seed, "member", member) if member else seed
