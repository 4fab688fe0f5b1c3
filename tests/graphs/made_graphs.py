"""Random graphs, and what they compute, written down a second time: one operation after the other."""

import torch
from hypothesis import strategies as st
from torch import nn

from sidestep import registry
from sidestep.graphs.graph import Column, Graph
from sidestep.graphs.layer import EvolvingLayer
from sidestep.graphs.mutation import grow
from sidestep.graphs.read_out import ReadOut

KINDS = registry.names("operations")
MEANINGS = {
    "add": lambda a, b: a + b,
    "subtract": lambda a, b: a - b,
    "multiply": lambda a, b: a * b,
    "maximum": torch.maximum,
    "minimum": torch.minimum,
    "sine": torch.sin,
    "gated_product": lambda a, b: a * torch.sigmoid(b),
}


def made(inputs, ops, seed=0, kinds=KINDS, constant=0.5):
    """A random graph, and values at which its constants start, moved a little off them."""
    generator = torch.Generator().manual_seed(seed)
    graph, mutations = grow(Graph(inputs), generator, kinds, constant, ops)
    starts = torch.tensor([value for drawn in mutations for value in drawn.start])
    return graph, (starts + 0.3 * torch.randn(len(starts), generator=generator)).tolist()


@st.composite
def graphs(draw, least_inputs=1, most_ops=14):
    """Random graphs with their constants."""
    inputs = draw(st.integers(least_inputs, 6))
    return made(inputs, draw(st.integers(0, most_ops)), draw(st.integers(0, 10_000)))


def one_by_one(graph, inputs, constants, normalise=None):
    """All columns by autograd; `normalise(values, index)` is applied to results without a constant."""
    columns = list(inputs.unbind(1))
    for index, op in enumerate(graph.ops):
        operands = [
            columns[one.index] if isinstance(one, Column) else constants[one.index]
            for one in op.operands
        ]
        result = MEANINGS[op.kind](*operands)
        if normalise is not None and all(isinstance(one, Column) for one in op.operands):
            result = normalise(result, index)
        columns.append(result)
    return torch.stack(columns, 1)


def network(graph, start, outputs=3, seed=0):
    """A stage with the evolving layer and one with its read-out."""
    torch.manual_seed(seed)
    net = nn.Sequential()
    net.add_module("evolving", nn.Sequential(EvolvingLayer(graph, start)))
    net.add_module("output", nn.Sequential(nn.Flatten(), ReadOut(graph.columns, outputs)))
    return net


def settled(net, inputs, batches=4):
    """The network after it has seen some batches, in evaluation mode."""
    net.train()
    for _ in range(batches):
        net(torch.randn(64, inputs))
    return net.eval()
