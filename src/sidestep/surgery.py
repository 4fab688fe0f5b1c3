"""Neurons of a gated stage taken out and put in, with everything that belongs to them.

A neuron of a stage (a channel, of a convolution) is a row of the layer that makes it, a value of each
normalisation behind that, a value of the gate's own parameters, and one or more columns of the layer
that reads it in the next stage. Tensors are replaced inside their parameters, so that whoever holds a
parameter still holds it; the optimiser's state of those that stay goes with them. No graph that was
made before may still be alive when the next gradient is taken: autograd would refuse it.
"""

import functools
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from sidestep.errors import UserError
from sidestep.gate import Gate
from sidestep.registry import arguments, load

Layer = nn.Linear | nn.Conv2d
# An optimiser's slots by name of the parameter.
State = Mapping[str, list[Tensor]]
Change = Callable[[Tensor], Tensor]
GATE = "gate"
_NORMALISATION = ("weight", "bias", "running_mean", "running_var")
# What a new neuron has in a normalisation: none of its effect, as at its initialisation.
_NEW = {"weight": 1.0, "bias": 0.0, "running_mean": 0.0, "running_var": 1.0}


class Slice(NamedTuple):
    """A tensor that has a part for each neuron.

    Attributes:
        owner: the module that holds it.
        path: of the owner in the network.
        name: of the tensor in its owner.
        dim: 0 for what makes or follows the neuron, 1 for what reads it.
        block: entries of that dimension for each neuron.
    """

    owner: nn.Module
    path: str
    name: str
    dim: int
    block: int

    @property
    def tensor(self) -> Tensor:
        """The parameter or buffer."""
        found: Tensor = getattr(self.owner, self.name)
        return found


def attach(network: nn.Sequential, gates: Mapping[str, dict[str, Any]]) -> None:
    """Put gates at the ends of stages.

    Args:
        network: with its stages as `nn.Sequential`s.
        gates: stage → named gate with its settings.

    Raises:
        UserError: the stage has no layer to gate, or a gate does not fit it.
    """
    for stage, thing in gates.items():
        module = load("gates", thing["name"])
        maker = _maker(network, stage)
        _reader(network, stage)
        neurons = maker[1].weight.shape[0]
        try:
            gate = module.build(neurons, **arguments(thing))
        except UserError as error:
            raise UserError(f"stage '{stage}': {error}") from None
        network.get_submodule(stage).add_module(GATE, gate)


def gates_of(network: nn.Sequential) -> dict[str, Gate]:
    """The gates by stage, in the network's order."""
    found = {}
    for name, stage in network.named_children():
        gate = getattr(stage, GATE, None)
        if isinstance(gate, Gate):
            found[name] = gate
    return found


def need_gates(network: nn.Sequential, what: str) -> None:
    """Refuse a network without gates.

    Args:
        network: any.
        what: needs them, the beginning of the sentence.

    Raises:
        UserError: the network has none.
    """
    if not gates_of(network):
        raise UserError(
            f"{what} needs a stage with a gate, but the run has none: name it in 'gates'"
        )


def slices(network: nn.Sequential, stage: str) -> list[Slice]:
    """Every tensor that has a part for each neuron of a gated stage.

    Raises:
        UserError: the stage has no layer that makes neurons, or the next one none that reads them.
    """
    gate = gates_of(network)[stage]
    path, maker = _maker(network, stage)
    found = [Slice(maker, path, "weight", 0, 1)]
    if maker.bias is not None:
        found.append(Slice(maker, path, "bias", 0, 1))
    behind = False
    for name, part in network.get_submodule(stage).named_modules(prefix=stage):
        if behind and isinstance(part, _BatchNorm):
            found += [
                Slice(part, name, tensor, 0, 1)
                for tensor in _NORMALISATION
                if getattr(part, tensor) is not None
            ]
        behind = behind or part is maker
    found += [Slice(gate, f"{stage}.{GATE}", name, 0, 1) for name in gate.PER_NEURON]
    path, reader = _reader(network, stage)
    return [*found, Slice(reader, path, "weight", 1, reader.weight.shape[1] // gate.neurons)]


def keep(network: nn.Sequential, stage: str, chosen: Tensor, state: State | None = None) -> None:
    """Keep the chosen neurons of a stage, in the order given, and nothing of the others.

    Args:
        network: changed in place.
        stage: a gated one.
        chosen: indices of neurons, (kept,), at least one.
        state: an optimiser's slots by name of the parameter; they are changed alike.

    Raises:
        ValueError: no neuron is chosen.
    """
    if not len(chosen):
        raise ValueError(f"stage '{stage}' cannot lose its last neuron")
    for part in slices(network, stage):
        within = torch.arange(part.block, device=chosen.device)
        entries = (chosen[:, None] * part.block + within).flatten()
        taken = functools.partial(torch.index_select, dim=part.dim, index=entries)
        _replace(part, taken, taken, state)
    _renumber(network, stage, len(chosen))


def grow(
    network: nn.Sequential,
    stage: str,
    count: int,
    state: State | None = None,
) -> None:
    """Add neurons behind those that a stage has; what the network computes stays the same.

    What makes them is drawn by the layer's own initialisation, from PyTorch's generator as it stands;
    what reads them is 0, so they say nothing yet, but their gradient with respect to those weights is
    that of any neuron, and they can learn. The optimiser has no memory of them.

    Args:
        network: changed in place.
        stage: a gated one.
        count: of new neurons, at least 1.
        state: an optimiser's slots by name of the parameter; they are changed alike.
    """
    gate = gates_of(network)[stage]
    path, maker = _maker(network, stage)
    drawn = _drawn_like(maker, count)
    for part in slices(network, stage):
        shape = list(part.tensor.shape)
        shape[part.dim] = count * part.block
        nothing = part.tensor.detach().new_zeros(shape)
        if part.path == path:
            new = getattr(drawn, part.name).detach().to(nothing)
        elif isinstance(part.owner, Gate):
            new = gate.newcomers(part.name, count).detach()
        else:
            new = nothing + (_NEW[part.name] if part.dim == 0 else 0.0)
        _replace(part, _longer(new, part.dim), _longer(nothing, part.dim), state)
    _renumber(network, stage, gate.neurons + count)


def restore(network: nn.Sequential, tensors: Mapping[str, Tensor]) -> None:
    """Load a state dictionary of the network, whose gated stages may have had another size then.

    Layers that evolve, and those that read them, take the shapes of the dictionary themselves
    (`sidestep.graphs`).
    """
    for stage in gates_of(network):
        resize(network, stage, int(tensors[f"{stage}.{GATE}.count"]))
    network.load_state_dict(tensors)


def resize(network: nn.Sequential, stage: str, wanted: int) -> None:
    """Make a stage as large as wanted by leaving out its last neurons or adding new ones."""
    gate = gates_of(network)[stage]
    if wanted < gate.neurons:
        keep(network, stage, torch.arange(wanted, device=gate.count.device))
    elif wanted > gate.neurons:
        grow(network, stage, wanted - gate.neurons)


def _replace(part: Slice, change: Change, change_slot: Change, state: State | None) -> None:
    part.tensor.data = _laid_out(change(part.tensor.detach()))
    slots = (state or {}).get(f"{part.path}.{part.name}", [])
    slots[:] = [_laid_out(change_slot(slot)) for slot in slots]


def _longer(new: Tensor, dim: int) -> Change:
    return lambda tensor: torch.cat((tensor, new), dim)


def _laid_out(tensor: Tensor) -> Tensor:
    """With the channels last, as all weights of convolutions are, or contiguous."""
    if tensor.dim() == 4:
        return tensor.contiguous(memory_format=torch.channels_last)
    return tensor.contiguous()


def _renumber(network: nn.Sequential, stage: str, neurons: int) -> None:
    """Tell the modules how many neurons there are; they print it, and some check it."""
    for owner in {id(part.owner): part.owner for part in slices(network, stage)}.values():
        if isinstance(owner, nn.Linear):
            owner.out_features, owner.in_features = owner.weight.shape
        elif isinstance(owner, nn.Conv2d):
            owner.out_channels, owner.in_channels = owner.weight.shape[:2]
        elif isinstance(owner, _BatchNorm):
            owner.num_features = neurons
    gates_of(network)[stage].resized(neurons)


def _layers(network: nn.Sequential, stage: str) -> list[tuple[str, Layer]]:
    return [
        (name, part)
        for name, part in network.get_submodule(stage).named_modules(prefix=stage)
        if isinstance(part, Layer)
    ]


def _maker(network: nn.Sequential, stage: str) -> tuple[str, Layer]:
    """The layer that makes a stage's neurons, with its path.

    Raises:
        UserError: the stage is no plain chain that ends with such a layer and its nonlinearity.
    """
    layers = _layers(network, stage)
    if not isinstance(network.get_submodule(stage), nn.Sequential) or not layers:
        raise UserError(
            f"stage '{stage}' cannot be gated: it is no chain with a linear layer or convolution"
        )
    path, layer = layers[-1]
    if path.count(".") != 1 or (isinstance(layer, nn.Conv2d) and layer.groups != 1):
        raise UserError(
            f"stage '{stage}' cannot be gated: its last layer is inside a block, or grouped"
        )
    return path, layer


def _reader(network: nn.Sequential, stage: str) -> tuple[str, Layer]:
    """The layer of the next stage that reads a stage's neurons, with its path.

    Raises:
        UserError: there is no such stage or layer.
    """
    names = [name for name, _ in network.named_children()]
    if stage == names[-1]:
        raise UserError(
            f"stage '{stage}' cannot be gated: it is the last one, whose outputs are the classes"
        )
    following = names[names.index(stage) + 1]
    layers = _layers(network, following)
    if not isinstance(network.get_submodule(following), nn.Sequential) or not layers:
        raise UserError(
            f"stage '{stage}' cannot be gated: stage '{following}' has no layer that reads it"
        )
    path, layer = layers[0]
    if path.count(".") != 1 or (isinstance(layer, nn.Conv2d) and layer.groups != 1):
        raise UserError(
            f"stage '{stage}' cannot be gated: stage '{following}' reads it by a block, or in groups"
        )
    return path, layer


def _drawn_like(maker: Layer, count: int) -> Layer:
    """A layer of the same kind with `count` outputs, initialised as such a layer is."""
    if isinstance(maker, nn.Linear):
        made: Layer = nn.Linear(maker.in_features, count, maker.bias is not None)
    else:
        made = nn.Conv2d(maker.in_channels, count, maker.kernel_size, bias=maker.bias is not None)  # type: ignore[arg-type]
    made.__class__ = maker.__class__
    made.reset_parameters()
    return made
