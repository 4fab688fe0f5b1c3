"""Gates against closed forms: factors, sizes, prices and their gradients."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from sidestep.errors import UserError
from sidestep.gates import flexible, sparsified
from sidestep.gates.flexible import GREY_ZONE
from sidestep.registry import load

EXTREMES = st.floats(-1e6, 1e6)


def numeric_integral(boundary, slope, neurons, points=200_001):
    places = torch.linspace(0, neurons, points, dtype=torch.float64)
    return float(torch.trapezoid(torch.sigmoid(-slope * (places - boundary)), places))


@pytest.mark.parametrize("slope", [0.1, 0.4, 1.0, 5.0])
@pytest.mark.parametrize("start", [0.0, 1.0, 13.5, 30.0])
def test_the_price_is_the_integral_of_the_factors(slope, start):
    gate = flexible.build(30, start=start, slope=slope, price=0.25)
    assert float(gate.penalty().detach()) == pytest.approx(
        0.25 * numeric_integral(start, slope, 30), abs=1e-4
    )


def test_the_sum_of_the_factors_departs_from_the_integral_as_the_facts_say():
    # T3-7, from the older work's own formulas.
    for slope, start, total, integral in ((0.4, 0, 1.9912, 1.7329), (1, 1, 1.6952, 1.3133)):
        gate = flexible.build(500, start=start, slope=slope)
        assert float(gate.size().detach()) == pytest.approx(total, abs=2e-4)
        assert float(gate.integral().detach()) == pytest.approx(integral, abs=1e-4)
    gate = flexible.build(500, start=250.0)
    assert float(gate.size().detach()) == pytest.approx(250.5, abs=1e-3)
    assert float(gate.integral().detach()) == pytest.approx(250.0, abs=1e-3)


@given(boundary=EXTREMES, slope=st.floats(1e-3, 1e4))
def test_the_price_and_its_gradient_are_finite_and_bounded_everywhere(boundary, slope):
    gate = flexible.build(500, start=0.0, slope=slope, price=1.0)
    with torch.no_grad():
        gate.boundary.fill_(boundary)
    penalty = gate.penalty()
    penalty.backward()
    assert -1e-3 <= float(penalty.detach()) <= 500.001 + 1e-6 * abs(boundary)
    assert -1e-5 <= float(gate.boundary.grad) <= 1.00001
    assert math.isfinite(float(gate.scales().detach().sum()))


def test_the_price_falls_to_nothing_and_rises_to_all_neurons():
    gate = flexible.build(40, start=0.0, price=1.0)
    with torch.no_grad():
        gate.boundary.fill_(-1e3)
    assert float(gate.penalty().detach()) == pytest.approx(0.0, abs=1e-6)
    with torch.no_grad():
        gate.boundary.fill_(1e3)
    assert float(gate.penalty().detach()) == pytest.approx(40.0, abs=1e-3)


def test_the_boundary_as_the_price_has_no_lower_bound():
    gate = flexible.build(40, start=5.0, price=2.0, price_on="boundary")
    with torch.no_grad():
        gate.boundary.fill_(-1e3)
    assert float(gate.penalty().detach()) == -2e3


def test_the_grey_zone_is_as_wide_as_is_said():
    for slope in (0.4, 1.0):
        gate = flexible.build(500, start=250.0, slope=slope)
        half = GREY_ZONE / slope / 2
        place = torch.tensor([-half, half])
        factors = torch.sigmoid(-slope * place)
        assert factors.tolist() == pytest.approx([0.99, 0.01], abs=1e-5)
        inside = ((gate.scales() < 0.99) & (gate.scales() > 0.01)).sum()
        assert abs(int(inside) - 2 * half) <= 1


def test_the_gradient_of_a_drawn_switch_is_exactly_zero():
    # The journal: “With this method gradients will always be zero”.
    torch.manual_seed(0)
    gate = flexible.build(20, start=10.0, slope=0.4, switch="drawn", price=0.0)
    incoming = torch.nn.Linear(5, 20)
    gate(incoming(torch.rand(7, 5)).relu()).square().sum().backward()
    assert float(gate.boundary.grad) == 0.0
    assert incoming.weight.grad.abs().sum() > 0


def test_a_drawn_switch_is_on_as_often_as_its_factor_says():
    torch.manual_seed(1)
    gate = flexible.build(9, start=4.0, slope=0.5, switch="drawn")
    ones = torch.ones(1, 9)
    often = torch.stack([gate(ones)[0] for _ in range(4000)]).mean(0)
    error = (gate.scales() * (1 - gate.scales()) / 4000).sqrt().detach()
    assert ((often - gate.scales().detach()).abs() <= 5 * error).all()


def test_a_drawn_slope_has_zones_of_the_given_mean_and_evaluation_has_none_of_it():
    gate = flexible.build(100, start=50.0, slope_is="random", zone_from=1.0, zone_to=20.0)
    assert float(gate.slope.detach()) == pytest.approx(GREY_ZONE / 10.5)
    ones = torch.ones(1, 100)
    torch.manual_seed(2)
    assert not torch.equal(gate(ones), gate(ones))
    gate.eval()
    assert torch.equal(gate(ones), gate(ones))


def test_a_trainable_slope_learns_and_stays_positive():
    gate = flexible.build(10, start=5.0, slope=2.0, slope_is="trainable")
    gate(torch.rand(3, 10)).sum().backward()
    assert gate.log_slope.grad is not None and float(gate.slope.detach()) == pytest.approx(2.0)


def test_scaling_a_neuron_is_scaling_its_outgoing_weights():
    """s · ∂L/∂s = Σ_c W_c ∂L/∂W_c: where the weights are settled, nothing pulls at the factors."""
    torch.manual_seed(3)
    factors = torch.rand(6, requires_grad=True)
    reader = torch.nn.Linear(6, 4)
    loss = torch.nn.functional.cross_entropy(
        reader(torch.rand(50, 6) * factors), torch.arange(50) % 4
    )
    loss.backward()
    left = factors.detach() * factors.grad
    assert torch.allclose(left, (reader.weight.detach() * reader.weight.grad).sum(0), atol=1e-7)


def test_strict_liveness_dies_for_good():
    gate = sparsified.build(3, price=0.1)
    with torch.no_grad():
        gate.liveness.copy_(torch.tensor([0.5, 0.0, -0.2]))
    (gate(torch.rand(4, 3)).sum() + gate.penalty()).backward()
    assert gate.dead().tolist() == [False, True, True]
    assert float(gate.penalty().detach()) == pytest.approx(0.05)
    assert gate.liveness.grad[1:].tolist() == [0.0, 0.0] and gate.liveness.grad[0] != 0
    assert float(gate.size().detach()) == 1.0


def test_absolute_liveness_pays_on_both_sides_and_passes_through_zero_while_training():
    gate = sparsified.build(3, price=0.1, form="absolute", tolerance=0.01)
    with torch.no_grad():
        gate.liveness.copy_(torch.tensor([0.5, -0.3, 0.005]))
    assert float(gate.penalty().detach()) == pytest.approx(0.1 * 0.805)
    ones = torch.ones(1, 3)
    assert torch.allclose(gate(ones), gate.liveness)
    gate.eval()
    assert gate(ones)[0].tolist() == pytest.approx([0.5, -0.3, 0.0])
    assert gate.dead().tolist() == [False, False, True]


def test_an_open_gate_changes_nothing():
    gate = load("gates", "open").build(4)
    output = torch.rand(2, 4, 3)
    assert (
        torch.equal(gate(output), output)
        and float(gate.size().detach()) == 4
        and gate.penalty() is None
    )


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"start": 11.0}, "starts at 11 but the stage has 10 neurons"),
        ({"start": 1.0, "zone_from": 9.0, "zone_to": 3.0}, "zones from 9 to 3"),
    ],
)
def test_bad_settings_are_told_in_a_sentence(settings, sentence):
    with pytest.raises(UserError, match=sentence):
        flexible.build(10, **settings)
