"""The weights are trained before the size is: the journal's pretraining, and the size of a finished network.

First everything but the gates learns, with the boundary where the gate's `start` puts it; then the
boundary is put at `restart` and moves too, or moves alone while the weights stay as they are.
"""

import functools
from typing import Literal

import torch

from sidestep.contract import Editing, Model, Phase
from sidestep.errors import UserError
from sidestep.gates.flexible import Flexible
from sidestep.settings import Fraction, NonNegative
from sidestep.strategies.shared.moves import all_but_gates, gates_only, whole
from sidestep.surgery import gates_of


def phases(
    model: Model,
    *,
    before: Fraction,
    restart: NonNegative = 0.0,
    then: Literal["all", "size"] = "all",
) -> tuple[Phase, ...]:
    """Two phases, `weights` and `size`.

    Args:
        model: the network with its shapes and its flexible gates.
        before: share of all steps in which the boundary stays.
        restart: where the boundary begins to move, in neurons.
        then: what moves from then on.

    Raises:
        UserError: the network has no flexible gate, or one with fewer neurons than `restart`.
    """
    gates = gates_of(model.network)
    flexible = [gate for gate in gates.values() if isinstance(gate, Flexible)]
    if not flexible:
        raise UserError("strategy 'size_later' needs a stage with the gate 'flexible'")
    least = min(gate.neurons for gate in flexible)
    if restart > least:
        raise UserError(f"strategy.restart is {restart:g} but a gated stage has {least} neurons")
    objective = whole(model)
    return (
        Phase("weights", (objective,), before, moves=all_but_gates),
        Phase(
            "size",
            (objective,),
            1.0 - before,
            edit=functools.partial(_put, restart=restart),
            moves=gates_only if then == "size" else None,
        ),
    )


def _put(editing: Editing, *, restart: float) -> None:
    for gate in gates_of(editing.network).values():
        if isinstance(gate, Flexible):
            with torch.no_grad():
                gate.boundary.fill_(restart)
