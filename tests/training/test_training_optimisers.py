"""Every optimiser against PyTorch's own of that name, and every schedule at its ends."""

import itertools
import math

import pytest
import torch

from sidestep.registry import load, names
from sidestep.training.optimiser import Optimiser

PEERS = {
    "adam": [({"lr": 0.01}, torch.optim.Adam), ({"weight_decay": 0.1}, torch.optim.Adam)],
    "adamw": [({"lr": 0.01, "weight_decay": 0.1}, torch.optim.AdamW)],
    "adamax": [({}, torch.optim.Adamax), ({"weight_decay": 0.1}, torch.optim.Adamax)],
    "sgd": [
        ({"lr": 0.1}, torch.optim.SGD),
        ({"lr": 0.1, "momentum": 0.9}, torch.optim.SGD),
        (
            {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.01},
            torch.optim.SGD,
        ),
    ],
}
CASES = [(name, settings, peer) for name, cases in PEERS.items() for settings, peer in cases]


def test_every_optimiser_has_a_peer_here():
    assert set(PEERS) == set(names("optimisers"))


@pytest.mark.parametrize(("name", "settings", "peer"), CASES)
def test_ten_steps_equal_the_ones_of_pytorch(name, settings, peer):
    torch.manual_seed(0)
    ours = {str(i): torch.randn(3, 4).requires_grad_() for i in range(3)}
    theirs = [value.detach().clone().requires_grad_() for value in ours.values()]
    optimiser = Optimiser({"name": name, **settings}, ours)
    focus = optimiser.focus(ours.values())
    reference = peer(theirs, **settings)
    for step in range(10):
        for mine, other in zip(ours.values(), theirs, strict=True):
            gradient = torch.randn(3, 4) * (step + 1)
            mine.grad, other.grad = gradient.clone(), gradient.clone()
        focus.update(1.0)
        reference.step()
    for mine, other in zip(ours.values(), theirs, strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", sorted(PEERS))
def test_the_schedules_factor_scales_the_learning_rate(name):
    values = []
    for lr, factor in ((0.1, 0.5), (0.05, 1.0)):
        torch.manual_seed(0)
        parameter = torch.randn(5).requires_grad_()
        parameter.grad = torch.randn(5)
        Optimiser({"name": name, "lr": lr}, {"p": parameter}).focus([parameter]).update(factor)
        values.append(parameter.detach().clone())
    torch.testing.assert_close(*values)


@pytest.mark.parametrize("name", sorted(PEERS))
def test_state_survives_a_trip_through_a_checkpoint(name):
    def steps(optimiser, parameter, count, seed):
        torch.manual_seed(seed)
        for _ in range(count):
            parameter.grad = torch.randn(5)
            optimiser.focus([parameter]).update(1.0)

    whole = torch.ones(5, requires_grad=True)
    straight = Optimiser({"name": name}, {"p": whole})
    steps(straight, whole, 3, seed=1)
    kept, value = straight.tensors(), whole.detach().clone()
    kept = {key: item.clone() for key, item in kept.items()}
    steps(straight, whole, 3, seed=2)

    resumed = value.requires_grad_()
    other = Optimiser({"name": name}, {"p": resumed})
    other.restore(kept)
    steps(other, resumed, 3, seed=2)
    assert torch.equal(whole, resumed)


def test_a_parameter_that_no_phase_moves_has_no_state():
    moved, frozen = torch.ones(2, requires_grad=True), torch.ones(2, requires_grad=True)
    optimiser = Optimiser({"name": "adam"}, {"moved": moved, "frozen": frozen})
    optimiser.focus([moved])
    assert set(optimiser.state) == {"moved"}


def test_a_taught_parameter_without_a_gradient_is_an_error():
    parameter = torch.ones(2, requires_grad=True)
    with pytest.raises(RuntimeError, match="no gradient"):
        Optimiser({"name": "adam"}, {"p": parameter}).focus([parameter]).update(1.0)


ENDS = {
    "constant": (1.0, 1.0, 1.0),
    "cosine": (1.0, 0.5, 0.0),
    "step": (1.0, 0.2, 0.2**3),
    "one_cycle": (0.04, None, 4e-6),
}


@pytest.mark.parametrize("name", names("schedules"))
def test_schedules_begin_pass_and_end_where_they_should(name):
    factor = load("schedules", name).factor
    for progress, expected in zip((0.0, 0.5, 1.0 - 1e-12), ENDS[name], strict=True):
        if expected is not None:
            assert math.isclose(factor(progress), expected, rel_tol=1e-6, abs_tol=1e-9)


def test_one_cycle_is_highest_where_its_rise_ends_and_has_no_jump():
    factor = load("schedules", "one_cycle").factor
    values = [factor(step / 1000) for step in range(1000)]
    assert max(range(1000), key=values.__getitem__) == 300
    assert max(abs(a - b) for a, b in itertools.pairwise(values)) < 0.006
