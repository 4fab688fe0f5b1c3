"""Importance of columns: what a softmax cannot see, and the exact effect of a column on the loss."""

import pytest
import torch
from made_graphs import made
from torch.nn import functional

from sidestep.graphs.graph import Column, Graph, Op
from sidestep.graphs.importance import (
    for_classes,
    for_numbers,
    increase_for_classes,
    increase_for_numbers,
    weakest,
)


def columns_and_weight(outputs=4, seed=0):
    torch.manual_seed(seed)
    return torch.randn(50, 6) * torch.arange(6), torch.randn(outputs, 6), torch.randn(outputs)


def test_norms_by_hand():
    columns = torch.tensor([[0.0, 1.0, 5.0], [4.0, 1.0, 5.5]])
    weight = torch.tensor([[1.0, 9.0, 3.0], [3.0, 1.0, 3.0]])
    # Standard deviations 2, 0 and 1/4; of weights, what departs from their means is ∓1, ±4 and 0.
    assert for_classes(columns, weight).tolist() == pytest.approx([2 * 2**0.5, 0.0, 0.0])
    assert for_numbers(columns, weight).tolist() == pytest.approx(
        [2 * 10**0.5, 0.0, 0.25 * 18**0.5]
    )


def test_what_all_classes_share_counts_for_nothing():
    columns, weight, _ = columns_and_weight()
    shifted = weight + torch.randn(6)
    assert torch.allclose(for_classes(columns, weight), for_classes(columns, shifted), atol=1e-5)
    assert not torch.allclose(for_numbers(columns, weight), for_numbers(columns, shifted))


def test_the_increases_are_those_of_zeroing_each_column():
    columns, weight, bias = columns_and_weight()
    labels, targets = torch.arange(50) % 4, torch.randn(50, 4)

    def losses(columns):
        out = columns.double() @ weight.double().T + bias.double()
        return functional.cross_entropy(out, labels), functional.mse_loss(out, targets.double())

    whole = losses(columns)
    classes = increase_for_classes(columns, weight, bias, labels)
    numbers = increase_for_numbers(columns, weight, bias, targets)
    for column in range(6):
        without = columns.clone()
        without[:, column] = 0.0
        for found, now, before in zip((classes, numbers), losses(without), whole, strict=True):
            assert float(found[column]) == pytest.approx(float(now - before), rel=1e-5, abs=1e-6)
    assert numbers.min() < 0 < numbers.max()


def test_the_weakest_is_a_leaf_however_large_the_importances_are():
    graph = Graph(2, (Op("multiply", (Column(0), Column(1))), Op("sine", (Column(2),)),
                      Op("sine", (Column(0),))))  # fmt: skip
    assert weakest(graph, torch.tensor([0.0, 0.0, 1.0, 1e9, 1e10])) == 1
    assert weakest(graph, torch.tensor([0.0, 0.0, 1.0, 1e9, -1.0])) == 2
    assert weakest(graph, torch.tensor([0.0, 0.0, -5.0, 3.0, 3.0])) == 1


def test_what_does_not_fit_is_told():
    columns, weight, bias = columns_and_weight()
    for measure in (for_classes, for_numbers):
        with pytest.raises(ValueError, match="6 columns have weights for 5"):
            measure(columns, weight[:, :5])
        with pytest.raises(ValueError, match="not both filled"):
            measure(columns[:0], weight)
    with pytest.raises(ValueError, match="do not fit the 4 outputs of 50 rows"):
        increase_for_numbers(columns, weight, bias, torch.randn(50, 3))
    with pytest.raises(ValueError, match="0 are operations"):
        weakest(Graph(2), torch.zeros(2))
    with pytest.raises(ValueError, match="not that of 8 columns"):
        weakest(made(3, 5)[0], torch.zeros(5))
