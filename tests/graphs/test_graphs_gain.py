"""The gain of a new column: what one step on it is sure to bring, whatever its scale."""

import pytest
import torch
from torch.nn import functional

from sidestep.graphs.gain import gains
from sidestep.graphs.graph import Column, Constant, Op
from sidestep.graphs.mutation import Mutation

C, K = Column, Constant


def drawn(kind, *operands, start=()):
    return Mutation(Op(kind, operands), tuple(start))


def case(classes=4, seed=0):
    torch.manual_seed(seed)
    columns = torch.randn(200, 5, dtype=torch.float64)
    logits = 2 * torch.randn(200, classes, dtype=torch.float64)
    labels = torch.randint(classes, (200,))
    return columns, logits, labels


@pytest.mark.parametrize("classes", [2, 4, 10])
def test_a_step_of_the_length_that_the_curvature_allows_brings_it_and_it_is_not_far_from_the_best(
    classes,
):
    columns, logits, labels = case(classes)
    labels[columns[:, 0] * columns[:, 1] > 1] = 0
    (gain,) = gains(columns, [drawn("multiply", C(0), C(1))], logits, labels)
    x = columns[:, 0] * columns[:, 1]
    x = x - x.mean()
    error = logits.softmax(1) - functional.one_hot(labels, classes)
    step = -2 / x.square().mean() * (x @ error / len(x))
    whole = functional.cross_entropy(logits, labels)
    after = functional.cross_entropy(logits + x[:, None] * step, labels)
    assert float(whole - after) >= float(gain) > 0
    weight = torch.zeros(classes, dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.LBFGS([weight], max_iter=100)

    def closure():
        optimiser.zero_grad()
        loss = functional.cross_entropy(logits + x[:, None] * weight, labels)
        loss.backward()
        return loss

    optimiser.step(closure)
    best = functional.cross_entropy(logits + x[:, None] * weight.detach(), labels)
    assert float(gain) <= float(whole - best) < 10 * float(gain)


def test_scale_and_shift_do_not_matter_and_what_does_not_vary_gains_nothing():
    columns, logits, labels = case()
    scaled = columns * torch.tensor([1e-6, 10.0, 1.0, -3.0, 0.0]) + torch.tensor(
        [0.0, 5.0, 1.0, 0.0, 7.0]
    )
    plain, other = (
        gains(given, [drawn("add", C(k), K(0), start=[0.0]) for k in range(5)], logits, labels)
        for given in (columns, scaled)
    )
    assert torch.allclose(plain[:4], other[:4], rtol=1e-6) and other[4] == 0.0 < plain[4]
    constants = [drawn("multiply", K(3), C(1), start=[c]) for c in (1.0, 8.0, 0.0)]
    found = gains(columns, constants, logits, labels)
    assert found[0] == pytest.approx(float(plain[1])) == pytest.approx(float(found[1]))
    assert found[2] == 0.0


def test_what_the_read_out_has_learned_already_gains_nothing():
    columns, _, labels = case()
    labels[columns[:, 2] > 0.5] = 1
    weight = torch.zeros(4, 6, dtype=torch.float64, requires_grad=True)
    rows = torch.cat((columns, torch.ones(200, 1, dtype=torch.float64)), 1)
    optimiser = torch.optim.LBFGS([weight], max_iter=500, tolerance_grad=1e-10, tolerance_change=0)

    def closure():
        optimiser.zero_grad()
        loss = functional.cross_entropy(rows @ weight.T, labels)
        loss.backward()
        return loss

    optimiser.step(closure)
    asked = [drawn("add", C(2), C(3)), drawn("sine", C(2)), drawn("multiply", C(2), C(2))]
    found = gains(columns, asked, rows @ weight.detach().T, labels)
    assert float(found[0]) < 1e-8 < 1e-4 < float(found[1:].min())
