"""What planning tells jobs, in files: a job's config, the code behind it, a study.

A file is named after what it holds (`results/plan/<kind>-<16 hexadecimal digits>.json`), so that another content is
another input of a job, whatever Snakemake remembers, and a job sees whether the file is what was written.
"""

import os
import re
from pathlib import Path

from sidestep import layout
from sidestep.errors import UserError
from sidestep.files import short_digest, write_text


def write(kind: str, text: str, root: Path = layout.RESULTS) -> Path:
    """Write a planned file, unless it is there.

    A damaged one is written anew with its old time: nothing took anything from it, so it makes no result stale.

    Args:
        kind: what it tells, the beginning of its name.
        text: what it holds.
        root: the results folder.

    Returns:
        Its path, which follows from the arguments.

    Raises:
        OSError: it cannot be written.
    """
    path = layout.plan(root) / f"{kind}-{short_digest(text)}.json"
    if not path.exists():
        write_text(path, text)
    elif path.read_bytes() != text.encode():
        times = path.stat()
        write_text(path, text)
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    return path


def read(path: Path) -> str:
    """The text of a planned file; of any other file too, if its name is not that of a planned one.

    Raises:
        UserError: it is damaged, or cannot be read.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise UserError(f"{path} cannot be read ({error})") from None
    named = re.fullmatch(r"[a-z]+-([0-9a-f]{16})\.json", path.name)
    if named and short_digest(text) != named[1]:
        raise UserError(f"{path} is damaged (it is not what was written): run again")
    return text
