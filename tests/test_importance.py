"""The importance of neurons against brute force in float64, against autograd and in closed form."""

import math

import pytest
import torch
from torch.nn import functional

from sidestep import importance
from sidestep.importance import (
    MEASURES,
    PROXIES,
    fisher,
    gradient_times_activation,
    importances,
    incoming_norm,
    outgoing_norm,
    spread,
    zeroing_increase,
)

CLASSES = 7


def layer(images=200, width=12, scale=1.0, seed=0, rectified=True):
    """Outputs of a hidden layer, the weight and bias after it and labels, all float32."""
    generator = torch.Generator().manual_seed(seed)
    hidden = torch.randn(images, width, generator=generator)
    if rectified:
        hidden = hidden.relu()
    weight = scale * torch.randn(CLASSES, width, generator=generator)
    bias = scale * torch.randn(CLASSES, generator=generator)
    # Mostly what the network says, so that most images are right and some are badly wrong.
    labels = (hidden @ weight.T + bias).argmax(1)
    drawn = torch.randint(0, CLASSES, (images,), generator=generator)
    return hidden, weight, bias, torch.where(torch.arange(images) % 5 == 0, drawn, labels)


def brute_force(hidden, weight, bias, labels):
    """The loss with one neuron at a time set to zero, minus the loss, float64."""
    hidden, weight, bias = hidden.double(), weight.double(), bias.double()

    def loss(h):
        return functional.cross_entropy(h @ weight.T + bias, labels)

    whole = loss(hidden)
    without = []
    for neuron in range(hidden.shape[1]):
        cut = hidden.clone()
        cut[:, neuron] = 0.0
        without.append(loss(cut) - whole)
    return torch.stack(without)


def slopes(hidden, weight, bias, labels):
    """Gradient of each image's loss by the hidden outputs, N×w, by autograd."""
    hidden = hidden.double().requires_grad_()
    logits = hidden @ weight.double().T + bias.double()
    functional.cross_entropy(logits, labels, reduction="sum").backward()
    return hidden.grad


@pytest.mark.parametrize("rectified", [True, False])
@pytest.mark.parametrize("scale", [0.01, 0.3, 1.0, 4.0])
def test_the_increase_is_that_of_zeroing_one_neuron_at_a_time(scale, rectified):
    given = layer(scale=scale, rectified=rectified)
    found, wanted = zeroing_increase(*given), brute_force(*given)
    assert found.dtype == torch.float64 and found.shape == (12,)
    torch.testing.assert_close(found, wanted, rtol=1e-5, atol=1e-7)
    assert found.abs().max() > 1e-4


def test_every_way_to_compute_it_takes_part_and_agrees(monkeypatch):
    """Quiet and loud neurons, easy and hard images: each of the three ways is called."""
    hidden, weight, bias, labels = layer(scale=1.0)
    weight[:, :3] *= 20
    calls = {"_increase_single": 0, "_increase_double": 0}

    def counted(name):
        function = getattr(importance, name)

        def count(*arguments):
            calls[name] += arguments[0].shape[0] * arguments[0].shape[1]
            return function(*arguments)

        return count

    for name in calls:
        monkeypatch.setattr(importance, name, counted(name))
    found = zeroing_increase(hidden, weight, bias, labels)
    reach = hidden.amax(0) * (weight.amax(0) - weight.amin(0))
    loud = int((reach > importance.QUIET).sum())
    assert 3 <= loud < 12
    assert sum(calls.values()) == hidden.numel()
    # Loud neurons on all images, and quiet ones on the hard images.
    assert calls["_increase_single"] > 0
    assert calls["_increase_double"] > loud * len(hidden)
    torch.testing.assert_close(
        found, brute_force(hidden, weight, bias, labels), rtol=1e-6, atol=1e-6
    )


@pytest.mark.parametrize("scale", [30.0, 1e3, 1e6])
def test_huge_logits_neither_overflow_nor_vanish(scale):
    given = layer(scale=scale)
    found, wanted = zeroing_increase(*given), brute_force(*given)
    assert torch.isfinite(found).all()
    # Where brute force subtracts losses of this size, its own digits end here.
    torch.testing.assert_close(found, wanted, rtol=1e-9, atol=1e-6)


def test_a_confident_network_loses_small_amounts_to_their_last_digits():
    """Increases far below the rounding of a loss in float32, in closed form: two classes."""
    hidden = torch.full((50, 1), 2.0)
    weight, bias = torch.tensor([[0.25], [-0.25]]), torch.tensor([14.0, -14.0])
    labels = torch.zeros(50, dtype=torch.int64)
    wanted = math.log1p(math.exp(-28.0)) - math.log1p(math.exp(-29.0))
    assert float(zeroing_increase(hidden, weight, bias, labels)) == pytest.approx(wanted, rel=1e-5)


def test_the_faintest_neuron_of_an_unsure_network_keeps_its_digits():
    """An exponent near 0 in closed form: exp(d) − 1 in float32 would have two digits."""
    hidden = torch.full((3, 1), 2.0**-10)
    weight, bias = torch.tensor([[2.0**-8], [0.0]]), torch.zeros(2)
    labels = torch.zeros(3, dtype=torch.int64)
    wanted = math.log(2) - math.log1p(math.exp(-(2.0**-18)))
    assert float(zeroing_increase(hidden, weight, bias, labels)) == pytest.approx(wanted, rel=1e-6)


def test_outputs_far_below_zero_make_a_neuron_loud():
    hidden, weight, bias, labels = layer()
    hidden[:, 0] = torch.where(torch.arange(200) % 2 == 0, 0.01, -80.0)
    found = zeroing_increase(hidden, weight, bias, labels)
    torch.testing.assert_close(
        found, brute_force(hidden, weight, bias, labels), rtol=1e-5, atol=1e-6
    )


@pytest.mark.parametrize("strength", [1.0, 2.0])
def test_an_image_that_becomes_right_without_the_neuron(strength):
    """Nearly all probability is at the wrong class, and one neuron, quiet or loud, is to blame."""
    hidden = torch.tensor([[7.0, 0.5]])
    weight, bias = torch.tensor([[-strength, 1.0], [strength, 0.0]]), torch.zeros(2)
    labels = torch.zeros(1, dtype=torch.int64)
    found = zeroing_increase(hidden, weight, bias, labels)
    wanted = brute_force(hidden, weight, bias, labels)
    assert found[0] < -12 * strength and found[1] > 0
    torch.testing.assert_close(found, wanted, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("scale", [1.0, 1e3])
def test_a_dead_neuron_and_one_that_speaks_for_no_class_are_exactly_zero(scale):
    hidden, weight, bias, labels = layer(scale=scale)
    hidden[:, 4] = 0.0
    weight[:, 5] = 0.0
    weight[:, 6] = 0.7 * scale
    found = importances(hidden, torch.ones(12, 3), weight, bias, labels)
    assert (found["zeroing"][4:7] == 0).all() and (found["zeroing"][7:] != 0).all()
    for name in ("spread", "gradient_times_activation", "fisher"):
        assert found[name][4] == 0, name
    for name in ("outgoing_norm", "gradient_times_activation", "fisher"):
        assert found[name][5] == 0, name


def test_identical_neurons_are_equally_important_and_not_each_the_whole():
    hidden, weight, bias, labels = layer()
    hidden[:, 8], weight[:, 8] = hidden[:, 2], weight[:, 2]
    for name, found in importances(hidden, hidden.T, weight, bias, labels).items():
        assert found[2] == found[8], name
    # Merged into one of twice the weight: the loss is convex along the logits, so that without both
    # it rises by at least twice as much.
    merged = weight.clone()
    merged[:, 2] *= 2
    merged[:, 8] = 0
    single = zeroing_increase(hidden, weight, bias, labels)
    both = zeroing_increase(hidden, merged, bias, labels)
    assert both[2] > 2 * single[2] and both[8] == 0 != single[8]


@pytest.mark.parametrize("block_values", [1, 12, 100, 5000])
@pytest.mark.parametrize("scale", [0.5, 3.0])
def test_the_size_of_blocks_does_not_matter(scale, block_values):
    given = layer(scale=scale)
    torch.testing.assert_close(
        zeroing_increase(*given, block_values=block_values),
        zeroing_increase(*given),
        rtol=1e-6,
        atol=1e-10,
    )


def test_blocks_of_proxies_do_not_matter(monkeypatch):
    given = layer()
    whole = importances(given[0], given[0].T, *given[1:])
    monkeypatch.setattr(importance, "BLOCK_VALUES", 30)
    for name, found in importances(given[0], given[0].T, *given[1:]).items():
        torch.testing.assert_close(found, whole[name], rtol=1e-6, atol=1e-10)


def test_the_order_of_images_and_neurons_does_not_matter():
    hidden, weight, bias, labels = layer(scale=2.0)
    generator = torch.Generator().manual_seed(1)
    images = torch.randperm(200, generator=generator)
    neurons = torch.randperm(12, generator=generator)
    found = zeroing_increase(hidden[images][:, neurons], weight[:, neurons], bias, labels[images])
    wanted = zeroing_increase(hidden, weight, bias, labels)[neurons]
    torch.testing.assert_close(found, wanted, rtol=1e-6, atol=1e-9)


def test_one_class_only_has_nothing_to_lose():
    hidden, labels = torch.rand(5, 3), torch.zeros(5, dtype=torch.int64)
    assert (zeroing_increase(hidden, torch.ones(1, 3), torch.ones(1), labels) == 0).all()


def test_the_spread_is_the_standard_deviation_also_beside_a_large_mean():
    hidden, *_ = layer(images=333)
    hidden[:, 1] += 4096
    hidden[:, 3] = 0.1
    found = spread(hidden)
    torch.testing.assert_close(found, hidden.double().std(0, correction=0), rtol=1e-9, atol=1e-12)
    assert found[3] == 0


def test_norms_are_those_of_rows_and_columns():
    weight = torch.tensor([[3.0, 0.0], [4.0, 0.0], [0.0, 2.0]])
    assert incoming_norm(weight).tolist() == [3.0, 4.0, 2.0]
    assert outgoing_norm(weight).tolist() == [5.0, 2.0]


@pytest.mark.parametrize("rectified", [True, False])
def test_gradient_times_activation_is_the_mean_of_autograds(rectified):
    given = layer(rectified=rectified)
    wanted = (given[0].double() * slopes(*given)).mean(0).abs()
    torch.testing.assert_close(gradient_times_activation(*given), wanted, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("rectified", [True, False])
def test_fisher_is_half_the_mean_square_of_autograds(rectified):
    given = layer(rectified=rectified)
    wanted = (given[0].double() * slopes(*given)).square().mean(0) / 2
    torch.testing.assert_close(fisher(*given), wanted, rtol=1e-5, atol=1e-10)


def test_taylor_is_the_limit_of_the_exact_increase_for_weak_neurons():
    hidden, weight, bias, labels = layer()
    weight[:, :6] *= 1e-4
    exact = zeroing_increase(hidden, weight, bias, labels)[:6]
    first_order = gradient_times_activation(hidden, weight, bias, labels)[:6]
    torch.testing.assert_close(exact.abs(), first_order, rtol=1e-2, atol=1e-9)


def test_all_measures_come_by_name_one_number_a_neuron():
    hidden, weight, bias, labels = layer()
    found = importances(hidden, torch.ones(12, 5), weight, bias, labels)
    assert tuple(found) == MEASURES == ("zeroing", *PROXIES)
    for name, each in found.items():
        assert each.shape == (12,) and each.dtype == torch.float64, name
        assert not each.requires_grad


def test_parameters_that_want_gradients_are_left_alone():
    hidden, weight, bias, labels = layer()
    weight.requires_grad_()
    kept = weight.detach().clone(), hidden.clone()
    found = importances(hidden, weight.T, weight, bias, labels)
    assert not any(each.requires_grad for each in found.values())
    assert torch.equal(weight, kept[0]) and torch.equal(hidden, kept[1]) and weight.grad is None


@pytest.mark.parametrize("wrong", range(4))
def test_shapes_that_do_not_fit_are_told(wrong):
    given = list(layer())
    given[wrong] = given[wrong][:-1] if wrong else given[wrong][:, :-1]
    for function in (zeroing_increase, gradient_times_activation, fisher):
        with pytest.raises(ValueError, match="do not fit"):
            function(*given)
    with pytest.raises(ValueError, match="images × neurons"):
        spread(torch.ones(3))
    with pytest.raises(ValueError, match="filled"):
        zeroing_increase(torch.ones(0, 3), torch.ones(2, 3), torch.ones(2), torch.ones(0).long())
