"""Estimates of divergence against closed forms, brute force and simulation; the signal that uses them."""

import math

import numpy as np
import pytest
import torch

from made_sites import site
from sidestep import divergences
from sidestep.contract import Batch
from sidestep.divergences import Moments, gaussian, moments, nearest_neighbours
from sidestep.signals import divergence

ESTIMATORS = ("gaussian_full", "gaussian_diagonal", "nearest_neighbours")


def closed_form(mean, covariance, other_mean, other_covariance):
    """The divergence of two Gaussians, written with inverses and determinants in NumPy."""
    inverse = np.linalg.inv(other_covariance)
    apart = other_mean - mean
    determinants = np.linalg.slogdet(other_covariance)[1] - np.linalg.slogdet(covariance)[1]
    inside = np.trace(inverse @ covariance) + apart @ inverse @ apart - len(mean) + determinants
    return 0.5 * inside


def random_gaussians(number, dimensions, seed):
    generator = np.random.default_rng(seed)
    roots = generator.normal(size=(number, dimensions, dimensions))
    covariances = roots @ roots.transpose(0, 2, 1) + np.eye(dimensions)
    return generator.normal(size=(number, dimensions)), covariances


def test_one_dimension_by_hand():
    # D(N(0, 1) ‖ N(1, 4)) = ½ (1/4 + 1/4 − 1 + ln 4), and back ½ (4 + 1 − 1 − ln 4).
    found = gaussian(Moments(torch.tensor([[0.0], [1.0]]), torch.tensor([[1.0], [4.0]])))
    expected = [[0, 0.5 * (math.log(4) - 0.5)], [0.5 * (4 - math.log(4)), 0]]
    assert torch.allclose(found, torch.tensor(expected), atol=1e-6)


@pytest.mark.parametrize("dimensions", [1, 2, 5])
def test_full_gaussians_have_the_closed_form(dimensions):
    mean, covariance = random_gaussians(4, dimensions, seed=dimensions)
    found = gaussian(Moments(torch.tensor(mean), torch.tensor(covariance)))
    for i in range(4):
        for j in range(4):
            expected = closed_form(mean[i], covariance[i], mean[j], covariance[j])
            assert float(found[i, j]) == pytest.approx(expected, abs=1e-9)


def test_diagonal_gaussians_are_full_ones_without_covariance():
    generator = torch.Generator().manual_seed(0)
    mean = torch.rand(3, 4, generator=generator, dtype=torch.float64)
    variance = torch.rand(3, 4, generator=generator, dtype=torch.float64) + 0.1
    full = gaussian(Moments(mean, torch.diag_embed(variance)))
    assert torch.allclose(gaussian(Moments(mean, variance)), full)


@pytest.mark.parametrize("full", [True, False])
def test_moments_are_drawn_towards_the_shared_spherical_covariance(full):
    generator = np.random.default_rng(1)
    samples = [generator.normal(size=(n, 3)) for n in (5, 8)]
    found = moments([torch.tensor(s) for s in samples], shrinkage=0.3, full=full)
    shared = np.mean([s.var(0) for s in samples])
    for k, sample in enumerate(samples):
        own = np.cov(sample.T, bias=True)
        expected = 0.7 * (own if full else np.diag(own)) + 0.3 * shared * (np.eye(3) if full else 1)
        assert np.allclose(found.covariance[k].numpy(), expected, atol=1e-5)
        assert np.allclose(found.mean[k].numpy(), sample.mean(0))


MEANS = np.array([[0.0, 0.0], [0.8, -0.4]])
COVARIANCES = np.array([[[1.0, 0.3], [0.3, 0.6]], [[1.5, -0.2], [-0.2, 0.9]]])


def draw(number, seed):
    generator = np.random.default_rng(seed)
    pairs = zip(MEANS, COVARIANCES, strict=True)
    return [torch.tensor(generator.multivariate_normal(m, c, size=number)) for m, c in pairs]


def true_divergence(i, j):
    return closed_form(MEANS[i], COVARIANCES[i], MEANS[j], COVARIANCES[j])


def test_the_divergence_of_large_samples_nears_that_of_their_gaussians():
    found = gaussian(moments(draw(50_000, seed=8), shrinkage=0.0, full=True))
    assert float(found[0, 1]) == pytest.approx(true_divergence(0, 1), rel=0.03)
    assert float(found[1, 0]) == pytest.approx(true_divergence(1, 0), rel=0.03)


def brute_force(sample, other, k):
    """Wang, Kulkarni & Verdú's estimator, one point and one distance at a time."""
    total = 0.0
    for i, x in enumerate(sample):
        own = sorted(math.dist(x, y) for j, y in enumerate(sample) if j != i)[k - 1]
        away = sorted(math.dist(x, y) for y in other)[k - 1]
        total += math.log(away / own)
    n, m, d = len(sample), len(other), len(sample[0])
    return d / n * total + math.log(m / (n - 1))


@pytest.mark.parametrize("k", [1, 3])
def test_nearest_neighbours_are_what_brute_force_finds(k):
    generator = np.random.default_rng(2)
    samples = [generator.normal(c, 1 + c, size=(n, 2)) for c, n in ((0, 12), (1, 9), (2, 15))]
    found = nearest_neighbours([torch.tensor(s) for s in samples], k=k)
    for i in range(3):
        for j in range(3):
            expected = 0.0 if i == j else brute_force(samples[i], samples[j], k)
            assert float(found[i, j]) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("k", [1, 5])
@pytest.mark.parametrize("dimensions", [1, 2])
def test_nearest_neighbours_near_the_closed_form_on_large_samples(dimensions, k):
    generator = np.random.default_rng(4)
    found = []
    for _ in range(6):
        first, second = generator.normal(size=(2, 700, dimensions))
        second[:, 0] += 1
        samples = [torch.tensor(first), torch.tensor(second)]
        pairs = nearest_neighbours(samples, k=k)
        found += [float(pairs[0, 1]), float(pairs[1, 0])]
    # Two unit Gaussians one deviation apart: ½ nat either way.
    assert np.mean(found) == pytest.approx(0.5, abs=0.1)


def test_samples_of_one_distribution_have_an_estimate_near_zero():
    samples = torch.randn(2, 800, 3, generator=torch.Generator().manual_seed(5)).double()
    assert nearest_neighbours(list(samples), k=3).abs().max() < 0.15


def test_too_few_values_for_that_many_neighbours_are_refused():
    with pytest.raises(ValueError, match="has 3 values, but k = 3 neighbours need 4"):
        nearest_neighbours([torch.rand(3, 2), torch.rand(9, 2)], k=3)


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_duplicates_have_finite_gradients(estimator):
    output = torch.ones(12, 3)
    output[6:] += 1
    output.requires_grad_()
    signal = divergence.build(site((3,), 2), estimator=estimator, k=2)
    signal(output, Batch(output, torch.arange(12) // 6)).backward()
    assert torch.isfinite(output.grad).all()


@pytest.mark.parametrize("growth", ["linear", "logarithm"])
@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_gradients_are_those_of_finite_differences(estimator, growth):
    torch.manual_seed(6)
    signal = divergence.build(site((3,), 3), estimator=estimator, growth=growth, k=2, shrinkage=0.2)
    output = torch.randn(12, 3, dtype=torch.float64, requires_grad=True)
    batch = Batch(output, torch.arange(12) % 3)
    assert torch.autograd.gradcheck(lambda h: signal(h, batch), (output,))


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_the_loss_is_minus_the_mean_over_ordered_pairs_and_knows_no_order_of_images(estimator):
    torch.manual_seed(7)
    output, labels = torch.randn(30, 4).double(), torch.arange(30) % 3
    signal = divergence.build(
        site((4,), 3), estimator=estimator, growth="linear", k=3, shrinkage=0.4
    )
    samples = [output[labels == label] for label in range(3)]
    if estimator == "nearest_neighbours":
        pairs = nearest_neighbours(samples, k=3)
    else:
        full = estimator == "gaussian_full"
        pairs = gaussian(moments(samples, shrinkage=0.4, full=full))
    found = float(signal(output, Batch(output, labels)))
    assert found == pytest.approx(-float(pairs.sum()) / 6, abs=1e-9)
    mixed = torch.randperm(30)
    again = float(signal(output[mixed], Batch(output, labels[mixed])))
    assert again == pytest.approx(found, abs=1e-9)


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_classes_farther_apart_have_a_lower_loss(estimator):
    torch.manual_seed(8)
    noise, labels = torch.randn(40, 3), torch.arange(40) % 4
    centres = torch.randn(4, 3)[labels]
    signal = divergence.build(site((3,), 4), estimator=estimator, k=3)
    losses = [float(signal(noise + far * centres, Batch(noise, labels))) for far in (0, 2, 6)]
    assert losses[0] > losses[1] > losses[2]


def test_classes_with_one_image_are_left_out_and_one_class_alone_has_no_loss():
    output, labels = torch.rand(7, 2), torch.tensor([0, 0, 0, 1, 1, 1, 2])
    signal = divergence.build(site((2,), 3))
    whole = signal(output, Batch(output, labels))
    assert torch.equal(whole, signal(output[:6], Batch(output, labels[:6])))
    alone = output[:3].requires_grad_()
    loss = signal(alone, Batch(output, labels[:3]))
    loss.backward()
    assert float(loss.detach()) == 0 and not alone.grad.any()


def test_maps_are_pooled_and_projected_by_fixed_orthonormal_directions():
    torch.manual_seed(9)
    signal = divergence.build(site((32, 14, 14), 10), pool=4, dimensions=64)
    assert signal.projection.shape == (512, 64)
    assert torch.allclose(signal.projection.T @ signal.projection, torch.eye(64), atol=1e-5)
    assert not list(signal.parameters())
    assert signal.reduced(torch.rand(3, 32, 14, 14)).shape == (3, 64)
    small = divergence.build(site((4, 2, 2), 10), pool=4, dimensions=64)
    assert small.projection is None and small.reduced(torch.rand(3, 4, 2, 2)).shape == (3, 16)


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_a_shift_of_all_outputs_changes_nothing(estimator):
    torch.manual_seed(10)
    output, labels = torch.randn(40, 6).double(), torch.arange(40) % 4
    signal = divergence.build(site((6,), 4), estimator=estimator, shrinkage=0.0, k=2)
    here, there = (float(signal(output + by, Batch(output, labels))) for by in (0, 100))
    assert there == pytest.approx(here, rel=1e-6)


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_outputs_that_are_no_numbers_give_a_loss_that_is_none_and_no_error(estimator):
    output = torch.rand(20, 3)
    output[3] = math.nan
    signal = divergence.build(site((3,), 2), estimator=estimator)
    assert math.isnan(float(signal(output, Batch(output, torch.arange(20) % 2))))


def test_classes_with_too_few_neighbours_are_left_out():
    torch.manual_seed(11)
    output, labels = torch.rand(33, 2), torch.cat([torch.arange(30) % 2, torch.full((3,), 2)])
    signal = divergence.build(site((2,), 3), estimator="nearest_neighbours", k=3)
    expected = signal(output[:30], Batch(output, labels[:30]))
    assert torch.equal(signal(output, Batch(output, labels)), expected)


def test_neighbours_ask_for_enough_images_of_each_class():
    assert divergence.build(site((3,), 2), estimator="nearest_neighbours", k=4).least_per_class == 5
    assert divergence.build(site((3,), 2), estimator="gaussian_full", k=4).least_per_class == 0
    assert divergences.TINY < 1e-3
