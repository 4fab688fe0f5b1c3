"""Results of jobs as others read them: found whole and unchanged, or refused with the file's name."""

from pathlib import Path
from typing import Any

from sidestep import entries, layout, seals
from sidestep import fingerprint as fingerprints
from sidestep.errors import UserError
from sidestep.files import Json, canonical_json, sha256
from sidestep.study import Study


def read_summary(folder: Path, expected: Json = None) -> dict[str, Any]:
    """The `summary.json` of a run's folder, or of a variant's measures.

    Args:
        folder: of a run, or of a variant's measures.
        expected: the config that `config.json` must hold; None for any.

    Raises:
        UserError: it is absent, damaged, or of another config than the folder's or the one expected.
    """
    path = folder / "summary.json"
    summary = seals.read(path)
    if not isinstance(summary.get("files"), dict):
        raise UserError(f"{path} is damaged (it is no summary): delete it and run again")
    # Another run's summary shows by its config; hand-made ones may name none.
    if "config.json" in summary["files"]:
        text = check_file(folder, "config.json", summary).read_text(encoding="utf-8").strip()
        if expected is not None and text != canonical_json(expected):
            raise UserError(f"{folder} is the result of another config: delete it and run again")
    return summary


def check_file(folder: Path, name: str, summary: dict[str, Any] | None = None) -> Path:
    """One file of a folder, which is what the folder's summary says.

    Args:
        folder: of a run, or of a variant's measures.
        name: of the file.
        summary: the folder's, if it has been read.

    Raises:
        UserError: it is missing, or was changed since, or the summary is missing or damaged.
    """
    summary = read_summary(folder) if summary is None else summary
    path = folder / name
    remedy = f"delete {folder / 'summary.json'} and run again"
    if not path.is_file():
        raise UserError(f"{path} is missing: {remedy}")
    if sha256(path) != summary["files"].get(name):
        raise UserError(f"{path} was changed since it was written: {remedy}")
    return path


def check(folder: Path, expected: Json, fingerprint: str) -> dict[str, Any]:
    """The summary of a folder whose every file is what the summary says, made from what is expected.

    Args:
        folder: of a run, or of a variant's measures.
        expected: the config that `config.json` must hold.
        fingerprint: of today's code for that job.

    Raises:
        UserError: a file is missing, was changed since, or belongs to another config or other code.
    """
    summary = read_summary(folder, expected)
    for name in summary["files"]:
        check_file(folder, name, summary)
    if summary.get("fingerprint") != fingerprint:
        raise UserError(
            f"{folder} was made by other code (fingerprint {summary.get('fingerprint')}, today's is "
            f"{fingerprint}): delete it and run again"
        )
    if isinstance(expected, dict) and expected.get("teacher"):
        _check_teacher(folder, expected["teacher"], summary)
    return summary


def timing(study: Study, dataset: str, root: Path) -> dict[str, Any]:
    """The timing of a study's steps.

    Raises:
        UserError: it is missing, damaged, of another config or of other code.
    """
    path = layout.timing(study.name, dataset, root)
    found = seals.read(path)
    timed = study.timed_runs(dataset)
    if found.get("of") != seals.digest({"runs": timed, "steps": study.timing_steps}):
        raise UserError(f"{path} is the result of another config: delete it and run again")
    if found.get("fingerprint") != fingerprints.of(entries.timing(timed.values())):
        raise UserError(f"{path} was made by other code: delete it and run again")
    return found


def teacher_folder(folder: Path, teacher: dict[str, Any]) -> Path:
    """The folder of the run that teaches the one of a folder: of the same study, data set and seed."""
    return folder.parents[1] / str(teacher["variant"]) / f"seed{teacher['seed']}"


def teacher_today(folder: Path, teacher: dict[str, Any]) -> str:
    """The digest of the network that would teach the run of a folder today."""
    path = teacher_folder(folder, teacher) / "model.safetensors"
    return sha256(path) if path.is_file() else "missing"


def _check_teacher(folder: Path, teacher: dict[str, Any], summary: dict[str, Any]) -> None:
    """Refuse a run whose teacher is another one than it learned from."""
    if summary.get("teacher") != teacher_today(folder, teacher):
        raise UserError(
            f"{folder} learned from another network of '{teacher['variant']}' than there is today: "
            f"delete it and run again"
        )
