"""All columns at once against one after the other: values, gradients, and finite differences."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from made_graphs import KINDS, graphs, made, one_by_one

from sidestep.graphs.evaluate import Batch, Stored, evaluate, schedule
from sidestep.graphs.graph import Column, Constant, Graph, Op
from sidestep.registry import load

EPS = 1e-3


def normalisations(graph, seed=0):
    """None, the batch's own and stored ones, each with what they mean for one column."""
    generator = torch.Generator().manual_seed(seed)
    mean = torch.randn(len(graph.ops), generator=generator, dtype=torch.float64)
    variance = torch.rand(len(graph.ops), generator=generator, dtype=torch.float64) + 0.1

    def by_batch(values, _):
        apart = values - values.mean()
        return apart / (apart.square().mean() + EPS).sqrt()

    def stored(values, index):
        return (values - mean[index]) / (variance[index] + EPS).sqrt()

    return [(None, None), (Batch(EPS), by_batch), (Stored(EPS, mean, variance), stored)]


def values(graph, constants, rows, seed):
    generator = torch.Generator().manual_seed(seed)
    inputs = torch.randn(rows, graph.inputs, generator=generator, dtype=torch.float64)
    # Many equal ones, as images have.
    inputs[: rows // 3] = inputs[: rows // 3].round()
    numbers = torch.tensor(constants, dtype=torch.float64)
    return inputs.requires_grad_(), numbers.requires_grad_()


@settings(max_examples=60)
@given(graphs(), st.integers(2, 9), st.integers(0, 1000))
def test_values_and_gradients_are_those_of_one_operation_after_the_other(made_graph, rows, seed):
    graph, constants = made_graph
    inputs, numbers = values(graph, constants, rows, seed)
    weights = torch.randn(rows, graph.columns, dtype=torch.float64)
    for normalisation, alone in normalisations(graph, seed):
        found = evaluate(schedule(graph), inputs, numbers, normalisation).values
        expected = one_by_one(graph, inputs, numbers, alone)
        assert torch.allclose(found, expected, rtol=1e-9, atol=1e-9)
        mine = torch.autograd.grad((found * weights).sum(), (inputs, numbers))
        theirs = torch.autograd.grad(
            (expected * weights).sum(), (inputs, numbers), materialize_grads=True
        )
        for one, other in zip(mine, theirs, strict=True):
            assert torch.allclose(one, other, rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize("which", [0, 1, 2])
@pytest.mark.parametrize("seed", [2, 3, 4])
def test_gradients_are_those_of_finite_differences(seed, which):
    graph, constants = made(3, 24, seed)
    assert {op.kind for op in graph.ops} == set(KINDS) and graph.constants
    generator = torch.Generator().manual_seed(seed)
    inputs = torch.randn(4, 3, generator=generator, dtype=torch.float64, requires_grad=True)
    numbers = torch.tensor(constants, dtype=torch.float64, requires_grad=True)
    normalisation, _ = normalisations(graph)[which]
    worked_out = schedule(graph)
    assert torch.autograd.gradcheck(
        lambda x, c: evaluate(worked_out, x, c, normalisation).values, (inputs, numbers)
    )


@pytest.mark.parametrize("kind", KINDS)
def test_each_operation_alone_has_the_gradient_of_finite_differences(kind):
    arity = load("operations", kind).ARITY
    graph = Graph(2, (Op(kind, (Column(1), Column(0))[:arity]),))
    inputs = torch.randn(5, 2, dtype=torch.float64, requires_grad=True)
    none = torch.zeros(0, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(
        lambda x, c: evaluate(schedule(graph), x, c).values, (inputs, none)
    )


def test_what_is_wanted_of_the_batch_is_its_own_mean_and_variance():
    graph, constants = made(4, 20, 3)
    inputs, numbers = (one.detach() for one in values(graph, constants, 50, 3))
    found = evaluate(schedule(graph), inputs, numbers, Batch(1e-12))
    results = one_by_one(
        graph, inputs, numbers, lambda raw, k: (raw - found.mean[k]) / found.variance[k].sqrt()
    )
    assert 0 < sum(graph.normalised) < len(graph.ops)
    for index, normalised in enumerate(graph.normalised):
        column = found.values[:, graph.inputs + index]
        if not normalised:
            assert found.mean[index] == 0 and found.variance[index] == 1
            continue
        assert float(column.mean().abs()) < 1e-9
        assert float(column.square().mean()) == pytest.approx(1.0, abs=1e-6)
    assert torch.allclose(results, found.values, atol=1e-6)


def test_a_graph_without_operations_is_its_inputs_and_still_gives_every_gradient():
    inputs = torch.randn(3, 2, requires_grad=True)
    none = torch.zeros(0, requires_grad=True)
    found = evaluate(schedule(Graph(2)), inputs, none, Batch(EPS)).values
    assert torch.equal(found, inputs)
    found.sum().backward()
    assert torch.equal(inputs.grad, torch.ones(3, 2)) and none.grad.shape == (0,)


def test_the_backward_pass_can_be_run_twice():
    graph, constants = made(3, 10, 4)
    inputs, numbers = values(graph, constants, 6, 4)
    found = evaluate(schedule(graph), inputs, numbers, Batch(EPS)).values
    one = torch.autograd.grad(found.square().sum(), (inputs, numbers), retain_graph=True)
    two = torch.autograd.grad(found.square().sum(), (inputs, numbers))
    assert all(torch.equal(a, b) for a, b in zip(one, two, strict=True))


@pytest.mark.parametrize(
    ("inputs", "constants", "normalisation", "sentence"),
    [
        (torch.zeros(4, 3), torch.zeros(1), None, "are not rows of 2"),
        (torch.zeros(4), torch.zeros(1), None, "are not rows of 2"),
        (torch.zeros(4, 2), torch.zeros(2), None, "are not 1"),
        (torch.zeros(1, 2), torch.zeros(1), Batch(EPS), "a batch of 1 has no variance"),
    ],
)
def test_what_does_not_fit_is_told(inputs, constants, normalisation, sentence):
    graph = Graph(2, (Op("add", (Column(0), Constant(0))),))
    with pytest.raises(ValueError, match=sentence):
        evaluate(schedule(graph), inputs, constants, normalisation)


@pytest.mark.parametrize("kind", ["maximum", "minimum"])
def test_equal_operands_share_the_gradient(kind):
    graph = Graph(2, (Op(kind, (Column(0), Column(1))),))
    inputs = torch.tensor([[1.0, 1.0], [2.0, 1.0], [0.0, 0.0]], requires_grad=True)
    evaluate(schedule(graph), inputs, torch.zeros(0)).values[:, 2].sum().backward()
    second = [1.0, 0.0] if kind == "maximum" else [0.0, 1.0]
    assert inputs.grad.tolist() == [[0.5, 0.5], second, [0.5, 0.5]]
