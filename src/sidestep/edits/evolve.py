"""One generation of a graph of operations: the least important ones leave, random new ones come (seeds/004).

Only operations that no other reads may leave. The older work measured importance by the part of the weights that a
softmax does not see (trap T4-7), and took the first new operation that it drew; here several may be drawn, of which
the one with the largest gain is taken, and none where held-out images judge and no one gains on them.
"""

from typing import Literal

import torch
from torch import Generator, Tensor

from sidestep.contract import Editing, Model
from sidestep.errors import UserError
from sidestep.graphs.edit import Place, add, find, prune
from sidestep.graphs.evaluate import Batch, evaluate, schedule
from sidestep.graphs.gain import gains, held_out_gains
from sidestep.graphs.growing import GrowingLayer, growing
from sidestep.graphs.importance import (
    for_classes,
    for_numbers,
    increase_for_classes,
    increase_for_numbers,
    weakest,
)
from sidestep.graphs.layer import EPS
from sidestep.graphs.mutation import Mutation
from sidestep.settings import Count, Natural
from sidestep.targets import of_numbers

# A single image has no deviation.
LEAST_IMAGES = 2


def check(model: Model, *, judge: str = "training", **_: object) -> None:
    """Refuse a network without a graph, one that nothing can be added to, or a judge without images.

    Args:
        model: the network with its shapes.
        judge: as of `edit`.

    Raises:
        UserError: as described.
    """
    layers = growing(model.network)
    if not layers:
        raise UserError(
            "edit 'evolve' needs a network with a graph of operations, as 'evolving' has"
        )
    if judge == "validation" and not model.validation:
        raise UserError("edit 'evolve' is to be judged by validation images but validation is 0")
    for stage, layer in layers.items():
        find(model.network, stage)
        layer.draw(Generator())


def edit(
    editing: Editing,
    *,
    prunes: Natural = 1,
    adds: Count = 1,
    candidates: Count = 1,
    by: Literal["norm", "loss"] = "norm",
    judge: Literal["training", "validation"] = "training",
    images: Count = 2000,
) -> None:
    """Take the least important operations out and put new ones in, in every graph of the network.

    After the last edit nothing new would have a round to be trained in, so none comes.

    Args:
        editing: the network and what may be done to it.
        prunes: operations that leave, as long as there are any.
        adds: operations that come.
        candidates: that are drawn for each of those; the one with the largest gain comes.
        by: the least important operation is that of the smallest weights, apart from what all classes
            share, times its standard deviation (`norm`; the bias takes over its mean, which that leaves
            out), or that without which the loss is least (`loss`).
        judge: whether candidates gain on the `training` images, by a bound that is sure, or on the
            `validation` images, by the step that the training images ask for; a candidate that does not
            gain on those does not come.
        images: training images on which importance and gain are measured, the first ones.
    """
    count = max(images, LEAST_IMAGES)
    train, generator = editing.train, editing.generator()
    labels = train.labels[:count].cpu()
    for stage, layer in growing(editing.network).items():
        place = find(editing.network, stage)
        columns = _columns(editing, stage, train.images[:count])
        for _ in range(min(prunes, len(layer.graph.ops))):
            op = weakest(layer.graph, _importance(place, columns, labels, by))
            gone = layer.graph.inputs + op
            if by == "norm":
                _leave_mean(place, gone, columns)
            prune(editing.network, stage, op, editing.state)
            columns = torch.cat((columns[:, :gone], columns[:, gone + 1 :]), 1)
        if editing.last:
            continue
        judges = _Judges(editing, stage, columns, labels, judge)
        for _ in range(adds):
            drawn = [layer.draw(generator) for _ in range(candidates)]
            best = judges.best(layer, drawn)
            if best is not None:
                add(editing.network, stage, *best, editing.state)


def _columns(editing: Editing, stage: str, images: Tensor) -> Tensor:
    """The stage's output in evaluation mode, N×columns, on the CPU."""
    editing.network.eval()
    hidden = images
    with torch.no_grad():
        for name, part in editing.network.named_children():
            hidden = part(hidden)
            if name == stage:
                break
    return hidden.cpu()


def _read_out(place: Place) -> tuple[Tensor, Tensor]:
    """Weight and bias, on the CPU."""
    return place.read_out.weight.detach().cpu(), place.read_out.bias.detach().cpu()


def _leave_mean(place: Place, column: int, columns: Tensor) -> None:
    """Put what a column says on average into the bias: one that does not vary leaves no trace then."""
    with torch.no_grad():
        mean = columns[:, column].mean().item()
        place.read_out.bias.add_(place.read_out.weight[:, column], alpha=mean)


def _importance(place: Place, columns: Tensor, labels: Tensor, by: str) -> Tensor:
    weight, bias = _read_out(place)
    numbers = of_numbers(labels)
    if by == "loss":
        increase = increase_for_numbers if numbers else increase_for_classes
        return increase(columns, weight, bias, labels)
    return (for_numbers if numbers else for_classes)(columns, weight)


class _Judges:
    """The images by which candidates are judged, and what the network says of them.

    What comes says nothing at first, so what the network says stays while operations are added.
    """

    def __init__(
        self, editing: Editing, stage: str, columns: Tensor, labels: Tensor, judge: str
    ) -> None:
        self.seen, self.labels = [columns], [labels]
        if judge == "validation" and editing.validation is not None:
            self.seen.append(_columns(editing, stage, editing.validation.images))
            self.labels.append(editing.validation.labels.cpu())
        weight, bias = _read_out(find(editing.network, stage))
        self.outputs = [part @ weight.T + bias for part in self.seen]

    def best(self, layer: GrowingLayer, drawn: list[Mutation]) -> Mutation | None:
        """The candidate with the largest gain, the first of equals; None if held-out images see none."""
        held_out = len(self.seen) == 2
        if len(drawn) == 1 and not held_out:
            return drawn[0]
        # By these images' own statistics: an operation that has just come has none of its own yet.
        inputs = torch.cat([part[:, : layer.graph.inputs] for part in self.seen])
        constants = layer.constants.detach().cpu()
        values = evaluate(schedule(layer.graph), inputs, constants, Batch(EPS)).values
        if not held_out:
            return drawn[int(gains(values, drawn, self.outputs[0], self.labels[0]).argmax())]
        parts = values[: len(self.seen[0])], values[len(self.seen[0]) :]
        outputs, labels = (self.outputs[0], self.outputs[1]), (self.labels[0], self.labels[1])
        found = held_out_gains(parts, drawn, outputs, labels)
        best = int(found.argmax())
        return drawn[best] if found[best] > 0 else None
