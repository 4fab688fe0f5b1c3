"""Decoders from the bytes of a published file to arrays. Each gives a value or a `UserError`."""

import io
import json
import math
import pickle
import struct
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sidestep.data.arrays import Array
from sidestep.errors import UserError

IDX_UNSIGNED_BYTE = 0x08


def idx(data: bytes) -> Array:
    """Decode an idx file of unsigned bytes with one to four dimensions.

    The header is two zero bytes, the type, the number of dimensions, and each length as four bytes,
    most significant first (the format of MNIST's files).

    Raises:
        UserError: another type, a length of zero, or fewer or more values than the header says.
    """
    if len(data) < 4 or data[:2] != b"\0\0" or data[2] != IDX_UNSIGNED_BYTE:
        raise UserError(f"not an idx file of unsigned bytes: it starts with {data[:4].hex()!r}")
    dimensions = data[3]
    start = 4 + 4 * dimensions
    if not 1 <= dimensions <= 4 or len(data) < start:
        raise UserError(f"an idx header of {dimensions} dimensions in a file of {len(data)} bytes")
    shape = struct.unpack(f">{dimensions}I", data[4:start])
    values = math.prod(shape)
    if values == 0 or len(data) - start != values:
        raise UserError(f"an idx file of shape {shape} with {len(data) - start} values")
    return np.frombuffer(data, np.uint8, offset=start).reshape(shape)


def png_sprites(data: bytes, shape: tuple[int, int, int], rows: int) -> Array:
    """Decode a PNG sheet whose every row of pixels is one image, into `rows`×C×H×W.

    Args:
        data: the file; RGB for three channels, grey for one.
        shape: channels, height and width of an image.
        rows: number of images on the sheet.

    Raises:
        UserError: damaged, not a PNG, or of another size or mode.
    """
    from PIL import Image

    channels, height, width = shape
    size, mode = (height * width, rows), "RGB" if channels == 3 else "L"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data), formats=("PNG",)) as image:
                if image.size != size or image.mode != mode:
                    raise UserError(
                        f"a PNG of {image.size[0]} × {image.size[1]} pixels in mode {image.mode}, "
                        f"expected {size[0]} × {size[1]} in mode {mode}"
                    )
                pixels = np.asarray(image, dtype=np.uint8)
    except UserError:
        raise
    # A damaged PNG can fail anywhere in the decoder, with almost any exception.
    except Exception as error:
        raise UserError(f"not a readable PNG: {error}") from error
    return np.ascontiguousarray(pixels.reshape(rows, height, width, channels).transpose(0, 3, 1, 2))


def json_labels(data: bytes) -> Array:
    """Decode a JSON list of labels, each 0 to 255.

    Raises:
        UserError: anything else.
    """
    try:
        labels = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise UserError(f"not readable JSON: {error}") from error
    return _labels(labels)


def _labels(labels: Any) -> Array:
    if not isinstance(labels, list) or not all(
        type(label) is int and 0 <= label <= 255 for label in labels
    ):
        raise UserError("labels that are not a list of whole numbers from 0 to 255")
    return np.array(labels, dtype=np.uint8)


def table(
    data: bytes, features: Sequence[str], target: str, most_classes: int
) -> tuple[NDArray[np.float32], Array]:
    """Decode a table as CSV with a header: the features' columns and one called `target`, in any order.

    Args:
        data: UTF-8.
        features: names of the columns that are wanted.
        target: `class` (whole numbers from 0) or `number`.
        most_classes: number of classes; 0 for numbers.

    Returns:
        Rows N×F, float32, and targets N, uint8 or float32.

    Raises:
        UserError: another header, a value that is missing or no finite number (the text names row and
            column), a class out of range, or one class or one number only.
    """
    import pandas as pd

    try:
        # As text: what is no number must be named, not guessed at.
        frame = pd.read_csv(io.BytesIO(data), dtype=str, keep_default_na=False, encoding="utf-8")
    except (ValueError, UnicodeDecodeError) as error:
        # The parser's message ends with a line break.
        raise UserError(f"not a readable table: {' '.join(str(error).split())}") from error
    wanted = [*features, "target"]
    found = [str(name) for name in frame.columns]
    if sorted(found) != sorted(wanted):
        missing = [name for name in wanted if name not in found]
        extra = [name for name in found if name not in wanted]
        told = (
            f"lacks the column '{missing[0]}'" if missing else f"has a column '{extra[0]}' too many"
        )
        raise UserError(f"a table that {told}")
    if frame.empty:
        raise UserError("a table without rows")
    values = np.column_stack([_numbers(frame[name], name) for name in wanted])
    targets = values[:, -1]
    if len(np.unique(targets)) == 1:
        one = "class" if target == "class" else "number"
        raise UserError(f"a table whose target has one {one} only, {targets[0]:g}")
    rows = np.ascontiguousarray(values[:, :-1], dtype=np.float32)
    if target == "number":
        return rows, targets.astype(np.float32)
    wrong = np.flatnonzero(
        (targets != np.floor(targets)) | (targets < 0) | (targets >= most_classes)
    )
    if len(wrong):
        raise UserError(
            f"a table whose target is {targets[wrong[0]]:g} in row {wrong[0] + 1}, not a class from 0 "
            f"to {most_classes - 1}"
        )
    return rows, targets.astype(np.uint8)


def _numbers(column: Any, name: str) -> NDArray[np.float64]:
    """A column of texts as finite numbers; the first that is none is named."""
    values: NDArray[np.float64] = np.full(len(column), np.nan)
    for row, text in enumerate(column):
        # Rows are counted as a person counts them, from 1, without the header.
        where = f"row {row + 1} of column '{name}'"
        if not text.strip():
            raise UserError(f"a table with a missing value in {where}")
        try:
            values[row] = float(text)
        except ValueError:
            raise UserError(f"a table with {text!r} in {where}, which is no number") from None
        if not np.isfinite(values[row]):
            raise UserError(f"a table with {text!r} in {where}, which is not finite")
        if abs(values[row]) > np.finfo(np.float32).max:
            raise UserError(f"a table with {text!r} in {where}, which is too large for float32")
    return values


class _ArrayUnpickler(pickle.Unpickler):
    """Admits what numpy arrays are made of and nothing else, so that no pickle can run code."""

    def find_class(self, module: str, name: str) -> Any:
        # Python 2 wrote numpy's old module name; importing that one is deprecated.
        if module in ("numpy.core.multiarray", "numpy._core.multiarray"):
            if name == "_reconstruct":
                from numpy._core import multiarray

                return multiarray._reconstruct
        elif module == "numpy" and name == "ndarray":
            return np.ndarray
        elif module == "numpy" and name == "dtype":
            return np.dtype
        raise UserError(f"a pickle that asks for {module}.{name}, which is not part of an array")


def cifar_batch(data: bytes) -> tuple[Array, Array]:
    """Decode one of CIFAR's pickled batches into images N×(C·H·W) and labels N.

    The caller compares the digest of `data` with the published one first; still, nothing in the
    pickle is executed but the reconstruction of arrays.

    Raises:
        UserError: damaged, of another structure, or asking for anything but arrays.
    """
    try:
        batch = _ArrayUnpickler(io.BytesIO(data), encoding="bytes").load()
    except UserError:
        raise
    # A damaged pickle raises almost any exception.
    except Exception as error:
        raise UserError(f"not a readable pickle: {error}") from error
    if not isinstance(batch, dict):
        raise UserError("a pickle that is not a batch of images")
    images, labels = batch.get(b"data"), _labels(batch.get(b"labels"))
    if not isinstance(images, np.ndarray) or images.dtype != np.uint8 or images.ndim != 2:
        raise UserError("a batch whose images are not a uint8 matrix")
    if len(images) != len(labels):
        raise UserError(f"a batch of {len(images)} images with {len(labels)} labels")
    return np.ascontiguousarray(images), labels
