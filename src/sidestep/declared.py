"""What the file of a named thing declares, read from its source: planning, drawing and checking need no torch."""

import ast
from functools import cache
from typing import Any

from sidestep.registry import PACKAGE

# The function that a thing of each kind is: its keyword-only parameters are the thing's settings.
MAIN = {
    "networks": "build",
    "heads": "build",
    "layers": "build",
    "gates": "build",
    "edits": "edit",
    "signals": "build",
    "strategies": "phases",
    "operations": "forward",
    "optimisers": "update",
    "schedules": "factor",
    "augmentations": "augment",
    "probes": "probe",
    "metrics": "measure",
    "group_metrics": "measure",
    "analyses": "analyse",
    "figures": "rows",
}


@cache
def main(kind: str, name: str) -> ast.FunctionDef:
    """The main function of a thing.

    Raises:
        LookupError: its file has none.
    """
    for node in _tree(kind, name).body:
        if isinstance(node, ast.FunctionDef) and node.name == MAIN[kind]:
            return node
    raise LookupError(f"{PACKAGE / kind / name}.py defines no function {MAIN[kind]}")


@cache
def defaults(kind: str, name: str) -> dict[str, Any]:
    """The settings of a thing that have a default, with it."""
    found = main(kind, name).args
    return {
        argument.arg: ast.literal_eval(default)
        for argument, default in zip(found.kwonlyargs, found.kw_defaults, strict=True)
        if default is not None
    }


@cache
def constant(kind: str, name: str, key: str) -> Any:
    """A constant of a thing's file; None if it has none, or one that is no plain value."""
    for node in _tree(kind, name).body:
        if isinstance(node, ast.Assign):
            targets = node.targets
        elif isinstance(node, ast.AnnAssign):
            targets = [node.target]
        else:
            continue
        if node.value and any(isinstance(t, ast.Name) and t.id == key for t in targets):
            try:
                return ast.literal_eval(node.value)
            except ValueError:
                return None
    return None


@cache
def _tree(kind: str, name: str) -> ast.Module:
    return ast.parse((PACKAGE / kind / f"{name}.py").read_text(encoding="utf-8"))
