"""Files at the edge: atomic writes, digests and canonical JSON."""

import hashlib
import json
import os
import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

Json = Any


def canonical_json(value: Json) -> str:
    """JSON text that depends on the value alone: keys sorted, no spaces, `1.0` written `1`.

    A float with an integral value is written as an integer, so that `lr: 1` and `lr: 1.0` are the
    same configuration.

    Raises:
        ValueError: a float is not finite.
    """
    return json.dumps(_plain(value), sort_keys=True, separators=(",", ":"), allow_nan=False)


# What is written as it is; told apart by its very type, since planning asks this of every setting of every run.
_AS_IT_IS = frozenset((str, int, bool, type(None)))


def _plain(value: Json) -> Json:
    if type(value) in _AS_IT_IS:
        return value
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    return value


def sha256(path: Path) -> str:
    """Hexadecimal SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def short_digest(text: str) -> str:
    """The first 16 hexadecimal digits of a text's SHA-256, by which planned files and fingerprints are named."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary path beside `path` that takes its place when the block ends without an error.

    The bytes are flushed to disk before the rename, and the temporary file is removed on any
    error (a full disk, say), so that `path` is always either absent, the old file or the whole new one.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    os.close(descriptor)
    temporary = Path(name)
    try:
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current


def write_text(path: Path, text: str) -> None:
    """Write `text` to `path` atomically."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path, value: Json) -> None:
    """Write `value` to `path` atomically as indented JSON with sorted keys."""
    write_text(path, json_text(value))


def json_text(value: Json) -> str:
    """What `write_json` writes."""
    return json.dumps(value, sort_keys=True, indent=1, allow_nan=False) + "\n"


def read_json(path: Path) -> Json:
    """The value of a JSON file.

    Raises:
        OSError: it cannot be read.
        ValueError: it is damaged.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except RecursionError as error:
        raise ValueError("nested too deep") from error


def write_with(path: Path, save: Callable[[Path], object]) -> None:
    """Let `save` write a temporary path, then put it in the place of `path`.

    Raises:
        OSError: the file cannot be written, also where a library wraps that in an error of its own.
    """
    with replacing(path) as temporary:
        try:
            save(temporary)
        except OSError:
            raise
        except Exception as error:
            # Libraries written in Rust tell the system's error in their text only.
            number = re.search(r"\(os error (\d+)\)", str(error))
            if number is None:
                raise
            code = int(number[1])
            raise OSError(code, os.strerror(code), str(path)) from error
