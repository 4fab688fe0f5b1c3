"""Getting a dataset from whichever source answers first, checked against its digests."""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from sidestep import registry, seals
from sidestep.data import arrays, layouts, sources
from sidestep.data.arrays import Arrays
from sidestep.data.commands import UnavailableError
from sidestep.data.dataset import ARRAY_NAMES, Dataset
from sidestep.errors import UserError
from sidestep.files import read_json, write_json


def fetch(name: str, output: Path, folder: Path | None, say: Callable[[str], None]) -> None:
    """Write the dataset `name` to `output`, and its digest and its source beside it.

    Asked in this order: `folder` (or the one in the environment variable SIDESTEP_DATA), the cache,
    then the dataset's own sources. A source that cannot answer is passed over; one that answers
    with other bytes is an error. Nothing half made is left: `output` is written whole, then
    `<name>.source.json`, then `<name>.digest.json`, whose bytes do not depend on the source.

    Args:
        name: a dataset, such as `mnist`.
        output: the safetensors file to write, such as `results/data/mnist.safetensors`.
        folder: the user's own files, if any.
        say: takes a line for each source passed over and one for the source used.

    Raises:
        UserError: no such dataset, no source answered, a source gave other bytes (the text names
            both digests), or `output` cannot be written.
    """
    dataset: Dataset = registry.load("datasets", name).DATASET
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{name}.", dir=output.parent) as work:
            # Whole paths, because other programs get them and run inside that folder.
            whole = Path(work).resolve()
            found, source = _first_answer(dataset, sources.named_folder(folder), whole, say)
        arrays.write(output, found)
        write_json(output.with_name(f"{name}.source.json"), {"dataset": name, "source": source})
        digests = {array: dataset.digests[array] for array in ARRAY_NAMES}
        seals.write(
            output.with_name(f"{name}.digest.json"),
            {"dataset": name, "sha256": digests, "crc32": arrays.checksum(output)},
        )
    except OSError as error:
        raise UserError(f"{name}: cannot write {output}: {error}") from error
    if not source.startswith("cache"):
        _fill_cache(dataset, found, source, say)


Answer = tuple[str, Callable[[Path], Arrays]]


def _answers(dataset: Dataset, folder: Path | None) -> Iterator[Answer]:
    """Each source's name and how to ask it, given an empty folder to work in."""
    named = "folder" if folder is None else f"folder {folder}"
    yield named, lambda work: sources.from_folder(folder, dataset, work)
    yield "cache", lambda _: sources.from_cache(dataset)
    for source in dataset.sources:
        yield source.label, lambda work, source=source: sources.from_source(source, dataset, work)  # type: ignore[misc]


def _first_answer(
    dataset: Dataset, folder: Path | None, work: Path, say: Callable[[str], None]
) -> tuple[Arrays, str]:
    passed = []
    for position, (source, ask) in enumerate(_answers(dataset, folder)):
        own_work = work / str(position)
        own_work.mkdir()
        try:
            found = ask(own_work)
            arrays.check(found, dataset)
        except UnavailableError as error:
            passed.append(f"{source}: {error}")
            say(f"{dataset.name}: passed over {source}: {error}")
            continue
        except (UserError, OSError) as error:
            raise UserError(_wrong(dataset, source, error)) from error
        if source == "cache":
            source = _cached_source(dataset)
        say(f"{dataset.name}: source {source} (passed over: {'; '.join(passed) or 'none'})")
        # The person's own path is of no use to the readers of what is written down.
        return found, "folder" if source.startswith("folder ") else source
    raise UserError(_nothing(dataset, passed))


def _wrong(dataset: Dataset, source: str, error: Exception) -> str:
    text = f"{dataset.name}: {source}: {error}"
    if source == "cache":
        return (
            f"{text}; delete {sources.cache_folder() / dataset.files}.safetensors to fetch it again"
        )
    if source.startswith("folder "):
        return f"{text} (files of several datasets go into one folder each: {dataset.files}/)"
    return text


def _nothing(dataset: Dataset, passed: list[str]) -> str:
    files = layouts.expected_files(dataset)
    files = f"{files} or {dataset.files}.safetensors" if files else f"{dataset.files}.safetensors"
    return (
        f"{dataset.name}: no source answered ({'; '.join(passed)}); to supply the files by hand, "
        f"put {files} into a folder and name it with --folder or the environment variable "
        f"{sources.FOLDER_VARIABLE}"
    )


def _cached_source(dataset: Dataset) -> str:
    """`cache`, with the source that once filled it if that is known."""
    try:
        return f"cache, filled from {read_json(_cache_note(dataset))['source']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "cache"


def _cache_note(dataset: Dataset) -> Path:
    return sources.cache_folder() / f"{dataset.files}.source.json"


def _fill_cache(dataset: Dataset, found: Arrays, source: str, say: Callable[[str], None]) -> None:
    # The dataset is already where it was asked for: a cache that cannot be written harms nothing.
    try:
        write_json(_cache_note(dataset), {"dataset": dataset.files, "source": source})
        arrays.write(sources.cache_folder() / f"{dataset.files}.safetensors", found)
    except (OSError, UnavailableError) as error:
        say(f"{dataset.name}: not kept in the cache: {error}")
