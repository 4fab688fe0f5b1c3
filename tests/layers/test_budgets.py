"""Budgets are met exactly: against brute force, and on the older work's shapes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_layers import LAYERS, call, wide_resnet_places

from sidestep import registry
from sidestep.budgets import Reached, size_for
from sidestep.convolution import Convolution
from sidestep.errors import UserError
from sidestep.layers import dense, hashed, low_rank, separable, separable_hashed, shuffle


@given(
    st.sampled_from(LAYERS),
    st.builds(
        Convolution,
        st.integers(1, 12),
        st.integers(1, 12),
        st.sampled_from((1, 3)),
        bias=st.booleans(),
    ),
    st.floats(0, 1),
    st.booleans(),
)
def test_the_size_is_the_largest_that_a_budget_allows(chosen, convolution, share, counted):
    name, settings = chosen
    layer = registry.load("layers", name)
    budget = round(share * convolution.parameters)
    sizes = call(layer, "sizes", convolution, **settings)
    counts = {size: call(layer, "parameters", convolution, size, **settings) for size in sizes}
    free = (
        0
        if counted or not hasattr(layer, "depthwise_parameters")
        else (layer.depthwise_parameters(convolution))
    )
    allowed = [size for size, count in counts.items() if count - free <= budget]
    if not allowed:
        least = min(counts.values()) - free
        with pytest.raises(UserError, match=rf"below the least .* channels, {least}$"):
            size_for(layer, convolution, budget, count_depthwise=counted, **settings)
        return
    found = size_for(layer, convolution, budget, count_depthwise=counted, **settings)
    assert found == Reached(max(allowed), counts[max(allowed)])


@pytest.mark.parametrize("name", registry.names("layers"))
def test_no_size_between_is_missed_on_wide_networks(name):
    layer = registry.load("layers", name)
    for convolution in set(wide_resnet_places()):
        sizes = layer.sizes(convolution)
        least = layer.parameters(convolution, sizes[0])
        for share in (0.02, 0.1, 0.5, 1):
            budget = int(share * convolution.parameters)
            if budget < least:
                with pytest.raises(UserError, match="below the least"):
                    size_for(layer, convolution, budget)
                continue
            found = size_for(layer, convolution, budget)
            assert found.parameters == layer.parameters(convolution, found.size) <= budget
            place = sizes.index(found.size)
            if place + 1 < len(sizes):
                assert layer.parameters(convolution, sizes[place + 1]) > budget


def test_a_hashed_layer_meets_any_budget_to_the_last_parameter():
    convolution = Convolution(640, 640, 3, padding=1, bias=True)
    for budget in (641, 1_000_003, 368_640, 3_686_400 + 640):
        assert size_for(hashed, convolution, budget) == Reached(budget - 640, budget)


def test_the_depthwise_part_counts_or_is_given():
    # The older work's HalfHashed counted it, its SepHashed did not.
    convolution = Convolution(160, 160, 3, padding=1)
    assert size_for(separable_hashed, convolution, 5_000) == Reached(3_560, 5_000)
    free = size_for(separable_hashed, convolution, 5_000, count_depthwise=False)
    assert free == Reached(5_000, 6_440)
    # There it has fewer channels, and a layer without one has nothing to give.
    given = size_for(shuffle, convolution, 2_560, count_depthwise=False)
    assert given.parameters == 2_560 + 40 * 9
    assert size_for(hashed, convolution, 5_000, count_depthwise=False).parameters == 5_000


def test_budgets_out_of_reach_are_told_in_a_sentence():
    convolution = Convolution(160, 160, 3, padding=1)
    with pytest.raises(UserError) as low:
        size_for(low_rank, convolution, 1_700)
    assert str(low.value) == (
        "a budget of 1700 parameters for layer 'low_rank' is below the least with which it can "
        "replace a 3×3 convolution from 160 to 160 channels, 1760"
    )
    with pytest.raises(UserError) as high:
        size_for(separable, convolution, 230_401)
    assert str(high.value) == (
        "a budget of 230401 parameters for layer 'separable' is above the 230400 of the dense 3×3 "
        "convolution from 160 to 160 channels that it replaces"
    )
    assert size_for(dense, convolution, 230_400) == Reached(1, 230_400)
    with pytest.raises(UserError, match="below the least"):
        size_for(dense, convolution, 230_399)


def test_settings_are_the_layers():
    convolution = Convolution(32, 32, 3)
    layer = registry.load("layers", "tucker")
    assert size_for(layer, convolution, 900, dimensions=4) != size_for(layer, convolution, 900)
    for setting in ("rank", "size"):
        with pytest.raises(TypeError, match=f"no setting '{setting}'"):
            size_for(layer, convolution, 900, **{setting: 3})
