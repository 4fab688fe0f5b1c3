"""Neurons that contribute nothing any more are taken out: what is computed stays the same, at less cost."""

from sidestep.contract import Editing, Model
from sidestep.surgery import gates_of, need_gates


def check(model: Model, **_: object) -> None:
    """Refuse a network without gates.

    Raises:
        UserError: as described.
    """
    need_gates(model.network, "edit 'remove_dead'")


def edit(editing: Editing) -> None:
    """Keep the living neurons of every gated stage, and one at least.

    Args:
        editing: the network and what may be done to it.
    """
    for stage, gate in gates_of(editing.network).items():
        dead = gate.dead()
        if dead.all():
            # A stage of no neurons is no stage; the last one to die stays and says nothing.
            dead[0] = False
        if dead.any():
            editing.keep(stage, (~dead).nonzero().flatten())
