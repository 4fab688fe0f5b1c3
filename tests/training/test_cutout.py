"""Cutout: squares of the right side, at places with the right chances, filled with the mean."""

import pytest
import torch

from sidestep.augmentations import cutout

BLACK = torch.tensor([-1.0, -2.0, -3.0])


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def boxes(found):
    """First and last row and column of each image's zeros, which must fill a rectangle."""
    for image in found:
        holes = (image == 0).all(0)
        assert torch.equal(holes, (image == 0).any(0)), "all channels lose the same places"
        rows, columns = holes.any(1).nonzero().flatten(), holes.any(0).nonzero().flatten()
        box = int(rows[0]), int(rows[-1]), int(columns[0]), int(columns[-1])
        assert int(holes.sum()) == (box[1] - box[0] + 1) * (box[3] - box[2] + 1)
        yield box


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5])
def test_squares_are_centred_on_every_pixel_and_clipped(size):
    height, width = 7, 6
    images = torch.rand(3000, 3, height, width) + 1
    found = cutout.augment(images, generator(), BLACK, size=size)

    def clipped(centre, length):
        first = centre - size // 2
        return max(first, 0), min(first + size, length) - 1

    expected = {
        (*clipped(y, height), *clipped(x, width)) for y in range(height) for x in range(width)
    }
    assert set(boxes(found)) == expected
    kept = found != 0
    assert torch.equal(found[kept], images[kept])


def test_centres_are_uniform_so_that_a_middle_pixel_is_lost_most_often():
    """A pixel is lost with the share of centres whose square reaches it."""
    images = torch.ones(40_000, 1, 8, 8)
    lost = (cutout.augment(images, generator(), BLACK[:1], size=4) == 0).double().mean((0, 1))
    # A square around c covers c - 2 to c + 1, so that pixel 0 is lost to the centres 0, 1 and 2.
    reach = torch.tensor([3, 4, 4, 4, 4, 4, 3, 2], dtype=torch.float64)
    torch.testing.assert_close(lost, torch.outer(reach, reach) / 64, atol=0.012, rtol=0)


def test_the_fill_is_zero_whatever_black_is_and_rows_and_columns_are_drawn_apart():
    images = torch.rand(500, 3, 9, 9) + 1
    found = cutout.augment(images, generator(), BLACK, size=1)
    assert torch.equal(found, cutout.augment(images, generator(), 5 * BLACK, size=1))
    places = {(top, left) for top, _, left, _ in boxes(found)}
    assert len(places) == 81


def test_a_square_over_everything_leaves_nothing():
    images = torch.rand(5, 1, 4, 4) + 1
    assert not cutout.augment(images, generator(), BLACK[:1], size=8).any()


def test_other_precisions_stay_as_they_are():
    images = torch.rand(4, 3, 8, 8, dtype=torch.float64)
    assert cutout.augment(images, generator(), BLACK, size=3).dtype == torch.float64
