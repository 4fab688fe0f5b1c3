"""Slots of GPUs: each training job of a machine with several GPUs gets one of them, by a file lock.

A lock is of the GPU itself (its UUID), not of the number by which a process sees it: `CUDA_VISIBLE_DEVICES` or a
scheduler renumber GPUs, so two jobs may each have a `cuda:0` that is another's. The system drops a lock when its
process ends, however it ends, so a killed job blocks nobody.
"""

import fcntl
import os
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

# Seconds between two looks at slots that are all taken.
LOOK_AGAIN = 0.5


@dataclass
class Slot:
    """A GPU that is ours until `free` or the end of the process.

    Attributes:
        index: its place in the sequence that was claimed from.
    """

    index: int
    _file: IO[str]

    def free(self) -> None:
        """Let another job have it."""
        self._file.close()


def lock_folder() -> Path:
    """Where this user's locks lie: on the machine itself, since its GPUs are, never on a shared disk."""
    return Path(tempfile.gettempdir()) / f"sidestep-gpus-{os.getuid()}"


def try_claim(gpus: Sequence[str], folder: Path) -> Slot | None:
    """The first GPU that no process has claimed, or None if all are taken.

    Args:
        gpus: what each is called on the whole machine, such as its UUID; those that may be given out.
        folder: where the lock files lie; made if it is not there.

    Raises:
        OSError: the folder or a lock file cannot be made.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for index, gpu in enumerate(gpus):
        file = (folder / f"{gpu}.lock").open("w", encoding="utf-8")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
        except BaseException:
            file.close()
            raise
        else:
            return Slot(index, file)
    return None


def claim(gpus: Sequence[str], folder: Path, look_again: float = LOOK_AGAIN) -> Slot:
    """Wait for a free GPU and take it.

    Args:
        gpus: as for `try_claim`; at least one.
        folder: as for `try_claim`.
        look_again: seconds between two looks.

    Raises:
        OSError: as `try_claim`.
    """
    while (slot := try_claim(gpus, folder)) is None:
        time.sleep(look_again)
    return slot
