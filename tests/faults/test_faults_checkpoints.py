"""Checkpoints and copies of finished seeds that are not what a job wrote: refused, and the same bytes at the end."""

import csv
import io
import json
import pickle
import random
import shutil
import struct

import pytest
import torch
from safetensors.torch import load_file, save_file

from faults import SEED, held, sample
from made_batches import FILES, after_seed, stop_batch, train_batch
from sidestep import layout
from sidestep.files import read_json

SEEDS = (3, 4)


class Hostile:
    """A pickle that would leave a mark."""

    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return (open, (str(self.mark), "w"))


@pytest.fixture
def small(run):
    return {**run, "train_images": 128, "epochs": 3, "records": [1, 3], "evaluation_images": 50}


def place(run, what, root, seed):
    return getattr(layout, what)(run["study"], run["dataset"], run["variant"], seed, root)


def stopped(run, digits, root):
    """Seed 3 finished, seed 4 killed after a checkpoint, and what Snakemake does then."""
    stop_batch(run, SEEDS, digits, root, after_seed(3))
    assert place(run, "checkpoint", root, 4).exists() and place(run, "done", root, 3).exists()


def results(run, root):
    """All that the seconds on the clock do not change."""
    found = []
    for seed in SEEDS:
        folder = place(run, "run", root, seed)
        with (folder / "history.csv").open() as file:
            found.append([{**row, "seconds": ""} for row in csv.DictReader(file)])
        found += [(folder / name).read_bytes() for name in FILES]
        summary = read_json(folder / "summary.json")
        for key in ("seconds_train", "peak_memory_bytes", "seal"):
            del summary[key]
        del summary["files"]["history.csv"]
        found.append(summary)
    return found


@pytest.fixture
def halfway(small, digits, tmp_path):
    """A folder of a stopped batch, and what an undisturbed one gives."""
    stopped(small, digits, tmp_path / "stopped")
    train_batch(small, SEEDS, digits, tmp_path / "whole")
    return tmp_path / "stopped", results(small, tmp_path / "whole")


def goes_on(run, digits, halfway, tmp_path, harm, what):
    """Harm one file of a stopped batch, go on, compare, and return the log."""
    begun, expected = halfway
    root = tmp_path / "again"
    shutil.copytree(begun, root)
    seed = {"checkpoint": 4, "done": 3}[what]
    harm(place(run, what, root, seed))
    said = []
    train_batch(run, SEEDS, digits, root, said.append)
    assert results(run, root) == expected
    assert not [path for path in (root / "checkpoints").rglob("*") if path.is_file()]
    shutil.rmtree(root)
    return said


def refused(said, what):
    """Whether the log says in one sentence that the file is not used."""
    start = {"checkpoint": "the checkpoint ", "done": "the copy "}[what]
    lines = [line for line in said if line.endswith(": training starts over")]
    assert len(lines) == 1 and lines[0].startswith(start), said
    assert lines[0].isprintable()


def writes(data):
    return lambda path: path.write_bytes(data)


def header(size, rest=b"{}"):
    return writes(struct.pack("<Q", size) + rest)


def torch_file():
    buffer = io.BytesIO()
    torch.save({"network/hidden": torch.zeros(3)}, buffer)
    return buffer.getvalue()


def rewritten(change):
    """The same tensors with other metadata."""

    def harm(path):
        from safetensors import safe_open

        with safe_open(path, framework="pt") as file:
            metadata = dict(file.metadata())
        save_file(load_file(path), path, change(metadata))

    return harm


def with_head(**changes):
    def change(metadata):
        return {**metadata, "head": json.dumps({**json.loads(metadata["head"]), **changes})}

    return rewritten(change)


def other_tensor(path):
    """One weight changed, and everything else as it was."""
    from safetensors import safe_open

    with safe_open(path, framework="pt") as file:
        metadata = dict(file.metadata())
    tensors = load_file(path)
    name = next(name for name in tensors if name.startswith("network/"))
    tensors[name] = tensors[name] + 1
    save_file(tensors, path, metadata)


CHECKPOINTS = {
    "empty": writes(b""),
    "one byte": writes(b"x"),
    "zeros": writes(bytes(5000)),
    "text": writes(b"<!DOCTYPE html><html>not found</html>"),
    "a torch file": writes(torch_file()),
    "a header of 2^64 - 1 bytes": header(2**64 - 1),
    "a header of 2^63 bytes": header(2**63),
    "a header of 100 GB": header(10**11),
    "a header of 99 MB in a small file": header(99_000_000),
    "a header of no bytes": header(0),
    "a header that is no JSON": header(6, b"{nope}"),
    "a header that is a list": header(2, b"[]"),
    "a header nested deep": header(20_000, b"[" * 10_000 + b"]" * 10_000),
    "a header that is no text": header(4, b"\xff\xfe\xfd\xfc"),
    "no metadata": rewritten(lambda _: None),
    "no head": rewritten(lambda found: {"digest": found["digest"]}),
    "no digest": rewritten(lambda found: {"head": found["head"]}),
    "a head that is no JSON": rewritten(lambda found: {**found, "head": "{"}),
    "a head that is a list": rewritten(lambda found: {**found, "head": "[]"}),
    "another step": with_head(step=5),
    "no rows": with_head(rows=[]),
    "other costs": with_head(costs={}),
    "other seconds": with_head(seconds=0.0),
    "another identity": with_head(identity="{}"),
    "another weight": other_tensor,
}


@pytest.mark.parametrize("name", sample(list(CHECKPOINTS), 12))
def test_a_strange_file_as_a_checkpoint(name, small, digits, halfway, tmp_path):
    said = goes_on(small, digits, halfway, tmp_path, CHECKPOINTS[name], "checkpoint")
    refused(said, "checkpoint")
    held("checkpoint: a strange file in its place")


COPIES = {
    "empty": writes(b""),
    "text": writes(b"<html>"),
    "null": writes(b"null"),
    "a list": writes(b"[]"),
    "a number": writes(b"3"),
    "nothing in it": writes(b"{}"),
    "nested deep": writes(b"[" * 100_000),
    "not a number": writes(b'{"files": NaN}'),
    "no text": writes(b"\xff\xfe"),
}


def copy_with(**changes):
    return lambda path: path.write_text(json.dumps({**read_json(path), **changes}))


COPIES |= {
    "other scores": copy_with(final={"test": {"accuracy": 1.0, "loss": 0.0}}),
    "another status": copy_with(status="diverged"),
    "no files": copy_with(files={}),
    "files elsewhere": copy_with(files={"../../../../etc/passwd": "0"}),
    "fewer files": copy_with(files={"config.json": "0" * 64}),
    "other steps": copy_with(steps=1),
    "another fingerprint": copy_with(fingerprint="0" * 16),
}


@pytest.mark.parametrize("name", sample(list(COPIES), 8))
def test_a_strange_file_as_a_copy_of_a_finished_seed(name, small, digits, halfway, tmp_path):
    refused(goes_on(small, digits, halfway, tmp_path, COPIES[name], "done"), "done")
    held("finished seed: a strange file in its place")


@pytest.mark.parametrize("what", ["checkpoint", "done"])
def test_a_hostile_pickle_is_never_loaded(what, small, digits, halfway, tmp_path):
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        mark = tmp_path / "was here"
        data = pickle.dumps({"network": Hostile(mark)}, protocol)
        refused(goes_on(small, digits, halfway, tmp_path, writes(data), what), what)
        assert not mark.exists()
        held(f"{what}: a hostile pickle")


@pytest.mark.parametrize("what", ["checkpoint", "done"])
def test_a_file_cut_anywhere_is_refused(what, small, digits, halfway, tmp_path):
    size = place(small, what, halfway[0], {"checkpoint": 4, "done": 3}[what]).stat().st_size
    draw = random.Random(SEED)
    # The copy ends in a line break, without which it is whole.
    last = size - 1 - (what == "done")
    cuts = sorted({0, 1, 7, 8, 9, last, *(draw.randrange(last) for _ in range(200))})
    for cut in sample(cuts, 10):

        def harm(path, cut=cut):
            path.write_bytes(path.read_bytes()[:cut])

        refused(goes_on(small, digits, halfway, tmp_path, harm, what), what)
        held(f"{what}: cut")


@pytest.mark.parametrize("what", ["checkpoint", "done"])
def test_a_flipped_bit_anywhere_changes_no_result(what, small, digits, halfway, tmp_path):
    size = place(small, what, halfway[0], {"checkpoint": 4, "done": 3}[what]).stat().st_size
    draw = random.Random(SEED)
    places = [(draw.randrange(size), draw.randrange(8)) for _ in range(500)]
    used = 0
    for at, bit in sample(places, 20):

        def harm(path, at=at, bit=bit):
            data = bytearray(path.read_bytes())
            data[at] ^= 1 << bit
            path.write_bytes(data)

        said = goes_on(small, digits, halfway, tmp_path, harm, what)
        if any("training starts over" in line for line in said):
            refused(said, what)
        else:
            # White space of JSON, which says nothing.
            used += 1
        held(f"{what}: a flipped bit")
    assert used <= len(places) // 10


OTHERS = (
    {"epochs": 4},
    {"network": {"name": "mlp", "width": 9}},
    {"optimiser": {"name": "sgd", "lr": 0.1}},
)


@pytest.mark.parametrize("change", OTHERS)
@pytest.mark.parametrize("what", ["checkpoint", "done"])
def test_one_of_another_run_is_refused(what, change, small, digits, halfway, tmp_path):
    other = {**small, **change}
    stopped(other, digits, tmp_path / "other")
    seed = {"checkpoint": 4, "done": 3}[what]
    theirs = place(other, what, tmp_path / "other", seed).read_bytes()
    refused(goes_on(small, digits, halfway, tmp_path, writes(theirs), what), what)
    held(f"{what}: of another run")


def test_a_checkpoint_of_another_seed_is_refused(small, digits, halfway, tmp_path):
    mine = place(small, "checkpoint", halfway[0], 4)

    def moved(path):
        # That of seed 4 in the place of that of seed 3, which has to be trained again.
        place(small, "done", path.parents[4], 3).unlink()
        shutil.copy(mine, place(small, "checkpoint", path.parents[4], 3))

    refused(goes_on(small, digits, halfway, tmp_path, moved, "checkpoint"), "checkpoint")
    held("checkpoint: of another run")
