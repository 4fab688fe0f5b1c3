"""Files that a test made by hand, given the seals and digests that jobs give theirs."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from numpy.typing import NDArray
from safetensors.numpy import save_file

from sidestep import entries, fingerprint, layout, seals
from sidestep.data import arrays
from sidestep.files import read_json, sha256
from sidestep.study import Study


def seal_table(path: Path) -> None:
    """A table, or the rows of a figure."""
    seals.write_beside(path)


def seal_run(folder: Path) -> None:
    """A run's folder: a summary of what is in it, with what its summary says already."""
    summary = folder / "summary.json"
    facts = read_json(summary) if summary.exists() else {}
    names = sorted(path.name for path in folder.iterdir() if path != summary)
    files = {name: sha256(folder / name) for name in names}
    seals.write(summary, {**facts, "files": files})


def seal_data(path: Path) -> None:
    """A data set's file, or the digests of one that is not there."""
    digests = path.with_suffix(".digest.json")
    if path.exists():
        found = {name: arrays.digest(array) for name, array in arrays.read(path).items()}
        facts = {"dataset": path.stem, "sha256": found, "crc32": arrays.checksum(path)}
        seals.write(digests, facts)
    else:
        seals.write(digests, read_json(digests))


def make_timings(study: Study, root: Path) -> None:
    """What a study's timing jobs say of where they ran, without times: a table has those."""
    for dataset in study.timing_datasets:
        timed = study.timed_runs(dataset)
        value = {
            "of": seals.digest({"runs": timed, "steps": study.timing_steps}),
            "fingerprint": fingerprint.of(entries.timing(timed.values())),
            "variants": {},
            **{"processor": "a made one", "cores": 2, "threads": 1},
            "steps_timed": study.timing_steps,
        }
        seals.write(layout.timing(study.name, dataset, root), value)


def save(tensors: Mapping[str, NDArray[Any]], path: Path) -> None:
    """Arrays of a data set, or of a run, with the digests that readers want."""
    save_file(dict(tensors), path)
    if path.parent.name.startswith("seed"):
        seal_run(path.parent)
    else:
        seal_data(path)
