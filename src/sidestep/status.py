"""Status files: by small files, running jobs say how far they are, on one machine or a cluster."""

import math
import os
import socket
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sidestep.files import write_json

# Seconds between two writes, so that a thousand jobs do not wear out a network disk.
INTERVAL = 1.0


@dataclass
class StatusFile:
    """The status file of one job.

    Attributes:
        path: where it is, or None to say nothing.
        facts: what every write repeats, such as the number of epochs.
    """

    path: Path | None
    facts: dict[str, Any] = field(default_factory=dict)
    _written: float = -math.inf

    def say(self, state: str, *, now: bool = False, **facts: Any) -> None:
        """Write the state and facts, at most once a second unless `now`."""
        # Not the time of day, which may be put back while a job runs.
        clock = time.monotonic()
        if self.path is None or (not now and clock - self._written < INTERVAL):
            return
        self._written = clock
        self.facts |= facts
        where = {"host": socket.gethostname(), "pid": os.getpid(), "updated": round(time.time(), 1)}
        write_json(self.path, {**self.facts, **where, "state": state})
