"""The size with which a layer meets a budget of parameters, exactly: the count rises, so it is bisected."""

import inspect
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from sidestep.convolution import Convolution
from sidestep.errors import UserError


class Layer(Protocol):
    """What of a file in `sidestep.layers` is needed here."""

    @property
    def __name__(self) -> str:
        """`sidestep.layers.<name>`, or a name."""

    @property
    def sizes(self) -> Callable[..., Sequence[int]]:
        """Rising sizes that it may have."""

    @property
    def parameters(self) -> Callable[..., int]:
        """Its number of parameters with a size."""

    @property
    def build(self) -> Callable[..., Any]:
        """The module; its settings are all that the layer has."""


@dataclass(frozen=True)
class Reached:
    """What a budget comes to.

    Attributes:
        size: of the layer.
        parameters: that it then has, all of them.
    """

    size: int
    parameters: int


def size_for(
    layer: Layer,
    convolution: Convolution,
    budget: int,
    *,
    count_depthwise: bool = True,
    **settings: Any,
) -> Reached:
    """The largest size of a layer with no more parameters than a budget.

    Args:
        layer: a module of `sidestep.layers`.
        convolution: what it replaces.
        budget: number of parameters, bias included.
        count_depthwise: whether the depthwise part of a layer that has one counts against the budget,
            as `Reached.parameters` always counts it.
        settings: of the layer, without its size.

    Raises:
        UserError: the budget is below the least that the layer can have, or above what the dense
            convolution has.
        TypeError: the layer has no such setting.
    """
    name = layer.__name__.rpartition(".")[2]
    known = inspect.signature(layer.build).parameters
    if strange := [key for key in settings if key not in known or key == "size"]:
        raise TypeError(f"layer '{name}' has no setting '{strange[0]}'")
    if budget > convolution.parameters:
        raise UserError(
            f"a budget of {budget} parameters for layer '{name}' is above the "
            f"{convolution.parameters} of the dense {_described(convolution)} that it replaces"
        )
    sizes = layer.sizes(convolution, **taken_by(layer.sizes, settings))
    free = getattr(layer, "depthwise_parameters", None)
    given = 0 if count_depthwise or free is None else free(convolution)
    taken = taken_by(layer.parameters, settings)

    def count(size: int) -> int:
        return layer.parameters(convolution, size, **taken)

    # Also a range of millions is searched in some twenty steps; none of it is written out.
    place = bisect_right(sizes, budget + given, key=count) - 1
    if place < 0:
        raise UserError(
            f"a budget of {budget} parameters for layer '{name}' is below the least with which it "
            f"can replace a {_described(convolution)}, {count(sizes[0]) - given}"
        )
    return Reached(sizes[place], count(sizes[place]))


def taken_by(function: Callable[..., Any], settings: dict[str, Any]) -> dict[str, Any]:
    """The settings on which one of a layer's functions depends."""
    known = inspect.signature(function).parameters
    return {key: value for key, value in settings.items() if key in known}


def _described(convolution: Convolution) -> str:
    side = convolution.kernel
    return f"{side}×{side} convolution from {convolution.inputs} to {convolution.outputs} channels"
