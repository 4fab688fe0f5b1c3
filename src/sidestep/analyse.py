"""The job of one analysis: a study's table in, the analysis' table out."""

from pathlib import Path

from sidestep import seals
from sidestep.files import write_with
from sidestep.registry import arguments, load
from sidestep.study import Study
from sidestep.tables import Tables


def analyse_job(study: Study, name: str, output: Path, root: Path) -> None:
    """Run an analysis and write its table.

    Args:
        study: the study.
        name: of the analysis.
        output: CSV file to write.
        root: the results folder.
    """
    thing = next(thing for thing in study.analyses if thing["name"] == name)
    frame = load("analyses", name).analyse(Tables(study, root), **arguments(thing))
    write_with(output, lambda path: frame.to_csv(path, index=False, lineterminator="\n"))
    seals.write_beside(output)
