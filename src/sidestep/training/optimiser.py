"""An optimiser's state, kept per parameter and by name, apart from its update rule."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from sidestep.registry import arguments, load


@dataclass
class Focus:
    """The parameters that one phase moves, as the lists that the fused kernels want."""

    rule: Callable[..., None]
    settings: dict[str, Any]
    parameters: list[Tensor]
    slots: list[list[Tensor]]
    steps: list[Tensor]

    def update(self, factor: float) -> None:
        """Move every parameter along its gradient by one step, then drop the gradients."""
        gradients = [p.grad for p in self.parameters]
        missing = sum(gradient is None for gradient in gradients)
        if missing:
            raise RuntimeError(f"{missing} parameters that a phase teaches got no gradient")
        torch._foreach_add_(self.steps, 1)
        with torch.no_grad():
            self.rule(self.parameters, gradients, self.slots, self.steps, factor, **self.settings)
        for parameter in self.parameters:
            parameter.grad = None


@dataclass
class Optimiser:
    """State of the named parameters under one update rule.

    Attributes:
        parameters: every parameter that some phase may move, by name.
        state: name of a parameter → its slots, made when a phase first needs it.
        steps: name of a parameter → number of its updates.
    """

    thing: dict[str, Any]
    parameters: dict[str, Tensor]
    state: dict[str, list[Tensor]] = field(default_factory=dict)
    steps: dict[str, Tensor] = field(default_factory=dict)

    def focus(self, chosen: Iterable[Tensor]) -> Focus:
        """The chosen parameters, each once, with their state."""
        rule = load("optimisers", self.thing["name"])
        wanted = {id(parameter) for parameter in chosen}
        taken = [name for name, p in self.parameters.items() if id(p) in wanted]
        for name in taken:
            if name not in self.state:
                parameter = self.parameters[name].detach()
                self.state[name] = [torch.zeros_like(parameter) for _ in rule.SLOTS]
                self.steps[name] = torch.zeros((), device=parameter.device)
        return Focus(
            rule=rule.update,
            settings=arguments(self.thing),
            parameters=[self.parameters[name] for name in taken],
            slots=[[self.state[name][slot] for name in taken] for slot in range(len(rule.SLOTS))],
            steps=[self.steps[name] for name in taken],
        )

    def tensors(self) -> dict[str, Tensor]:
        """The whole state as flat named tensors, for a checkpoint."""
        flat = {f"steps/{name}": step for name, step in self.steps.items()}
        for name, slots in self.state.items():
            flat |= {f"slot{index}/{name}": slot for index, slot in enumerate(slots)}
        return flat

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """Take back the state that `tensors` gave."""
        rule = load("optimisers", self.thing["name"])
        for key, value in tensors.items():
            kind, _, name = key.partition("/")
            if kind == "steps":
                parameter = self.parameters[name].detach()
                self.steps[name] = value.to(parameter.device)
                # Laid out in memory as the parameter is: fused kernels walk through both alike.
                self.state[name] = [
                    torch.empty_like(parameter).copy_(tensors[f"slot{index}/{name}"])
                    for index in range(len(rule.SLOTS))
                ]


def named_parameters(network: nn.Module, signals: Iterable[nn.Module]) -> dict[str, Tensor]:
    """Parameters of a network and, under `signals.<index>.`, of its signals; shared ones once."""
    found: dict[str, Tensor] = dict(network.named_parameters())
    seen = {id(parameter) for parameter in found.values()}
    for index, signal in enumerate(signals):
        for name, parameter in signal.named_parameters():
            if id(parameter) not in seen:
                seen.add(id(parameter))
                found[f"signals.{index}.{name}"] = parameter
    return found
