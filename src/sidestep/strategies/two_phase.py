"""Two-phase training of a flexible layer, which the journal thought of but did not build.

Neurons beyond the boundary are hardly ever active and stay as they were drawn, so that letting one more in
adds noise. In turn with the usual training, the boundary is therefore taken to be some neurons further on,
and only the neurons of the grey zone and those few learn, at a higher rate.
"""

import functools

import torch
from torch import Tensor, nn

from sidestep.contract import Editing, Model, Phase
from sidestep.errors import UserError
from sidestep.gates.flexible import GREY_ZONE, Flexible
from sidestep.settings import Count, Fraction, Positive
from sidestep.strategies.shared.moves import whole
from sidestep.surgery import GATE, gates_of, slices


def phases(
    model: Model,
    *,
    rounds: Count,
    share: Fraction = 0.5,
    ahead: Positive = 10.0,
    rate: Positive = 3.0,
) -> tuple[Phase, ...]:
    """Two phases a round: `grey` and `network`, in this order.

    Args:
        model: the network with its shapes and its flexible gates.
        rounds: number of times that both take turns.
        share: of a round's steps, of the grey zone.
        ahead: neurons by which the boundary is taken to be further on.
        rate: factor of the learning rate for the grey zone.

    Raises:
        UserError: the network has no flexible gate.
    """
    if not any(isinstance(gate, Flexible) for gate in gates_of(model.network).values()):
        raise UserError("strategy 'two_phase' needs a stage with the gate 'flexible'")
    objective = whole(model)
    found = []
    for index in range(1, rounds + 1):
        look_ahead = functools.partial(_look, ahead=ahead)
        look_back = functools.partial(_look, ahead=0.0)
        grey = Phase(
            f"grey{index}",
            (objective,),
            share / rounds,
            edit=look_ahead,
            moves=_grey_zone,
            rate=rate,
        )
        found += [
            grey,
            Phase(f"network{index}", (objective,), (1 - share) / rounds, edit=look_back),
        ]
    return tuple(found)


def _look(editing: Editing, *, ahead: float) -> None:
    for gate in gates_of(editing.network).values():
        if isinstance(gate, Flexible):
            gate.ahead.fill_(ahead)


def _grey_zone(network: nn.Sequential) -> dict[str, Tensor | None]:
    """What belongs to the neurons around the boundary and as far as is looked ahead."""
    found: dict[str, Tensor | None] = {}
    for stage, gate in gates_of(network).items():
        if not isinstance(gate, Flexible):
            continue
        half = GREY_ZONE / float(gate.slope.detach()) / 2
        places = torch.arange(gate.neurons, device=gate.boundary.device)
        boundary = float(gate.boundary.detach())
        inside = (places >= boundary - half) & (places <= boundary + float(gate.ahead) + half)
        for part in slices(network, stage):
            name = f"{part.path}.{part.name}"
            if part.path.endswith(f".{GATE}") or not isinstance(part.tensor, nn.Parameter):
                continue
            shape = [1] * part.tensor.dim()
            shape[part.dim] = -1
            mask = inside.repeat_interleave(part.block).view(shape).expand_as(part.tensor)
            earlier = found.get(name)
            found[name] = mask if earlier is None else earlier | mask
    return found
