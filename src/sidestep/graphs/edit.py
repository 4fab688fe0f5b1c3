"""Operations of an evolving layer put in and taken out, with everything that belongs to them.

An operation is a column of the layer, its statistics, its constants and a column of the read-out, the
linear layer of the next stage. Tensors are replaced inside their parameters, so that whoever holds a
parameter still holds it, and the optimiser's state of what stays goes with it. The older work made new
parameters, lost the state, and deleted another column of the read-out (traps T4-6 and T4-10). No graph
of autograd that was made before may still be alive when the next gradient is taken.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, TypeVar

import torch
from torch import Tensor, nn

from sidestep.errors import UserError
from sidestep.graphs.graph import Op
from sidestep.graphs.layer import FRESH, EvolvingLayer
from sidestep.graphs.read_out import ReadOut

# An optimiser's slots by name of the parameter.
State = Mapping[str, list[Tensor]]
Part = TypeVar("Part", bound=nn.Module)


class Place(NamedTuple):
    """An evolving layer with its read-out, and their paths in the network."""

    layer: EvolvingLayer
    layer_path: str
    read_out: ReadOut
    read_out_path: str


def find(network: nn.Sequential, stage: str) -> Place:
    """The evolving layer of a stage, and the read-out in the next one.

    Raises:
        UserError: there is no such stage or layer, or they do not fit each other.
    """
    names = [name for name, _ in network.named_children()]
    if stage not in names[:-1]:
        raise UserError(f"stage '{stage}' cannot evolve: the network has no stage after it")
    following = names[names.index(stage) + 1]
    layers = _parts(network, stage, EvolvingLayer)
    readers = _parts(network, following, ReadOut)
    if len(layers) != 1 or len(readers) != 1:
        raise UserError(
            f"stage '{stage}' cannot evolve: it has {len(layers)} evolving layers, and stage "
            f"'{following}' has {len(readers)} read-outs"
        )
    path, layer = next(iter(layers.items()))
    reader_path, read_out = next(iter(readers.items()))
    if read_out.in_features != layer.columns:
        raise UserError(
            f"stage '{following}' reads {read_out.in_features} columns, but stage '{stage}' gives "
            f"{layer.columns}"
        )
    return Place(layer, path, read_out, reader_path)


def prune(network: nn.Sequential, stage: str, op: int, state: State | None = None) -> None:
    """Take out a leaf; the network computes what it did with a read-out of 0 for that column.

    Args:
        network: changed in place.
        stage: with the evolving layer.
        op: index of the operation.
        state: an optimiser's slots by name of the parameter; they are changed alike.

    Raises:
        UserError: as of `find`.
        ValueError: there is no such operation, or another one reads it.
    """
    place = find(network, stage)
    layer, before = place.layer, place.layer.graph
    graph = before.remove(op)
    kept_ops = _without(len(before.ops), (op,))
    kept_constants = _without(before.constants, before.ops[op].constants)
    kept_columns = _without(before.columns, (before.inputs + op,))
    layer.become(
        graph,
        _chosen(layer.constants, kept_constants),
        {name: _chosen(getattr(layer, name), kept_ops) for name in FRESH},
    )
    _slots(place.layer_path + ".constants", lambda slot: _chosen(slot, kept_constants), state)
    _read_out(place, lambda tensor: _chosen(tensor, kept_columns), state)


def add(
    network: nn.Sequential,
    stage: str,
    op: Op,
    start: Sequence[float] = (),
    state: State | None = None,
) -> None:
    """Put in an operation behind the others; what the network computes stays the same.

    Its column of the read-out is 0, whose gradient is that of any column; the optimiser has no memory
    of it, nor of its constants.

    Args:
        network: changed in place.
        stage: with the evolving layer.
        op: new to the graph.
        start: values of its constants.
        state: an optimiser's slots by name of the parameter; they are changed alike.

    Raises:
        UserError: as of `find`.
        ValueError: the operation does not fit the graph, or has another number of constants.
    """
    place = find(network, stage)
    layer = place.layer
    if len(start) != len(op.constants):
        raise ValueError(
            f"{len(start)} values for the {len(op.constants)} constants of '{op.kind}'"
        )
    values = layer.constants.detach().new_tensor(list(start))
    layer.become(
        layer.graph.add(op),
        torch.cat((layer.constants.detach(), values)),
        {name: _longer(getattr(layer, name), 1, value) for name, value in FRESH.items()},
    )
    path = place.layer_path + ".constants"
    _slots(path, lambda slot: _longer(slot, len(start)), state)
    _read_out(place, lambda tensor: _longer(tensor, 1), state)


def _parts(network: nn.Module, stage: str, kind: type[Part]) -> dict[str, Part]:
    parts = network.get_submodule(stage).named_modules(prefix=stage)
    return {path: part for path, part in parts if isinstance(part, kind)}


def _read_out(place: Place, change: Callable[[Tensor], Tensor], state: State | None) -> None:
    place.read_out.become(change(place.read_out.weight.detach()))
    _slots(place.read_out_path + ".weight", change, state)


def _slots(path: str, change: Callable[[Tensor], Tensor], state: State | None) -> None:
    slots = (state or {}).get(path, [])
    slots[:] = [change(slot) for slot in slots]


def _without(count: int, gone: Sequence[int]) -> Tensor:
    return torch.tensor([k for k in range(count) if k not in gone], dtype=torch.int64)


def _chosen(tensor: Tensor, kept: Tensor) -> Tensor:
    """Of the last dimension, what is kept."""
    return tensor.detach().index_select(-1, kept.to(tensor.device))


def _longer(tensor: Tensor, count: int, value: float = 0.0) -> Tensor:
    """With more entries of one value at the end of the last dimension."""
    new = tensor.new_full((*tensor.shape[:-1], count), value)
    return torch.cat((tensor.detach(), new), -1)
