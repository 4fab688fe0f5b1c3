"""Random numbers: one integer seed a run, from which every purpose derives a stream of its own."""

import hashlib


def derive(seed: int, *purpose: object) -> int:
    """A 63-bit seed for one purpose of a run, such as `("order", epoch)`.

    Streams of different purposes do not disturb each other: a variant that draws more numbers while
    it initialises still sees the same data order, so comparisons between variants are paired.
    """
    text = "/".join(map(str, (seed, *purpose)))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1
