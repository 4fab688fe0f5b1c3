"""What each layer computes, against explicit matrices and hand computations."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional

from sidestep.convolution import Convolution
from sidestep.errors import UserError
from sidestep.layers import (
    acdc,
    cp,
    dense,
    hashed,
    low_rank,
    monarch,
    separable,
    separable_hashed,
    shuffle,
    tensor_train,
    tied_low_rank,
    tucker,
)
from sidestep.layers.shared import cosine
from sidestep.layers.shared.decomposed import dimensions_of

ENDS = [(8, 8), (6, 10), (12, 5)]


@pytest.fixture(autouse=True)
def _stream():
    torch.manual_seed(0)


def mixing(module):
    """The matrix that a pointwise module is, read off its answers to unit vectors."""
    inputs = getattr(module, "inputs", None) or module.contract.in_channels
    return module(torch.eye(inputs)[:, :, None, None])[:, :, 0, 0].T


def reference(layer, matrix, images):
    """What a separated layer computes, given the matrix of its mixing part."""
    return functional.conv2d(layer.depthwise(images), matrix[:, :, None, None])


def test_dense_is_the_convolution():
    for convolution in (
        Convolution(4, 6, 3, 2, 1, bias=True),
        Convolution(4, 6, 5, padding=2, groups=2),
    ):
        layer = dense.build(convolution, size=1)
        images = torch.randn(2, 4, 8, 8)
        expected = functional.conv2d(
            images,
            layer.weight,
            layer.bias,
            convolution.stride,
            convolution.padding,
            groups=convolution.groups,
        )
        assert torch.equal(layer(images), expected)


def test_hashed_with_a_bucket_for_each_weight_is_the_dense_convolution():
    for convolution in (
        Convolution(4, 6, 3, 2, 1, bias=True),
        Convolution(4, 6, 3, padding=1, groups=2),
    ):
        torch.manual_seed(0)
        plain = dense.build(convolution, size=1)
        torch.manual_seed(0)
        layer = hashed.build(convolution, size=plain.weight.numel())
        assert torch.equal(layer.dense_weight(), plain.weight)
        images = torch.randn(2, 4, 8, 8)
        assert torch.equal(layer(images), plain(images))


def test_separable_hashed_with_a_bucket_for_each_weight_is_separable():
    convolution = Convolution(6, 10, 3, 2, 1, bias=True)
    torch.manual_seed(0)
    plain = separable.build(convolution, size=1)
    torch.manual_seed(0)
    layer = separable_hashed.build(convolution, size=60)
    images = torch.randn(2, 6, 8, 8)
    with torch.no_grad():
        layer.depthwise.weight.copy_(plain.depthwise.weight)
        layer.pointwise.weight.copy_(plain.pointwise.weight.flatten())
    assert torch.equal(layer(images), plain(images))


@given(st.integers(1, 108), st.integers(0, 5), st.booleans())
def test_every_bucket_is_used_and_the_seed_decides_by_which_weights(size, seed, sign):
    # Trap T2-1: the older work never used the last bucket.
    convolution = Convolution(3, 4, 3)
    layer = hashed.build(convolution, size=size, seed=seed, sign=sign)
    assert layer.indices.unique().tolist() == list(range(size))
    again = hashed.build(convolution, size=size, seed=seed, sign=sign)
    assert torch.equal(layer.indices, again.indices)
    if sign and size < 108:
        assert layer.signs.abs().eq(1).all() and torch.equal(layer.signs, again.signs)
    else:
        assert layer.signs is None


def test_seeds_and_shapes_have_indices_of_their_own():
    one = hashed.build(Convolution(8, 8, 3), size=50)
    two = hashed.build(Convolution(8, 8, 3), size=50, seed=1)
    assert not torch.equal(one.indices, two.indices)
    assert not torch.equal(one.signs, two.signs)
    # No pattern: buckets are used about equally often, and signs are as often up as down.
    counts = torch.bincount(one.indices, minlength=50).float()
    assert counts.mean() == 576 / 50 and counts.std() < 2 * math.sqrt(576 / 50)
    assert abs(int(one.signs.sum())) < 3 * math.sqrt(576)


@pytest.mark.parametrize("sign", [False, True])
def test_a_buckets_gradient_is_the_sum_of_its_weights_gradients(sign):
    layer = hashed.build(Convolution(4, 6, 3, padding=1), size=20, sign=sign)
    images = torch.randn(3, 4, 5, 5)
    weight = layer.dense_weight().detach().requires_grad_()
    target = torch.randn(3, 6, 5, 5)
    (functional.conv2d(images, weight, padding=1) * target).sum().backward()
    (layer(images) * target).sum().backward()
    each = weight.grad.flatten() * (layer.signs if sign else 1)
    expected = torch.zeros(20).scatter_add(0, layer.indices.long(), each)
    assert torch.allclose(layer.weight.grad, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("ends", ENDS)
def test_low_ranks_are_products_of_their_matrices(ends):
    convolution = Convolution(*ends, 3, stride=2, padding=1)
    images = torch.randn(2, ends[0], 7, 7)
    layer = low_rank.build(convolution, size=3)
    pair = layer.pointwise.expand.weight, layer.pointwise.contract.weight
    matrix = torch.einsum("or,ri->oi", *(weight[:, :, 0, 0] for weight in pair))
    assert torch.linalg.matrix_rank(matrix) == 3
    assert torch.allclose(layer(images), reference(layer, matrix, images), atol=1e-5)


@pytest.mark.parametrize("ends", [*ENDS, (4, 8), (8, 4)])
def test_tied_low_ranks_repeat_their_input_or_drop_outputs(ends):
    inputs, outputs = ends
    convolution = Convolution(*ends, 3, stride=2, padding=1)
    layer = tied_low_rank.build(convolution, size=3)
    weight = layer.pointwise.weight
    assert weight.shape == (3, max(ends))
    images = torch.randn(2, inputs, 7, 7)
    maps = layer.depthwise(images)
    repeated = maps[:, [channel % inputs for channel in range(max(ends))]]
    expected = torch.einsum("ro,ri,nihw->nohw", weight, weight, repeated)[:, :outputs]
    assert torch.allclose(layer(images), expected, atol=1e-5)


def test_shuffle_is_its_three_convolutions_with_channels_dealt_out():
    convolution = Convolution(8, 16, 3, stride=2, padding=1)
    assert shuffle.group_counts(convolution) == (4, 2, 1)
    layer = shuffle.build(convolution, size=2)
    images = torch.randn(2, 8, 6, 6)
    hidden = functional.conv2d(images, layer.contract.weight, groups=2)
    # Two groups of two channels: 0 1 | 2 3 become 0 2 | 1 3.
    hidden = hidden[:, [0, 2, 1, 3]]
    hidden = functional.conv2d(hidden, layer.depthwise.weight, stride=2, padding=1, groups=4)
    expected = functional.conv2d(hidden, layer.expand.weight, groups=2)
    assert torch.allclose(layer(images), expected, atol=1e-6)


@pytest.mark.parametrize(
    ("ends", "sides"),
    [
        ((160, 160), (32, 32, 25)),
        ((160, 320), (40, 40, 32)),
        ((320, 320), (50, 64, 32)),
        ((320, 640), (64, 64, 50)),
        ((640, 640), (80, 80, 64)),
        ((16, 160), (16, 16, 10)),
        ((7, 5), (5, 7, 1)),
        ((1, 1), (1, 1, 1)),
    ],
)
def test_sides_are_the_older_works(ends, sides):
    assert dimensions_of(math.prod(ends), 3) == sides


def test_a_tensor_of_one_dimension_is_refused():
    for layer in (cp, tensor_train, tucker):
        with pytest.raises(UserError, match="at least 2 dimensions, not 1"):
            layer.sizes(Convolution(4, 4, 3), dimensions=1)


@pytest.mark.parametrize("ends", ENDS)
@pytest.mark.parametrize("size", [1, 3])
@pytest.mark.parametrize(
    ("layer", "equation"),
    [
        (tensor_train, "aib,bjc,ckd->ijk"),
        (tucker, "abc,ia,jb,kc->ijk"),
        (cp, "ir,jr,kr->ijk"),
    ],
)
def test_decompositions_are_their_tensors(layer, equation, size, ends):
    convolution = Convolution(*ends, 3, stride=2, padding=1)
    module = layer.build(convolution, size=size)
    tensor = torch.einsum(equation, *module.pointwise.factors)
    assert tensor.shape == module.pointwise.sides
    matrix = tensor.reshape(ends[1], ends[0])
    assert torch.allclose(matrix.square().mean(), torch.tensor(2 / ends[0]))
    images = torch.randn(2, ends[0], 7, 7)
    assert torch.allclose(module(images), reference(module, matrix, images), atol=1e-5)


@pytest.mark.parametrize("ends", ENDS)
def test_a_tensor_train_of_full_rank_is_any_matrix(ends):
    module = tensor_train.build(
        convolution := Convolution(*ends, 1), size=tensor_train.sizes(Convolution(*ends, 1))[-1]
    )
    del convolution
    wanted = torch.randn(ends[1], ends[0])
    factors = module.pointwise.factors
    left = wanted.reshape(1, -1)
    with torch.no_grad():
        for factor in factors[:-1]:
            before, side, after = factor.shape
            u, s, v = torch.linalg.svd(left.reshape(before * side, -1), full_matrices=False)
            factor.copy_(u[:, :after].reshape(before, side, after))
            left = s[:after, None] * v[:after]
        factors[-1].copy_(left.reshape(factors[-1].shape))
    assert torch.allclose(module.pointwise.matrix(), wanted, atol=1e-5)


@pytest.mark.parametrize("ends", ENDS)
def test_a_tucker_tensor_of_full_rank_is_any_matrix(ends):
    convolution = Convolution(*ends, 1)
    module = tucker.build(convolution, size=tucker.sizes(convolution)[-1])
    wanted = torch.randn(ends[1], ends[0])
    core, *matrices = module.pointwise.factors
    with torch.no_grad():
        core.copy_(wanted.reshape(core.shape))
        for matrix in matrices:
            nn.init.eye_(matrix)
    assert torch.allclose(module.pointwise.matrix(), wanted)


@pytest.mark.parametrize("ends", ENDS)
def test_a_sum_of_all_outer_products_is_any_matrix(ends):
    convolution = Convolution(*ends, 1)
    module = cp.build(convolution, size=cp.sizes(convolution)[-1])
    wanted = torch.randn(ends[1], ends[0])
    sides = module.pointwise.sides
    longest = sides.index(max(sides))
    fibres = wanted.reshape(sides).movedim(longest, -1)
    short = fibres.shape[:2]
    places = torch.cartesian_prod(torch.arange(short[0]), torch.arange(short[1]))
    others = [functional.one_hot(places[:, axis], short[axis]).T.float() for axis in (0, 1)]
    others.insert(longest, fibres.flatten(0, 1).T)
    with torch.no_grad():
        for factor, values in zip(module.pointwise.factors, others, strict=True):
            factor.copy_(values)
    assert torch.allclose(module.pointwise.matrix(), wanted, atol=1e-6)


@pytest.mark.parametrize("size", [1, 2, 3, 4, 7, 16, 45, 160])
def test_the_fast_cosine_transform_is_that_of_scipy_and_of_the_matrix(size):
    from scipy.fft import dct

    values = torch.randn(3, size)
    matrix = cosine.matrix(size)
    assert torch.allclose(matrix @ matrix.T, torch.eye(size), atol=1e-5)
    fast = cosine.transform(values)
    expected = torch.from_numpy(dct(values.numpy(), norm="ortho"))
    assert torch.allclose(fast, expected, atol=1e-5)
    assert torch.allclose(fast, values @ matrix.T, atol=1e-5)
    assert torch.allclose(cosine.inverse(fast), values, atol=1e-5)
    exact = torch.randn(2, size, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(cosine.transform, exact)
    assert torch.autograd.gradcheck(cosine.inverse, exact)


@pytest.mark.parametrize("transform", ["matrix", "fast"])
def test_acdc_with_ones_and_no_riffle_changes_nothing(transform):
    convolution = Convolution(9, 9, 1)
    layer = acdc.build(convolution, size=4, riffle=False, transform=transform)
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.fill_(1)
    images = torch.randn(2, 9, 3, 3)
    assert torch.allclose(layer(images), images, atol=1e-5)
    # A riffle of nine cards: five and four, one after the other.
    mixed = acdc.build(convolution, size=2, transform=transform)
    mixed.load_state_dict({key: torch.ones(2, 9) for key in mixed.state_dict()})
    assert torch.allclose(mixed(images), images[:, [0, 5, 1, 6, 2, 7, 3, 8, 4]], atol=1e-5)


@pytest.mark.parametrize("ends", [*ENDS, (7, 7), (4, 12), (12, 4), (64, 64)])
def test_acdc_is_its_factors_and_fast_ones_are_the_same(ends):
    inputs, outputs = ends
    convolution = Convolution(*ends, 3, stride=2, padding=1, bias=True)
    slow = acdc.build(convolution, size=5, transform="matrix")
    fast = acdc.build(convolution, size=5, transform="fast")
    fast.load_state_dict(slow.state_dict())
    wide = max(ends)
    cosines = cosine.matrix(wide)
    product = torch.zeros(wide, inputs)
    for channel in range(wide):
        product[channel, channel % inputs] = 1
    part = slow.pointwise
    for index in range(5):
        if index:
            half = (wide + 1) // 2
            order = [place // 2 + half * (place % 2) for place in range(wide)]
            product = product[order]
        product = torch.diag(part.channels[index]) @ product
        product = cosines.T @ torch.diag(part.frequencies[index]) @ cosines @ product
    folded = torch.zeros(outputs, inputs)
    for channel in range(wide):
        folded[channel % outputs] += product[channel]
    assert torch.allclose(part.matrix(), folded, atol=1e-5)
    images = torch.randn(2, inputs, 7, 7)
    expected = reference(slow, folded, images)
    assert torch.allclose(slow(images), expected, atol=1e-5)
    assert torch.allclose(fast(images), expected, atol=1e-5)
    for module in (slow, fast):
        module(images).square().sum().backward()
    for one, other in zip(slow.parameters(), fast.parameters(), strict=True):
        assert torch.allclose(one.grad, other.grad, rtol=1e-3, atol=1e-3)


def test_acdc_has_as_many_factors_as_it_says_and_picks_the_faster_transform():
    # Trap T2-3: "ACDC_12" had 11.
    convolution = Convolution(6, 10, 3)
    for factors in (1, 2, 12):
        layer = acdc.build(Convolution(6, 12, 3), size=factors)
        assert len(layer.pointwise.channels) == len(layer.pointwise.frequencies) == factors
    assert not acdc.build(convolution, size=1).pointwise.fast
    wide = Convolution(acdc.FAST_FROM, 4, 1)
    assert acdc.build(wide, size=1).pointwise.fast
    assert not acdc.build(wide, size=1, transform="matrix").pointwise.fast


@pytest.mark.parametrize("ends", [*ENDS, (16, 16), (16, 32), (7, 3)])
def test_monarch_is_its_blocks_and_permutations(ends):
    inputs, outputs = ends
    convolution = Convolution(*ends, 3, stride=2, padding=1, bias=True)
    counts = monarch.block_counts(*ends)
    assert counts[-1] == 1
    for size, blocks in enumerate(counts, 1):
        layer = monarch.build(convolution, size=size)
        first = layer.pointwise.first.weight[:, :, 0, 0]
        second = layer.pointwise.second.weight[:, :, 0, 0]
        middle, into = first.shape[0] // blocks, first.shape[1]
        out = second.shape[0] // blocks
        right = torch.block_diag(*first.split(middle))
        left = torch.block_diag(*second.split(out))
        deal = torch.zeros(middle * blocks, middle * blocks)
        for block in range(blocks):
            for place in range(middle):
                deal[place * blocks + block, block * middle + place] = 1
        back = torch.zeros(out * blocks, out * blocks)
        for block in range(blocks):
            for place in range(out):
                back[place * blocks + block, block * out + place] = 1
        assert into * blocks >= inputs
        matrix = (back @ left @ deal @ right)[:outputs, :inputs]
        images = torch.randn(2, inputs, 7, 7)
        assert torch.allclose(layer(images), reference(layer, matrix, images), atol=1e-5)
        # An output sees every input as long as blocks have channels for all others.
        if inputs % blocks == outputs % blocks == 0:
            assert bool(matrix.ne(0).all()) == (middle >= blocks)


def test_monarch_of_a_square_number_of_channels_is_the_published_one():
    # Blocks of √n; 2 n √n parameters.
    convolution = Convolution(16, 16, 1)
    place = monarch.block_counts(16, 16).index(4) + 1
    assert monarch.parameters(convolution, place) == 2 * 16 * 4
    layer = monarch.build(convolution, size=place)
    first = layer.pointwise.first.weight.view(4, 4, 4)
    second = layer.pointwise.second.weight.view(4, 4, 4)
    # M(l s, k p) is the product of one number of each: outputs and hidden are dealt out alike.
    expected = torch.einsum("lsk,klp->slkp", second, first).reshape(16, 16)
    assert torch.allclose(mixing(layer.pointwise), expected, atol=1e-6)


def test_a_kernel_of_one_place_has_no_depthwise_part():
    convolution = Convolution(6, 6, 1, stride=2, padding=1)
    layer = separable.build(convolution, size=1)
    plain = nn.Conv2d(6, 6, 1, 2, 1, bias=False)
    plain.weight = layer.pointwise.weight
    images = torch.randn(2, 6, 7, 7)
    assert torch.allclose(layer(images), plain(images), atol=1e-6)
    assert separable.parameters(convolution, 1) == convolution.parameters
