"""Running of other programs: with a time limit, no terminal, and nothing left running."""

import os
import re
import signal
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path


class UnavailableError(Exception):
    """A source cannot answer; the text is the reason. The next source is asked."""


def run(command: Sequence[str], folder: Path, seconds: float, stdout: Path | None = None) -> None:
    """Run a command in `folder`; its standard output goes to the file `stdout`, if given.

    Raises:
        UnavailableError: the program is missing, failed, or took more than `seconds`.
    """
    environment = {**os.environ, "LC_ALL": "C"}
    target = (stdout or Path(os.devnull)).open("wb")
    with target:
        try:
            process = subprocess.Popen(
                command,
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=target,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        except FileNotFoundError:
            raise UnavailableError(f"{command[0]} is not installed") from None
        except OSError as error:
            raise UnavailableError(f"{command[0]} cannot be started: {error}") from error
        with process:
            try:
                _, errors = process.communicate(timeout=seconds)
            except BaseException as error:
                _kill_group(process)
                if isinstance(error, subprocess.TimeoutExpired):
                    raise UnavailableError(f"{command[0]} took more than {seconds:g} s") from None
                raise
    if process.returncode != 0:
        raise UnavailableError(reason(errors.decode(errors="replace"), process.returncode))


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    # The command has its own session: its children die with it, and Ctrl-C reaches only us.
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def reason(errors: str, code: int) -> str:
    """The lines of standard error that say why a program failed, at most 300 characters."""
    lines = [line.strip() for line in re.split(r"[\r\n]+", errors) if line.strip()]
    marked = [line for line in lines if re.match(r"E:|npm (error|ERR!)|[Ee]rror:", line)]
    chosen = [line.removeprefix("error: ") for line in marked[:2] or lines[-1:]]
    return "; ".join(chosen)[:300] or f"it ended with code {code}"
