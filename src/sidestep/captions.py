"""A figure's caption and title, read from its source without importing it.

The report and the paper print them, and neither should load what draws figures.
"""

import ast

from sidestep.registry import PACKAGE


def caption(figure: str) -> str:
    """The caption of a figure, for the printed paper."""
    return _constant(figure, "CAPTION")


def short_title(figure: str) -> str:
    """What a figure shows in a few words, for lists and for readers who cannot see it."""
    return _constant(figure, "ALT")


def _constant(figure: str, name: str) -> str:
    path = PACKAGE / "figures" / f"{figure}.py"
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name:
            return str(ast.literal_eval(node.value))
    raise LookupError(f"{path} defines no {name}")
