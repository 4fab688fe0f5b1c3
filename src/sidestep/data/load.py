"""A fetched dataset as tensors: loading, splitting and normalising."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from sidestep.data import arrays
from sidestep.data.dataset import ARRAY_NAMES, Dataset
from sidestep.errors import UserError
from sidestep.seeds import derive

# Elements normalised at a time: small enough to stay in a core's cache between the operations.
CHUNK_ELEMENTS = 1 << 18


@dataclass(frozen=True)
class Images:
    """Labelled images, or rows of a table, as they are stored.

    Attributes:
        images: N×C×H×W; uint8, or float32 for features.
        labels: N; int64, or float32 for numbers.
    """

    images: Tensor
    labels: Tensor

    def __len__(self) -> int:
        """The number of images."""
        return len(self.labels)


def load(path: Path) -> dict[str, Images]:
    """The `train` and `test` images of a fetched dataset; the images are mapped, not read.

    Raises:
        UserError: the file is missing, damaged or not a dataset.
    """
    arrays.check_file(path)
    try:
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in ARRAY_NAMES}
    except (OSError, SafetensorError) as error:
        raise UserError(f"{path} cannot be read as a dataset: {error}") from error
    data = {}
    kinds = {name.split("_")[1]: tensor.dtype for name, tensor in tensors.items()}
    for part in ("train", "test"):
        images, labels = tensors[f"{part}_images"], tensors[f"{part}_labels"]
        known = (torch.uint8, torch.float32)
        wrong_type = images.dtype not in known or labels.dtype not in known
        # Both parts are of one kind.
        wrong_type |= (images.dtype, labels.dtype) != (kinds["images"], kinds["labels"])
        if wrong_type or images.ndim != 4 or labels.shape != images.shape[:1]:
            raise UserError(
                f"{path} is not a dataset: its {part} images are {images.dtype} "
                f"{tuple(images.shape)}, its labels {labels.dtype} {tuple(labels.shape)}"
            )
        data[part] = Images(images, labels if labels.is_floating_point() else labels.long())
    return data


def split(
    data: Mapping[str, Images],
    validation: float,
    train_images: int | None = None,
    resample: int | None = None,
    subset: int | None = None,
    seed: int = 0,
) -> dict[str, Images]:
    """Take `validation` images out of the training set, and keep `train_images` of the others.

    Which ones depends on `seed` and the size of the training set only, never on a run's seed, so
    that every run chooses on the same images; those of a smaller validation part are among those
    of a larger one. Both parts keep the order of the training set.

    Small data sets say little by one test part: with `resample` the training and the test set are
    drawn anew, of the same sizes, from both together, and everything else from them.

    Args:
        data: `train` and `test`, from `load`.
        validation: number of images, or their share if it is below 1; 0 for none.
        train_images: number of training images to keep; None for all that are left.
        resample: which draw of the training and the test set; None for the dataset's own.
        subset: how many training images are taken first, if there are more; everything else is of these.
        seed: of the permutation of the training set.

    Returns:
        `train`, `validation` (absent if 0) and `test`.

    Raises:
        UserError: `validation` is negative or leaves no training image, or fewer are left than
            `train_images`.
    """
    train, test = len(data["train"]), len(data["test"])
    # Rows of both parts, the training images first: nothing is copied that no part keeps.
    rows = torch.arange(train + test)
    if resample is not None:
        rows = _shuffled(len(rows), derive(resample, "resampling"))
    drawn = {"train": rows[:train].sort().values, "test": rows[train:].sort().values}
    order = _shuffled(train, seed)[:subset]
    if 0 < validation < 1:
        validation = round(validation * len(order))
    if not 0 <= validation < len(order) or validation != int(validation):
        raise UserError(
            f"validation is {validation:g}, but must be a whole number from 0 to {len(order) - 1} or a "
            f"share: there are {len(order)} training images"
        )
    apart = int(validation)
    left = len(order) - apart
    wanted = left if train_images is None else train_images
    if not 0 < wanted <= left:
        raise UserError(f"train_images is {wanted}, but must be 1 to {left}: no more are left")
    kept = {"train": order[apart : apart + wanted], "validation": order[:apart]}
    taken = {name: drawn["train"][chosen.sort().values] for name, chosen in kept.items()}
    return {
        name: _take(data, chosen)
        for name, chosen in {**taken, "test": drawn["test"]}.items()
        if len(chosen)
    }


def _shuffled(count: int, seed: int) -> Tensor:
    return torch.randperm(count, generator=torch.Generator().manual_seed(seed))


def _take(data: Mapping[str, Images], rows: Tensor) -> Images:
    """Some of the training and the test images, in ascending order of their rows."""
    first = len(data["train"])
    parts = []
    for part, here in (
        (data["train"], rows[rows < first]),
        (data["test"], rows[rows >= first] - first),
    ):
        if len(here) == len(part):
            parts.append(part)
        elif len(here):
            parts.append(Images(part.images[here], part.labels[here]))
    if len(parts) == 1:
        return parts[0]
    return Images(
        torch.cat([part.images for part in parts]), torch.cat([part.labels for part in parts])
    )


def normalise(images: Tensor, dataset: Dataset) -> Tensor:
    """`(images / scale - mean) / deviation`, per channel, as float32.

    The result is the only large tensor that is made: a few images at a time pass through all three
    operations while they are in the cache.

    Args:
        images: uint8, N×C×H×W, on any device.
        dataset: whose scale, mean and deviation.
    """
    result = torch.empty(images.shape, dtype=torch.float32, device=images.device)
    mean = torch.tensor(dataset.mean, device=images.device).view(-1, 1, 1)
    deviation = torch.tensor(dataset.deviation, device=images.device).view(-1, 1, 1)
    count = max(1, CHUNK_ELEMENTS // max(1, images[0:1].numel()))
    for source, target in zip(torch.split(images, count), torch.split(result, count), strict=True):
        target.copy_(source).div_(dataset.scale).sub_(mean).div_(deviation)
    return result


def verify(path: Path, dataset: Dataset) -> None:
    """Recompute the digests of a fetched dataset.

    Raises:
        UserError: the file cannot be read, or an array has another shape or digest than the
            dataset's; the text names both.
    """
    found = arrays.read(path)
    try:
        arrays.check(found, dataset)
    except UserError as error:
        raise UserError(f"{path} is not {dataset.name}: {error}") from error
