"""A figure's caption and title, read from its source without importing it.

The report and the paper print them, and neither should load what draws figures.
"""

from sidestep import declared
from sidestep.errors import UserError
from sidestep.registry import names


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
    if figure not in names("figures"):
        raise UserError(f"there is no figure '{figure}' to caption")
    text = declared.constant("figures", figure, name)
    if not isinstance(text, str):
        raise UserError(f"figure '{figure}' has no {name} that is a plain text")
    return " ".join(text.split())
