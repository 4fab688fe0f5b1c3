"""An optimiser's state, kept per parameter and by name, apart from its update rule."""

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from sidestep.registry import arguments, load


@dataclass
class Group:
    """Parameters that share their settings, as the lists that the fused kernels want.

    Attributes:
        settings: of the update rule.
        parameters: tensors to move.
        slots: state, by slot and parameter.
        steps: updates so far, by parameter.
        masks: parameters that move only where a mask is true.
    """

    settings: dict[str, Any]
    parameters: list[Tensor]
    slots: list[list[Tensor]]
    steps: list[Tensor]
    masks: list[tuple[Tensor, Tensor]] = field(default_factory=list)


@dataclass
class Focus:
    """The parameters that one phase moves."""

    rule: Callable[..., None]
    groups: list[Group]

    def update(self, factor: float) -> None:
        """Move every parameter along its gradient by one step, then drop the gradients."""
        missing = sum(p.grad is None for group in self.groups for p in group.parameters)
        if missing:
            raise RuntimeError(f"{missing} parameters that a phase teaches got no gradient")
        for group in self.groups:
            gradients = [p.grad for p in group.parameters]
            torch._foreach_add_(group.steps, 1)
            before = [parameter.detach().clone() for parameter, _ in group.masks]
            with torch.no_grad():
                self.rule(
                    group.parameters, gradients, group.slots, group.steps, factor, **group.settings
                )
                for (parameter, mask), old in zip(group.masks, before, strict=True):
                    parameter.copy_(parameter.where(mask, old))
            for parameter in group.parameters:
                parameter.grad = None


@dataclass
class Optimiser:
    """State of the named parameters under one update rule.

    Attributes:
        parameters: every parameter that some phase may move, by name.
        decay_scales: name of a parameter → factor of its weight decay, where that is not 1.
        own: name of a parameter → settings of the rule that are its own, where it has any.
        state: name of a parameter → its slots, made when a phase first needs it.
        steps: name of a parameter → number of its updates.
    """

    thing: dict[str, Any]
    parameters: dict[str, Tensor]
    decay_scales: dict[str, float] = field(default_factory=dict)
    own: dict[str, dict[str, float]] = field(default_factory=dict)
    state: dict[str, list[Tensor]] = field(default_factory=dict)
    steps: dict[str, Tensor] = field(default_factory=dict)

    def focus(self, chosen: Iterable[Tensor], masks: Mapping[str, Tensor] | None = None) -> Focus:
        """The chosen parameters, each once, with their state.

        Args:
            chosen: parameters to move.
            masks: name of a parameter → where it moves, if not everywhere; its state goes on everywhere.
        """
        rule = load("optimisers", self.thing["name"])
        wanted = {id(parameter) for parameter in chosen}
        taken = [name for name, p in self.parameters.items() if id(p) in wanted]
        for name in taken:
            if name not in self.state:
                parameter = self.parameters[name].detach()
                self.state[name] = [torch.zeros_like(parameter) for _ in rule.SLOTS]
                self.steps[name] = torch.zeros((), device=parameter.device)
        held = masks or {}
        alike: dict[tuple[tuple[str, Any], ...], list[str]] = {}
        for name in taken:
            alike.setdefault(tuple(sorted(self._settings(name).items())), []).append(name)
        slots = range(len(rule.SLOTS))
        groups = [
            Group(
                settings=dict(settings),
                parameters=[self.parameters[name] for name in names],
                slots=[[self.state[name][slot] for name in names] for slot in slots],
                steps=[self.steps[name] for name in names],
                masks=[(self.parameters[n], held[n]) for n in names if n in held],
            )
            for settings, names in alike.items()
        ]
        return Focus(rule.update, groups)

    def _settings(self, name: str) -> dict[str, Any]:
        """Of the rule, for one parameter: the run's, with what the parameter has of its own."""
        settings = arguments(self.thing)
        known = inspect.signature(load("optimisers", self.thing["name"]).update).parameters
        scale = self.decay_scales.get(name, 1.0)
        if scale != 1.0 and "weight_decay" in known:
            decay = settings.get("weight_decay", known["weight_decay"].default)
            settings["weight_decay"] = decay * scale
        return settings | {k: v for k, v in self.own.get(name, {}).items() if k in known}

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


def decay_scales(network: nn.Module) -> dict[str, float]:
    """Factors of the weight decay that layers of a network ask for, by name of the parameter."""
    return _asked(network, "decay_scales")


def own_settings(network: nn.Module) -> dict[str, dict[str, float]]:
    """Settings of the update rule that gates and layers ask for, by name of the parameter."""
    return _asked(network, "settings_of")


def _asked(network: nn.Module, what: str) -> dict[str, Any]:
    """What the modules that have a method of that name say of their parameters."""
    found: dict[str, Any] = {}
    for prefix, module in network.named_modules():
        ask = getattr(module, what, None)
        if callable(ask):
            found |= {f"{prefix}.{name}": value for name, value in ask().items()}
    return found
