"""Fingerprints of code: which of our modules can change a job's result, and a digest of what they do.

Snakemake does not see imported code, so each job carries the fingerprint of its *closure*: the modules that its entry
imports, directly or through others, and those of the things named in its config. A module counts by its syntax tree
without docstrings and comments, so an edited comment makes nothing stale. `ast.dump` is not used because its text
changes between versions of Python.
"""

import ast
import hashlib
import json
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from sidestep import seals
from sidestep.errors import UserError
from sidestep.files import short_digest
from sidestep.registry import PACKAGE

# Modules that cannot change what a job computes: the way in, paths, words, and what a run reports
# about itself while it works. They are no part of any fingerprint.
FRAME = frozenset(
    f"sidestep{name}"
    for name in (
        "",
        ".__main__",
        ".cli",
        ".entries",
        ".errors",
        ".fingerprint",
        ".gpu_slots",
        ".hardware",
        ".layout",
        ".planned",
        ".settings",
        ".status",
        ".training.batch",
    )
)
# Libraries whose version can change results.
LIBRARIES = ("torch", "numpy")


@dataclass
class Remembered:
    """What was found in sources before, by the SHA-256 of their bytes: digest and imported names.

    Parsing every module takes a second, which planning would pay each time. What is remembered
    follows from the bytes alone, so a file of it can be old but never wrong.
    """

    facts: dict[str, tuple[str, list[str]]] = field(default_factory=dict)
    new: bool = False

    def load(self, path: Path) -> None:
        """Take over what a file remembers, if there is a readable one for this version of us."""
        try:
            kept = seals.read(path)
            if kept["version"] == _own_version():
                self.facts = {key: (item[0], list(item[1])) for key, item in kept["facts"].items()}
        except (UserError, ValueError, KeyError, TypeError, IndexError):
            return

    def save(self, path: Path) -> None:
        """Write the file if something new was found."""
        if self.new:
            seals.write(path, {"version": _own_version(), "facts": self.facts})
            self.new = False


REMEMBERED = Remembered()


@cache
def _own_version() -> str:
    return hashlib.sha256(Path(__file__).read_bytes()).hexdigest()


@cache
def _facts(module: str) -> tuple[str, list[str]]:
    """A module's digest and the dotted names that it imports."""
    source = _source(module)
    key = hashlib.sha256(source).hexdigest()
    if key not in REMEMBERED.facts:
        tree = ast.parse(source)
        found = hashlib.sha256(_text(tree).encode()).hexdigest()
        REMEMBERED.facts[key] = (found, sorted(_imported(tree)))
        REMEMBERED.new = True
    return REMEMBERED.facts[key]


def digest(module: str) -> str:
    """SHA-256 of a module's syntax tree, docstrings and comments dropped."""
    return _facts(module)[0]


def _imported(tree: ast.Module) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names} | {node.module}
    return {name for name in found if name.split(".")[0] == "sidestep"}


def _source(module: str) -> bytes:
    base = PACKAGE.parent / module.replace(".", "/")
    path = base / "__init__.py" if base.is_dir() else base.with_suffix(".py")
    return path.read_bytes()


def _text(node: Any) -> str:
    """A tree's text: class names and non-empty fields, in order of the fields' names, positions left out."""
    if isinstance(node, ast.AST):
        fields = dict(ast.iter_fields(node))
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            fields["body"] = _without_docstring(fields["body"])
        parts = [
            f"{name}={_text(value)}"
            for name, value in sorted(fields.items())
            if value not in (None, []) and name not in ("ctx", "kind", "type_comment")
        ]
        return f"{type(node).__name__}({','.join(parts)})"
    if isinstance(node, list):
        return f"[{','.join(map(_text, node))}]"
    return f"{type(node).__name__}:{node!r}"


def _without_docstring(body: list[ast.stmt]) -> list[ast.stmt]:
    first = body[0] if body else None
    if (
        isinstance(first, ast.Expr)
        and isinstance(first.value, ast.Constant)
        and isinstance(first.value.value, str)
    ):
        return body[1:]
    return body


@cache
def _is_module(name: str) -> bool:
    base = PACKAGE.parent / name.replace(".", "/")
    return base.with_suffix(".py").is_file() or (base / "__init__.py").is_file()


@cache
def imports(module: str) -> frozenset[str]:
    """Our modules that a module's source imports, anywhere in it (inside functions too)."""
    ours = {name for name in _facts(module)[1] if _is_module(name)}
    return frozenset(ours | {parent for name in ours for parent in _parents(name)})


def _parents(name: str) -> list[str]:
    parts = name.split(".")
    return [".".join(parts[:end]) for end in range(1, len(parts))]


@cache
def closure(entries: frozenset[str]) -> tuple[str, ...]:
    """Sorted names of the entries and of every module of ours that they import, directly or not."""
    seen: set[str] = set()
    waiting = {name for entry in entries for name in (entry, *_parents(entry))}
    while waiting:
        module = waiting.pop()
        seen.add(module)
        waiting |= imports(module) - seen
    return tuple(sorted(seen - FRAME))


@cache
def describe(entries: frozenset[str], libraries: tuple[str, ...] = LIBRARIES) -> dict[str, str]:
    """What a fingerprint is made of: module → digest, library → version."""
    parts = {module: digest(module) for module in closure(entries)}
    return parts | {f"library {name}": _version(name) for name in libraries}


@cache
def _version(library: str) -> str:
    return metadata.version(library)


def text(entries: frozenset[str], libraries: tuple[str, ...] = LIBRARIES) -> str:
    """What a fingerprint is made of, a line each: the file that planning names after the fingerprint."""
    return json.dumps(describe(entries, libraries), indent=1)


@cache
def _fingerprint(entries: frozenset[str], libraries: tuple[str, ...]) -> str:
    return short_digest(text(entries, libraries))


def of(entries: Iterable[str], libraries: tuple[str, ...] = LIBRARIES) -> str:
    """The fingerprint (16 hexadecimal digits) of a job whose code starts at `entries`."""
    return _fingerprint(frozenset(entries), libraries)


def check_at_start(given: str, entries: Iterable[str]) -> frozenset[str]:
    """Refuse to work with code that is not the code that was planned with.

    Returns:
        Our modules that are loaded already, for `check_at_end`.

    Raises:
        UserError: the fingerprints differ.
    """
    today = of(entries)
    if given and given != today:
        raise UserError(
            f"the code changed since this job was planned (fingerprint {given}, now {today}): "
            "run again"
        )
    return _loaded()


def check_at_end(entries: Iterable[str], before: frozenset[str]) -> None:
    """Refuse a result on which code outside the closure may have worked.

    Args:
        entries: as at the start.
        before: what `check_at_start` returned.

    Raises:
        RuntimeError: naming the modules that were loaded though no import statement leads to them.
    """
    strangers = _loaded() - before - FRAME - set(closure(frozenset(entries)))
    if strangers:
        names = ", ".join(sorted(strangers))
        raise RuntimeError(f"modules outside the fingerprint were loaded: {names}")


def _loaded() -> frozenset[str]:
    return frozenset(name for name in sys.modules if name.split(".")[0] == "sidestep")
