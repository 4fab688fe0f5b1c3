"""A layer whose columns are its inputs and the results of a graph of operations that evolves.

Its output [inputs, normalised results] is read by a linear layer of the next stage (seeds/004). The older
work divided each result by its norm over the batch, so that a row's prediction depended on its
neighbours (trap T4-9); here a result is normalised as by batch normalisation without a trained scale
and shift (Ioffe & Szegedy 2015, arXiv:1502.03167, algorithms 1 and 2), and later operations read it
normalised. What has a constant is not normalised: see `Graph.normalised`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from sidestep.graphs.evaluate import Batch, Schedule, Stored, evaluate, schedule
from sidestep.graphs.graph import Column, Constant, Graph, Op, Operand
from sidestep.registry import load

# Added to variances, as batch normalisation does; a result that does not vary becomes 0.
EPS = 1e-5
# Share of the newest batch in the running statistics, once there were as many batches as its inverse;
# until then they are plain means, so that they forget where they started.
MOMENTUM = 0.1
# Bytes of an operation's name in a state dictionary.
NAME_BYTES = 32
# Values of a new operation's statistics, by buffer.
FRESH = {"running_mean": 0.0, "running_var": 1.0, "seen": 0.0}
_GRAPH = ("inputs", "kinds", "operands")


class EvolvingLayer(nn.Module):
    """The layer, N×inputs → N×(inputs + operations).

    The graph is in the buffers `inputs`, `kinds` and `operands`, so that a checkpoint holds it, and
    loading a state dictionary makes the layer's graph the one in there.

    Attributes:
        graph: what is computed; to be changed through `become` only.
        constants: values of the graph's constants, (constants,); the same parameter whatever their
            number is.
        running_mean: of each operation's result before normalisation, (ops,).
        running_var: alike, with the divisor N − 1.
        seen: training batches since the operation was added, (ops,).
        kind: what it is, for `sidestep.counting`.
        by_batch: that it normalises by the batch, which must have two rows.
    """

    kind = "operations"
    by_batch = True
    inputs: Tensor
    kinds: Tensor
    operands: Tensor
    running_mean: Tensor
    running_var: Tensor
    seen: Tensor

    def __init__(self, graph: Graph, start: Sequence[float] = ()) -> None:
        """Make the layer.

        Args:
            graph: at first.
            start: values of its constants.

        Raises:
            ValueError: another number of values than the graph has constants.
        """
        super().__init__()
        if len(start) != graph.constants:
            raise ValueError(f"{len(start)} values for the graph's {graph.constants} constants")
        self.graph = graph
        self.constants = nn.Parameter(torch.tensor(list(start), dtype=torch.float32))
        for name, tensor in encoded(graph).items():
            self.register_buffer(name, tensor)
        for name, value in FRESH.items():
            self.register_buffer(name, torch.full((len(graph.ops),), value))
        self._worked_out: Schedule | None = None

    @property
    def columns(self) -> int:
        """Number of columns of the output."""
        return self.graph.columns

    def forward(self, values: Tensor) -> Tensor:
        """Inputs and normalised results, N×columns, from N×inputs.

        Raises:
            ValueError: the shape does not fit, or a training batch has one row.
        """
        worked_out = self._schedule(self.constants.device)
        if not self.training:
            stored = Stored(EPS, self.running_mean, self.running_var)
            return evaluate(worked_out, values, self.constants, stored).values
        found = evaluate(worked_out, values, self.constants, Batch(EPS))
        with torch.no_grad():
            share = (1.0 / (self.seen + 1.0)).clamp_(min=MOMENTUM)
            self.seen += 1.0
            self.running_mean += share * (found.mean - self.running_mean)
            variance = found.variance * (len(values) / (len(values) - 1))
            self.running_var += share * (variance - self.running_var)
        return found.values

    @property
    def stated_parameters(self) -> int:
        """Number of parameters, for `sidestep.counting`: the constants."""
        return self.graph.constants

    def mult_adds(self, height: int, width: int) -> int:
        """None, by the convention of `sidestep.counting`: operations are one number each."""
        del height, width
        return 0

    def settings_of(self) -> dict[str, dict[str, float]]:
        """Constants do not decay: what is multiplied by 0 can be read by nobody."""
        return {"constants": {"weight_decay": 0.0}}

    def become(self, graph: Graph, constants: Tensor, statistics: Mapping[str, Tensor]) -> None:
        """Compute another graph from now on.

        Args:
            graph: with any number of operations.
            constants: its values, (constants,).
            statistics: the tensors of `FRESH`'s names, (ops,) each.

        Raises:
            ValueError: shapes that do not fit.
        """
        wanted = {"constants": (graph.constants,), **{name: (len(graph.ops),) for name in FRESH}}
        for name, tensor in {**statistics, "constants": constants}.items():
            if tensor.shape != wanted[name]:
                raise ValueError(f"{name} {tuple(tensor.shape)} is not {wanted[name]}")
        self.graph = graph
        self._worked_out = None
        # Whoever holds the parameter, such as an optimiser, still holds it.
        self.constants.data = constants.detach().clone().to(self.constants)
        self.constants.grad = None
        for name, tensor in {**encoded(graph), **statistics}.items():
            buffer = getattr(self, name)
            setattr(self, name, tensor.detach().clone().to(buffer))

    def _schedule(self, device: torch.device) -> Schedule:
        if self._worked_out is None or self._worked_out.columns.device != device:
            self._worked_out = schedule(self.graph, device)
        return self._worked_out

    def _load_from_state_dict(
        self, state_dict: Mapping[str, Tensor], prefix: str, *rest: Any
    ) -> None:
        names = (*_GRAPH, *FRESH, "constants")
        found = {name: state_dict[prefix + name] for name in names if prefix + name in state_dict}
        # What is missing is told by the caller.
        if len(found) == len(names):
            constants = found["constants"]
            self.become(decoded(found), constants, {name: found[name] for name in FRESH})
        super()._load_from_state_dict(state_dict, prefix, *rest)


def encoded(graph: Graph) -> dict[str, Tensor]:
    """A graph as tensors.

    Returns:
        `inputs`: their number, a scalar; `kinds`: names in ASCII, ops×bytes, filled with 0;
        `operands`: ops×most operands, columns as they are, constant k as −1 − k, filled with 0.

    Raises:
        ValueError: the name of an operation is too long.
    """
    kinds = torch.zeros((len(graph.ops), NAME_BYTES), dtype=torch.uint8)
    most = max((len(op.operands) for op in graph.ops), default=0)
    operands = torch.zeros((len(graph.ops), most), dtype=torch.int64)
    for index, op in enumerate(graph.ops):
        name = op.kind.encode("ascii")
        if len(name) > NAME_BYTES:
            raise ValueError(f"the name of operation '{op.kind}' has more than {NAME_BYTES} bytes")
        kinds[index, : len(name)] = torch.tensor(list(name), dtype=torch.uint8)
        for place, one in enumerate(op.operands):
            operands[index, place] = one.index if isinstance(one, Column) else -1 - one.index
    return {"inputs": torch.tensor(graph.inputs), "kinds": kinds, "operands": operands}


def decoded(tensors: Mapping[str, Tensor]) -> Graph:
    """The graph that `encoded` gave tensors of.

    Raises:
        UserError, ValueError: as of `Graph`, for tensors that are no graph.
    """
    ops = []
    for name, row in zip(tensors["kinds"].tolist(), tensors["operands"].tolist(), strict=True):
        kind = bytes(name).rstrip(b"\0").decode("ascii")
        operands = row[: load("operations", kind).ARITY]
        ops.append(Op(kind, tuple(_operand(value) for value in operands)))
    return Graph(int(tensors["inputs"]), tuple(ops))


def _operand(value: int) -> Operand:
    return Column(value) if value >= 0 else Constant(-1 - value)
