"""What a probe sees: the network as it is, the phase that is being trained, and some training images.

A probe looks at every evaluation, off the clock. It changes nothing: gradients are taken in
evaluation mode, so neither dropout draws nor batch statistics move, and are dropped afterwards.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from sidestep import targets
from sidestep.contract import Batch, Model, Signal
from sidestep.training.step import Plan, learn


class Reading(NamedTuple):
    """One value that a probe read of a stage; `name` tells a probe's several values apart.

    `images` is the split on which it was read.
    """

    stage: str
    value: float
    name: str = ""
    images: str = "train"


@dataclass(frozen=True)
class View:
    """What a probe sees.

    Attributes:
        model: the network and its shapes.
        plan: of the phase that is being trained.
        train: all training images.
        scored: by split, the images that are scored at every evaluation.
        with_teacher: a batch with what the phase's signals ask of the teacher.
    """

    model: Model
    plan: Plan
    train: Batch
    scored: dict[str, Batch]
    with_teacher: Callable[[Batch], Batch]

    def batch(self, images: int) -> Batch:
        """The first training images: the same at every evaluation and for every variant."""
        return Batch(self.train.images[:images], self.train.labels[:images])

    def passing(self, images: Tensor) -> Iterator[tuple[str, Tensor, Tensor]]:
        """Each stage's name, input and output for these images, in evaluation mode, N×…"""
        self.model.network.eval()
        hidden = images
        for name, stage in self.model.network.named_children():
            with torch.no_grad():
                output = stage(hidden)
            yield name, hidden, output
            hidden = output

    def logits(self, signal: Signal, output: Tensor) -> Tensor | None:
        """What a signal says of the classes, in evaluation mode, N×classes; None if it says nothing."""
        signal.eval()
        with torch.no_grad():
            return signal.logits(output)

    def taught(self, batch: Batch) -> dict[str, Tensor]:
        """The gradient that the phase gives each stage that it teaches, as one vector a stage.

        Stages whose every gradient stays away are left out; parameters that the phase holds have none.
        """
        self._evaluate_only()
        learn(self.plan, self.with_teacher(batch))
        found: dict[str, Tensor] = {}
        for name, stage in self.model.network.named_children():
            moved = [p for p in stage.parameters() if p.requires_grad]
            if any(p.grad is not None for p in moved):
                parts = [torch.zeros_like(p) if p.grad is None else p.grad for p in moved]
                found[name] = torch.cat([part.flatten() for part in parts])
        for module in (self.model.network, *self.plan.signals):
            for parameter in module.parameters():
                parameter.grad = None
        return found

    def true(self, batch: Batch) -> dict[str, Tensor]:
        """The gradient of the network's true loss for each stage, as one vector a stage."""
        self._evaluate_only()
        loss = targets.loss(self.model.network(batch.images), batch.labels)
        found: dict[str, Tensor] = {}
        stages = {
            name: [p for p in stage.parameters() if p.requires_grad]
            for name, stage in self.model.network.named_children()
        }
        everything = [parameter for parameters in stages.values() for parameter in parameters]
        gradients = iter(torch.autograd.grad(loss, everything))
        for name, parameters in stages.items():
            if parameters:
                found[name] = torch.cat([next(gradients).flatten() for _ in parameters])
        return found

    def _evaluate_only(self) -> None:
        self.model.network.eval()
        for signal in self.plan.signals:
            signal.eval()


Probe = Callable[[View], Iterator[Reading]]
