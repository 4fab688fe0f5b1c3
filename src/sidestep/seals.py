"""Seals of files that a later stage reads: damage is found where it is read, and told with the file's name.

A JSON file holds the SHA-256 of what else it says. Tables and pictures, which other people read as they are, have
their digests in a file beside them, as `sha256sum` writes it.
"""

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sidestep.errors import UserError
from sidestep.files import canonical_json, read_json, sha256, write_json, write_text

KEY = "seal"


def sealed(value: Mapping[str, Any]) -> dict[str, Any]:
    """The value with its seal.

    Raises:
        ValueError: it holds a float that is not finite.
    """
    return {**value, KEY: digest(value)}


def write(path: Path, value: Mapping[str, Any]) -> None:
    """Write a value with its seal as JSON, atomically."""
    write_json(path, sealed(value))


def read(path: Path) -> dict[str, Any]:
    """The mapping that a sealed JSON file holds, its seal included.

    Raises:
        UserError: it is missing, or not what was written.
    """
    remedy = f"delete {path} and run again"
    try:
        value = read_json(path)
        whole = isinstance(value, dict) and value.get(KEY) == digest(value)
    except FileNotFoundError:
        raise UserError(f"{path} is missing: the job that writes it did not finish") from None
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"{path} is damaged ({error}): {remedy}") from None
    if not whole:
        raise UserError(f"{path} is damaged (it is not what was written): {remedy}")
    return dict(value)


def digest(value: Mapping[str, Any]) -> str:
    """SHA-256 of what a mapping says besides its seal.

    Raises:
        ValueError: it holds a float that is not finite.
    """
    text = canonical_json({key: item for key, item in value.items() if key != KEY})
    return hashlib.sha256(text.encode()).hexdigest()


def beside(path: Path) -> Path:
    """The file that holds the digests of a table, or of a figure's files."""
    return path.with_suffix(".sha256")


def write_beside(*paths: Path) -> None:
    """Write the digests of files that differ in their suffixes alone."""
    write_text(beside(paths[0]), _lines(paths))


def check_beside(path: Path) -> None:
    """Refuse a file if it, or another one that was written with it, is not what was written.

    Raises:
        UserError: a file is missing, or was changed since.
    """
    if not path.is_file():
        raise UserError(f"{path} is missing: the job that writes it did not finish")
    digests = beside(path)
    remedy = f"delete {path} and run again"
    try:
        text = digests.read_text(encoding="utf-8")
        names = [line.split("  ", 1)[1] for line in text.splitlines()]
    except FileNotFoundError:
        raise UserError(f"{digests} is missing: {remedy}") from None
    except (OSError, ValueError, IndexError) as error:
        raise UserError(f"{digests} is damaged ({error}): {remedy}") from None
    # Files that were written together differ in their suffixes alone.
    strange = [name for name in names if not re.fullmatch(re.escape(path.stem) + r"\.\w+", name)]
    if strange or path.name not in names:
        raise UserError(f"{digests} is damaged (it names {strange or names}): {remedy}")
    for line, name in zip(text.splitlines(keepends=True), names, strict=True):
        file = path.with_name(name)
        if not file.is_file():
            raise UserError(f"{file} is missing, though {digests} names it: {remedy}")
        if line != _lines([file]):
            raise UserError(f"{file} is not the file whose digest is in {digests}: {remedy}")


def _lines(paths: tuple[Path, ...] | list[Path]) -> str:
    return "".join(f"{sha256(path)}  {path.name}\n" for path in paths)
