"""Decoupled learning: heads, synthetic gradients, reconstruction and none, against hand computations."""

import itertools
import math

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from made_sites import site
from sidestep.contract import Batch, Model
from sidestep.cost import parameters
from sidestep.errors import UserError
from sidestep.heads import cnn, linear, mlp, mlp_sr, synthesizer
from sidestep.signals import nothing, reconstruction, synthetic_gradient, true_loss
from sidestep.strategies import blockwise, end_to_end
from sidestep.training.step import learn, plan

SHAPES = ((2, 8, 8), (4, 4, 4), (6, 2, 2), (10,), (5,))
CLASSES = 5


def made_model(seed=0):
    """Two convolutions, a dense stage and logits; batch norm and pools too."""
    torch.manual_seed(seed)
    conv = [
        nn.Sequential(nn.Conv2d(a, b, 3, padding=1), nn.BatchNorm2d(b), nn.ReLU(), nn.MaxPool2d(2))
        for a, b in ((2, 4), (4, 6))
    ]
    dense = nn.Sequential(nn.Flatten(), nn.Linear(24, 10), nn.ReLU())
    return Model(nn.Sequential(*conv, dense, nn.Linear(10, 5)), SHAPES, CLASSES)


@pytest.fixture
def batch():
    torch.manual_seed(7)
    return Batch(torch.randn(12, 2, 8, 8), torch.arange(12) % CLASSES)


def together(model, seed=1, **signal):
    torch.manual_seed(seed)
    return blockwise.phases(model, signal=signal, order="together")


def signals_of(phases):
    return [objective.signal for objective in phases[0].objectives]


def gradients(model, phases, batch):
    planned = plan(list(model.network), phases[0])
    planned.set_modes()
    learn(planned, batch)
    return [[p.grad for p in stage.parameters()] for stage in model.network]


def flat(stages):
    return list(itertools.chain.from_iterable(stages))


def listen(signals):
    """Keeps the output and the feedback that each signal gets."""
    heard = {}
    for index, signal in enumerate(signals):
        signal.register_forward_pre_hook(
            lambda _, given, index=index: heard.update({index: (given[0], given[1].feedback)})
        )
    return heard


def awake(signal, seed=3):
    """Gives the zero layers of a synthesizer weights."""
    torch.manual_seed(seed)
    for parameter in signal.parameters():
        if not parameter.any():
            nn.init.normal_(parameter, std=0.1)


# Heads


@pytest.mark.parametrize(
    ("head", "shape", "number"),
    [
        (mlp.build, (128, 16, 16), 8_391_434),
        (mlp.build, (128, 8, 8), 2_099_978),
        (synthesizer.build, (128, 10, 10), 1_230_986),
    ],
)
def test_heads_have_the_published_number_of_parameters(head, shape, number):
    assert parameters(head(site(shape, 10))) == number


def test_the_heads_of_belilovsky_have_the_parameters_that_their_layers_have():
    at = site((12, 10, 10), 10)
    hidden = 3 * (48 * 48 + 48 + 2 * 48) + 48 * 10 + 10
    found = mlp.build(at, depth=3, width=0, batch_norm=True, pool="two_by_two")
    assert parameters(found) == hidden
    assert parameters(mlp_sr.build(at)) == hidden + 3 * (12 * 12 + 2 * 12)
    assert parameters(cnn.build(at)) == 2 * (9 * 12 * 12 + 24) + 24 + 48 * 10 + 10
    assert parameters(cnn.build(at, depth=1, width=7)) == 9 * 12 * 7 + 14 + 14 + 28 * 10 + 10


@pytest.mark.parametrize("shape", [(7,), (3, 4, 5)])
def test_a_perceptron_without_hidden_layers_is_the_linear_head(shape):
    torch.manual_seed(0)
    one = mlp.build(site(shape, 4), depth=0)
    torch.manual_seed(0)
    other = linear.build(site(shape, 4))
    output = torch.rand(6, *shape)
    assert torch.equal(one(output), other(output))


def adaptive(maps, side):
    """Averages over windows from floor(i·size/side) to ceil((i + 1)·size/side), in NumPy."""
    size = maps.shape[-1]
    edges = [(i * size // side, -(-(i + 1) * size // side)) for i in range(side)]
    rows = [[maps[..., a:b, c:d].mean((2, 3)) for c, d in edges] for a, b in edges]
    return np.stack([np.stack(row, -1) for row in rows], -2)


@pytest.mark.parametrize("size", [16, 10, 7, 3, 1])
def test_a_perceptron_pools_to_a_quarter_and_then_to_two_by_two(size):
    torch.manual_seed(1)
    head = mlp.build(site((3, size, size), 4), pool="two_by_two", width=9)
    output = torch.rand(5, 3, size, size)
    quarter = -(-size // 4)
    pooled = adaptive(adaptive(output.numpy(), quarter), min(2, quarter)).reshape(5, -1)
    first, second = (part for part in head if isinstance(part, nn.Linear))
    hidden = functional.linear(torch.tensor(pooled), first.weight, first.bias).relu()
    assert torch.allclose(head(output), second(hidden), atol=1e-6)


def test_two_pools_are_not_one_where_sizes_do_not_divide():
    maps = torch.rand(1, 1, 10, 10)
    twice = functional.adaptive_avg_pool2d(functional.adaptive_avg_pool2d(maps, 3), 2)
    assert not torch.allclose(twice, functional.adaptive_avg_pool2d(maps, 2))


def normalised(values):
    """Batch norm as it starts, over all but the channels."""
    axes = [0, *range(2, values.ndim)]
    variance, mean = torch.var_mean(values, axes, keepdim=True, correction=0)
    return (values - mean) / (variance + 1e-5).sqrt()


def test_the_spatially_reduced_head_is_what_a_hand_computes():
    torch.manual_seed(2)
    head = mlp_sr.build(site((3, 16, 16), 4), convolutions=1, depth=1)
    output = torch.rand(6, 3, 16, 16)
    convolution = next(part for part in head if isinstance(part, nn.Conv2d))
    first, second = (part for part in head if isinstance(part, nn.Linear))
    few = torch.tensor(adaptive(output.numpy(), 4))
    maps = torch.einsum("oi,nihw->nohw", convolution.weight[:, :, 0, 0], few)
    fewer = normalised(maps).relu().reshape(6, 3, 2, 2, 2, 2).mean((3, 5))
    hidden = normalised(first(fewer.flatten(1))).relu()
    assert torch.allclose(head(output), second(hidden), atol=1e-5)


def test_the_convolutional_head_is_what_a_hand_computes():
    torch.manual_seed(3)
    head = cnn.build(site((3, 6, 6), 4), depth=1, width=5)
    output = torch.rand(6, 3, 6, 6)
    weight = next(part for part in head if isinstance(part, nn.Conv2d)).weight
    maps = normalised(functional.conv2d(output, weight, padding=1)).relu()
    pooled = normalised(maps.reshape(6, 5, 2, 3, 2, 3).mean((3, 5)))
    assert torch.allclose(head(output), head[-1](pooled.flatten(1)), atol=1e-5)


def test_the_head_of_a_synthesizer_says_nothing_at_first_and_averages_then():
    torch.manual_seed(4)
    head = synthesizer.build(site((3, 4, 4), 5))
    output = torch.rand(6, 3, 4, 4)
    assert torch.equal(head(output), head[-1].bias.expand(6, 5))
    awake(head)
    assert torch.allclose(head(output), head[-1](head[0](output).mean((2, 3))), atol=1e-6)


# Synthetic gradients


@pytest.mark.parametrize(("context", "number"), [("labels", 1_231_104), ("none", 1_229_696)])
def test_synthesizers_have_the_published_number_of_parameters(context, number):
    signal = synthetic_gradient.build(site((128, 8, 8), 10), context=context)
    assert parameters(signal) == number
    assert signal.needs_labels is (context == "labels")


@pytest.mark.parametrize("context", ["none", "labels"])
@pytest.mark.parametrize("depth", [0, 1, 2])
@pytest.mark.parametrize("kind", ["fitting", "dense"])
def test_the_first_prediction_is_zero(kind, depth, context):
    signal = synthetic_gradient.build(
        site((3, 4, 4), 5), synthesizer=kind, depth=depth, context=context, hidden=7
    )
    output = torch.rand(5, 3, 4, 4)
    found = signal.synthesizer(output, torch.arange(5))
    assert found.shape == output.shape and not found.any()


def test_the_first_step_teaches_the_last_block_only(batch):
    model = made_model()
    *below, last = gradients(model, together(model, name="synthetic_gradient"), batch)
    assert all(not gradient.any() for stage in below for gradient in stage)
    assert all(gradient.any() for gradient in last)


@pytest.mark.parametrize("scale", ["unit", "raw"])
@pytest.mark.parametrize("shape", [(6,), (3, 4, 4)])
def test_the_output_gets_the_prediction_as_its_gradient_and_no_part_of_the_error(shape, scale):
    signal = synthetic_gradient.build(site(shape, 5), scale=scale, regression=3.0)
    awake(signal)
    output = torch.rand(8, *shape, requires_grad=True)
    given = Batch(torch.rand(8, 1), torch.arange(8) % 5, torch.randn(8, *shape))
    signal(output, given).backward()
    predicted = signal.synthesizer(output.detach()).detach()
    if scale == "unit":
        predicted = predicted / (8 * math.sqrt(math.prod(shape)))
    assert predicted.any() and torch.equal(output.grad, predicted)


@pytest.mark.parametrize("scale", ["unit", "raw"])
def test_the_error_is_what_numpy_says(scale):
    signal = synthetic_gradient.build(site((3, 2, 2), 5), scale=scale, regression=0.5)
    awake(signal)
    torch.manual_seed(5)
    output, feedback = torch.rand(8, 3, 2, 2), torch.randn(8, 3, 2, 2)
    with torch.no_grad():
        loss = float(signal(output, Batch(output, torch.arange(8), feedback)))
        said = signal.synthesizer(output).numpy().astype(float)
    true, values = feedback.numpy().astype(float), output.numpy()
    if scale == "raw":
        expected = (values * said).sum() + 0.5 * ((said - true) ** 2).sum() / 8
    else:
        factor = 8 * 12**0.5
        error = ((said - factor * true) ** 2).mean()
        expected = (values * said).sum() / factor + 0.5 * error
    assert loss == pytest.approx(expected, rel=1e-5)


class Oracle(nn.Module):
    """Knows the true gradient, times what a synthesizer predicts of it."""

    def __init__(self, factor):
        super().__init__()
        self.factor, self.feedback = factor, None

    def forward(self, output, _):
        return self.feedback.reshape(output.shape) * self.factor(output)


@pytest.mark.parametrize("scale", ["raw", "unit"])
def test_true_gradients_instead_of_predictions_are_back_propagation(batch, scale):
    model = made_model()
    phases = together(model, name="synthetic_gradient", scale=scale)
    for signal in signals_of(phases)[:-1]:
        signal.synthesizer = Oracle(signal.factor)
        signal.register_forward_pre_hook(
            lambda module, given: setattr(module.synthesizer, "feedback", given[1].feedback)
        )
    found = gradients(model, phases, batch)
    other = made_model()
    expected = gradients(other, end_to_end.phases(other), batch)
    for ours, theirs in zip(flat(found), flat(expected), strict=True):
        assert theirs.any()
        if scale == "raw":
            assert torch.equal(ours, theirs)
        else:
            assert torch.allclose(ours, theirs, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("context", ["none", "labels"])
def test_feedback_is_bootstrapped_from_the_block_above(batch, context):
    model = made_model()
    phases = together(model, name="synthetic_gradient", context=context)
    signals = signals_of(phases)
    for signal in signals:
        awake(signal)
    heard = listen(signals)
    gradients(model, phases, batch)
    labels = batch.labels if context == "labels" else None
    for index in (0, 1, 2):
        entry = heard[index][0].detach().requires_grad_()
        output = model.network[index + 1](entry)
        if index == 2:
            above = torch.autograd.grad(functional.cross_entropy(output, batch.labels), output)[0]
        else:
            upper = signals[index + 1]
            above = upper.synthesizer(output.detach(), labels).detach() / upper.factor(output)
        expected = torch.autograd.grad(output, entry, above)[0]
        assert expected.any() and torch.allclose(heard[index][1], expected, rtol=1e-5, atol=1e-9)
    assert heard[3][1] is None


def test_a_context_of_zero_changes_nothing(batch):
    found = []
    for context in ("labels", "none"):
        model = made_model()
        phases = together(model, name="synthetic_gradient", context=context)
        for signal in signals_of(phases)[:-1]:
            if signal.synthesizer.context is not None:
                for parameter in signal.synthesizer.context.parameters():
                    nn.init.zeros_(parameter)
            # Drawn by hand, since a signal without context draws fewer numbers.
            torch.manual_seed(11)
            for name, parameter in signal.named_parameters():
                if "context" not in name:
                    nn.init.normal_(parameter, std=0.1)
        found.append(flat(gradients(model, phases, batch)))
    for ours, theirs in zip(*found, strict=True):
        assert ours.any() and torch.equal(ours, theirs)


def test_the_same_seed_gives_the_same_synthesizer_with_context_and_without():
    states = []
    for context in ("labels", "none"):
        torch.manual_seed(12)
        states.append(synthetic_gradient.build(site((3, 4, 4), 5), context=context).state_dict())
    assert all(torch.equal(value, states[0][name]) for name, value in states[1].items())


@pytest.mark.parametrize("shape", [(6,), (3, 4, 4)])
def test_labels_are_added_to_the_first_layer(shape):
    signal = synthetic_gradient.build(site(shape, 5), context="labels", hidden=4)
    awake(signal)
    network, labels = signal.synthesizer, torch.tensor([1, 4, 1])
    output = torch.rand(3, *shape)
    said = network.context.weight[:, labels].T + network.context.bias
    first = network.first(output)
    expected = network.rest(first + said.reshape(3, 4, *[1] * (len(shape) - 1)))
    assert torch.allclose(network(output, labels), expected)
    with pytest.raises(ValueError, match="context is labels got none"):
        network(output)


@pytest.mark.parametrize("shape", [(6,), (3, 2, 2)])
def test_a_synthesizer_learns_the_gradient_of_a_fixed_linear_problem(shape):
    torch.manual_seed(6)
    signal = synthetic_gradient.build(site(shape, 5), context="labels", hidden=24)
    readout = torch.randn(math.prod(shape), 5)
    optimiser = torch.optim.Adam(signal.parameters(), lr=0.01)
    output = torch.randn(64, *shape)
    labels = (output.flatten(1) @ torch.randn(math.prod(shape), 5)).argmax(1)
    leaf = output.clone().requires_grad_()
    loss = functional.cross_entropy(leaf.flatten(1) @ readout, labels)
    feedback = torch.autograd.grad(loss, leaf)[0]
    errors = []
    for _ in range(80):
        optimiser.zero_grad()
        predicted = signal.synthesizer(output, labels).detach()
        errors.append(float((predicted / signal.factor(output) - feedback).square().mean()))
        signal(output, Batch(output, labels, feedback)).backward()
        optimiser.step()
    assert errors[0] == pytest.approx(float(feedback.square().mean()))
    assert errors[-1] < 0.1 * errors[0]
    # What unit scale is for: the target is of the order of 1.
    assert 0.1 < float((feedback * signal.factor(output)).square().mean().sqrt()) < 10


def test_the_kind_of_synthesizer_fits_or_is_refused():
    kinds = {
        shape: synthetic_gradient.build(site(shape, 5)).synthesizer.convolutional
        for shape in ((6,), (3, 4, 4))
    }
    assert kinds == {(6,): False, (3, 4, 4): True}
    dense = synthetic_gradient.build(site((3, 4, 4), 5), synthesizer="dense", hidden=7, depth=1)
    assert parameters(dense) == 48 * 7 + 7 + 7 * 48 + 48
    with pytest.raises(UserError, match="needs maps but the stage gives a vector of 6"):
        synthetic_gradient.build(site((6,), 5), synthesizer="convolutional")


def test_synthetic_gradients_are_refused_without_the_block_above():
    model = made_model()
    phases = blockwise.phases(model, signal={"name": "synthetic_gradient"}, order="in_turn")
    with pytest.raises(UserError, match="train the blocks together"):
        plan(list(model.network), phases[0])
    signal = synthetic_gradient.build(site((6,), 5))
    with pytest.raises(ValueError, match="no feedback"):
        signal(torch.rand(2, 6), Batch(torch.rand(2, 6), torch.arange(2)))


# Reconstruction


@pytest.mark.parametrize(
    ("depth", "sides", "pixels"),
    [
        (0.0, (32, 32), (5, 5)),
        (1.0, (32, 32), (16, 16)),
        (0.5, (32, 32), (10, 10)),
        (1.0, (8, 12), (4, 6)),
    ],
)
def test_the_target_is_rolled_along_both_axes(depth, sides, pixels):
    torch.manual_seed(8)
    images = torch.rand(3, 2, *sides)
    signal = reconstruction.build(site((4, 4, 4), 5, (2, *sides), depth), shift="rising")
    rolled = np.roll(images.numpy(), pixels, axis=(2, 3))
    signal.decoder = nn.Identity()
    loss = signal(torch.tensor(rolled), Batch(images, torch.zeros(3)))
    assert float(loss) == 0 and signal(images, Batch(images, torch.zeros(3))) > 0


def test_the_loss_is_the_mean_absolute_difference_and_zero_at_the_image():
    signal = reconstruction.build(site((4, 4, 4), 5, (2, 8, 8)))
    signal.decoder = nn.Identity()
    torch.manual_seed(9)
    images, output = torch.rand(2, 3, 2, 8, 8)
    assert signal.needs_labels is False and not signal.shift[0]
    assert float(signal(images, Batch(images, torch.zeros(3)))) == 0
    found = float(signal(output, Batch(images, torch.zeros(3))))
    assert found == pytest.approx(np.abs(output.numpy() - images.numpy()).mean(), rel=1e-5)


def test_a_classifier_is_mixed_in_by_its_weight():
    torch.manual_seed(10)
    signal = reconstruction.build(site((4, 4, 4), 5, (2, 8, 8)), prediction=0.3, width=7)
    assert signal.needs_labels is True
    images, output, labels = torch.rand(6, 2, 8, 8), torch.rand(6, 4, 4, 4), torch.arange(6) % 5
    apart = (signal.decoder(output) - images).abs().mean()
    said = functional.cross_entropy(signal.classifier(output), labels)
    assert parameters(signal.classifier) == 64 * 7 + 7 + 7 * 5 + 5
    assert torch.allclose(signal(output, Batch(images, labels)), 0.7 * apart + 0.3 * said)


@pytest.mark.parametrize(
    ("shape", "image", "channels"),
    [
        ((64, 4, 4), (3, 32, 32), [64, 32, 16, 8, 3]),
        ((8, 8, 8), (3, 32, 32), [8, 4, 3, 3]),
        ((16, 32, 32), (3, 32, 32), [16, 3]),
        ((10,), (1, 8, 8), [10, 5, 2, 1, 1]),
        ((6, 3, 3), (1, 28, 28), [6, 3, 1, 1, 1, 1]),
    ],
)
def test_decoders_double_the_size_and_halve_the_channels(shape, image, channels):
    torch.manual_seed(13)
    signal = reconstruction.build(site(shape, 5, image))
    layers = [p for p in signal.decoder if isinstance(p, nn.ConvTranspose2d | nn.Conv2d)]
    assert [layer.in_channels for layer in layers] + [layers[-1].out_channels] == channels
    loss = signal(torch.rand(4, *shape), Batch(torch.rand(4, *image), torch.zeros(4)))
    assert torch.isfinite(loss)


# Nothing, and blocks that do not touch each other


def test_nothing_leaves_weights_and_lets_batch_statistics_follow(batch):
    model = made_model()
    phases = together(model, name="nothing")
    *below, last = gradients(model, phases, batch)
    assert all(not gradient.any() for stage in below for gradient in stage)
    assert all(gradient.any() for gradient in last)
    assert model.network[0][1].running_mean.any()
    assert not nothing.build(site((3,), 4)).needs_labels


@pytest.mark.parametrize("taught", [0, 1, 2, 3])
def test_a_block_learns_from_its_own_loss_only(batch, taught):
    model = made_model()
    phases = together(model, name="auxiliary_classifier", head={"name": "mlp", "width": 8})
    for index, signal in enumerate(signals_of(phases)):
        # All losses but one are multiplied by zero: what moves then has learned from that one.
        weight = float(index == taught)
        signal.register_forward_hook(lambda _, __, loss, weight=weight: loss * weight)
    for index, stage in enumerate(gradients(model, phases, batch)):
        assert all(bool(gradient.any()) is (index == taught) for gradient in stage[-2:])
        assert index == taught or not any(gradient.any() for gradient in stage)


@pytest.mark.parametrize("name", ["synthetic_gradient", "reconstruction", "nothing"])
def test_a_network_without_cuts_is_taught_end_to_end(batch, name):
    found = []
    for strategy in ("blockwise", "end_to_end"):
        model = made_model()
        phases = (
            blockwise.phases(model, signal={"name": name}, order="together", ends=["3"])
            if strategy == "blockwise"
            else end_to_end.phases(model)
        )
        assert isinstance(signals_of(phases)[-1], true_loss.TrueLoss)
        found.append(flat(gradients(model, phases, batch)))
    for ours, theirs in zip(*found, strict=True):
        assert torch.equal(ours, theirs)
