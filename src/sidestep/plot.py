"""The job of one figure: a study's tables in, the picture (SVG and PNG) and the plotted rows out."""

from pathlib import Path

from sidestep import seals
from sidestep.files import write_with
from sidestep.registry import arguments, load
from sidestep.study import Study
from sidestep.style import using
from sidestep.tables import Tables

DPI = 200


def plot_job(study: Study, name: str, outputs: dict[str, Path], root: Path) -> None:
    """Draw a figure; the same rows give the same bytes.

    Args:
        study: the study.
        name: of the figure.
        outputs: suffix (`svg`, `png`, `csv`) → file to write.
        root: the results folder.
    """
    figure = load("figures", name)
    thing = next(thing for thing in study.figures if thing["name"] == name)
    rows = figure.rows(Tables(study, root), **arguments(thing))
    write_with(outputs["csv"], lambda path: rows.to_csv(path, index=False, lineterminator="\n"))
    with using():
        drawn = figure.draw(rows)
        # Neither picture may carry a date, or an unchanged figure would differ.
        write_with(
            outputs["svg"], lambda path: drawn.savefig(path, format="svg", metadata={"Date": None})
        )
        write_with(
            outputs["png"],
            lambda path: drawn.savefig(path, format="png", dpi=DPI, metadata={"Software": None}),
        )
    seals.write_beside(outputs["svg"], outputs["png"], outputs["csv"])
