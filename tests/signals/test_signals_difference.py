"""Maximum difference and similarity matching: hand-computed values, minima, scale, and stability."""

import math

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from made_sites import site
from sidestep.contract import Batch
from sidestep.data.load import load, normalise
from sidestep.registry import load as load_thing
from sidestep.signals import maximum_difference, similarity_matching, sub_model

LOSSES = ("pairs", "abs_diff", "equal", "all", "mean_squared", "mean_cosine", "stabilised")
# Pairs are (0, 2) and (1, 3): cosines 1/√2 with one label, and 8/(2·5) with two.
ROWS = torch.tensor([[1.0, 0.0], [0.0, 2.0], [3.0, 3.0], [3.0, 4.0]])
LABELS = torch.tensor([0, 1, 0, 0])
ROOT = 1 / math.sqrt(2)


def value(loss, rows, labels=LABELS, **settings):
    signal = maximum_difference.build(site(tuple(rows.shape[1:]), 10), loss=loss, **settings)
    return signal(rows, Batch(torch.zeros(len(rows)), labels))


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        ("pairs", 0.8 + 1 - ROOT),
        ("abs_diff", 0.8),
        ("equal", -ROOT),
        ("all", (0.8 - ROOT) / 2),
        # Class 0 has the mean (7/3, 7/3); squared distances 65/9, 8/9 and 29/9; class 1 has none.
        ("mean_squared", (65 + 8 + 29) / 9 / 4),
        # Cosines to (1, 1)/√2: 1/√2, 1 and 7/(5√2); of class 1 to itself 1.
        ("mean_cosine", (1 - ROOT + 0 + 1 - 1.4 * ROOT + 0) / 4),
    ],
)
def test_losses_are_what_a_hand_computes(loss, expected):
    assert float(value(loss, ROWS)) == pytest.approx(expected, abs=1e-6)


def test_the_absolute_value_matters_only_where_cosines_are_negative():
    turned = ROWS * torch.tensor([[1.0], [1.0], [1.0], [-1.0]])
    assert float(value("abs_diff", turned)) == pytest.approx(0.8)
    assert float(value("pairs", turned)) == pytest.approx(-0.8 + 1 - ROOT)


def test_the_stabilised_loss_is_what_numpy_says():
    rows, labels = ROWS.double().numpy(), LABELS.numpy()
    centred = rows - rows.mean(0)
    squared = (centred**2).sum(1)
    unit = centred / np.sqrt(squared + 0.25 * squared.mean())[:, None]
    same, different = [], []
    for i in range(4):
        for j in range(4):
            if i != j:
                (same if labels[i] == labels[j] else different).append(unit[i] @ unit[j])
    size = np.sqrt((centred**2).mean())
    apart = np.mean(np.maximum(different, 0)) + 1 - np.mean(same)
    expected = apart + 2.0 * np.log(size) ** 2
    assert float(value("stabilised", ROWS.double(), scale=2.0)) == pytest.approx(expected)


@pytest.mark.parametrize("loss", ["equal", "mean_squared", "mean_cosine"])
def test_losses_without_a_term_between_classes_are_lowest_at_total_collapse(loss):
    collapsed = torch.ones(4, 2)
    lowest = {"equal": -1.0, "mean_squared": 0.0, "mean_cosine": 0.0}[loss]
    assert float(value(loss, collapsed)) == pytest.approx(lowest, abs=1e-6)


@pytest.mark.parametrize("loss", ["pairs", "all", "stabilised"])
def test_the_corrected_losses_prefer_classes_apart_to_collapse(loss):
    apart = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 0.0]])
    collapsed = torch.ones(4, 2) + 1e-3 * ROWS
    assert float(value(loss, apart)) < float(value(loss, collapsed)) - 0.4


@pytest.mark.parametrize("loss", LOSSES)
def test_a_batch_of_one_label_or_of_all_different_ones_has_a_loss_and_a_gradient(loss):
    for labels in (torch.zeros(6, dtype=torch.int64), torch.arange(6)):
        rows = torch.rand(6, 3, requires_grad=True)
        value(loss, rows, labels).backward()
        assert torch.isfinite(rows.grad).all()


@pytest.mark.parametrize("level", [0.0, 1.0])
@pytest.mark.parametrize("loss", LOSSES)
def test_total_collapse_has_a_finite_gradient(loss, level):
    rows = torch.full((6, 3), level, requires_grad=True)
    value(loss, rows, torch.arange(6) % 2).backward()
    assert torch.isfinite(rows.grad).all()


@pytest.mark.parametrize("loss", LOSSES)
def test_gradients_are_those_of_finite_differences(loss):
    torch.manual_seed(0)
    rows = (torch.rand(6, 4, dtype=torch.float64) + 0.1).requires_grad_()
    labels = torch.tensor([0, 1, 2, 0, 2, 1])
    assert torch.autograd.gradcheck(lambda h: value(loss, h, labels), (rows,))


@pytest.mark.parametrize("loss", ["pairs", "abs_diff", "equal", "all", "mean_cosine"])
def test_cosines_do_not_see_the_norm_so_their_gradient_is_orthogonal_and_grows_as_it_shrinks(loss):
    torch.manual_seed(1)
    rows = torch.rand(8, 5, dtype=torch.float64)
    labels = torch.arange(8) % 3
    gradients = []
    for scale in (1.0, 1e-3):
        scaled = (scale * rows).requires_grad_()
        found = value(loss, scaled, labels)
        found.backward()
        assert float(found.detach()) == pytest.approx(float(value(loss, rows, labels)))
        if loss != "mean_cosine":
            assert torch.allclose((scaled.grad * scaled).sum(1), torch.zeros(8).double())
        gradients.append(scaled.grad)
    assert torch.allclose(1e-3 * gradients[1], gradients[0])


def test_the_gradient_of_one_vanishing_output_explodes_unless_stabilised():
    torch.manual_seed(2)
    rows = torch.rand(8, 5, dtype=torch.float64)
    labels = torch.arange(8) % 4
    largest = {}
    for loss in ("pairs", "stabilised"):
        for size in (1.0, 1e-4):
            shrunk = rows.clone()
            # The centred row is what the stabilised loss divides by.
            others = rows[1:].mean(0) if loss == "stabilised" else torch.zeros(5).double()
            shrunk[0] = others + size * (rows[0] - others)
            shrunk.requires_grad_()
            value(loss, shrunk, labels).backward()
            largest[loss, size] = float(shrunk.grad[0].norm())
    assert largest["pairs", 1e-4] > 1000 * largest["pairs", 1.0]
    assert largest["stabilised", 1e-4] < 5 * largest["stabilised", 1.0]


def descend(loss, digits, lr, steps=200):
    """Plain SGD on a convolution and its ReLU; gradient norms, and the outputs at the end."""
    train = load(digits)["train"]
    images = normalise(train.images, load_thing("datasets", "digits").DATASET)
    torch.manual_seed(0)
    block = nn.Sequential(nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2))
    signal = maximum_difference.build(site((16, 4, 4), 10), loss=loss)
    norms = []
    for _ in range(steps):
        chosen = torch.randint(0, len(images), (100,))
        batch = Batch(images[chosen], train.labels[chosen])
        found = signal(block(batch.images), batch)
        gradients = torch.autograd.grad(found, list(block.parameters()))
        norms.append(math.sqrt(sum(float(g.square().sum()) for g in gradients)))
        with torch.no_grad():
            for parameter, gradient in zip(block.parameters(), gradients, strict=True):
                parameter -= lr * gradient
    with torch.no_grad():
        outputs = block(images[:400]).flatten(1)
    return norms, outputs


def test_what_is_unstable_under_sgd_and_that_the_stabilised_loss_is_not(digits):
    # The author's own loss: nearly all units die, and most images have no output left at all.
    norms, outputs = descend("all", digits, lr=1.0)
    assert float((outputs > 0).any(0).float().mean()) < 0.1
    assert float(outputs.norm(dim=1).median()) == 0 and max(norms) > 5 * norms[0]
    # With both kinds of pairs balanced units still die, and gradients grow before they settle.
    norms, outputs = descend("pairs", digits, lr=1.0)
    alive = float((outputs > 0).any(0).float().mean())
    assert alive < 0.6 and max(norms) > 10 * norms[0]
    # Without a term between classes every image ends in one direction.
    _, outputs = descend("equal", digits, lr=1.0)
    unit = functional.normalize(outputs, dim=1)
    assert float((unit @ unit.T).min()) > 0.99
    norms, outputs = descend("stabilised", digits, lr=1.0)
    alive = float((outputs > 0).any(0).float().mean())
    assert alive > 0.9 and max(norms) <= 2 * norms[0]
    assert 0.5 < float((outputs - outputs.mean(0)).square().mean().sqrt()) < 2
    assert float(outputs.norm(dim=1).min()) > 0.5 * float(outputs.norm(dim=1).mean())


def test_a_sub_model_is_a_linear_classifier():
    torch.manual_seed(0)
    signal = sub_model.build(site((2, 3, 3), 4))
    output, labels = torch.rand(5, 2, 3, 3), torch.arange(5) % 4
    logits = output.reshape(5, 18) @ signal.head[1].weight.T + signal.head[1].bias
    expected = -(logits.log_softmax(1)[torch.arange(5), labels]).mean()
    assert torch.allclose(signal(output, Batch(output, labels)), expected)


def numpy_similarities(rows):
    rows = rows - rows.mean(1, keepdims=True)
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return unit @ unit.T


@pytest.mark.parametrize("shape", [(7,), (3, 4, 5)])
def test_similarity_matching_is_what_numpy_says(shape):
    torch.manual_seed(3)
    signal = similarity_matching.build(site(shape, 4))
    output, labels = torch.rand(6, *shape), torch.tensor([0, 1, 2, 3, 0, 1])
    seen = signal.head(output).detach()
    if len(shape) == 3:
        seen = seen.flatten(2).std(dim=2)
    expected = (numpy_similarities(seen.numpy()) - numpy_similarities(np.eye(4)[labels])) ** 2
    with torch.no_grad():
        found = float(signal(output, Batch(output, labels)))
    assert found == pytest.approx(expected.mean(), rel=1e-4)


def test_outputs_as_alike_as_their_labels_have_no_similarity_loss():
    signal = similarity_matching.build(site((4,), 4))
    with torch.no_grad():
        signal.head.weight.copy_(torch.eye(4))
    labels = torch.tensor([0, 1, 2, 3, 3, 1])
    output = 5 * functional.one_hot(labels, 4).float()
    with torch.no_grad():
        assert float(signal(output, Batch(output, labels))) == pytest.approx(0, abs=1e-10)


@pytest.mark.parametrize(("shape", "features"), [((64, 14, 14), 64 * 25), ((9,), 9)])
def test_prediction_mixes_in_a_classifier_of_at_most_2048_values(shape, features):
    torch.manual_seed(4)
    signal = similarity_matching.build(site(shape, 10), prediction=0.25)
    assert signal.classifier.in_features == features
    output, labels = torch.rand(5, *shape), torch.arange(5)
    batch = Batch(output, labels)
    alone = similarity_matching.build(site(shape, 10))
    alone.head.load_state_dict(signal.head.state_dict())
    pooled = functional.adaptive_avg_pool2d(output, 5) if len(shape) == 3 else output
    said = functional.cross_entropy(signal.classifier(pooled.flatten(1)), labels)
    assert torch.allclose(signal(output, batch), 0.75 * alone(output, batch) + 0.25 * said)


@pytest.mark.parametrize("shape", [(5,), (2, 3, 3)])
def test_the_gradient_of_similarity_matching_is_that_of_finite_differences(shape):
    torch.manual_seed(5)
    signal = similarity_matching.build(site(shape, 3), prediction=0.1).double()
    output = torch.rand(4, *shape, dtype=torch.float64, requires_grad=True)
    batch = Batch(output, torch.tensor([0, 1, 2, 0]))
    assert torch.autograd.gradcheck(lambda h: signal(h, batch), (output,))
