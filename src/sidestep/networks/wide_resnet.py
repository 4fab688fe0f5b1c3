"""Wide residual networks, WRN-d-k, whose 3×3 convolutions may be replaced (Zagoruyko & Komodakis 2016).

A convolution to 16 channels, three groups of n = (d - 4) / 6 blocks with 16k, 32k and 64k channels and strides
1, 2 and 2, then batch normalisation, ReLU, the mean of the map and a linear classifier: 36,479,194
parameters for WRN-28-10 at 32 × 32 in colour. A block adds to its input what batch normalisation – ReLU –
convolution 3×3 make of it twice. Where channels or resolution change, the sum starts not from the
input itself but from a 1×1 convolution of the normalised and rectified input, as in the authors' code.

Only the two convolutions of each block are ever replaced; the first one, the shortcuts and the
classifier never are. A budget says how many parameters that leaves, and `base` of what it is a share (in
the older work "a tenth of the parameters" meant three things, trap T2-5). Every parameter counts,
depthwise ones included. The dense network can meet the same budget by being narrower or shallower.

Dense convolutions start with He's normal weights by fan-out, as in the older work; other layers have rules of
their own. Biases start at 0, and convolutions have none.
"""

import inspect
import math
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction as Ratio
from typing import Any, Literal

from torch import Tensor, nn
from torch.nn import functional

from sidestep.budgets import Reached, size_for, taken_by
from sidestep.convolution import Convolution
from sidestep.errors import UserError
from sidestep.networks.shared.matched import (
    FIRST,
    blocks_of,
    group_channels,
    narrowed,
    parameters,
    projected,
    shallower,
)
from sidestep.registry import arguments, load
from sidestep.seeds import derive
from sidestep.settings import Count, Fraction, LayerThing, Positive

STAGES = ("first", "group1", "group2", "group3", "logits")
STRIDES = (1, 2, 2)
Factory = Callable[[str, Convolution], nn.Module]
Shape = tuple[int, int, int]


@dataclass(frozen=True)
class Substitution:
    """What stands in the place of one convolution.

    Attributes:
        name: of the place, such as `group1.block1.convolution1`.
        convolution: that would be there.
        size: of the layer that is there.
        parameters: that the layer has.
        dense: parameters of the convolution.
        budget: parameters that the layer might have had; its own number if its size was given.
        base: what `budget` is a share of: `layer`, `network`, `separable`, or `size` if that was given.
    """

    name: str
    convolution: Convolution
    size: int
    parameters: int
    dense: int
    budget: int
    base: str


class Dense(nn.Conv2d):
    """A convolution without bias that starts with He's normal weights by fan-out."""

    def __init__(self, convolution: Convolution) -> None:
        """As described; there are no groups."""
        super().__init__(
            convolution.inputs,
            convolution.outputs,
            convolution.kernel,
            convolution.stride,
            convolution.padding,
            bias=False,
        )

    def reset_parameters(self) -> None:
        """Variance 2 / (k²·outputs)."""
        fan_out = self.out_channels * math.prod(self.kernel_size)
        nn.init.normal_(self.weight, std=math.sqrt(2 / fan_out))


class Classifier(nn.Linear):
    """A linear layer whose bias starts at 0."""

    def reset_parameters(self) -> None:
        """PyTorch's default weights."""
        super().reset_parameters()
        nn.init.zeros_(self.bias)


class Mean(nn.Module):
    """The mean of each channel's map, of any size."""

    def forward(self, images: Tensor) -> Tensor:
        """N×C×H×W → N×C."""
        return images.mean((2, 3))


class Substituted(nn.Module):
    """A layer in the place of a convolution; `sidestep.counting` asks it what it costs.

    Attributes:
        kind: name of the layer.
        stated_parameters: its number of parameters.
    """

    def __init__(self, substitution: Substitution, layer: dict[str, Any]) -> None:
        """Built with its settings; indices that a layer draws are those of its place."""
        super().__init__()
        self.kind: str = layer["name"]
        self.stated_parameters = substitution.parameters
        self.convolution, self.size = substitution.convolution, substitution.size
        self.settings = {key: item for key, item in arguments(layer).items() if key != "size"}
        module = load("layers", self.kind)
        if "seed" in inspect.signature(module.build).parameters:
            seed = self.settings.get("seed", 0)
            self.settings["seed"] = derive(seed, "place", substitution.name)
        self.layer: nn.Module = module.build(self.convolution, size=self.size, **self.settings)

    def decay_scales(self) -> dict[str, float]:
        """For weights that stand for those of the convolution, the layer's compression."""
        names: tuple[str, ...] = getattr(self.layer, "compressed", ())
        ratio = self.stated_parameters / self.convolution.parameters
        return {f"layer.{name}": ratio for name in names}

    def mult_adds(self, height: int, width: int) -> int:
        """Of one image of that input size."""
        function = load("layers", self.kind).mult_adds
        taken = taken_by(function, self.settings)
        counted: int = function(self.convolution, self.size, height, width, **taken)
        return counted

    def forward(self, images: Tensor) -> Tensor:
        """N×C×H×W → N×C'×H'×W'."""
        output: Tensor = self.layer(images)
        return output


class Block(nn.Module):
    """Two convolutions and a shortcut around them."""

    def __init__(
        self, name: str, inputs: int, outputs: int, stride: int, dropout: float, make: Factory
    ) -> None:
        """Channels in and out; `make` gives what stands in the place of a convolution."""
        super().__init__()
        first, second = _convolutions(inputs, outputs, stride)
        self.normalisation1 = nn.BatchNorm2d(inputs)
        self.convolution1 = make(f"{name}.convolution1", first)
        self.normalisation2 = nn.BatchNorm2d(outputs)
        self.dropout = nn.Dropout(dropout) if dropout else None
        self.convolution2 = make(f"{name}.convolution2", second)
        changes = projected(inputs, outputs, stride)
        self.shortcut = Dense(Convolution(inputs, outputs, 1, stride)) if changes else None

    def forward(self, images: Tensor) -> Tensor:
        """N×C×H×W → N×C'×H'×W'."""
        activated = functional.relu(self.normalisation1(images))
        hidden = functional.relu(self.normalisation2(self.convolution1(activated)))
        if self.dropout is not None:
            hidden = self.dropout(hidden)
        added: Tensor = self.convolution2(hidden)
        return added + (images if self.shortcut is None else self.shortcut(activated))


def build(
    input_shape: tuple[int, int, int],
    classes: int,
    *,
    depth: Count,
    width: Count,
    layer: LayerThing,
    budget: Positive = 1.0,
    base: Literal["layer", "network", "separable"] = "layer",
    dropout: Fraction = 0.0,
    match: Literal["none", "narrower", "shallower"] = "none",
) -> nn.Sequential:
    """Stages `first`, `group1` to `group3` and `logits`.

    Args:
        input_shape: channels, height and width of an image.
        classes: number of outputs.
        depth: 6n + 4, where each group has n blocks.
        width: k; the groups have 16k, 32k and 64k channels.
        layer: what stands in the place of the blocks' convolutions, `dense` for themselves; if it
            has a `size`, that is the size everywhere and there is no budget.
        budget: up to 1 a share of `base`, above 1 the number of parameters of the whole network.
        base: of what a share is: of the parameters of each convolution that is replaced (`layer`) or
            of the depthwise separable one in its place (`separable`), so that each layer has a budget of its own;
            or of those of the whole dense network (`network`), where what is never replaced counts
            too and all layers have the same share of their convolutions' parameters, the
            largest that the budget allows.
        dropout: probability of each value between a block's convolutions to be left out.
        match: how a dense network meets the budget: by fewer channels in all groups, or by fewer blocks;
            it may have as many parameters as a network with layers in the convolutions' places.

    Raises:
        UserError: there is no such depth, or nothing meets the budget, or settings exclude one another.
    """
    design = _design(input_shape, classes, depth, width, layer, budget, base, match)
    replaced = {found.name: found for found in design.substitutions}

    def make(name: str, convolution: Convolution) -> nn.Module:
        found = replaced.get(name)
        return Dense(convolution) if found is None else Substituted(found, layer)

    inputs = FIRST
    stages: list[nn.Module] = [Dense(Convolution(input_shape[0], FIRST, 3, 1, 1))]
    for group, stride, outputs in zip(STAGES[1:-1], STRIDES, design.channels, strict=True):
        parts = OrderedDict[str, nn.Module]()
        for index in range(blocks_of(design.depth)):
            name = f"block{index + 1}"
            parts[name] = Block(
                f"{group}.{name}", inputs, outputs, 1 if index else stride, dropout, make
            )
            inputs = outputs
        stages.append(nn.Sequential(parts))
    logits = OrderedDict[str, nn.Module](
        normalisation=nn.BatchNorm2d(inputs),
        activation=nn.ReLU(),
        pool=Mean(),
        linear=Classifier(inputs, classes),
    )
    stages.append(nn.Sequential(logits))
    return nn.Sequential(OrderedDict(zip(STAGES, stages, strict=True)))


def substitutions(
    input_shape: Shape,
    classes: int,
    *,
    depth: int,
    width: int,
    layer: dict[str, Any],
    budget: float = 1.0,
    base: str = "layer",
    dropout: float = 0.0,
    match: str = "none",
) -> tuple[Substitution, ...]:
    """What stands in the place of each convolution, for the settings of `build`; none if all are dense.

    Nothing is built. Raises what `build` raises.
    """
    del dropout
    return _design(input_shape, classes, depth, width, layer, budget, base, match).substitutions


@dataclass(frozen=True)
class _Design:
    """A network worked out: its depth, channels of its groups, and what is replaced."""

    depth: int
    channels: tuple[int, ...]
    substitutions: tuple[Substitution, ...] = ()


def _design(
    input_shape: Shape,
    classes: int,
    depth: int,
    width: int,
    layer: dict[str, Any],
    budget: float,
    base: str,
    match: str,
) -> _Design:
    _check(layer, budget, base, match)
    images = input_shape[0]
    channels = group_channels(width)
    places = _places(depth, channels)
    dense = parameters(depth, channels, images, classes)
    left = dense - sum(convolution.parameters for convolution in places.values())
    if budget > dense:
        raise UserError(
            f"network 'wide_resnet' has a budget of {budget:g} parameters, but the dense one has only "
            f"{dense}"
        )
    share = Ratio(str(budget))
    if base == "network":
        allowed = int(share * dense) if share <= 1 else int(share)
        budgets = []
    else:
        budgets = [int(share * _base(convolution, base)) for convolution in places.values()]
        allowed = left + sum(budgets)
    if match == "narrower":
        return _Design(depth, narrowed(depth, width, allowed, images, classes))
    if match == "shallower":
        return _Design(shallower(depth, width, allowed, images, classes), channels)
    if layer["name"] == "dense":
        return _Design(depth, channels)
    if "size" in layer:
        base, reached = "size", [_given(layer, convolution) for convolution in places.values()]
        budgets = [item.parameters for item in reached]
    else:
        if base == "network":
            budgets = _common(layer, list(places.values()), allowed - left, left)
        reached = [
            _met(layer, convolution, item)
            for convolution, item in zip(places.values(), budgets, strict=True)
        ]
    found = zip(places.items(), reached, budgets, strict=True)
    return _Design(
        depth,
        channels,
        tuple(
            Substitution(name, c, item.size, item.parameters, c.parameters, allotted, base)
            for (name, c), item, allotted in found
        ),
    )


def _check(layer: dict[str, Any], budget: float, base: str, match: str) -> None:
    """Settings that exclude one another.

    Raises:
        UserError: there are some.
    """
    name = layer["name"]
    if budget > 1 and base != "network":
        raise UserError(
            f"network 'wide_resnet' has a budget of {budget:g} parameters, which is one of the whole "
            f"network, but base '{base}'; a budget above 1 needs base 'network'"
        )
    if name == "dense" and "size" in layer:
        raise UserError(
            f"network 'wide_resnet' with layer 'dense' has a size, {layer['size']}, but a convolution "
            "has none to set"
        )
    if name == "dense" and match == "none" and budget != 1:
        raise UserError(
            f"network 'wide_resnet' with layer 'dense' cannot meet a budget of {budget:g}, unless "
            "'match' is 'narrower' or 'shallower'"
        )
    if name != "dense" and match != "none":
        raise UserError(
            f"network 'wide_resnet' cannot have layer '{name}' and be {match}: 'match' needs layer "
            "'dense'"
        )
    if name != "dense" and "size" in layer and budget != 1:
        raise UserError(
            f"network 'wide_resnet' has both a budget of {budget:g} and a size of layer '{name}', "
            f"{layer['size']}, but each settles the other"
        )


def _convolutions(inputs: int, outputs: int, stride: int) -> tuple[Convolution, Convolution]:
    """Of a block."""
    return Convolution(inputs, outputs, 3, stride, 1), Convolution(outputs, outputs, 3, 1, 1)


def _places(depth: int, channels: Sequence[int]) -> dict[str, Convolution]:
    """The convolutions that may be replaced, by name."""
    found = {}
    inputs = FIRST
    for group, stride, outputs in zip(STAGES[1:-1], STRIDES, channels, strict=True):
        for index in range(blocks_of(depth)):
            name = f"{group}.block{index + 1}"
            pair = _convolutions(inputs, outputs, 1 if index else stride)
            found[f"{name}.convolution1"], found[f"{name}.convolution2"] = pair
            inputs = outputs
    return found


def _base(convolution: Convolution, base: str) -> int:
    """Parameters of which a layer's budget is a share."""
    if base == "layer":
        return convolution.parameters
    return convolution.inputs * (convolution.kernel**2 + convolution.outputs)


def _given(layer: dict[str, Any], convolution: Convolution) -> Reached:
    """A layer whose size is set.

    Raises:
        UserError: it has no such size in the place of this convolution.
    """
    module, settings = load("layers", layer["name"]), arguments(layer)
    size = settings.pop("size")
    sizes = module.sizes(convolution, **taken_by(module.sizes, settings))
    if size not in sizes:
        raise UserError(
            f"layer '{layer['name']}' cannot have size {size} in the place of a convolution from "
            f"{convolution.inputs} to {convolution.outputs} channels, only {sizes[0]} to {sizes[-1]}"
        )
    return Reached(
        size, module.parameters(convolution, size, **taken_by(module.parameters, settings))
    )


def _met(layer: dict[str, Any], convolution: Convolution, budget: int) -> Reached:
    return size_for(load("layers", layer["name"]), convolution, budget, **arguments(layer))


def _common(
    layer: dict[str, Any], places: Sequence[Convolution], allowed: int, fixed: int
) -> list[int]:
    """Budgets that are one share of the dense parameters, the largest whose sum of layers is allowed.

    The share is a multiple of one over the least common multiple of the dense numbers, which is fine
    enough: between two multiples no whole part changes. What the layers reach rises with it, so it is bisected.

    Args:
        layer: with its settings.
        places: to be filled.
        allowed: parameters of all layers.
        fixed: those of all else, for the sentence.

    Raises:
        UserError: no share is small enough.
    """
    kinds = {(c.inputs, c.outputs): c for c in places}
    dense = {key: c.parameters for key, c in kinds.items()}
    often = {key: sum((c.inputs, c.outputs) == key for c in places) for key in kinds}
    parts = math.lcm(*dense.values())

    def total(numerator: int) -> int:
        """Of all layers; -1 if some layer has nothing so small."""
        found = 0
        for key, convolution in kinds.items():
            try:
                reached = _met(layer, convolution, numerator * dense[key] // parts)
            except UserError:
                return -1
            found += often[key] * reached.parameters
        return found

    best = bisect_right(range(parts + 1), allowed, key=total) - 1
    if best < 0 or total(best) < 0:
        least = bisect_right(range(parts + 1), -1, key=total)
        possible = f"at least {fixed + total(least)}" if least <= parts else "no number of them"
        raise UserError(
            f"network 'wide_resnet' with layer '{layer['name']}' cannot have {fixed + allowed} "
            f"parameters where all layers have the same share of their convolutions', but {possible}"
        )
    return [best * convolution.parameters // parts for convolution in places]
