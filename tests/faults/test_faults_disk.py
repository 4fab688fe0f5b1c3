"""A full or broken disk at each single write of each job: nothing half made, one sentence, and again."""

import builtins
import csv
import dataclasses
import errno
import io
import json
import os
import shutil
import tempfile
from pathlib import Path

import pytest
from safetensors import SafetensorError

from faults import held, sample
from sidestep import config, layout, status
from sidestep.cli import main
from sidestep.files import canonical_json, read_json, sha256

CODES = {"full": errno.ENOSPC, "broken": errno.EIO}
STUDY = {
    "title": "T",
    "datasets": ["digits"],
    "seeds": [0, 1],
    "seeds_per_job": 2,
    "run": {
        "network": "mlp",
        "epochs": 2,
        "records": [1, 2],
        "train_images": 256,
        "validation": 0,
        "evaluation_images": 50,
        "outputs": ["test"],
        "probes": [{"name": "geometry", "images": 20}],
    },
    "grid": {"network.width": [4, 8]},
    "timing": {"datasets": ["digits"], "steps": 3},
    "metrics": ["scores", "dead_neurons"],
    "figures": ["learning_curves"],
}
NAME = "small"
CELL = (NAME, "digits", "width-4")


class Disk:
    """Counts the writes below a folder, and lets one of them fail half done."""

    def __init__(self, patch, root, at=0, code=errno.ENOSPC):
        self.root, self.at, self.code = str(root), at, code
        self.count, self.failed = 0, False
        for module in (io, builtins):
            patch.setattr(module, "open", self._opening(io.open))
        for name in ("replace", "rename", "fsync", "mkdir"):
            patch.setattr(os, name, self._calling(getattr(os, name), name))
        patch.setattr(tempfile, "mkstemp", self._calling(tempfile.mkstemp, "mkstemp"))
        for where in (
            "sidestep.training.job",
            "sidestep.training.checkpoint",
            "sidestep.measuring.job",
            "safetensors.numpy",
        ):
            module = __import__(where, fromlist=["save_file"])
            patch.setattr(module, "save_file", self._saving(module.save_file))

    def _now(self):
        """Whether this write is the one that fails."""
        self.count += 1
        self.failed |= self.count == self.at
        return self.count == self.at

    def _ours(self, path):
        return isinstance(path, str | os.PathLike) and os.fspath(path).startswith(self.root)

    def _error(self, path):
        return OSError(self.code, os.strerror(self.code), str(path))

    def _opening(self, real):
        def opening(file, mode="r", buffering=-1, encoding=None, errors=None, newline=None, *more):
            if not self._ours(file) or not set(mode) & set("wax+"):
                return real(file, mode, buffering, encoding, errors, newline, *more)
            if self._now():
                raise self._error(file)
            if "w" in mode and self._now():
                # It opens, and takes half of what is written.
                raw = HalfFile(file, mode.replace("b", "").replace("t", ""), self._error(file))
                buffer = io.BufferedRandom(raw) if "+" in mode else io.BufferedWriter(raw)
                return (
                    buffer if "b" in mode else io.TextIOWrapper(buffer, encoding, errors, newline)
                )
            return real(file, mode, buffering, encoding, errors, newline, *more)

        return opening

    def _calling(self, real, name):
        def calling(*words, **named):
            path = named.get("dir") if name == "mkstemp" else words[0]
            ours = name == "fsync" or self._ours(path)
            there = name == "mkdir" and Path(path).exists()
            if ours and not there and self._now():
                raise self._error("" if name == "fsync" else path)
            return real(*words, **named)

        return calling

    def _saving(self, real):
        def saving(tensors, path, *more):
            real(tensors, path, *more)
            if self._ours(path) and self._now():
                os.truncate(path, Path(path).stat().st_size // 2)
                told = os.strerror(self.code)
                raise SafetensorError(f"I/O error: {told} (os error {self.code})")

        return saving


class HalfFile(io.FileIO):
    """A file that takes half of the bytes of its first write and nothing more."""

    def __init__(self, path, mode, error):
        super().__init__(path, mode)
        self.error = error

    def write(self, data):
        data = bytes(data)
        super().write(data[: len(data) // 2])
        raise self.error


@pytest.fixture(scope="module")
def study():
    return config.resolve({"size": "tiny", "studies": {NAME: STUDY}}).studies[NAME]


@pytest.fixture
def _quick(monkeypatch, tmp_path):
    """Every word of a status is written, so that each job has always the same writes."""
    monkeypatch.setattr(status, "INTERVAL", 0.0)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("SIDESTEP_DATA", raising=False)


def commands(study, root):
    """Each job as it is typed."""
    file, at = root / "study.json", ["--root", str(root)]
    run = canonical_json(study.run("digits", "width-4", 0))
    told = ["--study", str(file), *at]
    return {
        "fetch": ["fetch", "digits", "--output", str(layout.data("digits", root))],
        "train": [
            *("train", "--run", run, "--seeds", "0", "1", "--checkpoint-seconds", "0", *at),
        ],
        "measure": ["measure", "--task", canonical_json(study.measure_task(*CELL[1:])), *at],
        "time": ["time", "digits", *told],
        "tabulate": ["tabulate", *told],
        "analyse": ["analyse", "summary", *told],
        "plot": ["plot", "learning_curves", *told],
        "numbers": ["numbers", "--size", "tiny", *told],
        "typeset": ["typeset", "--source", str(root / "paper.typ"), *at],
    }


@pytest.fixture(scope="module")
def done(study, tmp_path_factory):
    """All jobs of the study done, in a folder."""
    root = tmp_path_factory.mktemp("done") / "results"
    root.mkdir()
    (root / "study.json").write_text(json.dumps(dataclasses.asdict(study)))
    (root / "paper.typ").write_text('= #json("numbers.json").size\n')
    words = commands(study, root)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(root.parent / "cache"))
        patch.delenv("SIDESTEP_DATA", raising=False)
        main(words["fetch"])
        for variant in ("width-4", "width-8"):
            run = canonical_json(study.run("digits", variant, 0))
            main(["train", "--run", run, "--seeds", "0", "1", "--root", str(root)])
            task = canonical_json(study.measure_task("digits", variant))
            main(["measure", "--task", task, "--root", str(root)])
        for job in ("time", "tabulate", "analyse", "plot", "numbers", "typeset"):
            main(words[job])
    return root


MADE = {
    "fetch": ["data"],
    "train": [f"{kind}/{'/'.join(CELL)}" for kind in ("runs", "status", "checkpoints")],
    "measure": [f"measures/{'/'.join(CELL)}"],
    "time": ["timing"],
    "tabulate": [f"tables/{NAME}.csv"],
    "analyse": [f"tables/{NAME}_summary.csv"],
    "plot": ["figures"],
    "numbers": ["numbers.json"],
    "typeset": ["paper.pdf"],
}


def files(root, job):
    """What a job has made, by its path below the folder."""
    found = []
    for name in MADE[job]:
        path = root / name
        found += [path] if path.is_file() else [p for p in path.rglob("*") if p.is_file()]
    return {str(path.relative_to(root)): path for path in sorted(found)}


def steady(path):
    """What a file holds, but for what is a log of the machine's speed."""
    if path.name == "history.csv":
        with path.open() as file:
            return [{**row, "seconds": ""} for row in csv.DictReader(file)]
    if path.name == "summary.json" and "runs" in path.parts:
        summary = read_json(path)
        for key in ("seconds_train", "peak_memory_bytes", "seal"):
            del summary[key]
        del summary["files"]["history.csv"]
        return summary
    if path.parent.name == "timing" or "timing" in path.parts:
        return sorted(read_json(path)["variants"])
    if "status" in path.parts:
        return sorted(read_json(path))[:1]
    return path.read_bytes()


def check_whole(root, job, expected):
    """No half file under its own name, and no summary without its files."""
    for name, path in files(root, job).items():
        assert not path.name.startswith("."), name
        if name.startswith("checkpoints/"):
            continue  # Whether they are whole is seen when the job runs again.
        if name.startswith("status/"):
            assert isinstance(read_json(path), dict)
        else:
            assert steady(path) == steady(expected / name), name
        if path.name == "summary.json":
            for file, digest in read_json(path)["files"].items():
                assert sha256(path.parent / file) == digest, file


JOBS = {
    "fetch": 6,
    "train": 12,
    "measure": 5,
    "time": 2,
    "tabulate": 3,
    "analyse": 3,
    "plot": 4,
    "numbers": 3,
    "typeset": 3,
}


@pytest.mark.usefixtures("_quick")
@pytest.mark.parametrize("what", CODES)
@pytest.mark.parametrize("job", JOBS)
def test_each_write_may_fail(job, what, study, done, tmp_path, capsys):
    fresh = tmp_path / "fresh"
    shutil.copytree(done, fresh)
    for name in MADE[job]:
        shutil.rmtree(fresh / name) if (fresh / name).is_dir() else (fresh / name).unlink(True)

    def attempt(root, at):
        """One run of the job in the folder: exit code, what it said, and the disk."""
        capsys.readouterr()
        # Those of the cache are writes too.
        shutil.rmtree(tmp_path / "cache", ignore_errors=True)
        with pytest.MonkeyPatch.context() as patch:
            disk = Disk(patch, tmp_path, at, CODES[what])
            try:
                main(commands(study, root)[job])
                code = 0
            except SystemExit as ended:
                code = ended.code
        return code, capsys.readouterr(), disk

    counted = tmp_path / "results"
    shutil.copytree(fresh, counted)
    code, _, disk = attempt(counted, 0)
    assert code == 0 and disk.count > 3
    assert files(counted, job).keys() == files(done, job).keys()
    check_whole(counted, job, done)
    shutil.rmtree(counted)
    for at in sample(range(1, disk.count + 1), JOBS[job]):
        # Always at one place: a checkpoint of the job knows where its teacher and data are.
        root = tmp_path / "results"
        shutil.copytree(fresh, root)
        code, said, broken = attempt(root, at)
        assert broken.failed
        check_whole(root, job, done)
        if code == 0:
            # A cache that cannot be written harms nothing.
            assert job == "fetch" and "not kept in the cache" in said.out
        else:
            assert code in (1, 2)
            assert said.err.startswith("error: ") and len(said.err.splitlines()) == 1, said.err
            assert os.strerror(CODES[what]) in said.err
        code, said, _ = attempt(root, 0)
        assert code == 0, said.err
        assert "training starts over" not in said.out
        assert files(root, job).keys() == files(done, job).keys()
        check_whole(root, job, done)
        shutil.rmtree(root)
        held(f"disk: {what}, at each write of {job}")
