"""Our loop against a bare loop on preloaded tensors, and against the customary DataLoader loop."""

import functools
from collections.abc import Callable, Iterator
from typing import Any

import torch
from common import Result, medians
from torch import nn
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset, TensorDataset

from sidestep.contract import Batch, Model
from sidestep.strategies import end_to_end
from sidestep.training.loop import Task, train
from sidestep.training.optimiser import Optimiser, named_parameters
from sidestep.training.state import Progress

IMAGES = 12_800
BATCH = 128


class _Pictures(Dataset[Any]):
    """Bytes that become a normalised tensor one image at a time, as `ToTensor` and `Normalize` do."""

    def __init__(self, pixels: torch.Tensor, labels: torch.Tensor) -> None:
        self.pixels, self.labels = pixels.numpy(), labels.tolist()

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        image = torch.from_numpy(self.pixels[index]).float().div(255)
        return image.sub(0.1307).div(0.3081), self.labels[index]


def _network(width: int) -> nn.Sequential:
    torch.manual_seed(0)
    hidden = nn.Sequential(nn.Flatten(), nn.Linear(784, width), nn.ReLU())
    return nn.Sequential(hidden, nn.Linear(width, 10))


def run() -> Iterator[Result]:
    """Images per second as ratios, at widths 64, 256 and 1024."""
    torch.set_num_threads(1)
    pixels = torch.randint(0, 256, (IMAGES, 1, 28, 28), dtype=torch.uint8)
    images = pixels.float().div(255).sub(0.1307).div(0.3081)
    labels = torch.randint(0, 10, (IMAGES,))
    for width in (64, 256, 1024):
        works: dict[str, Callable[[], object]] = {
            "ours": functools.partial(_ours, width, images, labels),
            "bare": functools.partial(_bare, width, images, labels),
        }
        if width == 64:
            works["loader"] = functools.partial(_loader, width, _Pictures(pixels, labels))
            works["tensors"] = functools.partial(_loader, width, TensorDataset(images, labels))
        taken = medians(works, repeats=5)
        rate = f"ours {IMAGES / taken['ours']:,.0f} images/s"
        yield Result(
            f"training loop / bare loop on tensors, width {width}",
            taken["bare"] / taken["ours"],
            0.9,
            None,
            rate,
        )
        if width == 64:
            for name, kind in (
                ("loader", "DataLoader of pictures"),
                ("tensors", "DataLoader of tensors"),
            ):
                least = 4.0 if name == "loader" else 1.0
                ratio = taken[name] / taken["ours"]
                yield Result(f"training loop / {kind}, width 64", ratio, least, None, rate)


def _ours(width: int, images: torch.Tensor, labels: torch.Tensor) -> None:
    network = _network(width)
    model = Model(network, ((1, 28, 28), (width,), (10,)), 10)
    task = Task(
        model=model,
        phases=end_to_end.phases(model),
        optimiser=Optimiser({"name": "adam", "lr": 1e-3}, named_parameters(network, [])),
        schedule=lambda _: 1.0,
        splits={"train": Batch(images, labels)},
        evaluated={},
        evaluations=1,
        batch_size=BATCH,
        epochs=1,
        records=(),
        augmentations=(),
        teacher=None,
        precision="float32",
        probes={},
        seed=0,
    )
    train(task, Progress(), after_chunk=lambda *_: None, after_mark=lambda *_: None)


def _bare(width: int, images: torch.Tensor, labels: torch.Tensor) -> None:
    network = _network(width)
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-3, fused=True)
    order = torch.randperm(len(labels))
    for begin in range(0, len(labels), BATCH):
        chosen = order[begin : begin + BATCH]
        optimiser.zero_grad()
        functional.cross_entropy(network(images[chosen]), labels[chosen]).backward()
        optimiser.step()


def _loader(width: int, pictures: Dataset[Any]) -> None:
    network = _network(width)
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-3)
    for images, labels in DataLoader(pictures, batch_size=BATCH, shuffle=True):
        optimiser.zero_grad()
        functional.cross_entropy(network(images), labels).backward()
        optimiser.step()
