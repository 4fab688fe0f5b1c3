"""Networks and data sets from a run's config: networks built and initialised by the run's seed."""

from typing import Any

import torch
from torch import nn

from sidestep.data.dataset import Dataset
from sidestep.registry import arguments, load
from sidestep.seeds import derive


def dataset_of(run: dict[str, Any]) -> Dataset:
    """The description of a run's data set, normalised as the run asks."""
    dataset: Dataset = load("datasets", run["dataset"]).DATASET
    return dataset.normalised(run["normalisation"])


def build_network(run: dict[str, Any], dataset: Dataset) -> nn.Sequential:
    """The network of a run with its initial weights, on the CPU.

    Each stage draws its weights from a stream of its own, so that variants which share a stage (by
    name and shape) start from the same weights in it, whatever their other stages are. Weights of
    convolutions lie in memory with the channels last, in which CPUs run them up to twice as fast.
    """
    module = load("networks", run["network"]["name"])
    # Drawn twice, but initialisation is cheap, and networks need not know about streams.
    network: nn.Sequential = module.build(
        dataset.shape, dataset.classes, **arguments(run["network"])
    )
    for name, stage in network.named_children():
        torch.manual_seed(derive(run["seed"], "initialisation", name))
        for part in stage.modules():
            reset = getattr(part, "reset_parameters", None)
            if callable(reset):
                reset()
    return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


def shapes_of(network: nn.Sequential, input_shape: tuple[int, ...]) -> tuple[tuple[int, ...], ...]:
    """Shape of the input and of each stage's output without the batch, by sending a blank image through."""
    shapes: list[tuple[int, ...]] = [input_shape]
    was_training = network.training
    network.eval()
    with torch.no_grad():
        hidden = torch.zeros(1, *input_shape)
        for stage in network:
            hidden = stage(hidden)
            shapes.append(tuple(hidden.shape[1:]))
    network.train(was_training)
    return tuple(shapes)
