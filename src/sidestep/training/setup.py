"""From a run's config to a `Task`: data on the device, network, phases, optimiser, schedule."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from sidestep.building import build_network, output_shapes
from sidestep.contract import Batch, Signal
from sidestep.data.dataset import Dataset
from sidestep.data.load import load, normalise, split
from sidestep.registry import arguments
from sidestep.registry import load as load_thing
from sidestep.seeds import derive
from sidestep.training.loop import Task
from sidestep.training.optimiser import Optimiser, named_parameters


def dataset_of(run: dict[str, Any]) -> Dataset:
    """The description of a run's data set."""
    dataset: Dataset = load_thing("datasets", run["dataset"]).DATASET
    return dataset


def splits_of(
    run: dict[str, Any], dataset: Dataset, data: Path, device: torch.device, wanted: set[str]
) -> dict[str, Batch]:
    """The wanted splits, normalised, on the device."""
    parts = split(load(data), run["validation"], run["train_images"])
    return {
        name: Batch(normalise(part.images, dataset).to(device), part.labels.to(device))
        for name, part in parts.items()
        if name in wanted
    }


def make_task(run: dict[str, Any], data: Path, device: torch.device) -> Task:
    """Everything that the loop needs for one run, with its initial weights."""
    dataset = dataset_of(run)
    network = build_network(run, dataset)
    shapes = output_shapes(network, dataset.shape)
    torch.manual_seed(derive(run["seed"], "strategy"))
    phases = load_thing("strategies", run["strategy"]["name"]).phases(
        network, tuple(shapes), dataset.classes, **arguments(run["strategy"])
    )
    network.to(device)
    signals = signals_of(phases)
    for signal in signals:
        signal.to(device)
    factor = load_thing("schedules", run["schedule"]["name"]).factor
    settings = arguments(run["schedule"])
    schedule: Callable[[float], float] = lambda progress: factor(progress, **settings)  # noqa: E731
    torch.manual_seed(derive(run["seed"], "training"))
    return Task(
        network=network,
        phases=phases,
        optimiser=Optimiser(run["optimiser"], named_parameters(network, signals)),
        schedule=schedule,
        splits=splits_of(run, dataset, data, device, {"train", *run["evaluate"]}),
        evaluated=run["evaluate"],
        batch_size=run["batch_size"],
        epochs=run["epochs"],
        records=run["records"],
        seed=run["seed"],
    )


def signals_of(phases: tuple[Any, ...]) -> list[Signal]:
    """The signals of all phases, each once, in order."""
    return list(dict.fromkeys(o.signal for phase in phases for o in phase.objectives))
