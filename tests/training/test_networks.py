"""The networks of the decoupled learning study: sizes as published, shapes, and what they compute."""

import itertools
import re

import pytest
import torch
from torch.nn import functional

from sidestep.building import shapes_of
from sidestep.contract import Model
from sidestep.cost import parameters
from sidestep.errors import UserError
from sidestep.registry import load
from sidestep.settings import stages_of
from sidestep.strategies import blockwise

COLOUR = (3, 32, 32)
# Columns A, B, D and E of table 1 of Simonyan & Zisserman (2015).
CONVOLUTIONS = {"vgg11": 8, "vgg13": 10, "vgg16": 13, "vgg19": 16}
SMALL = {
    "basic_cnn": {"channels": 3, "hidden": 5},
    "dgl_cnn": {"channels": 3},
    "four_layer_cnn": {"channels": 3},
    "vgg11": {"width": 3},
    "vgg11c": {"width": 3, "hidden": 5},
    "vgg13": {"width": 3},
    "vgg16": {"width": 3},
    "vgg19": {"width": 3},
}


def built(name, shape=COLOUR, classes=10, **settings):
    torch.manual_seed(0)
    return load("networks", name).build(shape, classes, **settings)


def model(network, shape):
    return Model(network, shapes_of(network, shape), 10)


def maps(name):
    """Channels and side of each stage's output at 32 × 32, the classifier left out."""
    return [shape[:2] for shape in shapes_of(built(name), COLOUR)[1:-1]]


@pytest.mark.parametrize(
    ("name", "below", "classifier"),
    [
        ("basic_cnn", 829_952, 527_114),
        ("dgl_cnn", 829_952, 128 * 10 + 10),
        ("vgg16", 14_723_136, 5_130),
        ("vgg11c", 9_225_984, 8_399_882),
    ],
)
def test_sizes_are_the_published_ones(name, below, classifier):
    network = built(name)
    assert parameters(network[:-1]) == below
    assert parameters(network[-1]) == classifier
    assert parameters(network) == below + classifier


def test_sizes_of_whole_networks_as_published():
    assert parameters(built("basic_cnn")) == 1_357_066
    assert parameters(built("dgl_cnn")) == 831_242


def vgg_size(channels):
    """Weights, biases and two of batch normalisation for each convolution; a linear classifier."""
    pairs = itertools.pairwise([3, *channels])
    return sum(9 * a * b + 3 * b for a, b in pairs) + 512 * 10 + 10


@pytest.mark.parametrize(
    ("name", "channels"),
    [
        ("vgg11", [64, 128, 256, 256, 512, 512, 512, 512]),
        ("vgg13", [64, 64, 128, 128, 256, 256, 512, 512, 512, 512]),
        ("vgg16", [64, 64, 128, 128, 256, 256, 256] + 6 * [512]),
        ("vgg19", [64, 64, 128, 128, 256, 256, 256, 256] + 8 * [512]),
    ],
)
def test_sizes_of_vgg_by_a_formula_of_their_own(name, channels):
    assert len(channels) == CONVOLUTIONS[name]
    assert parameters(built(name)) == vgg_size(channels)
    assert [depth for depth, _ in maps(name)] == channels


def test_size_of_the_four_layer_network_by_a_formula_of_its_own():
    pairs = itertools.pairwise([3, 64, 128, 128, 256])
    below = sum(9 * a * b + 3 * b for a, b in pairs)
    wide = 4 * 256
    classifier = 2 * (wide * wide + 3 * wide) + 10 * wide + 10
    assert parameters(built("four_layer_cnn")) == below + classifier == 2_633_098


def test_stages_at_32_pixels_have_the_published_maps():
    assert maps("basic_cnn") == [(128, 16), (128, 8), (128, 4)]
    assert maps("dgl_cnn") == [(128, 10), (128, 3), (128, 1)]
    # Its pools open a stage, so that signals read before them.
    assert maps("four_layer_cnn") == [(64, 32), (128, 16), (128, 16), (256, 8)]
    assert maps("vgg11c")[:4] == [(64, 32), (128, 16), (256, 16), (256, 8)]
    assert maps("vgg11c")[4:] == [(512, 8), (512, 8), (512, 8), (512, 4)]
    assert [side for _, side in maps("vgg11")] == [16, 8, 8, 4, 4, 2, 2, 1]
    assert [side for _, side in maps("vgg13")] == [32, 16, 16, 8, 8, 4, 4, 2, 2, 1]
    assert [side for _, side in maps("vgg16")] == [32, 16, 16, 8, 8, 8, 4, 4, 4, 2, 2, 2, 1]
    deep = [32, 16, 16, 8, 8, 8, 8, 4, 4, 4, 4, 2, 2, 2, 2, 1]
    assert [side for _, side in maps("vgg19")] == deep


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 9, 13), (1, 28, 28), COLOUR])
@pytest.mark.parametrize("name", SMALL)
def test_networks_take_images_of_other_sizes(name, shape):
    network = built(name, shape, 7, **SMALL[name])
    assert tuple(key for key, _ in network.named_children()) == stages_of(name)
    images = torch.randn(4, *shape, requires_grad=True)
    logits = network(images)
    assert logits.shape == (4, 7) and torch.isfinite(logits).all()
    logits.square().sum().backward()
    for parameter in network.parameters():
        assert parameter.grad is not None and torch.isfinite(parameter.grad).all()


@pytest.mark.parametrize("shape", [(1, 7, 8), (1, 8, 7)])
def test_the_four_layer_network_refuses_images_that_leave_nothing_to_average(shape):
    sides = f"{shape[1]} × {shape[2]}"
    with pytest.raises(UserError, match=f"at least 8 × 8 pixels, but these have {sides}"):
        built("four_layer_cnn", shape)


def moved(network):
    """The network with statistics and scales that are not those it starts with, in evaluation mode."""
    generator = torch.Generator().manual_seed(1)
    for key, value in network.state_dict().items():
        if "normalisation" in key and value.is_floating_point():
            value.copy_(torch.rand(value.shape, generator=generator) + 0.5)
    return network.eval()


def normalised(hidden, state, name):
    names = ("running_mean", "running_var", "weight", "bias")
    return functional.batch_norm(hidden, *(state[f"{name}.{key}"] for key in names))


def dense(hidden, state, name):
    return functional.linear(hidden, state[f"{name}.weight"], state[f"{name}.bias"])


def convolved(hidden, state, stage, padding):
    key = f"{stage}.convolution"
    hidden = functional.conv2d(hidden, state[f"{key}.weight"], state[f"{key}.bias"], 1, padding)
    return functional.relu(normalised(hidden, state, f"{stage}.normalisation"))


def agree(network, expected, images):
    # In float64 a wrong constant shows, such as that of batch normalisation's denominator.
    torch.testing.assert_close(network(images), expected, rtol=1e-10, atol=1e-10)


@pytest.fixture
def images():
    return torch.randn(5, *COLOUR, generator=torch.Generator().manual_seed(2), dtype=torch.float64)


@pytest.mark.parametrize(("name", "size"), [("basic_cnn", 2), ("dgl_cnn", 3)])
def test_the_networks_of_three_blocks_compute_what_is_published(name, size, images):
    network = moved(built(name, **SMALL[name]).double())
    state, hidden = network.state_dict(), images
    for block in (1, 2, 3):
        hidden = convolved(hidden, state, f"block{block}", 2)
        of_means = name == "dgl_cnn" and block > 1
        hidden = (functional.avg_pool2d if of_means else functional.max_pool2d)(hidden, size)
    hidden = hidden.flatten(1)
    if name == "basic_cnn":
        hidden = functional.relu(dense(hidden, state, "classifier.hidden"))
    agree(network, dense(hidden, state, "classifier.linear"), images)


def test_vgg16_computes_what_is_published(images):
    network = moved(built("vgg16", width=3).double())
    state, hidden = network.state_dict(), images
    for number in range(1, 14):
        hidden = convolved(hidden, state, f"conv{number}", 1)
        if number in (2, 4, 7, 10, 13):
            hidden = functional.max_pool2d(hidden, 2)
    agree(network, dense(hidden.flatten(1), state, "classifier.linear"), images)


def test_vgg11c_computes_what_is_published(images):
    network = moved(built("vgg11c", **SMALL["vgg11c"]).double())
    state, hidden = network.state_dict(), images
    for number in range(1, 9):
        hidden = convolved(hidden, state, f"conv{number}", 1)
        if number in (2, 4, 8):
            hidden = functional.max_pool2d(hidden, 2)
    hidden = functional.relu(dense(hidden.flatten(1), state, "classifier.hidden"))
    agree(network, dense(hidden, state, "classifier.linear"), images)


@pytest.mark.parametrize("side", [8, 9, 13, 28, 32])
def test_the_four_layer_network_computes_what_is_published(side):
    generator = torch.Generator().manual_seed(2)
    images = torch.randn(5, 3, side, side, generator=generator, dtype=torch.float64)
    network = moved(built("four_layer_cnn", (3, side, side), channels=3).double())
    state, hidden = network.state_dict(), images
    for number in (1, 2, 3, 4):
        if number in (2, 4):
            hidden = functional.max_pool2d(hidden, 2)
        hidden = convolved(hidden, state, f"conv{number}", 1)
    hidden = functional.adaptive_avg_pool2d(hidden, 2).flatten(1)
    for layer in (1, 2):
        hidden = dense(hidden, state, f"classifier.hidden{layer}")
        hidden = functional.relu(normalised(hidden, state, f"classifier.normalisation{layer}"))
    agree(network, dense(hidden, state, "classifier.linear"), images)


def test_blocks_drop_no_stage_wherever_they_end():
    """The original lost the layers that a division left over, and its last block the classifier."""
    network = model(built("vgg11", width=1), COLOUR)
    names = network.stages
    subsets = itertools.chain.from_iterable(
        itertools.combinations(names, count) for count in range(len(names) + 1)
    )
    for ends in subsets:
        (phase,) = blockwise.phases(
            network, signal={"name": "sub_model"}, order="together", ends=ends
        )
        blocks = [range(o.first, o.at + 1) for o in phase.objectives]
        assert list(itertools.chain.from_iterable(blocks)) == list(range(len(names))), ends
        assert names.index("classifier") in blocks[-1]
        lasts = {names[block[-1]] for block in blocks}
        assert lasts == {*(ends or names), "classifier"}


def test_blocks_that_end_after_every_convolution_but_the_last_leave_it_the_linear_classifier():
    network = model(built("vgg16", width=1), COLOUR)
    ends = tuple(f"conv{number}" for number in range(1, 13))
    (phase,) = blockwise.phases(network, signal={"name": "sub_model"}, order="together", ends=ends)
    last = phase.objectives[-1]
    assert network.stages[last.first : last.at + 1] == ("conv13", "classifier")
    # The true loss reads the classifier's logits: there is no head between them.
    assert parameters(last.signal) == 0
    linear = [part for part in network.network[-1] if list(part.parameters())]
    assert len(linear) == 1


@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_vgg_has_a_stage_for_each_convolution(name):
    stages = stages_of(name)
    assert stages[-1] == "classifier"
    assert all(re.fullmatch(r"conv\d+", stage) for stage in stages[:-1])
    assert len(stages) == CONVOLUTIONS[name] + 1
