"""Seconds of training: batches, forward, backward, update and device synchronisation, nothing else."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from sidestep.device import synchronise


class Clock:
    """Adds up the time spent inside `running()`."""

    def __init__(self, device: torch.device, seconds: float = 0.0) -> None:
        """Start at `seconds`, which a resumed run had already spent."""
        self.device = device
        self.seconds = seconds

    @contextmanager
    def running(self) -> Iterator[None]:
        """Count the time of the block, the device's unfinished work included."""
        synchronise(self.device)
        begin = time.perf_counter()
        yield
        synchronise(self.device)
        self.seconds += time.perf_counter() - begin
