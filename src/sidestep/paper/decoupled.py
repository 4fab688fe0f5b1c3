"""The numbers and outcome-dependent sentences of the section on blocks that learn without the gradient from above.

As in every section, each value is text that is ready to be set, and each list of sentences has a
branch for every outcome: diverged runs, one seed, settings without a reference, data sets without
timing, sweeps and published runs that a size does not have.
"""

from typing import Any

from sidestep.paper.parts import decoupled_abstract as short
from sidestep.paper.parts import (
    decoupled_curves,
    decoupled_family,
    decoupled_findings,
    decoupled_published,
    decoupled_setup,
    decoupled_sweeps,
)
from sidestep.paper.parts.decoupled_study import DecoupledStudy
from sidestep.paper.parts.study import told_in_its_own_section
from sidestep.tables import Tables


def numbers(tables: Tables) -> dict[str, Any]:
    """Everything that `paper/sections/decoupled.typ` quotes."""
    study = DecoupledStudy(tables)
    beside = decoupled_published.published(study)
    return {
        "title": tables.study.title,
        "abstract": list(short.abstract(study)),
        "conclusion": list(short.conclusion(study)),
        "older": short.older(study),
        "findings": decoupled_findings.findings(study),
        "setup": decoupled_setup.decoupled_setup(study),
        "family": decoupled_family.tables(study),
        "accuracies": list(decoupled_family.accuracies(study)),
        "costs": list(decoupled_family.costs(study)),
        "overfitting": list(decoupled_curves.overfitting(study)),
        "orders": list(decoupled_curves.orders(study)),
        "sweeps": decoupled_sweeps.sweeps(study),
        "beside": beside,
        **told_in_its_own_section(beside["sentences"][:1]),
    }
