"""A figure's caption and title, read from its source without importing it.

The report and the paper print them, and neither should load what draws figures.
"""

import ast
from contextlib import suppress

from sidestep.errors import UserError
from sidestep.registry import PACKAGE


def caption(figure: str) -> str:
    """The caption of a figure, for the printed paper and the report.

    Raises:
        UserError: no such figure, or its module has no such constant.
    """
    return _constant(figure, "CAPTION")


def short_title(figure: str) -> str:
    """What a figure shows in a few words, for lists and for readers who cannot see it."""
    return _constant(figure, "ALT")


def _constant(figure: str, name: str) -> str:
    path = PACKAGE / "figures" / f"{figure}.py"
    if not path.is_file():
        raise UserError(f"there is no figure '{figure}' to caption")
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        targets = node.targets if isinstance(node, ast.Assign) else []
        if isinstance(node, ast.AnnAssign) and node.value is not None:
            targets = [node.target]
        if any(isinstance(target, ast.Name) and target.id == name for target in targets):
            with suppress(ValueError):
                return " ".join(str(ast.literal_eval(node.value)).split())  # type: ignore[attr-defined]
    raise UserError(f"figure '{figure}' has no {name} that is a plain text")
