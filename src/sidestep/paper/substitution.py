"""The numbers and outcome-dependent sentences of the section on substitutes of convolutions.

As in every section, each value is text that is ready to be set, and each list of sentences has a
branch for every outcome: diverged runs, one seed, budgets without a smaller dense network, data sets
without timing, no teacher, nothing published.
"""

from typing import Any

from sidestep.paper.parts import (
    substitution_findings,
    substitution_fronts,
    substitution_noise,
    substitution_published,
    substitution_setup,
    substitution_table,
)
from sidestep.paper.parts.study import told_in_its_own_section
from sidestep.paper.parts.substitution_study import SubstitutionStudy
from sidestep.tables import Tables


def numbers(tables: Tables) -> dict[str, Any]:
    """Everything that `paper/sections/substitution.typ` quotes."""
    study = SubstitutionStudy(tables)
    beside = substitution_published.published(study)
    return {
        "title": tables.study.title,
        "abstract": list(substitution_findings.abstract(study)),
        "conclusion": list(substitution_findings.conclusion(study)),
        "older": substitution_findings.older(study),
        "findings": substitution_findings.findings(study),
        "setup": substitution_setup.substitution_setup(study),
        "table": substitution_table.tables(study),
        "accuracies": list(substitution_table.accuracies(study)),
        "costs": list(substitution_table.costs(study)),
        "fronts": list(substitution_fronts.fronts(study)),
        "teaching": list(substitution_fronts.teaching(study)),
        "decays": list(substitution_fronts.decays(study)),
        "speed": substitution_fronts.speed(study),
        "fits": list(substitution_noise.fits(study)),
        "noise": list(substitution_noise.noise(study)),
        "beside": beside,
        **told_in_its_own_section(beside["sentences"][:1]),
    }
