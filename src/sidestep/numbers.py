"""The numbers that the paper's text quotes: one JSON file, made from tables and provenance only."""

from pathlib import Path
from typing import Any

from sidestep import layout
from sidestep.config import Study
from sidestep.files import read_json, write_json
from sidestep.registry import load
from sidestep.tables import Tables


def numbers_job(size: str, studies: list[Study], output: Path, root: Path) -> None:
    """Write `{"size": …, "reproducibility": …, "<study>": {…}, …}`.

    Args:
        size: what the config calls its size.
        studies: all studies of the config.
        output: JSON file to write.
        root: the results folder.
    """
    value: dict[str, Any] = {"size": size, "reproducibility": _reproducibility(studies, root)}
    for study in studies:
        value[study.name] = load("paper", study.name).numbers(Tables(study, root))
    write_json(output, value)


def _reproducibility(studies: list[Study], root: Path) -> dict[str, Any]:
    """What the results were made with: each distinct value of every run's provenance, and digests."""
    facts: dict[str, set[str]] = {}
    seconds, count, diverged = 0.0, 0, 0
    datasets = {dataset for study in studies for dataset in study.datasets}
    for study in studies:
        for run in study.runs():
            place = (run["study"], run["dataset"], run["variant"], run["seed"])
            folder = layout.run(*place, root)
            summary = read_json(folder / "summary.json")
            seconds += summary["seconds_train"]
            count += 1
            diverged += summary["status"] == "diverged"
            for key, item in read_json(folder / "provenance.json").items():
                if isinstance(item, str | int):
                    facts.setdefault(key, set()).add(str(item))
    facts.pop("fingerprint", None)
    return {
        "facts": {key: sorted(values) for key, values in sorted(facts.items())},
        "runs": count,
        "diverged": diverged,
        "seconds_train": round(seconds, 1),
        "digests": {
            name: read_json(layout.data(name, root).with_suffix(".digest.json"))
            for name in sorted(datasets)
        },
    }
