"""A sorted layer that keeps the neurons that are worth their price, and tries new ones.

A neuron's worth is the exact increase of the loss when its output is set to 0, what the journal called the
perfect metric and thought too expensive. The gradient of a scaling factor cannot stand for it: at a
stationary point of the outgoing weights it is 0 for every neuron, since scaling a neuron is scaling those
weights, so the boundary of a flexible layer stops wherever the weights have settled.

Between rounds the neurons are sorted by worth. Those that are worth less than the price leave, no more
than a share of the layer at once because worths are those of single neurons; new ones come in at the end,
say nothing at first, and have a round to become worth their price.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from sidestep.contract import Batch, Editing, Model
from sidestep.errors import UserError
from sidestep.importance import zeroing_increase
from sidestep.settings import Count, Fraction, Positive
from sidestep.surgery import gates_of, need_gates


def check(model: Model, **_: object) -> None:
    """Refuse a network without gates, and numbers as targets: worth is that of logits.

    Raises:
        UserError: as described.
    """
    need_gates(model.network, "edit 'by_worth'")
    if model.target != "class":
        raise UserError("edit 'by_worth' measures worth by classes, but the target is a number")


def edit(
    editing: Editing,
    *,
    price: Positive,
    images: Count = 2000,
    most: Fraction = 0.25,
    tried: Fraction = 0.25,
    least_tried: Count = 8,
) -> None:
    """Sort the neurons of every gated stage, let go those not worth their price, and add new ones.

    After the last edit nothing new would have a round to prove itself, so none comes.

    Args:
        editing: the network and what may be done to it.
        price: of a neuron, in nats of the loss.
        images: training images on which worth is measured, the first ones.
        most: largest share of a stage's neurons that leaves at once.
        tried: new neurons that are added, as a share of those that stay.
        least_tried: but at least as many.
    """
    batch = Batch(editing.train.images[:images], editing.train.labels[:images])
    for stage in gates_of(editing.network):
        worth = worths(editing.network, stage, batch)
        order = worth.argsort(descending=True, stable=True)
        worthy = int((worth >= price).sum())
        stay = max(worthy, len(order) - round(most * len(order)), 1)
        editing.keep(stage, order[:stay])
        if not editing.last:
            editing.grow(stage, max(least_tried, round(tried * stay)))


def worths(network: nn.Sequential, stage: str, batch: Batch) -> Tensor:
    """Increase of the mean cross-entropy when each neuron of a stage is set to 0, (neurons,), in nats.

    In one pass if the next stage is the last and linear, else by a pass of the later stages per neuron.
    """
    network.eval()
    hidden, names = batch.images, [name for name, _ in network.named_children()]
    with torch.no_grad():
        for name in names[: names.index(stage) + 1]:
            hidden = network.get_submodule(name)(hidden)
        rest = network[names.index(stage) + 1 :]
        reader, *more = [part for part in rest.modules() if not isinstance(part, nn.Sequential)]
        if isinstance(reader, nn.Linear) and not more:
            return zeroing_increase(hidden, reader.weight, reader.bias, batch.labels)
        whole = functional.cross_entropy(rest(hidden), batch.labels)
        losses = []
        for neuron in range(hidden.shape[1]):
            without = hidden.clone()
            without[:, neuron] = 0.0
            losses.append(functional.cross_entropy(rest(without), batch.labels) - whole)
    return torch.stack(losses).double()
