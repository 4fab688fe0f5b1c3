"""What every section's tests make besides tables: runs without networks, and the paper's numbers."""

import json
from collections.abc import Collection
from pathlib import Path
from typing import Any

import made_files
from sidestep import layout, seals
from sidestep.numbers import numbers_job
from sidestep.provenance import Provenance
from sidestep.study import Study

# Of every run alike: where and with what it was made.
PROVENANCE = {"commit": "abc", "python": "3.11.7", "torch": "2.13.0", "cores": 2}


def make_runs(
    root: Path, study: Study, diverged: Collection[tuple[str, str, int]] = frozenset()
) -> None:
    """Summaries of a study's runs and with what they were made, digests of its data and its timings.

    Args:
        root: the results folder, without runs of that study.
        study: the study.
        diverged: data set, variant and seed of the runs that did.
    """
    made_with = Provenance()
    for run in study.runs():
        place = (run["study"], run["dataset"], run["variant"], run["seed"])
        folder = layout.run(*place, root)
        folder.mkdir(parents=True)
        status = "diverged" if place[1:] in diverged else "finished"
        (folder / "summary.json").write_text(json.dumps({"status": status, "seconds_train": 1.5}))
        (folder / "provenance.json").write_text(json.dumps(PROVENANCE))
        made_files.seal_run(folder)
        made_with.add(run, folder, seals.read(folder / "summary.json"))
    made_with.write(study.name, layout.provenance(study.name, root))
    for dataset in study.datasets:
        path = layout.data(dataset, root).with_suffix(".digest.json")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"sha256": {"test_images": "0" * 64}}))
        made_files.seal_data(layout.data(dataset, root))
    made_files.make_timings(study, root)


def gathered(root: Path, *studies: Study, size: str = "small") -> dict[str, Any]:
    """What `numbers.json` holds for what was made."""
    output = root / "numbers.json"
    numbers_job(size, list(studies), output, root)
    found: dict[str, Any] = json.loads(output.read_text())
    return found
