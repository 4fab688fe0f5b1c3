"""The four decoded arrays of a dataset: their digests and the one file that holds them."""

import functools
import hashlib
import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sidestep import seals
from sidestep.data.dataset import ARRAY_NAMES, Dataset
from sidestep.errors import UserError
from sidestep.files import write_with

# How much of a file is read at a time.
CHUNK_BYTES = 1 << 20

Array = NDArray[np.uint8] | NDArray[np.float32]
Arrays = dict[str, Array]
"""Keys `ARRAY_NAMES`; images N×C×H×W, labels N."""


def digest(array: Array) -> str:
    """Hexadecimal SHA-256 of an array's values in C order."""
    return hashlib.sha256(np.ascontiguousarray(array).data).hexdigest()


def check(arrays: Mapping[str, Array], dataset: Dataset) -> None:
    """Compare arrays with what is known of the dataset.

    Raises:
        UserError: an array is missing or has another shape, type or digest; the text names both.
    """
    for name in ARRAY_NAMES:
        if name not in arrays:
            raise UserError(f"the array {name} is missing")
        array, shape = arrays[name], dataset.array_shape(name)
        kind = dataset.array_type(name)
        if array.dtype != np.dtype(kind) or array.shape != shape:
            raise UserError(
                f"{name} is {array.dtype} {_times(array.shape)}, expected {kind} {_times(shape)}"
            )
        found, expected = digest(array), dataset.digests[name]
        if found != expected:
            raise UserError(f"{name} has SHA-256 {found}, expected {expected}")


def _times(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape))


def read(path: Path) -> Arrays:
    """The arrays of a dataset's file, unchecked.

    Raises:
        UserError: the file is missing, damaged or not a safetensors file.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        return load_file(path)
    # A type that numpy lacks (bfloat16) is a KeyError there.
    except (OSError, SafetensorError, KeyError, ValueError) as error:
        raise UserError(f"{path} cannot be read as a dataset: {error}") from error


def check_file(path: Path) -> None:
    """Refuse a fetched dataset that is not the one that the file of digests beside it describes.

    A job calls this before it reads the arrays, by a checksum, which takes a tenth of the time of
    SHA-256 and finds damage as well; the digests were compared when the file was written.

    Raises:
        UserError: either file is missing or damaged, or they do not belong together.
    """
    remedy = f"delete {path} and run again"
    try:
        facts = path.stat()
        # The seeds of a job read the same file: once is enough.
        found = _checksum(path, facts.st_mtime_ns, facts.st_size, facts.st_ino)
    except OSError as error:
        raise UserError(f"{path} cannot be read as a dataset ({error}): {remedy}") from error
    beside = path.with_suffix(".digest.json")
    expected = seals.read(beside)
    if expected.get("dataset") != path.stem or expected.get("crc32") != found:
        raise UserError(f"{path} is not what {beside} says that it is: {remedy}")


def checksum(path: Path) -> int:
    """CRC-32 of a file's bytes."""
    found = 0
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            found = zlib.crc32(chunk, found)
    return found


@functools.lru_cache(maxsize=8)
def _checksum(path: Path, *_: int) -> int:
    return checksum(path)


def write(path: Path, arrays: Mapping[str, Array]) -> None:
    """Write the arrays to a safetensors file, atomically; the bytes depend on the arrays alone."""
    from safetensors.numpy import save_file

    ordered = {name: np.ascontiguousarray(arrays[name]) for name in ARRAY_NAMES}
    write_with(path, lambda temporary: save_file(ordered, temporary))
