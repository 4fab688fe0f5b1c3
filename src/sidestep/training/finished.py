"""Finished seeds of a training job that is not finished: kept for the job that is started again.

Snakemake removes the declared outputs of a job that failed or was killed, the summaries of its finished seeds
included, and before it starts a job. The other files of those runs stay; with a copy of the summary they are a whole
run again.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sidestep import seals
from sidestep.errors import UserError
from sidestep.files import canonical_json, read_json, sha256, write_text


class RefusedError(Exception):
    """A copy whose run is not what was asked for; the text says why."""


def keep(copy: Path, folder: Path) -> None:
    """Copy the summary of a finished run.

    Args:
        copy: the file to write.
        folder: of the run.
    """
    write_text(copy, (folder / "summary.json").read_text(encoding="utf-8"))


def put_back(copy: Path, folder: Path, identity: Mapping[str, Any]) -> str:
    """Make a run whole again by the copy of its summary, if every file is what the summary says.

    Args:
        copy: of the summary.
        folder: of the run.
        identity: what the run is: its config, fingerprint, data digest and its teacher's digest.

    Returns:
        The run's status, `finished` or `diverged`.

    Raises:
        RefusedError: the copy is damaged, a file is missing or changed, or they belong to another
            config, other code, other data or another teacher; nothing has been changed then.
    """
    try:
        text, summary = copy.read_text(encoding="utf-8"), seals.read(copy)
        changed = [
            name for name, digest in summary["files"].items() if _digest(folder / name) != digest
        ]
        status = str(summary["status"])
        made = {
            "run": read_json(folder / "config.json"),
            "fingerprint": summary["fingerprint"],
            "data": read_json(folder / "provenance.json")["data"],
            "teacher": summary["teacher"],
        }
    except UserError:
        raise RefusedError("is damaged (it is not what was written)") from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise RefusedError(f"is damaged, or a file of the run ({error!r})") from error
    if changed:
        raise RefusedError(f"is of no use: {folder / changed[0]} is missing or was changed")
    if canonical_json(made) != canonical_json(identity):
        raise RefusedError(
            "was written by another config, other code, other data or another teacher"
        )
    write_text(folder / "summary.json", text)
    return status


def _digest(path: Path) -> str | None:
    return sha256(path) if path.is_file() else None
