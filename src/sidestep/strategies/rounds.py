"""End-to-end training in rounds, with an edit of the network between them: neurons or operations go and come."""

import functools

from sidestep.contract import Model, Phase
from sidestep.errors import UserError
from sidestep.registry import arguments, load
from sidestep.settings import Count, EditThing, Fraction
from sidestep.strategies.shared.moves import whole


def phases(
    model: Model, *, edit: EditThing, rounds: Count, settle: Fraction = 0.0
) -> tuple[Phase, ...]:
    """One phase a round, of equal shares, and a last one that starts with the last edit.

    Args:
        model: the network with its shapes.
        edit: what is done at the start of every phase but the first.
        rounds: of training.
        settle: share of all steps that comes after the last edit; 0 for a last round like the others.

    Raises:
        UserError: nothing is left for the rounds, or the edit does not fit the network.
    """
    if settle == 1:
        raise UserError("strategy.settle is 1, which leaves no steps for the rounds before it")
    module = load("edits", edit["name"])
    if hasattr(module, "check"):
        module.check(model, **arguments(edit))
    change = functools.partial(module.edit, **arguments(edit))
    objective = whole(model)
    share = (1.0 - settle) / rounds
    found = [
        Phase(f"round{index + 1}", (objective,), share, edit=change if index else None)
        for index in range(rounds)
    ]
    if settle:
        found.append(Phase("settle", (objective,), settle, edit=change))
    return tuple(found)
