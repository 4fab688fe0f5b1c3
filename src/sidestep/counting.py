"""What each layer of a network costs, by closed forms: parameters, multiply-adds, bytes as stored.

One convention for all: multiply-adds of one image at the output's resolution, those of convolutions and
linear layers only. Biases, normalisations, activations, pools and sums are additions or few, and count
nothing; the older work counted activations (trap T2-9). A layer that computes its result otherwise than by
weights at each place says itself what it costs (`Counted`).
"""

import math
from collections.abc import Iterator
from typing import NamedTuple, Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from sidestep.gate import Gate


class Row(NamedTuple):
    """What one layer costs.

    Attributes:
        name: of the module in the network.
        kind: `convolution`, `linear`, `normalisation`, `gate`, or the name of the layer in its place.
        parameters: those of an earlier row with which they are shared left out.
        mult_adds: of one image; of all visits if an image goes through more than once.
        stored_bytes: of parameters and buffers, as kept in a file.
    """

    name: str
    kind: str
    parameters: int
    mult_adds: int
    stored_bytes: int


@runtime_checkable
class Counted(Protocol):
    """A module that says itself what it costs, with all that is inside it.

    Attributes:
        kind: what it is.
        stated_parameters: their number, by a closed form.
    """

    kind: str
    stated_parameters: int

    def mult_adds(self, height: int, width: int) -> int:
        """Of one image of that input size."""


CONVOLUTIONS = (nn.Conv1d, nn.Conv2d)
NORMALISATIONS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.GroupNorm, nn.LayerNorm)


def count(network: nn.Module, input_shape: tuple[int, ...]) -> list[Row]:
    """A row for each layer that has parameters, in the network's order.

    Args:
        network: on any device, also `meta`, on which nothing is allocated or computed.
        input_shape: of one image.

    Raises:
        TypeError: a module has parameters and there is no closed form for it.
    """
    parts = dict(_parts(network, "", set()))
    visits = _visits(network, parts, input_shape)
    seen: set[int] = set()
    rows = []
    for name, part in parts.items():
        shared = sum(value.numel() for value in part.parameters() if id(value) in seen)
        seen |= {id(value) for value in part.parameters()}
        rows.append(
            Row(
                name,
                _kind(part),
                _parameters(part) - shared,
                sum(_mult_adds(part, *visit) for visit in visits[name]),
                sum(v.numel() * v.element_size() for v in part.state_dict().values()),
            )
        )
    return rows


def totals(rows: list[Row]) -> Row:
    """The sum of all rows."""
    return Row(
        "",
        "network",
        sum(row.parameters for row in rows),
        sum(row.mult_adds for row in rows),
        sum(row.stored_bytes for row in rows),
    )


def _parts(module: nn.Module, name: str, seen: set[int]) -> Iterator[tuple[str, nn.Module]]:
    """The modules that get a row, each once."""
    if id(module) in seen:
        return
    seen.add(id(module))
    if isinstance(module, (Counted, nn.Linear, Gate, *CONVOLUTIONS, *NORMALISATIONS)):
        yield name, module
        return
    if any(True for _ in module.parameters(recurse=False)):
        raise TypeError(f"no closed form for {type(module).__name__} at '{name}'")
    for key, child in module.named_children():
        yield from _parts(child, f"{name}.{key}" if name else key, seen)


def _visits(
    network: nn.Module, parts: dict[str, nn.Module], input_shape: tuple[int, ...]
) -> dict[str, list[tuple[torch.Size, torch.Size]]]:
    """Shapes of input and output of each part, at each visit of one image."""
    found: dict[str, list[tuple[torch.Size, torch.Size]]] = {name: [] for name in parts}

    def watch(name: str) -> torch.utils.hooks.RemovableHandle:
        def hook(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
            del module
            found[name].append((inputs[0].shape, output.shape))

        return parts[name].register_forward_hook(hook)

    handles = [watch(name) for name in parts]
    training = [(module, module.training) for module in network.modules()]
    like = next(network.parameters(), torch.empty(0))
    try:
        network.eval()
        with torch.no_grad():
            network(torch.zeros(1, *input_shape, device=like.device, dtype=like.dtype))
    finally:
        for handle in handles:
            handle.remove()
        for module, was_training in training:
            module.training = was_training
    return found


def _kind(part: nn.Module) -> str:
    if isinstance(part, Counted):
        return part.kind
    if isinstance(part, nn.Linear):
        return "linear"
    if isinstance(part, Gate):
        return "gate"
    return "convolution" if isinstance(part, CONVOLUTIONS) else "normalisation"


def _parameters(part: nn.Module) -> int:
    if isinstance(part, Counted):
        return part.stated_parameters
    if isinstance(part, nn.Linear):
        return part.in_features * part.out_features + _biases(part, part.out_features)
    if isinstance(part, CONVOLUTIONS):
        return _weights(part) + _biases(part, part.out_channels)
    return sum(value.numel() for value in part.parameters())


def _mult_adds(part: nn.Module, before: torch.Size, after: torch.Size) -> int:
    if isinstance(part, Counted):
        return part.mult_adds(before[-2], before[-1])
    if isinstance(part, nn.Linear):
        return part.in_features * math.prod(after)
    return _weights(part) * math.prod(after[2:]) if isinstance(part, CONVOLUTIONS) else 0


def _weights(part: nn.Conv1d | nn.Conv2d) -> int:
    return part.in_channels // part.groups * part.out_channels * math.prod(part.kernel_size)


def _biases(part: nn.Module, outputs: int) -> int:
    return 0 if part.bias is None else outputs
