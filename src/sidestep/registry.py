"""Named things: a network, metric or figure is a file whose name is its name, found by listing its folder."""

import difflib
import importlib
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from sidestep.errors import UserError

PACKAGE = Path(__file__).parent


@cache
def names(kind: str) -> tuple[str, ...]:
    """Sorted names of all things of a kind, such as `networks`; nothing is imported."""
    return tuple(sorted(p.stem for p in (PACKAGE / kind).glob("*.py") if p.stem != "__init__"))


def load(kind: str, name: str) -> ModuleType:
    """Import the module of one thing.

    Raises:
        UserError: no such name; the text lists the known ones and the nearest.
    """
    if name not in names(kind):
        raise UserError(f"unknown {singular(kind)} {unknown(name, names(kind))}")
    return importlib.import_module(f"sidestep.{kind}.{name}")


def arguments(thing: dict[str, Any]) -> dict[str, Any]:
    """The settings of a named thing of the config, without its name."""
    return {key: value for key, value in thing.items() if key != "name"}


def singular(kind: str) -> str:
    """`networks` → `network`, `strategies` → `strategy`, `analyses` → `analysis`, for sentences."""
    kind = kind.replace("_", " ")
    if kind == "analyses":
        return "analysis"
    return kind[:-3] + "y" if kind.endswith("ies") else kind.removesuffix("s")


def unknown(name: object, known: Iterable[str]) -> str:
    """`'adm' (did you mean 'adam'? known: adam, sgd)`, the end of a sentence about an unknown name."""
    known = list(map(str, known))
    near = difflib.get_close_matches(str(name), known, n=1, cutoff=0.5)
    hint = f"did you mean '{near[0]}'? " if near else ""
    text = str(name)
    shown = f"'{text}'" if text.isprintable() else repr(text)
    known = [other if other.isprintable() else repr(other) for other in known]
    return f"{shown} ({hint}known: {', '.join(known) or 'none'})"
