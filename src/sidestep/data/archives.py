"""Unpacking of archives that nobody here made: whole and harmless, or not at all."""

import gzip
import shutil
import tarfile
import tempfile
import zlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, cast

from sidestep.errors import UserError

# Folders in folders are made by recursion, which an archive must not be able to exhaust.
DEEPEST = 50


@dataclass(frozen=True)
class Limits:
    """The most that an archive may hold.

    Attributes:
        entries: files and folders together.
        size: unpacked bytes, headers included.
    """

    entries: int = 1_000
    size: int = 1 << 30


class _Capped:
    """A stream that refuses to give more than `limit` bytes, whatever the headers claim."""

    def __init__(self, stream: IO[bytes], limit: int) -> None:
        self._stream = stream
        self._limit = limit
        self._left = limit

    def read(self, size: int) -> bytes:
        data = self._stream.read(size)
        self._left -= len(data)
        if self._left < 0:
            raise UserError(f"it unpacks to more than {self._limit} bytes")
        return data


def unpack(archive: Path, target: Path, limits: Limits = Limits()) -> None:
    """Unpack a tar archive, plain or gzipped, into the new folder `target`.

    Only files and folders inside `target` are made. On any error nothing is left behind.

    Raises:
        UserError: the archive is damaged, holds a link, a device, a name twice or a path that leads
            outside, or is larger than `limits`.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    try:
        with archive.open("rb") as file:
            packed = file.read(2) == b"\x1f\x8b"
            file.seek(0)
            stream = cast(IO[bytes], gzip.GzipFile(fileobj=file)) if packed else file
            _unpack_stream(stream, temporary, limits)
        temporary.rename(target)
    except UserError as error:
        raise UserError(f"the archive {archive.name} is refused: {error}") from error
    # Damaged data fail in zlib (EOFError, zlib.error), in tarfile, or as a number out of range.
    except (
        OSError,
        EOFError,
        ValueError,
        OverflowError,
        tarfile.TarError,
        zlib.error,
    ) as error:
        raise UserError(f"the archive {archive.name} cannot be unpacked: {error}") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _unpack_stream(stream: IO[bytes], folder: Path, limits: Limits) -> None:
    seen: set[PurePosixPath] = set()
    # Read as a stream, so that every byte passes the cap and no entry can be reached twice.
    capped = cast(IO[bytes], _Capped(stream, limits.size))
    with tarfile.open(fileobj=capped, mode="r|") as tar:
        for count, entry in enumerate(tar, start=1):
            if count > limits.entries:
                raise UserError(f"it has more than {limits.entries} entries")
            path = _checked(entry, limits)
            if path in seen:
                raise UserError(f"it holds '{entry.name}' twice")
            if entry.isfile():
                seen.add(path)
            _write(tar, entry, folder / path)


def _write(tar: tarfile.TarFile, entry: tarfile.TarInfo, place: Path) -> None:
    """Write one checked entry without the owner, mode and times that it claims.

    By hand, since early releases of Python 3.11 extract without a filter.
    """
    if entry.isdir():
        place.mkdir(parents=True, exist_ok=True)
        return
    place.parent.mkdir(parents=True, exist_ok=True)
    source = tar.extractfile(entry)
    assert source is not None
    with source, place.open("xb") as file:
        shutil.copyfileobj(source, file)
    if place.stat().st_size != entry.size:
        raise UserError(f"'{entry.name}' ends too soon")


def _checked(entry: tarfile.TarInfo, limits: Limits) -> PurePosixPath:
    path = PurePosixPath(entry.name)
    if path.is_absolute() or ".." in path.parts or "\\" in entry.name or "\0" in entry.name:
        raise UserError(f"'{entry.name}' leads outside the folder")
    if len(path.parts) > DEEPEST:
        raise UserError(f"'{entry.name[:40]}…' lies more than {DEEPEST} folders deep")
    # A sparse file takes more room than its bytes in the stream, which the cap cannot see.
    if entry.issparse() or not (entry.isfile() or entry.isdir()):
        raise UserError(f"'{entry.name}' is neither a plain file nor a folder")
    if entry.size > limits.size:
        raise UserError(f"'{entry.name}' is larger than {limits.size} bytes")
    return path
