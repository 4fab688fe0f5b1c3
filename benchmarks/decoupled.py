"""Decoupled greedy learning against its parts, and our loop against bare and customary ones, on convolutions.

Convolutions are bound by the processor's arithmetic: what an image costs besides, such as its augmentation or
the loop in Python, is a small share of a step, and the less the wider the network. So a customary block-by-block loop
with a `DataLoader` cannot be beaten by much on a CPU. What there is to win: weights that lie with their channels last,
which the customary loop does not ask for, one fused update of all parameters, and crops of whole batches.
"""

import copy
import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from common import Result, medians
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset

from sidestep.augmentations import horizontal_flip, random_crop
from sidestep.building import shapes_of
from sidestep.contract import Batch, Model, Phase
from sidestep.heads import mlp
from sidestep.networks import basic_cnn, vgg16
from sidestep.strategies import blockwise, end_to_end
from sidestep.training.loop import Augmentation, Task, train
from sidestep.training.optimiser import Optimiser, named_parameters
from sidestep.training.setup import signals_of
from sidestep.training.state import Progress
from sidestep.training.step import learn, plan

SHAPE = (3, 32, 32)
BATCH = 128
STEPS = 4
CHANNELS = 32
# At the published 64 a step of 128 images takes a core five seconds.
VGG_WIDTH = 16
LR = 1e-4
ENDS = ("block1", "block2")
SIGNAL = {"name": "auxiliary_classifier", "head": {"name": "mlp"}}
BORDER = 4
MEAN, DEVIATION = (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)


def run() -> Iterator[Result]:
    """Ratios of times of the same work on the same images, one core."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    yield from _parts()
    yield from _end_to_end()
    yield from _customary()


def _random_images(count: int) -> Batch:
    return Batch(torch.randn(count, *SHAPE), torch.randint(0, 10, (count,)))


def _channels_last(network: nn.Module) -> nn.Module:
    """As `building` lays out a run's network."""
    return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


def _model(network: nn.Sequential) -> Model:
    _channels_last(network)
    return Model(network, shapes_of(network, SHAPE), 10)


def _dgl() -> tuple[Model, tuple[Phase, ...]]:
    model = _model(basic_cnn.build(SHAPE, 10, channels=CHANNELS))
    return model, blockwise.phases(model, order="together", ends=ENDS, signal=SIGNAL)


def _optimiser(model: Model, phases: tuple[Phase, ...]) -> Optimiser:
    named = named_parameters(model.network, signals_of(phases))
    return Optimiser({"name": "adam", "lr": LR}, named)


# A step against its parts


def _parts() -> Iterator[Result]:
    """A step of decoupled greedy learning against its blocks, each alone on inputs that are ready."""
    batch = _random_images(BATCH)
    model, phases = _dgl()
    objectives = phases[0].objectives
    works: dict[str, Callable[[], object]] = {"ours": _steps(model, phases, batch)}
    ready = batch.images
    for objective in objectives:
        block = copy.deepcopy(model.network[objective.first : objective.at + 1])
        head = copy.deepcopy(getattr(objective.signal, "head", nn.Identity()))
        name = model.stages[objective.at]
        works[name] = _bare_steps(nn.Sequential(block, head), ready, batch.labels)
        with torch.no_grad():
            ready = block(ready)
    taken = medians(works, repeats=7)
    whole = taken.pop("ours")
    parts = sum(taken.values())
    detail = ", ".join(f"{name} {1000 * time / STEPS:.0f}" for name, time in taken.items())
    yield Result(
        f"DGL step / sum of its blocks bare, {CHANNELS} channels",
        whole / parts,
        None,
        1.15,
        f"{1000 * whole / STEPS:.0f} ms against {1000 * parts / STEPS:.0f} ({detail})",
    )


def _steps(model: Model, phases: tuple[Phase, ...], batch: Batch) -> Callable[[], None]:
    """Some steps of the only phase, through the step and the optimiser that every run uses."""
    planned = plan(list(model.network), phases[0])
    leaves = [leaf for some in planned.lessons for lesson in some for leaf in lesson.leaves]
    focus = _optimiser(model, phases).focus(leaves)
    planned.set_modes()

    def work() -> None:
        for _ in range(STEPS):
            learn(planned, batch)
            focus.update(1.0)

    return work


def _bare_steps(network: nn.Module, images: Tensor, labels: Tensor) -> Callable[[], None]:
    """As many steps of one network, by hand."""
    network.train()
    optimiser = torch.optim.Adam(network.parameters(), lr=LR, fused=True)

    def work() -> None:
        for _ in range(STEPS):
            optimiser.zero_grad()
            functional.cross_entropy(network(images), labels).backward()
            optimiser.step()

    return work


# Whole loops


def _end_to_end() -> Iterator[Result]:
    """The training loop on VGG16 against a bare one with the same layout and update."""
    data = _random_images(STEPS * BATCH)

    def ours() -> None:
        model = _model(vgg16.build(SHAPE, 10, width=VGG_WIDTH))
        _train(model, end_to_end.phases(model), data, ())

    def bare() -> None:
        network = _channels_last(vgg16.build(SHAPE, 10, width=VGG_WIDTH))
        network.train()
        optimiser = torch.optim.Adam(network.parameters(), lr=LR, fused=True)
        order = torch.randperm(len(data.labels))
        for chosen in order.split(BATCH):
            optimiser.zero_grad()
            logits = network(data.images[chosen])
            functional.cross_entropy(logits, data.labels[chosen]).backward()
            optimiser.step()

    taken = medians({"ours": ours, "bare": bare}, repeats=7)
    yield Result(
        f"training loop / bare loop, VGG16 of width {VGG_WIDTH}",
        taken["bare"] / taken["ours"],
        0.95,
        None,
        f"ours {len(data.labels) / taken['ours']:,.0f} images/s",
    )


def _train(
    model: Model, phases: tuple[Phase, ...], data: Batch, augmentations: tuple[Augmentation, ...]
) -> None:
    """One epoch through the loop that every run uses."""
    task = Task(
        model=model,
        phases=phases,
        optimiser=_optimiser(model, phases),
        schedule=lambda _: 1.0,
        splits={"train": data},
        evaluated={},
        evaluations=1,
        batch_size=BATCH,
        epochs=1,
        records=(),
        augmentations=augmentations,
        teacher=None,
        precision="float32",
        probes={},
        seed=0,
    )
    train(task, Progress(), after_chunk=lambda *_: None, after_mark=lambda *_: None)


# The customary loop


class _Pictures(Dataset[Any]):
    """Images of a customary data set, each cropped and mirrored as it is fetched.

    Either bytes, cropped and normalised as `RandomCrop`, `RandomHorizontalFlip`, `ToTensor` and
    `Normalize` do, or images that are normalised already.
    """

    def __init__(self, images: Tensor, labels: Tensor) -> None:
        self.images, self.labels = images, labels.tolist()
        self.black = torch.tensor([-m / d for m, d in zip(MEAN, DEVIATION, strict=True)])

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        image = self.images[index]
        if image.dtype == torch.uint8:
            cropped = _cropped(functional.pad(image, 4 * (BORDER,)))
            mean, deviation = torch.tensor(MEAN), torch.tensor(DEVIATION)
            cropped = cropped.float().div(255).sub_(mean.view(-1, 1, 1))
            return cropped.div_(deviation.view(-1, 1, 1)), self.labels[index]
        height, width = image.shape[1:]
        border = self.black.view(-1, 1, 1).repeat(1, height + 2 * BORDER, width + 2 * BORDER)
        border[:, BORDER : BORDER + height, BORDER : BORDER + width] = image
        return _cropped(border), self.labels[index]


def _cropped(padded: Tensor) -> Tensor:
    """A window of the old size somewhere in a padded image, mirrored or not."""
    top, left = torch.randint(0, 2 * BORDER + 1, (2,)).tolist()
    window = padded[:, top : top + SHAPE[1], left : left + SHAPE[2]]
    return window.flip(2) if torch.rand(1) < 0.5 else window


def _customary() -> Iterator[Result]:
    """Augmented decoupled greedy learning against a loop over blocks, each with an optimiser."""
    pixels = torch.randint(0, 256, (STEPS * BATCH, *SHAPE), dtype=torch.uint8)
    mean, deviation = (torch.tensor(some).view(-1, 1, 1) for some in (MEAN, DEVIATION))
    labels = torch.randint(0, 10, (len(pixels),))
    data = Batch(pixels.float().div(255).sub(mean).div(deviation), labels)
    black = -(mean / deviation).flatten()
    augmentations = (
        lambda images, generator: random_crop.augment(images, generator, black, padding=BORDER),
        lambda images, generator: horizontal_flip.augment(images, generator, black),
    )

    def ours() -> None:
        model, phases = _dgl()
        _train(model, phases, data, augmentations)

    works: dict[str, Callable[[], object]] = {
        "ours": ours,
        "of pictures": functools.partial(_loader, _Pictures(pixels, labels)),
        "of tensors": functools.partial(_loader, _Pictures(data.images, labels)),
    }
    taken = medians(works, repeats=15)
    rate = f"ours {len(labels) / taken['ours']:,.0f} images/s"
    for name in ("of pictures", "of tensors"):
        ratio = taken[name] / taken["ours"]
        yield Result(
            f"augmented DGL loop / customary loop, DataLoader {name}", ratio, 1.1, None, rate
        )


def _loader(pictures: _Pictures) -> None:
    network = basic_cnn.build(SHAPE, 10, channels=CHANNELS)
    model = Model(network, shapes_of(network, SHAPE), 10)
    heads = [mlp.build(model.site(index)) for index in (0, 1)]
    blocks = [nn.Sequential(network[0]), nn.Sequential(network[1]), network[2:]]
    _block_by_block(blocks, [*heads, nn.Identity()], pictures)


def _block_by_block(
    blocks: Sequence[nn.Module], heads: Sequence[nn.Module], pictures: _Pictures
) -> None:
    """Block after block on one batch: forward, backward and step of its own optimiser, then the next."""
    optimisers = [
        torch.optim.Adam([*block.parameters(), *head.parameters()], lr=LR)
        for block, head in zip(blocks, heads, strict=True)
    ]
    for images, labels in DataLoader(pictures, batch_size=BATCH, shuffle=True):
        hidden = images
        for block, head, optimiser in zip(blocks, heads, optimisers, strict=True):
            optimiser.zero_grad()
            hidden = block(hidden.detach())
            functional.cross_entropy(head(hidden), labels).backward()
            optimiser.step()
