"""A layer that follows a metric: it grows or shrinks by the share of neurons that hardly vary.

The width study fits two components to the neurons' standard deviations and reads the layer's right size
off the share of the lower one; the journal drew a line at 2.5 %. Here the layer follows that line while it
trains: above it, neurons that vary least are taken out, otherwise new ones are added. It is the control of
layers that follow the loss.
"""

import numpy as np
import torch
from torch import Tensor, nn

from sidestep.contract import Editing, Model
from sidestep.settings import Count, Fraction
from sidestep.statistics.mixtures import exponential_normal
from sidestep.surgery import gates_of, need_gates


def check(model: Model) -> None:
    """Refuse a network without gates.

    Raises:
        UserError: as described.
    """
    need_gates(model.network, "edit 'by_mixture'")


def edit(
    editing: Editing, *, images: Count = 2000, line: Fraction = 0.025, most: Fraction = 0.25
) -> None:
    """Take out the lower component's share of the neurons if it is above the line, else add some.

    A fit that is refused finds no lower component, so the layer grows. After the last edit nothing new
    would be trained long enough to count, so it only shrinks.

    Args:
        editing: the network and what may be done to it.
        images: training images on which neurons are looked at, the first ones.
        line: share of the lower component above which the layer is too large.
        most: largest share of the layer's neurons that comes or goes at once.
    """
    for stage, gate in gates_of(editing.network).items():
        spread = _spread(editing.network, stage, editing.train.images[:images])
        # In a network that explodes it may be infinite; the loss will tell.
        living = spread[(spread > 0) & spread.isfinite()].double().cpu().numpy()
        found = exponential_normal.fit(living)
        lower = found.weights[0] if found.fitted and np.isfinite(found.weights[0]) else 0.0
        dead = 1.0 - len(living) / len(spread)
        share = min(most, dead + (1.0 - dead) * lower)
        leave = min(round(share * gate.neurons), gate.neurons - 1)
        if lower > line and leave:
            order = spread.argsort(descending=True, stable=True)
            editing.keep(stage, order[: gate.neurons - leave].sort().values)
        elif lower <= line and not editing.last:
            editing.grow(stage, max(1, round(most * gate.neurons)))


def _spread(network: nn.Sequential, stage: str, images: Tensor) -> Tensor:
    """Standard deviation of each neuron of a stage over images and places, (neurons,)."""
    network.eval()
    hidden = images
    with torch.no_grad():
        for name, part in network.named_children():
            hidden = part(hidden)
            if name == stage:
                break
    return hidden.transpose(0, 1).flatten(1).std(1, correction=0)
