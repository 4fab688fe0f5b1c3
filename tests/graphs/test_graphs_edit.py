"""Operations taken out and put in: what is computed, what the optimiser remembers, what can learn."""

import copy

import pytest
import torch
from made_graphs import KINDS, made, network, settled
from torch import nn
from torch.nn import functional

from sidestep import registry
from sidestep.errors import UserError
from sidestep.graphs import edit
from sidestep.graphs.graph import Column, Constant, Graph, Op
from sidestep.graphs.importance import for_classes, weakest
from sidestep.graphs.layer import EvolvingLayer
from sidestep.graphs.mutation import mutate
from sidestep.graphs.read_out import ReadOut
from sidestep.training.optimiser import Optimiser, named_parameters, own_settings

C, K = Column, Constant


def optimiser_of(net, name="adam"):
    thing = {"name": name, "lr": 0.01}
    return Optimiser(thing, named_parameters(net, []), own=own_settings(net))


def step(net, optimiser, rows=48, seed=0, draw=torch.randn):
    generator = torch.Generator().manual_seed(seed)
    inputs = draw(rows, net[0][0].graph.inputs, generator=generator)
    labels = torch.randint(3, (rows,), generator=generator)
    focus = optimiser.focus(net.parameters())
    functional.cross_entropy(net(inputs), labels).backward()
    focus.update(1.0)


@pytest.mark.parametrize("inputs", [1, 2, 3, 7])
def test_outputs_stay_when_an_operation_that_says_nothing_is_taken_out(inputs):
    """Every operation in turn, after those that read it, directly or not."""
    graph, start = made(inputs, 9, 10 + inputs)
    net = settled(network(graph, start), inputs)
    rows = torch.randn(12, inputs)
    for index in range(len(graph.ops)):
        mine = copy.deepcopy(net)
        layer, weight = mine[0][0], mine[1][1].weight
        gone = {inputs + index}
        for k in range(index + 1, len(graph.ops)):
            if gone & set(graph.ops[k].columns):
                gone.add(inputs + k)
        with torch.no_grad():
            weight[:, sorted(gone)] = 0.0
        expected, trained = mine(rows), copy.deepcopy(mine).train()(rows)
        for column in sorted(gone, reverse=True):
            edit.prune(mine, "evolving", column - inputs)
        assert layer.graph.columns == graph.columns - len(gone) == weight.shape[1]
        assert layer.constants.shape == (layer.graph.constants,)
        assert torch.allclose(mine(rows), expected, atol=1e-5)
        assert torch.allclose(mine.train()(rows), trained, atol=1e-5)


@pytest.mark.parametrize("mode", [True, False])
def test_outputs_stay_when_an_operation_is_put_in(mode):
    graph, start = made(3, 6, 20)
    net = settled(network(graph, start), 3)
    rows = torch.randn(12, 3)
    generator = torch.Generator().manual_seed(1)
    for _ in range(25):
        expected = copy.deepcopy(net).train(mode)(rows)
        edit.add(net, "evolving", *mutate(net[0][0].graph, generator, KINDS, 0.5))
        assert torch.allclose(copy.deepcopy(net).train(mode)(rows), expected, atol=1e-5)
    assert len(net[0][0].graph.ops) == 31 and net[1][1].in_features == 34


NEW = [
    (kind, place)
    for kind in KINDS
    for place in (None, 0, 1)
    if place is None or registry.load("operations", kind).ARITY == 2
]


@pytest.mark.parametrize("draw", [torch.randn, torch.rand])
@pytest.mark.parametrize("update", ["adam", "sgd"])
@pytest.mark.parametrize(("kind", "place"), NEW)
def test_a_new_operation_can_learn_and_so_can_its_constant_after_one_step(
    kind, place, update, draw
):
    operation = registry.load("operations", kind)
    net = network(*made(3, 4, 21))
    optimiser = optimiser_of(net, update)
    step(net, optimiser, draw=draw)
    layer, weight = net[0][0], net[1][1].weight
    operands = [C(1), C(0)][: operation.ARITY]
    start = ()
    if place is not None:
        operands[place] = K(layer.graph.constants)
        start = (operation.START[place],)
    edit.add(net, "evolving", Op(kind, tuple(operands)), start, optimiser.state)
    inputs, labels = draw(64, 3), torch.arange(64) % 3
    assert not weight[:, -1].any()
    functional.cross_entropy(net(inputs), labels).backward()
    assert float(weight.grad[:, -1].abs().max()) > 1e-4
    net.zero_grad()
    step(net, optimiser, seed=1, draw=draw)
    assert weight[:, -1].any()
    if place is not None:
        functional.cross_entropy(net(inputs), labels).backward()
        assert float(layer.constants.grad[-1].abs()) > 1e-7


def test_the_optimiser_keeps_what_it_knew_of_what_stays_and_knows_nothing_of_the_new():
    graph, start = made(3, 8, 26)
    op = next(k for k, leaf in enumerate(graph.leaves) if leaf and graph.ops[k].constants)
    assert op < 7 and graph.constants > 1
    net = network(graph, start)
    optimiser = optimiser_of(net)
    for seed in range(3):
        step(net, optimiser, seed=seed)
    layer, weight = net[0][0], net[1][1].weight
    kept = [k for k in range(graph.columns) if k != 3 + op]
    numbers = [k for k in range(graph.constants) if k not in graph.ops[op].constants]
    before = {name: [s.clone() for s in slots] for name, slots in optimiser.state.items()}
    values = {name: p.detach().clone() for name, p in net.named_parameters()}
    statistics = layer.running_var.clone()
    edit.prune(net, "evolving", op, optimiser.state)
    assert torch.equal(weight, values["output.1.weight"][:, kept])
    assert torch.equal(layer.constants, values["evolving.0.constants"][numbers])
    assert torch.equal(layer.running_var, statistics[[k for k in range(8) if k != op]])
    new = Op("maximum", (C(0), K(layer.graph.constants)))
    edit.add(net, "evolving", new, [0.25], optimiser.state)
    assert float(layer.constants[-1].detach()) == 0.25
    for slot, old in zip(
        optimiser.state["output.1.weight"], before["output.1.weight"], strict=True
    ):
        assert torch.equal(slot[:, :-1], old[:, kept]) and not slot[:, -1].any()
        assert slot[:, :-1].any()
    name = "evolving.0.constants"
    for slot, old in zip(optimiser.state[name], before[name], strict=True):
        assert torch.equal(slot[:-1], old[numbers]) and not slot[-1:].any() and old.any()
    assert torch.equal(optimiser.state["output.1.bias"][0], before["output.1.bias"][0])
    step(net, optimiser, seed=4)


def test_parameters_are_the_same_objects_for_network_and_optimiser_after_every_generation():
    net = network(Graph(4), [])
    optimiser = optimiser_of(net)
    held = {name: id(p) for name, p in net.named_parameters()}
    generator = torch.Generator().manual_seed(2)
    rows = torch.randn(100, 4)
    layer = net[0][0]
    sizes = set()
    for generation in range(14):
        for seed in range(2):
            step(net, optimiser, seed=10 * generation + seed)
        if generation % 3 == 2:
            with torch.no_grad():
                columns = copy.deepcopy(layer).eval()(rows)
            op = weakest(layer.graph, for_classes(columns, net[1][1].weight))
            edit.prune(net, "evolving", op, optimiser.state)
        drawn = mutate(layer.graph, generator, KINDS, 5 / 9)
        edit.add(net, "evolving", *drawn, optimiser.state)
        assert {name: id(p) for name, p in net.named_parameters()} == held
        assert {name: id(p) for name, p in optimiser.parameters.items()} == held
        for name, parameter in net.named_parameters():
            assert all(slot.shape == parameter.shape for slot in optimiser.state[name])
        sizes.add(layer.columns)
    assert len(sizes) > 5 and layer.graph.constants


@pytest.mark.parametrize("ops", [0, 5, 20])
def test_a_network_is_read_back_whatever_graph_it_had(ops):
    net = settled(network(*made(3, 12, 23)), 3)
    other = network(*made(3, ops, 24), seed=1).eval()
    held = {name: id(p) for name, p in other.named_parameters()}
    other.load_state_dict(net.state_dict())
    assert {name: id(p) for name, p in other.named_parameters()} == held
    rows = torch.randn(9, 3)
    assert torch.equal(other(rows), net(rows)) and other[1][1].in_features == 15
    one, two = optimiser_of(net), optimiser_of(other)
    step(net.train(), one)
    step(other.train(), two)
    for mine, theirs in zip(other.parameters(), net.parameters(), strict=True):
        assert torch.equal(mine, theirs)


def test_what_is_read_or_is_not_there_is_not_taken_out_and_nothing_changes():
    net = network(Graph(2, (Op("multiply", (C(0), C(1))), Op("sine", (C(2),)))), [])
    before = copy.deepcopy(net.state_dict())
    with pytest.raises(ValueError, match="operation 1 reads it"):
        edit.prune(net, "evolving", 0)
    with pytest.raises(ValueError, match="duplicate"):
        edit.add(net, "evolving", Op("sine", (C(2),)))
    with pytest.raises(ValueError, match="0 values for the 1 constants of 'add'"):
        edit.add(net, "evolving", Op("add", (C(2), K(0))))
    assert all(torch.equal(v, before[name]) for name, v in net.state_dict().items())


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda net: ("output", net), "has no stage after it"),
        (lambda net: ("nowhere", net), "has no stage after it"),
        (lambda net: ("0", nn.Sequential(nn.Linear(2, 2), net[1])), "has 0 evolving layers"),
        (lambda net: ("0", nn.Sequential(net[0], nn.ReLU())), "0 read-outs"),
        (lambda net: ("0", nn.Sequential(net[0], ReadOut(9, 2))), "reads 9 columns"),
    ],
)
def test_stages_that_cannot_evolve_are_told(change, sentence):
    stage, net = change(network(Graph(2), []))
    with pytest.raises(UserError, match=sentence):
        edit.find(net, stage)


def test_the_layer_is_found_at_any_depth():
    net = network(Graph(2), [])
    place = edit.find(net, "evolving")
    assert isinstance(place.layer, EvolvingLayer) and place.layer_path == "evolving.0"
    assert place.read_out is net[1][1] and place.read_out_path == "output.1"


def test_gradients_from_before_an_edit_do_not_stay():
    net = network(*made(3, 6, 26))
    rows = torch.randn(8, 3)
    for _ in range(2):
        net(rows).square().sum().backward()
        layer = net[0][0]
        op = max(k for k, leaf in enumerate(layer.graph.leaves) if leaf)
        edit.prune(net, "evolving", op)
        assert layer.constants.grad is None and net[1][1].weight.grad is None
    net(rows).square().sum().backward()
    assert net[1][1].weight.grad.shape == net[1][1].weight.shape
