"""How large the gated stages are: neurons used, neurons there, and what pulls at a flexible layer's boundary."""

from collections.abc import Iterator

import torch

from sidestep import targets
from sidestep.settings import Count
from sidestep.surgery import gates_of
from sidestep.training.view import Reading, View


def probe(view: View, *, images: Count = 500) -> Iterator[Reading]:
    """For each gated stage: `size`, `neurons`, `scale`; of a trained boundary also `boundary` and its gradient.

    `size` is what counts as used, `neurons` what takes memory and time, `scale` the sum of the absolute
    factors (trap T3-10). `boundary_gradient` is that of the cross-entropy, without the price, in nats per
    neuron, with evaluation's factors.

    Args:
        view: the network.
        images: training images on which the gradient is taken, the first ones.
    """
    network = view.model.network
    network.eval()
    for stage, gate in gates_of(network).items():
        with torch.no_grad():
            yield Reading(stage, float(gate.size()), "size", "")
            yield Reading(stage, float(gate.neurons), "neurons", "")
            yield Reading(stage, float(gate.scales().abs().sum()), "scale", "")
        if (position := gate.position()) is not None:
            yield Reading(stage, float(position.detach()), "boundary", "")
            batch = view.batch(images)
            loss = targets.loss(network(batch.images), batch.labels)
            (gradient,) = torch.autograd.grad(loss, position)
            yield Reading(stage, float(gradient), "boundary_gradient")
