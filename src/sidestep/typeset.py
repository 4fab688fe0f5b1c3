"""Typeset the paper with Typst; the same inputs give the same bytes."""

from pathlib import Path

import typst

from sidestep.errors import UserError
from sidestep.files import write_with

# A fixed date inside the PDF, so that an unchanged paper is an unchanged file.
TIMESTAMP = 0


def typeset_job(source: Path, root: Path, output: Path) -> None:
    """Compile the Typst source, which reads numbers and figures below `root`'s parent.

    Args:
        source: the main Typst file.
        root: the results folder.
        output: PDF file to write.

    Raises:
        UserError: the source asks for a number or figure that is not there.
    """
    top = Path.cwd()
    inputs = {"results": "/" + root.resolve().relative_to(top).as_posix()}
    try:
        pdf = typst.compile(str(source), root=str(top), sys_inputs=inputs, timestamp=TIMESTAMP)
    except typst.TypstError as error:
        raise UserError(f"{source} cannot be typeset: {error}") from error
    write_with(output, lambda path: path.write_bytes(pdf))
