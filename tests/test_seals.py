"""Seals: what was written is read again, and every damage is refused with the file's name."""

import json
import subprocess
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidestep import cli, seals
from sidestep.errors import UserError
from sidestep.files import canonical_json, json_text, write_json

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    # All that JSON may hold, halves of pairs of surrogates included.
    | st.text(st.characters(codec=None)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip
MAPPINGS = st.dictionaries(st.text(), VALUES, max_size=4)


def damaged(path, content):
    path.write_bytes(content)
    with pytest.raises(
        UserError, match=r"sealed\.json is damaged .*delete \S*sealed\.json and run"
    ):
        seals.read(path)


@given(MAPPINGS)
def test_what_was_sealed_is_read(value):
    value.pop(seals.KEY, None)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sealed.json"
        seals.write(path, value)
        found = seals.read(path)
        assert found.pop(seals.KEY) == seals.digest(value)
        assert found == value
        # Whoever reads it, adds to it and writes it again seals what there is then.
        seals.write(path, {**seals.read(path), "more": 1})
        assert seals.read(path)["more"] == 1


@given(MAPPINGS, st.data())
def test_every_changed_byte_is_refused_or_says_the_same(value, data):
    value.pop(seals.KEY, None)
    content = json_text(seals.sealed(value)).encode()
    at = data.draw(st.integers(0, len(content) - 1))
    new = content[:at] + data.draw(st.binary(max_size=3)) + content[at + 1 :]
    try:
        same = canonical_json(json.loads(new)) == canonical_json(seals.sealed(value))
    except (ValueError, RecursionError):
        same = False
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sealed.json"
        if same:
            path.write_bytes(new)
            assert seals.read(path)[seals.KEY] == seals.digest(value)
        else:
            damaged(path, new)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b"\xff\xfe",
        b'{"a": 1',
        b"[" * 100_000,
        b'{"a": NaN, "seal": ""}',
    ],
)
def test_what_is_no_sealed_mapping_is_damaged(tmp_path, content):
    damaged(tmp_path / "sealed.json", content)


def test_a_truncated_file_is_refused_wherever_it_ends(tmp_path):
    path = tmp_path / "sealed.json"
    content = json_text(seals.sealed({"loss": 0.5, "files": {"a": "0" * 64}})).encode()
    # The newline at the end says nothing.
    for length in range(len(content) - 1):
        damaged(path, content[:length])


def test_a_seal_of_another_value_is_refused(tmp_path):
    path = tmp_path / "sealed.json"
    write_json(path, {"loss": 0.4, seals.KEY: seals.digest({"loss": 0.5})})
    damaged(path, path.read_bytes())


def test_a_missing_file_or_a_folder_is_told(tmp_path):
    with pytest.raises(UserError, match=r"sealed\.json is missing"):
        seals.read(tmp_path / "sealed.json")
    with pytest.raises(UserError, match=r"is damaged .*directory"):
        seals.read(tmp_path)


def test_what_json_does_not_have_is_not_sealed(tmp_path):
    for number in (float("nan"), float("inf")):
        with pytest.raises(ValueError, match="JSON"):
            seals.write(tmp_path / "sealed.json", {"a": [number]})
    assert not list(tmp_path.iterdir())


@pytest.fixture
def figure(tmp_path):
    """A figure's three files and their digests."""
    paths = [tmp_path / f"widths{suffix}" for suffix in (".svg", ".png", ".csv")]
    for path in paths:
        path.write_bytes(f"bytes of {path.suffix}".encode())
    seals.write_beside(*paths)
    return paths


def test_digests_are_those_of_sha256sum(figure):
    for path in figure:
        seals.check_beside(path)
    folder = figure[0].parent
    done = subprocess.run(
        ["sha256sum", *(path.name for path in figure)], cwd=folder, capture_output=True, check=True
    )
    assert done.stdout == (folder / "widths.sha256").read_bytes()


@pytest.mark.parametrize("asked", range(3))
@pytest.mark.parametrize("suffix", [".svg", ".png", ".csv", ".sha256"])
def test_a_table_or_figure_is_refused_if_anything_that_belongs_to_it_is_not_whole(
    figure, asked, suffix
):
    path = figure[0].with_suffix(suffix)
    whole = path.read_bytes()
    others = [b"", whole[:-1], whole[: len(whole) // 2], b"\xff" + whole[1:], whole.swapcase()]
    for content in (None, *others):
        path.unlink() if content is None else path.write_bytes(content)
        with pytest.raises(UserError, match=r"widths\.\w+ is .*: (delete \S+ and|the job)") as told:
            seals.check_beside(figure[asked])
        assert str(path) in str(told.value) or suffix == ".sha256"
        assert str(figure[asked]) in str(told.value)
        path.write_bytes(whole)
    seals.check_beside(figure[asked])


def test_digests_of_other_files_are_refused(figure, tmp_path):
    digests = tmp_path / "widths.sha256"
    for text in ("../widths.svg", "depths.svg", "widths.svg/", "wid\0ths.svg"):
        digests.write_text(digests.read_text() + f"{'0' * 64}  {text}\n")
        with pytest.raises(UserError, match="is damaged"):
            seals.check_beside(figure[0])
        seals.write_beside(*figure)


def test_verify_takes_what_is_whole_and_names_what_is_not(figure, capsys):
    cli.main(["verify", *map(str, figure)])
    figure[1].write_bytes(b"another")
    with pytest.raises(SystemExit) as end:
        cli.main(["verify", *map(str, figure)])
    assert end.value.code == 2
    assert f"error: {figure[1]} is not the file whose digest" in capsys.readouterr().err
