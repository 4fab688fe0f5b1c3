"""Measures against NumPy on full matrices, and against brute force."""

import itertools

import numpy as np
import pytest
import torch
from torch import nn

from sidestep.building import build_network
from sidestep.data.load import load, normalise, split
from sidestep.datasets.digits import DATASET
from sidestep.errors import UserError
from sidestep.measuring import activations as activations_module
from sidestep.measuring.principal import input_moments, principal
from sidestep.measuring.snapshot import Library, Snapshot, geometric_grid
from sidestep.metrics import (
    component_accuracy,
    counter_example,
    dead_neurons,
    low_rank,
    principal_components,
    scores,
    spread,
    weight_spectrum,
)

WIDTH = 80


@pytest.fixture(scope="module")
def parts(digits):
    return split(load(digits), 0)


@pytest.fixture
def snapshot(run, parts):
    """A network wider than its 64 inputs, taught a little, with some neurons killed."""
    wide = {**run, "network": {"name": "mlp", "width": WIDTH}}
    network = build_network(wide, DATASET)
    optimiser = torch.optim.Adam(network.parameters(), lr=0.01)
    images, labels = normalise(parts["train"].images, DATASET), parts["train"].labels
    for _ in range(30):
        optimiser.zero_grad()
        nn.functional.cross_entropy(network(images), labels).backward()
        optimiser.step()
    with torch.no_grad():
        network[0].linear.bias[:3] = -1e3
    network.eval()
    return Snapshot(network, 3, True, 0, Library(DATASET, dict(parts)), tuple(parts))


def before(snapshot, images="train"):
    """All pre-activations, N×width, float64."""
    x = snapshot.library.normalised(images).flatten(1).double().numpy()
    linear = snapshot.hidden
    w, b = linear.weight.detach().double().numpy(), linear.bias.detach().double().numpy()
    return x @ w.T + b


def values(rows, images=None):
    """Scalar rows as a dictionary."""
    return {
        row.metric: row.value
        for row in rows
        if hasattr(row, "metric") and row.component is None and images in (None, row.images)
    }


def curve(rows, metric):
    return {
        row.component: row.value for row in rows if hasattr(row, "metric") and row.metric == metric
    }


@pytest.mark.parametrize("batch_values", [1 << 20, 64 * WIDTH])
def test_spread_is_exact_before_and_after_the_nonlinearity(snapshot, batch_values, monkeypatch):
    monkeypatch.setattr(activations_module, "BATCH_VALUES", batch_values)
    z = before(snapshot)
    after = np.maximum(z, 0)
    kept = {item.name: item.array for item in spread.measure(snapshot) if hasattr(item, "array")}
    np.testing.assert_allclose(kept["spread_train"], after.std(axis=0), rtol=1e-5, atol=1e-9)
    np.testing.assert_allclose(kept["spread_before_train"], z.std(axis=0), rtol=1e-5)
    rows = values(spread.measure(snapshot))
    assert rows["sum_of_spread"] == pytest.approx(after.std(axis=0).sum(), rel=1e-5)
    assert rows["sum_of_variance"] == pytest.approx(after.var(axis=0).sum(), rel=1e-5)
    assert rows["sum_of_variance_before"] == pytest.approx(z.var(axis=0).sum(), rel=1e-5)


def test_dead_neurons_are_those_that_no_image_wakes(snapshot):
    rows = values(dead_neurons.measure(snapshot))
    dead = (before(snapshot) <= 0).all(axis=0).sum()
    assert rows["dead_neurons"] == dead >= 3
    assert rows["dead_share"] == dead / WIDTH
    kept = {item.name: item.array for item in spread.measure(snapshot) if hasattr(item, "array")}
    assert (kept["spread_train"] == 0).sum() == dead


def test_scores_count_each_image_once(snapshot, parts):
    rows = [row for row in scores.measure(snapshot) if row.metric == "accuracy"]
    for row in rows:
        logits = snapshot.network(snapshot.library.normalised(row.images))
        right = (logits.argmax(1) == parts[row.images].labels).sum()
        assert row.value == int(right) / len(parts[row.images])
    assert {row.images for row in rows} == {"train", "test"}


def test_input_moments_are_exact(parts):
    images = parts["train"].images
    x = (images.flatten(1).double().numpy() / DATASET.scale - DATASET.mean[0]) / (
        DATASET.deviation[0]
    )
    found = input_moments(images, DATASET)
    np.testing.assert_allclose(found.mean, x.mean(axis=0), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(found.covariance, np.cov(x.T, bias=True), atol=1e-11)
    np.testing.assert_allclose(found.root @ found.root.T, found.covariance, atol=1e-11)


@pytest.mark.parametrize("width", [5, 64, 100])
def test_principal_components_equal_those_of_the_full_matrix(width, parts):
    torch.manual_seed(width)
    layer = nn.Linear(64, width)
    moments = input_moments(parts["train"].images, DATASET)
    found = principal(layer.weight, layer.bias, moments)
    x = normalise(parts["train"].images, DATASET).flatten(1).double().numpy()
    z = x @ layer.weight.detach().double().numpy().T + layer.bias.detach().double().numpy()
    wanted = np.sort(np.linalg.eigvalsh(np.cov(z.T)))[::-1][: min(width, 64)]
    np.testing.assert_allclose(found.eigenvalues, wanted, rtol=1e-5, atol=1e-9 * wanted[0])
    np.testing.assert_allclose(found.mean, z.mean(axis=0), atol=1e-5)
    c = found.components
    np.testing.assert_allclose(c.T @ c, np.eye(c.shape[1]), atol=1e-6)
    scores_ = (z - z.mean(axis=0)) @ c
    np.testing.assert_allclose(
        scores_.var(axis=0, ddof=1), found.eigenvalues[: c.shape[1]], rtol=1e-5, atol=1e-8
    )
    assert (c[np.abs(c).argmax(axis=0), np.arange(c.shape[1])] > 0).all()


def test_reconstruction_error_is_the_distance_to_the_reconstruction(snapshot):
    rows = list(principal_components.measure(snapshot))
    z = before(snapshot)
    centred = z - z.mean(axis=0)
    c = snapshot.principal("train").components
    for k, error in curve(rows, "reconstruction_error").items():
        rebuilt = centred @ c[:, : int(k)] @ c[:, : int(k)].T
        wanted = np.square(centred - rebuilt).sum(axis=1).mean()
        assert error == pytest.approx(wanted, rel=1e-4, abs=1e-6 * z.var())


def test_component_accuracy_equals_brute_force_with_the_mean_restored(snapshot, parts):
    found = curve(component_accuracy.measure(snapshot, images="test"), "component_accuracy")
    z, test = before(snapshot), before(snapshot, "test")
    mean = z.mean(axis=0)
    c = snapshot.principal("train").components
    output = snapshot.network[1].linear
    w, b = output.weight.detach().double().numpy(), output.bias.detach().double().numpy()
    labels = parts["test"].labels.numpy()
    for k, accuracy in found.items():
        rebuilt = mean + (test - mean) @ c[:, : int(k)] @ c[:, : int(k)].T
        right = ((np.maximum(rebuilt, 0) @ w.T + b).argmax(axis=1) == labels).sum()
        # Another order of sums may tip one image that lies on a boundary.
        assert abs(accuracy * len(labels) - right) <= 1
    assert found[max(found)] == pytest.approx(values(scores.measure(snapshot), "test")["accuracy"])


def test_low_rank_is_the_smallest_rank_that_suffices(snapshot, parts):
    rows = values(low_rank.measure(snapshot, images="test", margin=0.01))
    linear, output = snapshot.hidden, snapshot.network[1]
    u, s, v = torch.linalg.svd(linear.weight.detach(), full_matrices=False)
    x, labels = snapshot.library.normalised("test").flatten(1), parts["test"].labels
    needed = values(scores.measure(snapshot), "test")["accuracy"] - 0.01

    def accuracy(rank):
        weight = (u[:, :rank] * s[:rank]) @ v[:rank]
        logits = output(torch.relu(x @ weight.T + linear.bias))
        return int((logits.argmax(1) == labels).sum()) / len(labels)

    enough = [rank for rank in range(1, len(s) + 1) if accuracy(rank) >= needed - 1e-9]
    assert rows["low_rank"] == enough[0]
    assert rows["low_rank_parameters"] == enough[0] * (WIDTH + 64) / (WIDTH * 64)


def test_weight_spectrum_is_that_of_numpy(snapshot):
    wanted = np.linalg.svd(snapshot.hidden.weight.detach().numpy(), compute_uv=False)
    found = curve(weight_spectrum.measure(snapshot), "singular_value")
    for k, value in found.items():
        assert value == pytest.approx(wanted[int(k) - 1], rel=1e-4)
    squares = wanted.astype(float) ** 2
    rows = values(weight_spectrum.measure(snapshot))
    assert rows["weight_stable_rank"] == pytest.approx(squares.sum() / squares[0], rel=1e-4)


def test_the_network_is_perfect_on_noise_that_it_labelled_and_only_weights_are_blind(snapshot):
    noise = values(counter_example.measure(snapshot), "noise")
    assert noise["accuracy"] == 1.0
    real = values(principal_components.measure(snapshot), "train")
    assert noise["participation_ratio"] != real["participation_ratio"]
    assert not any(name.startswith("weight") or name == "low_rank" for name in noise)
    assert torch.equal(
        snapshot.library.images("noise").images, snapshot.library.images("noise").images
    )


def test_measures_of_a_narrower_batch_do_not_change_with_the_order_of_metrics(snapshot):
    first = values(spread.measure(snapshot))
    snapshot.labels("noise")
    assert values(spread.measure(snapshot)) == first


def test_a_split_that_the_run_lacks_is_named(snapshot):
    with pytest.raises(UserError, match="'validation'"):
        list(spread.measure(snapshot, images="validation"))


@pytest.mark.parametrize("last", [0, 1, 7, 784])
def test_the_grid_begins_at_nothing_ends_at_all_and_rises(last):
    grid = list(geometric_grid(last))
    assert grid[0] == 0 and grid[-1] == last
    assert all(a < b for a, b in itertools.pairwise(grid))
