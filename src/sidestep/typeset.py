"""Typeset the paper with Typst; the same inputs give the same bytes."""

import os
from pathlib import Path

import typst

from sidestep import layout, seals
from sidestep.errors import UserError
from sidestep.files import write_with

# A fixed date inside the PDF, so that an unchanged paper is an unchanged file.
TIMESTAMP = 0


def typeset_job(source: Path, root: Path, output: Path) -> None:
    """Compile the Typst source, which reads numbers and figures below `root`.

    Only the fonts that come with Typst are used, so that the file is the same on any machine.

    Args:
        source: the main Typst file.
        root: the results folder.
        output: PDF file to write.

    Raises:
        UserError: the source asks for a number or figure that is not there, or is damaged, or is not there itself.
    """
    source, root = source.resolve(), root.resolve()
    if not source.is_file():
        raise UserError(f"{source} cannot be typeset: there is no such file")
    _check_inputs(root)
    # Typst reads below one folder only, and names it '/'.
    top = Path(os.path.commonpath([source.parent, root]))
    inputs = {"results": "/" + root.relative_to(top).as_posix()}
    try:
        pdf = typst.compile(
            str(source),
            root=str(top),
            sys_inputs=inputs,
            timestamp=TIMESTAMP,
            ignore_system_fonts=True,
        )
    except typst.TypstError as error:
        raise UserError(f"{source.name} cannot be typeset: {_sentence(error, top)}") from None
    write_with(output, lambda path: path.write_bytes(pdf))


def _check_inputs(root: Path) -> None:
    """Refuse numbers and figures that are not what was written."""
    numbers = root / "numbers.json"
    if not numbers.exists():
        # A text without numbers may do; Typst says where another one wants them.
        return
    for study, figures in seals.read(numbers).get("figures", {}).items():
        for name in figures:
            seals.check_beside(layout.figure(study, name, "svg", root))


def _sentence(error: typst.TypstError, top: Path) -> str:
    """Typst's message in one line, with the place in the source that it complains of."""
    message = " ".join(str(error.message).split()).replace(f"{top}/", "")
    place = next(
        (line.split("─", 1)[1].strip() for line in error.diagnostic.splitlines() if "┌─" in line),
        "",
    )
    return f"{message} ({Path(place).name})" if place else message
