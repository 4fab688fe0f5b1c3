"""End-to-end back-propagation: one phase, one objective that reaches every stage (Rumelhart et al. 1986)."""

from sidestep.contract import Model, Objective, Phase
from sidestep.signals import cross_entropy


def phases(model: Model) -> tuple[Phase, ...]:
    """The single phase."""
    signal = cross_entropy.build(model.site(model.last))
    return (Phase("all", (Objective(signal, first=0, at=model.last),)),)
