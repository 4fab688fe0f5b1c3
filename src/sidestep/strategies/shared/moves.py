"""Which parameters a phase moves: those of the gates, or those of the layers around them."""

from torch import Tensor, nn

from sidestep.contract import Model, Objective
from sidestep.signals import true_loss
from sidestep.surgery import GATE, gates_of


def whole(model: Model) -> Objective:
    """The network's cross-entropy, which teaches every stage."""
    return Objective(true_loss.build(model.site(model.last)), first=0, at=model.last)


def gates_only(network: nn.Sequential) -> dict[str, Tensor | None]:
    """The parameters of the gates."""
    return {name: None for name in _names(network) if _in_gate(network, name)}


def all_but_gates(network: nn.Sequential) -> dict[str, Tensor | None]:
    """The parameters of everything else."""
    return {name: None for name in _names(network) if not _in_gate(network, name)}


def _names(network: nn.Sequential) -> list[str]:
    return [name for name, _ in network.named_parameters()]


def _in_gate(network: nn.Sequential, name: str) -> bool:
    return any(name.startswith(f"{stage}.{GATE}.") for stage in gates_of(network))
