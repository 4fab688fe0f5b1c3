"""Steps of blocks in turn against end-to-end steps: what a block costs, counted and measured."""

import functools
from collections.abc import Callable, Iterator

import torch
from common import Result, medians

from sidestep.contract import Batch, Model, Phase
from sidestep.cost import mult_adds
from sidestep.networks import mnist_cnn
from sidestep.strategies import blockwise, end_to_end
from sidestep.training.optimiser import Optimiser, named_parameters
from sidestep.training.step import entry, learn, plan

BATCH = 100
STEPS = 5
SHAPES = ((1, 28, 28), (32, 14, 14), (64, 7, 7), (1024,), (10,))


def run() -> Iterator[Result]:
    """Steps per second of each block, from the outputs of the frozen stages, against end-to-end."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    model = Model(mnist_cnn.build((1, 28, 28), 10), SHAPES, 10)
    batch = Batch(torch.randn(BATCH, 1, 28, 28), torch.randint(0, 10, (BATCH,)))
    phases = (*end_to_end.phases(model), *blockwise.phases(model, signal={"name": "sub_model"}))
    works: dict[str, Callable[[], object]] = {}
    counted: dict[str, int] = {}
    for phase in phases:
        works[phase.name], counted[phase.name] = _steps(model, phase, batch)
    taken = medians(works, repeats=7)
    for phase in phases[1:]:
        faster = taken["all"] / taken[phase.name]
        fewer = counted["all"] / counted[phase.name]
        # The last block's weights are few: next to nothing is left to compute.
        least = 3.0 if phase is phases[-1] else None
        detail = f"{1000 * taken[phase.name] / STEPS:.2f} ms a step; {fewer:.1f} by mult-adds"
        yield Result(
            f"steps per second of block {phase.name} / end-to-end", faster, least, None, detail
        )


def _steps(model: Model, phase: Phase, batch: Batch) -> tuple[Callable[[], object], int]:
    """Some steps of a phase with their updates, and the mult-adds of one step."""
    planned = plan(list(model.network), phase)
    kept = entry(planned, batch.images) if planned.frozen else None
    planned.set_modes()
    count = mult_adds(functools.partial(learn, planned, batch, kept))
    optimiser = Optimiser(
        {"name": "adam", "lr": 1e-3}, named_parameters(model.network, planned.signals)
    )
    focus = optimiser.focus([leaf for some in planned.lessons for x in some for leaf in x.leaves])
    focus.update(1.0)

    def work() -> None:
        planned.set_modes()
        for _ in range(STEPS):
            learn(planned, batch, kept)
            focus.update(1.0)

    return work, count
