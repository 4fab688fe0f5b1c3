"""Networks and data sets from a run's config: networks built and initialised by the run's seed."""

from typing import Any

import torch
from torch import nn

from sidestep import surgery
from sidestep.data.dataset import Dataset
from sidestep.errors import UserError
from sidestep.registry import arguments, load
from sidestep.seeds import derive, of_run


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
        dataset.input_shape, dataset.outputs, **arguments(run["network"])
    )
    surgery.attach(network, run["gates"])
    draw(network, of_run(run))
    return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


def draw(network: nn.Sequential, seed: int) -> None:
    """Give every stage its initial weights, each from the run's stream for the stage of that name."""
    for name, stage in network.named_children():
        torch.manual_seed(derive(seed, "initialisation", name))
        for part in stage.modules():
            reset = getattr(part, "reset_parameters", None)
            if callable(reset):
                reset()


def sized_alike(network: nn.Sequential, teacher: nn.Sequential) -> bool:
    """Make stages as large as the teacher's of that name, where their gates ask for it; whether any did.

    The teacher's size is that of its gate, of soft factors their sum, rounded to whole neurons.

    Raises:
        UserError: the teacher's stage has no gate.
    """
    theirs = surgery.gates_of(teacher)
    asked = [stage for stage, gate in surgery.gates_of(network).items() if gate.as_teacher]
    for stage in asked:
        if stage not in theirs:
            raise UserError(
                f"stage '{stage}' is to be as large as its teacher's, which has no gate there"
            )
        surgery.resize(network, stage, max(1, round(float(theirs[stage].size().detach()))))
    return bool(asked)


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
