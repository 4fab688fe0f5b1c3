"""End-to-end back-propagation: one phase, one objective that reaches every stage (Rumelhart et al. 1986)."""

from sidestep.contract import Model, Objective, Phase
from sidestep.signals import true_loss


def phases(model: Model) -> tuple[Phase, ...]:
    """The single phase."""
    signal = true_loss.build(model.site(model.last))
    return (Phase("all", (Objective(signal, first=0, at=model.last),)),)
