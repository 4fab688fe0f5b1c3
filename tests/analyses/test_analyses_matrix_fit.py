"""How well substituted layers fit a matrix, beside closed forms."""

import numpy as np
import pandas as pd
import pytest
import torch
from made_budgets import interval, made
from made_tables import one

from sidestep import registry
from sidestep.analyses import matrix_fit

SIDE = 12


def targets(side: int = SIDE) -> list[torch.Tensor]:
    return [matrix_fit._target(side, index) for index in range(2)]


def test_low_rank_fits_as_well_as_singular_values() -> None:
    for size in (1, 4, 8):
        for found, target in zip(
            matrix_fit.fits("low_rank", size, targets(), 300), targets(), strict=True
        ):
            values = np.linalg.svd(target.double().numpy(), compute_uv=False) ** 2
            best = values[size:].sum() / values.sum()
            assert matrix_fit.least(size, target) == pytest.approx(best)
            assert best * (1 - 1e-4) <= found <= best * 1.03


@pytest.mark.parametrize(
    "layer", ["dense", "hashed", "low_rank", "monarch", "tensor_train", "tucker", "cp"]
)
def test_layers_of_full_size_are_any_matrix(layer: str) -> None:
    sizes = matrix_fit.LAYERS[layer].sizes(matrix_fit.Convolution(SIDE, SIDE, 1))
    assert max(matrix_fit.fits(layer, sizes[-1], targets(), 400)) < 0.01


def test_a_matrix_times_its_transpose_is_not_any_matrix() -> None:
    # The best is the positive part of the symmetric part.
    sizes = matrix_fit.LAYERS["tied_low_rank"].sizes(matrix_fit.Convolution(SIDE, SIDE, 1))
    found = matrix_fit.fits("tied_low_rank", sizes[-1], targets(), 300)
    for error, target in zip(found, targets(), strict=True):
        symmetric = (target + target.T).numpy() / 2
        kept = np.clip(np.linalg.eigvalsh(symmetric), 0, None)
        total = float(target.square().sum())
        assert error == pytest.approx(1 - float((kept**2).sum()) / total, rel=0.01)


def test_a_single_hashed_value_is_a_projection() -> None:
    (found,) = matrix_fit.fits("hashed", 1, targets()[:1], 200)
    layer = matrix_fit.LAYERS["hashed"].build(matrix_fit.Convolution(SIDE, SIDE, 1), size=1)
    signs, target = layer.signs.view(SIDE, SIDE).float(), targets()[0]
    share = (signs * target).sum().square() / (SIDE**2 * target.square().sum())
    assert found == pytest.approx(1 - float(share), abs=1e-4)


def test_the_table_of_fits_is_the_same_twice_and_leaves_the_random_stream() -> None:
    settings = {"sizes_per_layer": 2, "matrices": 2, "steps": 6, "side": 8}
    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    first = matrix_fit.analyse(made(), **settings)
    assert torch.equal(before, torch.random.get_rng_state())
    torch.manual_seed(6)
    pd.testing.assert_frame_equal(first, matrix_fit.analyse(made(), **settings))
    assert list(first.columns) == matrix_fit.COLUMNS
    assert set(first["layer"]) == {*matrix_fit.LAYERS, matrix_fit.SVD}
    assert set(matrix_fit.LAYERS) == set(registry.names("layers")) - {
        "separable", "separable_hashed",
    }  # fmt: skip
    assert (first["error"] >= 0).all() and set(first["matrices"]) == {2}
    assert not first.duplicated(["layer", "size"]).any()
    assert (first.groupby("layer")["parameters"].is_monotonic_increasing).all()
    row = one(first, layer=matrix_fit.SVD, size=1)
    assert [row["error"], row["low"], row["high"]] == pytest.approx(
        interval([matrix_fit.least(1, matrix_fit._target(8, index)) for index in range(2)])
    )
    assert row["parameters"] == 16
    # One size is the largest; more matrices are the same ones and others.
    largest = matrix_fit.analyse(made(), **{**settings, "sizes_per_layer": 1})
    assert one(largest, layer="low_rank")["size"] == 8
    # A layer that is left out has nothing to do there.
    only = matrix_fit._sizes(matrix_fit.Convolution(8, 8, 1), 3)
    assert [size for layer, size in only if layer == "dense"] == [1]
