"""Fingerprints of code: which of our modules can change a job's result, and a digest of what they do.

Snakemake does not see imported code, so each job carries the fingerprint of its *closure*: the modules that its entry
imports, directly or through others, and those of the things named in its config. A module counts by its syntax tree
without docstrings and comments, so an edited comment makes nothing stale. `ast.dump` is not used because its text
changes between versions of Python.
"""

import ast
import hashlib
import sys
from collections.abc import Iterable
from functools import cache
from importlib import metadata
from typing import Any

from sidestep.errors import UserError
from sidestep.files import canonical_json
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
        ".hardware",
        ".layout",
        ".settings",
        ".status",
    )
)
# Libraries whose version can change results.
LIBRARIES = ("torch", "numpy")


@cache
def digest(module: str) -> str:
    """SHA-256 of a module's syntax tree, docstrings and comments dropped."""
    return hashlib.sha256(_text(_tree(module)).encode()).hexdigest()


@cache
def _tree(module: str) -> ast.Module:
    return ast.parse(_source(module))


def _source(module: str) -> str:
    base = PACKAGE.parent / module.replace(".", "/")
    path = base / "__init__.py" if base.is_dir() else base.with_suffix(".py")
    return path.read_text(encoding="utf-8")


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
    found: set[str] = set()
    for node in ast.walk(_tree(module)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names} | {node.module}
    ours = {name for name in found if name.split(".")[0] == "sidestep" and _is_module(name)}
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
    return parts | {f"library {name}": metadata.version(name) for name in libraries}


@cache
def _fingerprint(entries: frozenset[str], libraries: tuple[str, ...]) -> str:
    return hashlib.sha256(canonical_json(describe(entries, libraries)).encode()).hexdigest()[:16]


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
