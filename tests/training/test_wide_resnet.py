"""The wide residual network: counts as published, what it computes, budgets, smaller ones that match."""

import itertools
import math

import pytest
import torch
from torch import nn
from torch.nn import functional

from sidestep import counting
from sidestep.budgets import size_for
from sidestep.building import shapes_of
from sidestep.cost import mult_adds_forward, parameters, stored_bytes
from sidestep.errors import UserError
from sidestep.networks import wide_resnet
from sidestep.networks.shared import matched
from sidestep.registry import load, names
from sidestep.settings import faults, stages_of

COLOUR = (3, 32, 32)
DENSE = {"name": "dense"}
WIDE = {"depth": 28, "width": 10}
SMALL = {"depth": 10, "width": 1}


def built(shape=COLOUR, classes=10, **settings):
    torch.manual_seed(0)
    return wide_resnet.build(shape, classes, **{"layer": DENSE, **settings})


def unmade(shape=COLOUR, **settings):
    """A network of any size without memory for its weights."""
    with torch.device("meta"):
        return built(shape, **settings)


def substitutions(shape=COLOUR, **settings):
    return wide_resnet.substitutions(shape, 10, **settings)


def fixed(found, depth=28, width=10):
    """Parameters of what is never replaced."""
    dense = matched.parameters(depth, matched.group_channels(width))
    return dense - sum(item.dense for item in found)


def total(found, **shape):
    return fixed(found, **shape) + sum(item.parameters for item in found)


def activations(depth, width):
    """Values behind all ReLUs at 32 × 32: each block has two, and the logits have one."""
    n = (depth - 4) // 6
    groups = [16 * width * 32**2, 32 * width * 16**2, 64 * width * 8**2]
    return 16 * 32**2 + 2 * n * sum(groups)


@pytest.mark.parametrize(
    ("depth", "width", "layer", "size", "printed"),
    [
        (28, 10, "dense", 36_479_194, "5.24564E+09"),
        (28, 10, "separable", 4_380_138, "6.29697E+08"),
        (40, 2, "dense", 2_243_546, "3.28304E+08"),
    ],
)
def test_counts_are_the_published_ones(depth, width, layer, size, printed):
    network = unmade(depth=depth, width=width, layer={"name": layer})
    found = counting.totals(counting.count(network, COLOUR))
    assert found.parameters == parameters(network) == size
    # The older work counted each ReLU as a multiply-add (trap T2-9), and the classifier's biases.
    theirs = found.mult_adds + activations(depth, width) + 10
    assert f"{theirs:.5E}" == printed
    assert f"{found.mult_adds:.5E}" != printed


def test_published_sizes_with_hashed_weights_have_biases_that_ours_have_not():
    shared = substitutions(**WIDE, layer={"name": "hashed"}, budget=0.1)
    # A bias before batch normalisation does nothing (trap T2-2): one for each output of 24 layers.
    biases = sum(item.convolution.outputs for item in shared)
    assert len(shared) == 24 and biases == 8_960
    assert total(shared) == 3_911_898 - biases == 3_902_938
    few = substitutions(**WIDE, layer={"name": "hashed"}, budget=0.01)
    assert total(few) == 654_272 - biases
    separated = substitutions(**WIDE, layer={"name": "separable_hashed"}, budget=0.1)
    assert total(separated) == 3_911_898 - biases


@pytest.mark.parametrize(("share", "size"), [(5, 568_426), (20, 1_171_690), (50, 2_378_218)])
def test_published_sizes_with_free_depthwise_parts(share, size):
    """The older work's shares were then of the 1×1 convolution, and depthwise parts came on top."""
    places = substitutions(**WIDE, layer={"name": "separable"})
    layer = load("layers", "separable_hashed")
    reached = 0
    for item in places:
        mixing = item.convolution.inputs * item.convolution.outputs * share // 100
        reached += size_for(layer, item.convolution, mixing, count_depthwise=False).parameters
    assert fixed(places) + reached == size - 8_960


def test_published_size_of_a_low_rank_of_a_tenth_of_the_channels():
    layer = load("layers", "low_rank")
    places = [item.convolution for item in substitutions(**WIDE, layer={"name": "separable"})]
    ranks = [max(c.inputs, c.outputs) // 10 for c in places]
    found = sum(layer.parameters(c, rank) for c, rank in zip(places, ranks, strict=True))
    assert fixed(substitutions(**WIDE, layer={"name": "separable"})) + found == 1_190_634


def test_stages_and_maps():
    network = built(**SMALL)
    assert tuple(key for key, _ in network.named_children()) == stages_of("wide_resnet")
    wide = [(16, 32, 32), (32, 32, 32), (64, 16, 16), (128, 8, 8), (10,)]
    assert list(shapes_of(built(depth=10, width=2), COLOUR)[1:]) == wide
    small = [(16, 8, 8), (16, 8, 8), (32, 4, 4), (64, 2, 2), (10,)]
    assert list(shapes_of(built((1, 8, 8), **SMALL), (1, 8, 8))[1:]) == small


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 9, 13), (1, 28, 28), COLOUR])
@pytest.mark.parametrize("layer", ["dense", "separable"])
def test_it_takes_images_of_other_sizes_and_teaches_everything(shape, layer):
    network = built(shape, 7, depth=16, width=1, layer={"name": layer}, dropout=0.3)
    logits = network(torch.randn(4, *shape))
    assert logits.shape == (4, 7) and torch.isfinite(logits).all()
    logits.square().sum().backward()
    for key, parameter in network.named_parameters():
        assert parameter.grad is not None and torch.isfinite(parameter.grad).all(), key


def normalised(hidden, state, name):
    values = (state[f"{name}.{key}"] for key in ("running_mean", "running_var", "weight", "bias"))
    return functional.relu(functional.batch_norm(hidden, *values))


@pytest.mark.parametrize("width", [1, 2])
def test_it_computes_what_is_published(width):
    images = torch.randn(3, 3, 12, 10, dtype=torch.float64)
    network = built((3, 12, 10), depth=16, width=width).double().eval()
    state = network.state_dict()
    for key, value in state.items():
        if "normalisation" in key and value.is_floating_point():
            value.copy_(torch.rand(value.shape) + 0.5)
    hidden = functional.conv2d(images, state["first.weight"], padding=1)
    inputs = 16
    for group, (stride, outputs) in enumerate(zip((1, 2, 2), (16, 32, 64), strict=True), 1):
        for block in (1, 2):
            name = f"group{group}.block{block}"
            active = normalised(hidden, state, f"{name}.normalisation1")
            shortcut = hidden
            step = stride if block == 1 else 1
            if inputs != outputs * width:
                # Of the activated input, not of the input itself.
                shortcut = functional.conv2d(active, state[f"{name}.shortcut.weight"], stride=step)
            else:
                assert f"{name}.shortcut.weight" not in state
            inner = functional.conv2d(
                active, state[f"{name}.convolution1.weight"], stride=step, padding=1
            )
            inner = normalised(inner, state, f"{name}.normalisation2")
            inner = functional.conv2d(inner, state[f"{name}.convolution2.weight"], padding=1)
            hidden, inputs = shortcut + inner, outputs * width
    means = normalised(hidden, state, "logits.normalisation").flatten(2).mean(2)
    expected = means @ state["logits.linear.weight"].T + state["logits.linear.bias"]
    torch.testing.assert_close(network(images), expected, rtol=1e-10, atol=1e-10)
    biased = [key for key in state if key.endswith("bias") and "normalisation" not in key]
    assert biased == ["logits.linear.bias"]


def test_a_layer_that_is_the_convolution_itself_changes_nothing():
    """With one value a weight, hashed layers are dense: the factory puts everything in its place."""
    images = torch.randn(2, 3, 8, 8)
    dense, hashed = built(**SMALL).eval(), built(**SMALL, layer={"name": "hashed"}).eval()
    weights = hashed.state_dict()
    for key, value in dense.state_dict().items():
        if key in weights:
            weights[key].copy_(value)
        else:
            weights[key.replace(".weight", ".layer.weight")].copy_(value.flatten())
    torch.testing.assert_close(dense(images), hashed(images))


def test_weights_start_as_in_the_older_work():
    network = built(depth=10, width=4)
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            expected = math.sqrt(2 / (module.kernel_size[0] ** 2 * module.out_channels))
            assert module.weight.numel() < 1000 or float(
                module.weight.detach().std()
            ) == pytest.approx(expected, rel=0.1)
            assert module.bias is None
    linear = network[-1].linear
    assert not linear.bias.any() and float(linear.weight.detach().abs().max()) <= 1 / 16
    assert float(linear.weight.detach().std()) == pytest.approx(1 / 16 / math.sqrt(3), rel=0.1)


def test_dropout_is_between_the_convolutions_of_a_block_and_while_training_only():
    plain, dropped = built(**SMALL), built(**SMALL, dropout=0.5)
    dropped.load_state_dict(plain.state_dict())
    images = torch.randn(4, *COLOUR)
    assert torch.equal(plain.eval()(images), dropped.eval()(images))
    assert not torch.equal(plain.train()(images), dropped.train()(images))
    gone = built(**SMALL, dropout=1.0).train()
    block = gone.group1.block1
    # With nothing let through, a block without a shortcut's convolution gives its input back.
    hidden = torch.randn(2, 16, 8, 8)
    assert torch.equal(block(hidden), hidden)


@pytest.mark.parametrize(
    ("depth", "end"),
    [
        (27, "which 27 is not; the nearest are 22 and 28"),
        (11, "which 11 is not; the nearest are 10 and 16"),
        (4, "which 4 is not; the least is 10"),
        (1, "which 1 is not; the least is 10"),
    ],
)
def test_other_depths_are_refused_with_the_nearest(depth, end):
    with pytest.raises(UserError, match=f"^network 'wide_resnet' needs a depth of 6n . 4, {end}$"):
        built(depth=depth, width=1)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"budget": 500.0}, "has a budget of 500 parameters, .* but base 'layer'"),
        (
            {"budget": 2.0, "base": "separable"},
            "but base 'separable'; a budget above 1 needs base 'network'",
        ),
        ({"budget": 0.5}, "layer 'dense' cannot meet a budget of 0.5, unless 'match' is"),
        (
            {"layer": {"name": "low_rank"}, "match": "narrower"},
            "cannot have layer 'low_rank' and be narrower: 'match' needs layer 'dense'",
        ),
        (
            {"layer": {"name": "low_rank", "size": 2}, "budget": 0.5},
            "both a budget of 0.5 and a size of layer 'low_rank', 2, but each settles the other",
        ),
        ({"layer": {"name": "low_rank", "size": 17}}, "'low_rank' cannot have size 17 .* 1 to 16"),
        (
            {"layer": {"name": "low_rank"}, "budget": 9000.0, "base": "network"},
            "'low_rank' cannot have 9000 parameters where .*, but at least 9578$",
        ),
        (
            {"layer": {"name": "low_rank"}, "budget": 1e9, "base": "network"},
            "a budget of 1e.09 parameters, but the dense one has only 77850",
        ),
        (
            {"layer": {"name": "low_rank"}, "budget": 0.05},
            "a budget of 115 parameters for layer 'low_rank' is below the least",
        ),
        (
            {"budget": 100.0, "base": "network", "match": "narrower"},
            "depth 10 cannot have 100 parameters by being narrower, since one channel .* 703$",
        ),
        (
            {"budget": 0.5, "base": "network", "match": "shallower"},
            "width 1 cannot have 38925 parameters by being shallower, .* needs 77850",
        ),
    ],
)
def test_what_cannot_be_is_told_in_a_sentence(settings, sentence):
    with pytest.raises(UserError, match=sentence) as error:
        built(**SMALL, **settings)
    assert "\n" not in str(error.value)


def test_a_config_without_a_layer_is_refused():
    (fault,) = faults("networks", {"name": "wide_resnet", **SMALL}, "network")
    assert fault == "network lacks the key 'layer', which network 'wide_resnet' needs"


@pytest.mark.parametrize("layer", ["hashed", "low_rank", "separable_hashed", "tensor_train"])
@pytest.mark.parametrize("base", ["layer", "separable"])
def test_each_layer_has_a_share_of_its_own_base(layer, base):
    found = substitutions(**WIDE, layer={"name": layer}, budget=0.29, base=base)
    for item in found:
        c = item.convolution
        of = 9 * c.inputs * c.outputs if base == "layer" else c.inputs * (9 + c.outputs)
        # Exactly 29 %: in binary 0.29 · 100 is below 29.
        assert item.budget == of * 29 // 100 and item.base == base
        assert item.dense == 9 * c.inputs * c.outputs
        assert item.parameters <= item.budget
        module = load("layers", layer)
        assert item.parameters == module.parameters(c, item.size)
        if item.size != module.sizes(c)[-1]:
            bigger = module.sizes(c)[module.sizes(c).index(item.size) + 1]
            assert module.parameters(c, bigger) > item.budget


@pytest.mark.parametrize("layer", ["hashed", "low_rank", "shuffle", "tucker"])
@pytest.mark.parametrize("budget", [0.05, 0.077, 2_000_000.0])
def test_a_share_of_the_network_leaves_all_layers_the_same_largest_share(layer, budget):
    found = substitutions(**WIDE, layer={"name": layer}, budget=budget, base="network")
    allowed = int(budget) if budget > 1 else math.floor(36_479_194 * round(1000 * budget) / 1000)
    assert total(found) <= allowed
    parts = math.lcm(*(item.dense for item in found))
    module = load("layers", layer)

    def reached(numerator):
        return fixed(found) + sum(
            size_for(module, item.convolution, numerator * item.dense // parts).parameters
            for item in found
        )

    # Every share that gives these budgets; the next one above gives some layer another.
    numerator = min((item.budget + 1) * (parts // item.dense) for item in found) - 1
    assert [numerator * item.dense // parts for item in found] == [item.budget for item in found]
    assert reached(numerator) == total(found)
    # Where even the whole of each convolution is allowed there is no next one.
    assert numerator == parts or reached(numerator + 1) > allowed


def test_the_whole_budget_is_the_dense_network_where_a_layer_can_be_dense():
    for settings in ({}, {"budget": 1.0, "base": "network"}):
        found = substitutions(**WIDE, layer={"name": "hashed"}, **settings)
        assert all(item.parameters == item.dense for item in found)
        assert total(found) == 36_479_194


def test_a_size_may_be_given_instead_of_a_budget():
    found = substitutions(**SMALL, layer={"name": "low_rank", "size": 3})
    assert [item.size for item in found] == [3] * 6
    assert {item.base for item in found} == {"size"}
    network = built(**SMALL, layer={"name": "low_rank", "size": 3})
    assert parameters(network) == total(found, **SMALL)


def test_nothing_is_reported_of_a_network_that_is_dense():
    assert substitutions(**SMALL, layer=DENSE) == ()


def test_first_convolution_shortcuts_and_classifier_are_never_replaced():
    network = built(**SMALL, layer={"name": "hashed"}, budget=0.1)
    found = {
        name
        for name, module in network.named_modules()
        if isinstance(module, wide_resnet.Substituted)
    }
    expected = {f"group{g}.block1.convolution{c}" for g, c in itertools.product((1, 2, 3), (1, 2))}
    assert found == expected
    assert found == {
        item.name for item in substitutions(**SMALL, layer={"name": "hashed"}, budget=0.1)
    }
    assert isinstance(network.first, nn.Conv2d)
    assert isinstance(network.group2.block1.shortcut, nn.Conv2d)


def test_places_of_one_shape_draw_indices_of_their_own_and_the_same_every_time():
    layer = {"name": "hashed"}
    first, again = (built(depth=16, width=1, layer=layer, budget=0.1) for _ in range(2))
    mine, other = (n.group1.block2.convolution1.layer.indices for n in (first, again))
    assert torch.equal(mine, other)
    assert not torch.equal(mine, first.group1.block2.convolution2.layer.indices)
    seeded = built(depth=16, width=1, layer={**layer, "seed": 1}, budget=0.1)
    assert not torch.equal(mine, seeded.group1.block2.convolution1.layer.indices)


# Those that work by the weights of convolutions alone, which PyTorch's formulas see.
PLAIN = {"dense", "hashed", "low_rank", "separable", "separable_hashed", "shuffle"}


@pytest.mark.parametrize("layer", names("layers"))
@pytest.mark.parametrize("shape", [(1, 9, 8), COLOUR])
def test_counts_of_layers_are_what_is_there(layer, shape):
    network = built(shape, **SMALL, layer={"name": layer})
    rows = counting.count(network, shape)
    found = counting.totals(rows)
    assert found.parameters == parameters(network)
    assert found.stored_bytes == stored_bytes(network)
    if layer in PLAIN:
        assert found.mult_adds == mult_adds_forward(network, torch.zeros(1, *shape))
    kinds = {row.kind for row in rows}
    expected = {"convolution", "normalisation", "linear"} | ({layer} - {"dense"})
    assert kinds == expected
    # One row a layer: first, six of blocks, two shortcuts, seven normalisations, the classifier.
    assert len(rows) == len({row.name for row in rows}) == 1 + 6 + 2 + 7 + 1


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("mlp", {"width": 8}),
        ("mnist_cnn", {"channels": 4, "hidden": 12}),
        ("basic_cnn", {"channels": 4, "hidden": 12}),
        ("four_layer_cnn", {"channels": 4}),
        ("vgg16", {"width": 4}),
    ],
)
def test_counts_of_other_networks_are_what_is_there(name, settings):
    network = load("networks", name).build((1, 28, 28), 10, **settings)
    network[0].eval()
    found = counting.totals(counting.count(network, (1, 28, 28)))
    assert [stage.training for stage in network] == [False] + [True] * (len(network) - 1)
    assert found.parameters == parameters(network)
    assert found.stored_bytes == stored_bytes(network)
    assert found.mult_adds == mult_adds_forward(network, torch.zeros(1, 1, 28, 28))


def test_shared_parameters_count_once_and_every_visit_works():
    shared = nn.Linear(4, 4)
    tied = nn.Linear(4, 4, bias=False)
    tied.weight = shared.weight
    network = nn.Sequential(shared, nn.ReLU(), shared, tied)
    rows = counting.count(network, (4,))
    assert [(row.name, row.parameters, row.mult_adds) for row in rows] == [
        ("0", 20, 32),
        ("3", 0, 16),
    ]


def test_a_grouped_strided_convolution_and_one_without_closed_form():
    network = nn.Sequential(nn.Conv2d(4, 6, (3, 1), stride=2, groups=2))
    image = torch.zeros(1, 4, 9, 7)
    (row,) = counting.count(network, (4, 9, 7))
    assert row[2:4] == (2 * 6 * 3 + 6, mult_adds_forward(network, image))
    with pytest.raises(TypeError, match="no closed form for ConvTranspose2d at '0'"):
        counting.count(nn.Sequential(nn.ConvTranspose2d(2, 2, 3)), (2, 4, 4))


@pytest.mark.parametrize("depth", [10, 16, 22])
@pytest.mark.parametrize("width", [1, 2, 5])
@pytest.mark.parametrize(("channels", "classes"), [(1, 10), (3, 7)])
def test_the_closed_form_is_what_is_built(depth, width, channels, classes):
    with torch.device("meta"):
        network = built((channels, 8, 8), classes, depth=depth, width=width)
    expected = matched.parameters(depth, matched.group_channels(width), channels, classes)
    assert parameters(network) == expected


@pytest.mark.parametrize("share", [0.03, 0.1, 0.37, 0.9, 1.0])
@pytest.mark.parametrize(("depth", "width"), [(10, 1), (16, 2), (28, 3)])
def test_no_narrower_network_of_one_factor_is_larger_and_fits(depth, width, share):
    full = matched.group_channels(width)
    target = int(share * matched.parameters(depth, full))
    found = matched.narrowed(depth, width, target)
    tried = {
        tuple(max(1, math.floor(factor / 5000 * c + 0.5)) for c in full)
        for factor in range(1, 5001)
    }
    sizes = [matched.parameters(depth, channels) for channels in tried]
    assert found in tried
    assert matched.parameters(depth, found) == max(size for size in sizes if size <= target)


def test_a_first_group_as_wide_as_the_first_convolution_needs_no_shortcut():
    """So sizes do not rise with the factor everywhere, and a bisection would not be exact."""
    narrow, wide = ((c, 2 * c, 4 * c) for c in (15, 16))
    with torch.device("meta"):
        for channels in (narrow, wide):
            target = matched.parameters(10, channels)
            network = built(
                depth=10,
                width=2,
                match="narrower",
                base="network",
                budget=float(target),
            )
            shapes = shapes_of_channels(network)
            assert parameters(network) == matched.parameters(10, shapes) == target
            assert (network.group1.block1.shortcut is None) == (shapes[0] == 16)


def shapes_of_channels(network):
    """Channels of the groups of a built network."""
    return tuple(stage.block1.convolution2.out_channels for stage in network[1:4])


@pytest.mark.parametrize("budget", [0.05, 0.1, 0.5])
def test_narrower_and_shallower_networks_meet_the_budget_of_substituted_ones(budget):
    shape = {"depth": 28, "width": 4}
    dense = matched.parameters(28, matched.group_channels(4))
    for base in ("layer", "network", "separable"):
        found = substitutions(**shape, layer={"name": "hashed"}, budget=budget, base=base)
        left = fixed(found, **shape)
        allowed = (
            math.floor(budget * dense)
            if base == "network"
            else left + sum(item.budget for item in found)
        )
        network = unmade(**shape, budget=budget, base=base, match="narrower")
        assert 0.97 * allowed < parameters(network) <= allowed
        hashed = total(found, **shape)
        assert hashed <= allowed and parameters(network) >= 0.97 * hashed


def test_no_deeper_network_fits():
    full = matched.group_channels(2)
    sizes = {depth: matched.parameters(depth, full) for depth in range(10, 41, 6)}
    assert list(sizes.values()) == sorted(sizes.values())
    for target in (sizes[10], sizes[10] + 1, sizes[22] - 1, sizes[22], sizes[40], 10**9):
        expected = max(depth for depth, size in sizes.items() if size <= target)
        assert matched.shallower(40, 2, target) == expected
    network = unmade(
        depth=40, width=2, match="shallower", base="network", budget=float(sizes[22] + 1)
    )
    assert parameters(network) == sizes[22] and len(network.group3) == 3


def test_the_whole_budget_leaves_a_matched_network_as_it_is():
    for how in ("narrower", "shallower"):
        network = built(**SMALL, match=how, base="network")
        assert parameters(network) == matched.parameters(10, (16, 32, 64)) == 77_850
