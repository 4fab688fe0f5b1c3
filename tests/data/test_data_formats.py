"""Decoders: right on good bytes, and never anything but a value or a UserError on others."""

import pickle
import struct
from contextlib import suppress
from pathlib import Path
from typing import Any

import made_data
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidestep.data import formats
from sidestep.errors import UserError


@given(st.lists(st.integers(1, 5), min_size=1, max_size=4), st.integers(0, 9))
def test_idx_gives_back_what_was_written(shape: list[int], seed: int) -> None:
    array = np.random.default_rng(seed).integers(0, 256, shape).astype(np.uint8)
    assert np.array_equal(formats.idx(made_data.idx_bytes(array)), array)


@st.composite
def near_idx(draw: st.DrawFn) -> bytes:
    """Bytes that begin like an idx file, with lengths that may be wrong in any way."""
    dimensions = draw(st.integers(0, 6))
    lengths = draw(st.lists(st.sampled_from([0, 1, 2, 3, 2**16, 2**31, 2**32 - 1]), max_size=6))
    header = bytes([0, 0, draw(st.sampled_from([8, 8, 8, 9, 13])), dimensions])
    return header + struct.pack(f">{len(lengths)}I", *lengths) + draw(st.binary(max_size=12))


@given(st.binary(max_size=40) | near_idx())
def test_idx_gives_a_value_or_a_user_error(data: bytes) -> None:
    try:
        array = formats.idx(data)
    except UserError:
        return
    assert array.dtype == np.uint8
    assert made_data.idx_bytes(array) == data


@pytest.mark.parametrize("change", [-1, 1])
def test_idx_of_another_length_is_refused(change: int) -> None:
    data = made_data.idx_bytes(np.zeros((2, 3), np.uint8)) + b"\0"
    with pytest.raises(UserError, match=r"shape \(2, 3\)"):
        formats.idx(data[: len(data) - 1 + change])


@pytest.mark.parametrize("channels", [1, 3])
def test_sprites_come_back_channels_first(channels: int) -> None:
    images = np.arange(5 * channels * 8, dtype=np.uint8).reshape(5, channels, 4, 2)
    data = made_data.png_bytes(images)
    assert np.array_equal(formats.png_sprites(data, (channels, 4, 2), 5), images)


def test_sprites_of_another_size_or_mode_are_refused() -> None:
    data = made_data.png_bytes(np.zeros((5, 3, 4, 2), np.uint8))
    for shape, rows in (((3, 4, 2), 4), ((3, 2, 2), 5), ((1, 4, 2), 5)):
        with pytest.raises(UserError, match="a PNG of 8 × 5 pixels in mode RGB"):
            formats.png_sprites(data, shape, rows)


@given(st.data())
def test_damaged_sprites_give_a_value_or_a_user_error(data: st.DataObject) -> None:
    images = np.arange(5 * 3 * 8, dtype=np.uint8).reshape(5, 3, 4, 2)
    png = bytearray(made_data.png_bytes(images))
    position = data.draw(st.integers(0, len(png) - 1))
    png[position] ^= data.draw(st.integers(1, 255))
    end = data.draw(st.integers(0, len(png)))
    for damaged in (bytes(png), bytes(png[:end])):
        with suppress(UserError):
            assert formats.png_sprites(damaged, (3, 4, 2), 5).shape == images.shape


def test_a_png_bomb_is_refused_before_it_is_decoded() -> None:
    png = bytearray(made_data.png_bytes(np.zeros((5, 3, 4, 2), np.uint8)))
    png[16:24] = struct.pack(">II", 60_000, 60_000)
    with pytest.raises(UserError):
        formats.png_sprites(bytes(png), (3, 4, 2), 5)


def test_json_labels() -> None:
    assert formats.json_labels(b"[3, 0, 255]").tolist() == [3, 0, 255]
    wrong = (
        b"",
        b"{}",
        b"[1.5]",
        b"[-1]",
        b"[256]",
        b"[true]",
        b'["1"]',
        b"[",
        b"\xff",
        b"[" * 10**5,
    )
    for data in wrong:
        with pytest.raises(UserError):
            formats.json_labels(data)


@pytest.mark.parametrize("module", [b"numpy.core.multiarray", b"numpy._core.multiarray"])
def test_cifar_batch_of_python_2(module: bytes) -> None:
    _, made = made_data.make_colour()
    data = made_data.pickled_batch(made["test_images"], made["test_labels"], module)
    images, labels = formats.cifar_batch(data)
    assert np.array_equal(images, made["test_images"].reshape(4, 24))
    assert np.array_equal(labels, made["test_labels"])


class _Hostile:
    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self.marker,))


class _System:
    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Any, ...]:
        import os

        return (os.system, (f"touch '{self.marker}'",))


@pytest.mark.parametrize("kind", [_Hostile, _System])
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_hostile_pickle_is_never_executed(tmp_path: Path, kind: Any, protocol: int) -> None:
    marker = tmp_path / "executed"
    data = pickle.dumps({b"data": kind(marker)}, protocol)
    with pytest.raises(UserError, match="asks for"):
        formats.cifar_batch(data)
    assert not marker.exists()
    # The test would prove nothing if the pickle were harmless.
    pickle.loads(data)
    assert marker.exists()


@pytest.mark.parametrize(
    "name", [b"numpy\nload", b"numpy\nndarray.tofile", b"numpy.core.multiarray\nscalar", b"os\nabc"]
)
def test_a_pickle_gets_no_other_name(name: bytes) -> None:
    with pytest.raises(UserError, match="not part of an array"):
        formats.cifar_batch(b"\x80\x02c" + name + b"\n.")


@pytest.mark.parametrize(
    "value",
    [[1], {}, {b"labels": [1]}, {b"labels": [1], b"data": 3}, {b"labels": [1, 300], b"data": 3}],
)
def test_a_pickle_of_something_else_is_refused(value: object) -> None:
    # Protocol 3, because older ones spell bytes with a function.
    with pytest.raises(UserError):
        formats.cifar_batch(pickle.dumps(value, 3))


def test_a_batch_that_does_not_match_its_labels_is_refused() -> None:
    _, made = made_data.make_colour()
    data = made_data.pickled_batch(made["test_images"], made["test_labels"][1:])
    with pytest.raises(UserError, match="4 images with 3 labels"):
        formats.cifar_batch(data)
    with pytest.raises(UserError, match="not a readable pickle"):
        formats.cifar_batch(data[:-20])
