"""The numbers and outcome-dependent sentences of the section on layers that size themselves.

As in every section, each value is text that is ready to be set, and each list of sentences has a
branch for every outcome: diverged runs, one seed, one data set, variants that were not run, nothing
separated, nothing published.
"""

from typing import Any

from sidestep.paper.parts import (
    resizing_boundary,
    resizing_claims,
    resizing_findings,
    resizing_matched,
    resizing_orders,
    resizing_published,
    resizing_setup,
    resizing_starts,
    resizing_table,
)
from sidestep.paper.parts.resizing_study import ResizingStudy
from sidestep.paper.parts.study import told_in_its_own_section
from sidestep.tables import Tables


def numbers(tables: Tables) -> dict[str, Any]:
    """Everything that `paper/sections/resizing.typ` quotes."""
    study = ResizingStudy(tables)
    beside = resizing_published.published(study)
    return {
        "title": tables.study.title,
        "abstract": list(resizing_findings.abstract(study)),
        "conclusion": list(resizing_findings.conclusion(study)),
        "older": resizing_findings.older(study),
        "findings": resizing_findings.findings(study),
        "setup": resizing_setup.resizing_setup(study),
        "table": resizing_table.tables(study),
        "accuracies": list(resizing_table.accuracies(study)),
        "starts": {
            "tables": resizing_starts.tables(study),
            "worth": list(resizing_starts.worth(study)),
            "left": [*resizing_starts.left(study), *resizing_starts.beside_flexible(study)],
            "sentences": list(resizing_starts.starts(study)),
        },
        "matched": list(resizing_matched.matched(study)),
        "objectives": list(resizing_table.objectives(study)),
        "switched_off": [
            *resizing_boundary.switched_off(study),
            *resizing_boundary.gradients(study),
        ],
        "harder": list(resizing_matched.harder(study)),
        "orders": list(resizing_orders.orders(study)),
        "stability": list(resizing_orders.stability(study)),
        "claims": resizing_claims.claims(study),
        "beside": beside,
        "short_of": list(resizing_findings.short_of(study)),
        **told_in_its_own_section(beside["sentences"][:1]),
    }
