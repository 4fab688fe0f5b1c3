"""The four decoded arrays of a dataset: their digests and the one file that holds them."""

import functools
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sidestep import seals
from sidestep.data.dataset import ARRAY_NAMES, Dataset
from sidestep.errors import UserError
from sidestep.files import write_with

Array = NDArray[np.uint8] | NDArray[np.float32]
# What a head may be long, and what is read at a time.
HEAD_BYTES = 1 << 20
CHUNK_BYTES = 1 << 22

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
    """Compare a fetched dataset with the digests in the file beside it; the arrays are not kept in memory.

    Raises:
        UserError: either file is missing or damaged, or they do not belong together.
    """
    beside = path.with_suffix(".digest.json")
    expected = seals.read(beside)
    try:
        facts = path.stat()
        # The seeds of a job read the same file: once is enough.
        found = _digests(path, facts.st_mtime_ns, facts.st_size, facts.st_ino)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(f"{path} cannot be read as a dataset: {error}") from error
    if expected.get("dataset") != path.stem or expected.get("sha256") != found:
        raise UserError(f"{path} is not what {beside} says that it is: delete both and run again")


@functools.lru_cache(maxsize=8)
def _digests(path: Path, *_: int) -> dict[str, str]:
    """SHA-256 of each array in a safetensors file: its bytes, between the offsets that the head names."""
    found = {}
    with path.open("rb") as file:
        size = int.from_bytes(file.read(8), "little")
        head = json.loads(file.read(min(size, HEAD_BYTES)))
        for name, item in head.items():
            begin, end = item["data_offsets"]
            file.seek(8 + size + begin)
            total = hashlib.sha256()
            while begin < end and (chunk := file.read(min(end - begin, CHUNK_BYTES))):
                total.update(chunk)
                begin += len(chunk)
            found[name] = total.hexdigest()
    return found


def write(path: Path, arrays: Mapping[str, Array]) -> None:
    """Write the arrays to a safetensors file, atomically; the bytes depend on the arrays alone."""
    from safetensors.numpy import save_file

    ordered = {name: np.ascontiguousarray(arrays[name]) for name in ARRAY_NAMES}
    write_with(path, lambda temporary: save_file(ordered, temporary))
