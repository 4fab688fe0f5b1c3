"""Loading, splitting and normalising."""

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import made_data
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import save_file

import made_files
from sidestep import seals
from sidestep.data import arrays
from sidestep.data.load import Images, load, normalise, split, verify
from sidestep.errors import UserError


def test_load_gives_what_was_written(tmp_path: Path) -> None:
    dataset, made = made_data.make_colour()
    path = tmp_path / "made.safetensors"
    arrays.write(path, made)
    verify(path, dataset)
    made_files.seal_data(path)
    data = load(path)
    assert list(data) == ["train", "test"]
    for part, images in data.items():
        assert images.images.dtype == torch.uint8 and images.labels.dtype == torch.int64
        assert np.array_equal(images.images.numpy(), made[f"{part}_images"])
        assert np.array_equal(images.labels.numpy(), made[f"{part}_labels"])
        assert len(images) == dataset.sizes[part]


def test_a_wrong_file_is_named(tmp_path: Path) -> None:
    dataset, made = made_data.make()
    path = tmp_path / "made.safetensors"
    with pytest.raises(UserError, match=r"made\.safetensors"):
        load(path)
    arrays.write(path, made)
    made_files.seal_data(path)
    whole = path.read_bytes()
    missing: dict[str, Any] = {name: array for name, array in made.items() if name != "test_labels"}
    wrong_type: dict[str, Any] = {**made, "train_images": made["train_images"].astype(np.float32)}
    wrong_count: dict[str, Any] = {**made, "train_labels": made["train_labels"][1:]}
    for contents in (whole[:-1], whole[:100], b"", b"text" * 100, missing, wrong_type, wrong_count):
        if isinstance(contents, bytes):
            path.write_bytes(contents)
        else:
            save_file(contents, path)
            # Whole, and not a dataset.
            made_files.seal_data(path)
        for read in (load, lambda path: verify(path, dataset)):
            with pytest.raises(UserError, match=r"made\.safetensors"):
                read(path)
    with pytest.raises(UserError, match="cannot be read"):
        load(tmp_path)


@given(st.data())
def test_a_damaged_file_is_refused_before_it_is_read(data: st.DataObject) -> None:
    _, made = made_data.make()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "made.safetensors"
        arrays.write(path, made)
        made_files.seal_data(path)
        arrays.check_file(path)
        whole = path.read_bytes()
        at = data.draw(st.integers(0, len(whole) - 1))
        bit = data.draw(st.integers(0, 7))
        flipped = whole[:at] + bytes([whole[at] ^ 1 << bit]) + whole[at + 1 :]
        for content in (whole[:at], flipped, whole + b"\0", b""):
            path.unlink()
            path.write_bytes(content)
            with pytest.raises(UserError, match=r"made\.safetensors is not .* delete \S+ and run"):
                arrays.check_file(path)


def test_digests_of_another_dataset_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "made.safetensors"
    arrays.write(path, made_data.make()[1])
    made_files.seal_data(path)
    facts = seals.read(path.with_suffix(".digest.json"))
    for wrong in ({"dataset": "other"}, {"crc32": facts["crc32"] + 1}, {"crc32": None}):
        seals.write(path.with_suffix(".digest.json"), {**facts, **wrong})
        with pytest.raises(UserError, match=r"made\.safetensors is not what .*digest\.json says"):
            arrays.check_file(path)
    path.with_suffix(".digest.json").write_text("{}")
    with pytest.raises(UserError, match=r"made\.digest\.json is damaged"):
        arrays.check_file(path)


def test_verify_names_both_digests(tmp_path: Path) -> None:
    dataset, made = made_data.make()
    found = made["test_images"].copy()
    found[0, 0, 0, 0] ^= 1
    path = tmp_path / "made.safetensors"
    arrays.write(path, {**made, "test_images": found})
    with pytest.raises(UserError) as error:
        verify(path, dataset)
    for text in (dataset.digests["test_images"], arrays.digest(found), str(path), "test_images"):
        assert text in str(error.value)


def _numbered(count: int) -> dict[str, Images]:
    """Images whose one pixel, like their label, is their place in the training set."""
    numbers = torch.arange(count)
    train = Images(numbers.to(torch.uint8).view(-1, 1, 1, 1), numbers)
    return {"train": train, "test": train}


@given(st.integers(1, 200), st.data(), st.integers(0, 3))
def test_split_parts_the_training_set(count: int, draw: st.DataObject, seed: int) -> None:
    validation = draw.draw(st.integers(0, count - 1))
    smaller = draw.draw(st.integers(0, validation))
    data = _numbered(count)
    torch.manual_seed(draw.draw(st.integers(0, 9)))
    parts = split(data, validation, seed=seed)
    assert list(parts) == ["train", *(["validation"] if validation else []), "test"]
    assert parts["test"] is data["test"]
    numbers = {part: parts[part].labels.tolist() for part in parts}
    chosen = numbers.get("validation", [])
    assert len(chosen) == validation
    assert sorted(numbers["train"] + chosen) == list(range(count))
    assert numbers["train"] == sorted(numbers["train"]) and chosen == sorted(chosen)
    for images in parts.values():
        assert images.images.flatten().tolist() == images.labels.tolist()
    nested = split(data, smaller, seed=seed).get("validation")
    assert nested is None or set(nested.labels.tolist()) <= set(chosen)


def test_split_depends_on_its_seed_only() -> None:
    data = _numbered(100)
    torch.manual_seed(1)
    first = split(data, 30)["validation"].labels
    torch.manual_seed(2)
    assert torch.equal(first, split(data, 30)["validation"].labels)
    assert not torch.equal(first, split(data, 30, seed=1)["validation"].labels)


@pytest.mark.parametrize("validation", [-1, 20, 21])
def test_split_refuses_an_impossible_part(validation: int) -> None:
    with pytest.raises(
        UserError, match=f"validation is {validation}, but must be a whole number from 0 to 19"
    ):
        split(_numbered(20), validation)


@pytest.mark.parametrize("count", [0, 1, 4, 3001])
@pytest.mark.parametrize("scale", [16, 255])
def test_normalise_is_the_plain_formula(count: int, scale: int) -> None:
    dataset = replace(made_data.make_colour()[0], scale=scale)
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, scale + 1, (count, 3, 8, 8), generator=generator, dtype=torch.uint8)
    mean = torch.tensor(dataset.mean).view(3, 1, 1)
    deviation = torch.tensor(dataset.deviation).view(3, 1, 1)
    found = normalise(images, dataset)
    assert found.dtype == torch.float32
    assert torch.equal(found, (images.float() / scale - mean) / deviation)
    assert torch.equal(found[1:], normalise(images[1:], dataset))


@pytest.mark.parametrize("validation", [0, 5])
def test_split_keeps_as_many_training_images_as_wanted_apart_from_validation(validation) -> None:
    data = _numbered(20)
    whole = split(data, validation)
    kept = split(data, validation, 7)
    assert len(kept["train"]) == 7
    assert set(kept["train"].labels.tolist()) <= set(whole["train"].labels.tolist())
    assert kept["test"] is data["test"]
    for wrong in (0, -1, 21 - validation):
        with pytest.raises(UserError, match="train_images"):
            split(data, validation, wrong)
