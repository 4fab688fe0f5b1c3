"""Tables as data sets: decoding, bad input, splits drawn anew, standardisation, components."""

import math
import struct
from dataclasses import replace

import made_data
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.datasets import load_wine
from sklearn.decomposition import PCA

import made_files
from sidestep import registry
from sidestep.data import arrays, formats, layouts
from sidestep.data.dataset import ARRAY_NAMES, Dataset
from sidestep.data.fetch import fetch
from sidestep.data.load import Images, load, split
from sidestep.data.prepare import preparation, prepare
from sidestep.errors import UserError

TABLE = replace(
    made_data.PLAIN,
    shape=(2, 1, 1),
    classes=2,
    sizes={"train": 3, "test": 1},
    mean=(),
    deviation=(),
    scale=1,
    layout="csv",
    features=("a", "b"),
)
TEXT = "a,b,target\n1,2.5,0\n-3,1e3,1\n0,0,1\n7,8,0\n"


def wine(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("SIDESTEP_DATA", raising=False)
    path = tmp_path / "wine.safetensors"
    fetch("wine", path, None, lambda _: None)
    return path


@pytest.mark.parametrize("name", ["breast_cancer", "wine", "diabetes"])
def test_tables_inside_scikit_learn_have_their_digests(name, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    path = tmp_path / f"{name}.safetensors"
    fetch(name, path, None, lambda _: None)
    dataset: Dataset = registry.load("datasets", name).DATASET
    data = load(path)
    assert data["train"].images.shape[1:] == dataset.shape
    assert data["train"].images.dtype == torch.float32
    numbers = dataset.target == "number"
    assert data["test"].labels.dtype == (torch.float32 if numbers else torch.int64)
    if not numbers:
        assert set(data["test"].labels.tolist()) == set(range(dataset.classes))


def test_rows_are_those_of_scikit_learn(tmp_path, monkeypatch):
    data = load(wine(tmp_path, monkeypatch))
    found = torch.cat([data[part].images.flatten(1) for part in ("train", "test")]).numpy()
    assert sorted(map(tuple, found)) == sorted(
        map(tuple, load_wine().data.astype(np.float32).tolist())
    )


def test_a_csv_is_read_whatever_the_order_of_its_columns(tmp_path):
    rows, targets = formats.table(TEXT.encode(), ("a", "b"), "class", 2)
    assert rows.tolist() == [[1, 2.5], [-3, 1000], [0, 0], [7, 8]] and rows.dtype == np.float32
    assert targets.tolist() == [0, 1, 1, 0] and targets.dtype == np.uint8
    turned = "target,b,a\n0,2.5,1\n1,1e3,-3\n1,0,0\n0,8,7\n"
    assert np.array_equal(formats.table(turned.encode(), ("a", "b"), "class", 2)[0], rows)
    (tmp_path / "made.csv").write_text(TEXT)
    found = layouts.read("csv", tmp_path, TABLE, tmp_path)
    assert found["train_images"].shape == (3, 2, 1, 1) and found["test_labels"].tolist() == [0]
    known = replace(TABLE, digests={name: arrays.digest(found[name]) for name in ARRAY_NAMES})
    arrays.check(found, known)
    assert "made.csv" in layouts.expected_files(TABLE)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a,b,target\n1,,0\n2,3,1\n", "missing value in row 1 of column 'b'"),
        ("a,b,target\n1,2,0\n2,high,1\n", "'high' in row 2 of column 'b', which is no number"),
        ("a,b,target\n1,2,0\n2,nan,1\n", "'nan' in row 2 of column 'b', which is not finite"),
        ("a,b,target\n1,2,0\n2,inf,1\n", "not finite"),
        ("a,b,target\n1,2,1\n2,3,1\n", "one class only, 1"),
        ("a,b,target\n1,2,0\n2,3,2\n", "target is 2 in row 2, not a class from 0 to 1"),
        ("a,b,target\n1,2,0\n2,3,0.5\n", "target is 0.5 in row 2"),
        ("a,b,target\n1,2,0\n2,3,-1\n", "target is -1 in row 2"),
        ("a,target\n1,0\n2,1\n", "lacks the column 'b'"),
        ("a,b,c,target\n1,2,3,0\n", "has a column 'c' too many"),
        ("a,b,target\n", "without rows"),
        ("", "not a readable table"),
        ("a,b,target\n1,2\n1,2,3,4\n", "not a readable table"),
    ],
)
def test_a_bad_table_is_one_sentence_that_names_the_place(text, told, tmp_path):
    with pytest.raises(UserError, match=told):
        formats.table(text.encode(), ("a", "b"), "class", 2)
    (tmp_path / "made.csv").write_text(text)
    with pytest.raises(UserError, match=r"made\.csv is (a|not a) .*table"):
        layouts.read("csv", tmp_path, TABLE, tmp_path)


def test_a_table_of_one_number_is_refused():
    with pytest.raises(UserError, match="one number only, 4"):
        formats.table(b"a,target\n1,4\n2,4\n", ("a",), "number", 0)


@given(st.binary(max_size=80) | st.text("ab,target\n0123.-e\"'", max_size=60).map(str.encode))
def test_any_bytes_are_a_table_or_a_sentence(data):
    try:
        rows, targets = formats.table(data, ("a", "b"), "class", 2)
    except UserError:
        return
    assert rows.shape == (len(targets), 2) and np.isfinite(rows).all()


def numbered(train=40, test=10):
    def part(begin, count):
        rows = torch.arange(begin, begin + count, dtype=torch.float32)
        return Images(rows[:, None, None, None].repeat(1, 2, 1, 1), (rows % 2).long())

    return {"train": part(0, train), "test": part(train, test)}


def test_every_draw_has_all_rows_once_and_is_another_one():
    seen = set()
    for draw in range(5):
        parts = split(numbered(), 0.25, resample=draw)
        assert {name: len(part) for name, part in parts.items()} == {
            "train": 30,
            "validation": 10,
            "test": 10,
        }
        rows = torch.cat([part.images[:, 0, 0, 0] for part in parts.values()])
        assert rows.sort().values.tolist() == list(range(50))
        seen.add(tuple(parts["test"].images[:, 0, 0, 0].tolist()))
    assert len(seen) == 5
    again, first = (split(numbered(), 0.25, resample=3)["test"].images for _ in range(2))
    assert torch.equal(again, first)
    assert torch.equal(split(numbered(), 10)["test"].images, numbered()["test"].images)


def test_a_subset_is_taken_before_anything_else():
    parts = split(numbered(), 0.25, subset=20)
    assert {name: len(part) for name, part in parts.items()} == {
        "train": 15,
        "validation": 5,
        "test": 10,
    }
    assert len(split(numbered(), 0.25, subset=2000)["train"]) == 30
    whole = split(numbered(), 0, subset=20)["train"].images.flatten().tolist()
    assert set(parts["train"].images.flatten().tolist()) < set(whole)
    with pytest.raises(UserError, match="validation is 20, but must be"):
        split(numbered(), 20, subset=20)
    with pytest.raises(UserError, match=r"validation is 3\.5"):
        split(numbered(), 3.5)


def test_columns_and_numbers_are_standardised_by_the_training_part_alone():
    generator = torch.Generator().manual_seed(0)
    rows = 5 + 3 * torch.randn(50, 2, 1, 1, generator=generator)
    rows[:, 1] = 4.0
    parts = {
        "train": Images(rows[:40], rows[:40, 0, 0, 0] * 10),
        "test": Images(rows[40:], rows[40:, 0, 0, 0] * 10),
    }
    dataset = replace(TABLE, target="number", classes=0)
    made = prepare(parts, dataset)
    inputs, labels = made["train"]
    assert inputs.dtype == labels.dtype == torch.float32 and labels.shape == (40, 1)
    assert float(inputs[:, 0].mean()) == pytest.approx(0, abs=1e-6)
    assert float(inputs[:, 0].std(correction=0)) == pytest.approx(1, rel=1e-5)
    # A column that says nothing stays finite.
    assert inputs[:, 1].abs().max() == 0
    assert float(labels.mean()) == pytest.approx(0, abs=1e-6)
    assert torch.allclose(labels[:, 0], inputs[:, 0, 0, 0], atol=1e-5)
    test = (rows[40:, 0, 0, 0] - rows[:40, 0].mean()) / rows[:40, 0].std(correction=0)
    assert torch.allclose(made["test"][0][:, 0, 0, 0], test, atol=1e-5)


def test_components_are_those_of_scikit_learn(digits):
    dataset = replace(registry.load("datasets", "digits").DATASET, components=7)
    parts = split(load(digits), 300)
    made = prepare(parts, dataset)
    assert made["test"][0].shape == (297, 7, 1, 1) and dataset.input_shape == (7, 1, 1)
    plain = registry.load("datasets", "digits").DATASET
    flat = {name: inputs.flatten(1).numpy() for name, (inputs, _) in prepare(parts, plain).items()}
    reference = PCA(7, whiten=True, svd_solver="full").fit(flat["train"])
    for name in ("train", "test"):
        ours, theirs = made[name][0].flatten(1).numpy(), reference.transform(flat[name])
        theirs = theirs * math.sqrt(len(flat["train"]) / (len(flat["train"]) - 1))
        signs = np.sign((ours * theirs).sum(0))
        assert np.allclose(ours, theirs * signs, atol=2e-4)


def test_too_few_images_for_the_components_are_told(digits):
    dataset = replace(registry.load("datasets", "digits").DATASET, components=20)
    few = split(load(digits), 0, 15)
    with pytest.raises(UserError, match=r"15 training images .* do not vary in 20 directions"):
        preparation(few["train"], dataset)


def test_one_class_one_number_and_missing_values_are_told_before_training():
    rows = torch.ones(4, 2, 1, 1)
    with pytest.raises(UserError, match="4 training images of dataset 'made' have one class only"):
        preparation(Images(rows, torch.zeros(4, dtype=torch.int64)), TABLE)
    numbers = replace(TABLE, target="number", classes=0)
    with pytest.raises(UserError, match="one value of the target only"):
        preparation(Images(rows, torch.full((4,), 2.5)), numbers)
    for wrong in (math.nan, math.inf):
        broken = rows.clone()
        broken[2, 1] = wrong
        with pytest.raises(UserError, match="missing or infinite"):
            preparation(Images(broken, torch.tensor([0, 1, 0, 1])), TABLE)
        with pytest.raises(UserError, match="missing or infinite"):
            preparation(Images(rows, torch.tensor([0.0, 1.0, wrong, 2.0])), numbers)


def test_a_file_with_parts_of_two_kinds_is_refused(tmp_path):
    # Written by hand, as safetensors lays it out: a header's length, the header, the bytes.
    path = tmp_path / "x.safetensors"
    header = (
        b'{"train_images":{"dtype":"F32","shape":[1,1,1,1],"data_offsets":[0,4]},'
        b'"train_labels":{"dtype":"U8","shape":[1],"data_offsets":[4,5]},'
        b'"test_images":{"dtype":"U8","shape":[1,1,1,1],"data_offsets":[5,6]},'
        b'"test_labels":{"dtype":"U8","shape":[1],"data_offsets":[6,7]}}'
    )
    path.write_bytes(struct.pack("<Q", len(header)) + header + bytes(7))
    made_files.seal_data(path)
    with pytest.raises(UserError, match="not a dataset"):
        load(path)
