"""Reading a dataset from the files of a folder, one function a layout."""

import gzip
import hashlib
import math
import zlib
from pathlib import Path

import numpy as np

from sidestep.data import archives, formats
from sidestep.data.arrays import Array, Arrays
from sidestep.data.commands import UnavailableError
from sidestep.data.dataset import ARRAY_NAMES, Dataset, Layout
from sidestep.errors import UserError

IDX_FILES = {
    "train_images": "train-images-idx3-ubyte",
    "train_labels": "train-labels-idx1-ubyte",
    "test_images": "t10k-images-idx3-ubyte",
    "test_labels": "t10k-labels-idx1-ubyte",
}

CIFAR_FOLDER = "cifar-10-batches-py"
CIFAR_ARCHIVE = "cifar-10-python.tar.gz"
# MD5 of the published files, as torchvision knows them.
CIFAR_MD5 = {
    "data_batch_1": "c99cafc152244af753f735de768cd75f",
    "data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
    "data_batch_3": "54ebc095f3ab1f0389bbae665268c751",
    "data_batch_4": "634d18415352ddfa80567beed471001a",
    "data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb",
    "test_batch": "40351d587109b95175f43aff81a1287e",
}

TRAIN_BATCHES = tuple(f"data_batch_{number}" for number in range(1, 6))
TEST_BATCH = "test_batch"
# The package's own spelling.
SPRITE_LABELS = {"train": "train_lables.json", "test": "test_lables.json"}

LARGEST_BATCH_BYTES = 64 << 20
LARGEST_TABLE_BYTES = 256 << 20


def read(layout: Layout, folder: Path, dataset: Dataset, work: Path) -> Arrays:
    """Decode the dataset in `folder`; the digests of the result are not checked.

    Args:
        layout: which files to look for.
        folder: where they lie; it is only read.
        dataset: what they should hold; no more than that is read from any file.
        work: an existing folder for unpacking.

    Raises:
        UnavailableError: a file is missing.
        UserError: a file is damaged or holds something else; the text names it.
    """
    if layout == "idx":
        return _read_idx(folder, dataset)
    if layout == "cifar-batches":
        return _read_cifar_batches(folder, dataset, work)
    if layout == "csv":
        return _read_csv(folder, dataset)
    return _read_png_sprites(folder, dataset)


def expected_files(dataset: Dataset) -> str:
    """The files that `read` looks for, as the middle of a sentence; empty without a layout."""
    layout = dataset.layout
    if layout == "csv":
        return f"{dataset.files}.csv"
    if layout == "idx":
        return f"{', '.join(IDX_FILES.values())} (each plain or .gz)"
    if layout == "cifar-batches":
        return f"{CIFAR_FOLDER}/ or {CIFAR_ARCHIVE}"
    return ""


def _read_idx(folder: Path, dataset: Dataset) -> Arrays:
    paths = {name: _plain_or_gzipped(folder / file) for name, file in IDX_FILES.items()}
    arrays = {}
    for name in ARRAY_NAMES:
        shape = dataset.array_shape(name)
        data = _bytes(paths[name], limit=4 + 4 * len(shape) + math.prod(shape))
        try:
            array = formats.idx(data)
        except UserError as error:
            raise UserError(f"{paths[name]} is {error}") from error
        if array.size != math.prod(shape):
            raise UserError(f"{paths[name]} has shape {array.shape}, expected {shape}")
        # idx knows no channels: N×H×W becomes N×1×H×W.
        arrays[name] = array.reshape(shape)
    return arrays


def _plain_or_gzipped(path: Path) -> Path:
    gzipped = path.with_name(f"{path.name}.gz")
    for candidate in (path, gzipped):
        if candidate.is_file():
            return candidate
    raise UnavailableError(f"{path.parent} lacks {path.name}[.gz]")


def _bytes(path: Path, limit: int) -> bytes:
    """At most `limit` bytes of a file, unpacked if its name ends in `.gz`; more are an error."""
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            data = file.read(limit + 1)
    except FileNotFoundError:
        raise UnavailableError(f"{path.parent} lacks {path.name}") from None
    except (OSError, EOFError, zlib.error) as error:
        raise UserError(f"{path} cannot be read: {error}") from error
    if len(data) > limit:
        raise UserError(f"{path} holds more than the expected {limit} bytes")
    return data


def _read_csv(folder: Path, dataset: Dataset) -> Arrays:
    """A table: the first rows are for training, the others for testing."""
    path = folder / f"{dataset.files}.csv"
    data = _bytes(path, LARGEST_TABLE_BYTES)
    try:
        rows, targets = formats.table(data, dataset.features, dataset.target, dataset.classes)
    except UserError as error:
        raise UserError(f"{path} is {error}") from error
    return parts(rows, targets, dataset)


def parts(images: Array, labels: Array, dataset: Dataset) -> Arrays:
    """Arrays of images or rows cut into the training part, which comes first, and the test part."""
    train = dataset.sizes["train"]
    images = images.reshape(-1, *dataset.shape)
    return {
        "train_images": images[:train],
        "train_labels": labels[:train],
        "test_images": images[train:],
        "test_labels": labels[train:],
    }


def _read_cifar_batches(folder: Path, dataset: Dataset, work: Path) -> Arrays:
    batches = folder / CIFAR_FOLDER
    if not batches.is_dir():
        if not (folder / CIFAR_ARCHIVE).is_file():
            raise UnavailableError(f"{folder} holds neither {CIFAR_FOLDER}/ nor {CIFAR_ARCHIVE}")
        archives.unpack(folder / CIFAR_ARCHIVE, work / "unpacked")
        batches = work / "unpacked" / CIFAR_FOLDER
    train = [_cifar_batch(batches / name, dataset) for name in TRAIN_BATCHES]
    test = _cifar_batch(batches / TEST_BATCH, dataset)
    return {
        "train_images": np.concatenate([images for images, _ in train]),
        "train_labels": np.concatenate([labels for _, labels in train]),
        "test_images": test[0],
        "test_labels": test[1],
    }


def _cifar_batch(path: Path, dataset: Dataset) -> tuple[Array, Array]:
    data = _bytes(path, LARGEST_BATCH_BYTES)
    # A pickle can be a program: none is opened before its bytes are known to be the published ones.
    found, expected = hashlib.md5(data, usedforsecurity=False).hexdigest(), CIFAR_MD5[path.name]
    if found != expected:
        raise UserError(f"{path} has MD5 {found}, expected {expected}")
    try:
        images, labels = formats.cifar_batch(data)
        if images.shape[1] != math.prod(dataset.shape):
            raise UserError(f"a batch of images with {images.shape[1]} values")
    except UserError as error:
        raise UserError(f"{path} is {error}") from error
    return images.reshape(-1, *dataset.shape), labels


def _read_png_sprites(folder: Path, dataset: Dataset) -> Arrays:
    rows = {name: dataset.sizes["train"] // len(TRAIN_BATCHES) for name in TRAIN_BATCHES}
    rows[TEST_BATCH] = dataset.sizes["test"]
    sheets = {}
    for name, count in rows.items():
        path = folder / f"{name}.png"
        data = _bytes(path, LARGEST_BATCH_BYTES)
        try:
            sheets[name] = formats.png_sprites(data, dataset.shape, count)
        except UserError as error:
            raise UserError(f"{path} is {error}") from error
    labels = {}
    for part, file in SPRITE_LABELS.items():
        try:
            labels[part] = formats.json_labels(_bytes(folder / file, limit=16 << 20))
        except UserError as error:
            raise UserError(f"{folder / file} holds {error}") from error
    return {
        "train_images": np.concatenate([sheets[name] for name in TRAIN_BATCHES]),
        "train_labels": labels["train"],
        "test_images": sheets[TEST_BATCH],
        "test_labels": labels["test"],
    }
