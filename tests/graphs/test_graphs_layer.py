"""The evolving layer: what normalisation remembers, what a row's neighbours may change, what is stored."""

import copy

import pytest
import torch
from made_graphs import made, network, one_by_one, settled
from safetensors.torch import load_file, save_file
from torch import nn

from sidestep.graphs.graph import Column, Constant, Graph, Op
from sidestep.graphs.layer import EPS, EvolvingLayer, decoded, encoded
from sidestep.training.optimiser import Optimiser, named_parameters, own_settings

C, K = Column, Constant


def test_training_normalises_by_the_batch_and_evaluation_by_what_training_saw():
    torch.manual_seed(0)
    graph, start = made(4, 15, 1)
    layer = EvolvingLayer(graph, start)
    norms = [nn.BatchNorm1d(1, EPS, affine=False, momentum=None) for _ in graph.ops]
    for _ in range(5):
        inputs = torch.randn(40, 4)
        expected = one_by_one(
            graph, inputs, layer.constants, lambda raw, k: norms[k](raw[:, None])[:, 0]
        )
        assert torch.allclose(layer(inputs), expected, atol=1e-4)
    layer.eval()
    for norm in norms:
        norm.eval()
    expected = one_by_one(
        graph, inputs, layer.constants, lambda raw, k: norms[k](raw[:, None])[:, 0]
    )
    assert torch.allclose(layer(inputs), expected, atol=1e-4)


def test_statistics_are_plain_means_at_first_and_then_forget():
    layer = EvolvingLayer(Graph(1, (Op("multiply", (C(0), C(0))),)))
    for count in range(1, 11):
        layer(torch.full((5, 1), 1.0) * count**0.5)
        assert float(layer.running_mean) == pytest.approx((count + 1) / 2, rel=1e-5)
    layer(torch.full((5, 1), 10.0))
    assert float(layer.running_mean) == pytest.approx(0.9 * 5.5 + 0.1 * 100, rel=1e-5)
    assert float(layer.running_var) == pytest.approx(0.0, abs=1e-3)
    layer.eval()(torch.full((5, 1), 10.0))
    assert float(layer.seen) == 11


def test_the_prediction_of_a_row_does_not_depend_on_its_batch():
    graph, start = made(5, 30, 2)
    net = settled(network(graph, start), 5)
    torch.manual_seed(1)
    inputs = torch.randn(256, 5)
    whole = net(inputs)
    assert float(whole.detach().std()) > 0.1
    for row in range(256):
        assert torch.allclose(net(inputs[row : row + 1]), whole[row], rtol=1e-5, atol=1e-5)


def test_columns_that_do_not_vary_are_safe():
    ops = (
        Op("multiply", (C(0), C(1))),
        Op("gated_product", (C(2), C(1))),
        Op("multiply", (C(3), C(2))),
        Op("maximum", (C(1), K(0))),
    )
    layer = EvolvingLayer(Graph(2, ops), [1e6])
    inputs = torch.randn(20, 2)
    inputs[:, 0] = 0.0
    inputs.requires_grad_()
    out = layer(inputs)
    assert not out[:, 2:5].any() and (out[:, 5] == 1e6).all()
    out[:, :5].sum().backward()
    assert inputs.grad.isfinite().all() and layer.constants.grad.isfinite().all()
    with torch.no_grad():
        assert layer.eval()(inputs).isfinite().all()


def test_values_stay_finite_where_products_of_products_would_not():
    """Degree 2^40 in the inputs: each product is normalised before it is read."""
    graph = Graph(1)
    for _ in range(40):
        graph = graph.add(Op("multiply", (C(graph.columns - 1), C(graph.columns - 1))))
    torch.manual_seed(0)
    layer = EvolvingLayer(graph)
    inputs = (3 * torch.randn(64, 1)).requires_grad_()
    out = layer(inputs)
    out.sum().backward()
    assert out.isfinite().all() and inputs.grad.isfinite().all()
    assert layer.eval()(inputs).isfinite().all()


def test_a_training_batch_of_one_is_told():
    layer = EvolvingLayer(Graph(1, (Op("sine", (C(0),)),)))
    with pytest.raises(ValueError, match="a batch of 1 has no variance"):
        layer(torch.zeros(1, 1))


def test_bfloat16_inputs_are_computed_in_float32_and_get_gradients_of_their_own_type():
    graph, start = made(3, 10, 3)
    layer = EvolvingLayer(graph, start)
    inputs = torch.randn(16, 3, dtype=torch.bfloat16, requires_grad=True)
    out = layer(inputs)
    assert out.dtype == torch.float32
    out.sum().backward()
    assert inputs.grad.dtype == torch.bfloat16 and inputs.grad.isfinite().all()


@pytest.mark.parametrize(("inputs", "ops"), [(1, 0), (2, 1), (3, 9), (6, 30)])
def test_tensors_hold_a_graph(inputs, ops):
    graph, _ = made(inputs, ops, 4)
    assert decoded(encoded(graph)) == graph


@pytest.mark.parametrize(("inputs", "ops"), [(3, 0), (3, 4), (3, 12), (5, 7)])
def test_saving_and_loading_into_a_layer_of_another_graph_gives_the_same_function(
    inputs, ops, tmp_path
):
    graph, start = made(3, 9, 5)
    layer = settled(network(graph, start), 3)[0][0]
    assert layer.seen.tolist() == [4.0] * 9
    save_file(layer.state_dict(), tmp_path / "layer.safetensors")
    other = EvolvingLayer(*made(inputs, ops, 6)).eval()
    held = other.constants
    other(torch.randn(4, inputs))
    other.load_state_dict(load_file(tmp_path / "layer.safetensors"))
    assert other.constants is held and other.graph == graph
    rows = torch.randn(10, 3)
    assert torch.equal(other(rows), layer(rows))
    for mine, theirs in zip(other.train()(rows), layer.train()(rows), strict=True):
        assert torch.equal(mine, theirs)
    assert all(torch.equal(v, layer.state_dict()[name]) for name, v in other.state_dict().items())


def test_a_state_dictionary_that_lacks_something_is_refused():
    layer = EvolvingLayer(*made(3, 5, 7))
    tensors = layer.state_dict()
    del tensors["running_var"]
    with pytest.raises(RuntimeError, match="running_var"):
        layer.load_state_dict(tensors)


def test_a_copy_is_a_layer_of_its_own():
    graph, start = made(3, 8, 8)
    layer = EvolvingLayer(graph, start)
    rows = torch.randn(10, 3)
    expected = layer(rows)
    other = copy.deepcopy(layer)
    assert torch.equal(other(rows), expected)
    with torch.no_grad():
        other.constants.add_(1.0)
    assert not torch.equal(other(rows), expected) and torch.equal(layer(rows), expected)


def test_constants_do_not_decay():
    graph, start = made(3, 8, 8)
    net = network(graph, start)
    before = net[0][0].constants.detach().clone()
    thing = {"name": "adamw", "lr": 0.1, "weight_decay": 0.5}
    optimiser = Optimiser(thing, named_parameters(net, []), own=own_settings(net))
    focus = optimiser.focus(net.parameters())
    for parameter in net.parameters():
        parameter.grad = torch.zeros_like(parameter)
    weight = net[1][1].weight.detach().clone()
    focus.update(1.0)
    assert torch.equal(net[0][0].constants, before) and len(before)
    assert torch.allclose(net[1][1].weight, 0.95 * weight)


def test_values_that_do_not_fit_the_graph_are_told():
    graph = Graph(1, (Op("multiply", (C(0), K(0))),))
    with pytest.raises(ValueError, match="0 values for the graph's 1 constants"):
        EvolvingLayer(graph)
    layer = EvolvingLayer(graph, [1.0])
    with pytest.raises(ValueError, match="seen"):
        layer.become(Graph(1), torch.zeros(0), {"seen": torch.zeros(1)})
    assert layer.graph == graph
