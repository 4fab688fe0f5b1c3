"""Small made datasets in every form in which a source can hold them."""

import gzip
import io
import json
import struct
import tarfile
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from sidestep.data import arrays
from sidestep.data.arrays import Array, Arrays
from sidestep.data.dataset import ARRAY_NAMES, Dataset
from sidestep.data.layouts import IDX_FILES, SPRITE_LABELS, TEST_BATCH, TRAIN_BATCHES

PLAIN = Dataset(
    name="made",
    title="Made",
    shape=(1, 3, 2),
    classes=10,
    sizes={"train": 10, "test": 4},
    digests={},
    mean=(0.5,),
    deviation=(0.25,),
    scale=255,
    sources=(),
    citation="",
    layout="idx",
    folders=("Made/raw",),
)


def make(dataset: Dataset = PLAIN, seed: int = 0) -> tuple[Dataset, Arrays]:
    """Random arrays of the dataset's shapes, and the dataset with their digests."""
    generator = np.random.default_rng(seed)
    made = {}
    for name in ARRAY_NAMES:
        largest = dataset.classes if name.endswith("labels") else 256
        shape = dataset.array_shape(name)
        made[name] = generator.integers(0, largest, shape).astype(np.uint8)
    digests = {name: arrays.digest(array) for name, array in made.items()}
    return replace(dataset, digests=digests), made


def make_colour() -> tuple[Dataset, Arrays]:
    plain = replace(PLAIN, shape=(3, 4, 2), layout="cifar-batches", mean=(0.1, 0.5, 0.9))
    return make(replace(plain, deviation=(0.2, 0.25, 0.3)))


def idx_bytes(array: Array) -> bytes:
    header = struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape)
    return header + array.tobytes()


def idx_files(made: Arrays) -> dict[str, bytes]:
    return {file: idx_bytes(made[name].squeeze()) for name, file in IDX_FILES.items()}


def gzipped(files: dict[str, bytes]) -> dict[str, bytes]:
    return {f"{name}.gz": gzip.compress(data) for name, data in files.items()}


def png_bytes(images: Array) -> bytes:
    """A sheet with one image N×3×H×W a row."""
    count, channels, height, width = images.shape
    rows = images.transpose(0, 2, 3, 1).reshape(count, height * width, channels)
    buffer = io.BytesIO()
    Image.fromarray(rows if channels == 3 else rows[..., 0]).save(buffer, "PNG")
    return buffer.getvalue()


def batches(made: Arrays) -> dict[str, tuple[Array, Array]]:
    images = np.split(made["train_images"], len(TRAIN_BATCHES))
    labels = np.split(made["train_labels"], len(TRAIN_BATCHES))
    found = dict(zip(TRAIN_BATCHES, zip(images, labels, strict=True), strict=True))
    found[TEST_BATCH] = (made["test_images"], made["test_labels"])
    return found


def sprite_files(made: Arrays) -> dict[str, bytes]:
    files = {f"{name}.png": png_bytes(images) for name, (images, _) in batches(made).items()}
    for part, file in SPRITE_LABELS.items():
        files[file] = json.dumps(made[f"{part}_labels"].tolist()).encode()
    return files


def pickled_batch(images: Array, labels: Array, module: bytes = b"numpy.core.multiarray") -> bytes:
    """What Python 2's `cPickle.dump(batch, file, 2)` wrote, opcode by opcode."""

    def text(value: bytes) -> bytes:
        return b"U" + bytes([len(value)]) + value

    def number(value: int) -> bytes:
        return b"J" + struct.pack("<i", value)

    matrix = images.reshape(len(images), -1)
    shape = number(matrix.shape[0]) + number(matrix.shape[1]) + b"\x86"
    state = b"(" + number(3) + text(b"|") + b"NNN" + number(-1) * 2 + number(0) + b"tb"
    kind = b"cnumpy\ndtype\n" + text(b"u1") + number(0) + number(1) + b"\x87R" + state
    array = b"c" + module + b"\n_reconstruct\ncnumpy\nndarray\n" + number(0) + b"\x85"
    array += text(b"b") + b"\x87R"
    data = matrix.tobytes()
    array += b"(" + number(1) + shape + kind + b"I00\n"
    array += b"T" + struct.pack("<i", len(data)) + data + b"tb"
    list_of_labels = b"](" + b"".join(number(int(label)) for label in labels) + b"e"
    items = text(b"batch_label") + text(b"training batch") + text(b"labels") + list_of_labels
    return b"\x80\x02}(" + items + text(b"data") + array + b"u."


def write(folder: Path, files: dict[str, bytes]) -> None:
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)


def tar_bytes(files: dict[str, bytes], mode: str = "w:gz") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as tar:  # type: ignore[call-overload]
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()


def same(found: Arrays, expected: Arrays) -> bool:
    return found.keys() == expected.keys() and all(
        np.array_equal(found[name], expected[name]) for name in expected
    )
