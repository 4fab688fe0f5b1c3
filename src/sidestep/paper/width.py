"""The numbers and outcome-dependent sentences of the section on the width of a layer.

Every value is text that is ready to be set (`parts.formats`), every list of sentences one that the
section runs through, so that the same section serves one data set or several, any widths, refused
fits, a single seed and diverged runs.
"""

from typing import Any

from sidestep.paper.parts import formats as f
from sidestep.paper.parts import sentences as say
from sidestep.paper.parts import (
    setup,
    width_abstract,
    width_components,
    width_cost,
    width_counter_example,
    width_extrapolation,
    width_growth,
    width_harder,
    width_mixtures,
    width_normality,
    width_overfitting,
    width_published,
    width_scores,
    width_verdicts,
)
from sidestep.paper.parts.width_study import WidthStudy
from sidestep.statistics.size_rules import SATURATED_SHARE, SLACK_SHARE, THRESHOLD
from sidestep.tables import Tables


def numbers(tables: Tables) -> dict[str, Any]:
    """Everything that `paper/sections/width.typ` quotes."""
    study = WidthStudy(tables)
    dead = list(width_growth.dead(study))
    artefacts = list(width_components.artefacts(study))
    harder = list(width_harder.harder(study))
    findings = [*width_growth.growth(study), *dead, *artefacts, *harder]
    kinds = {"against": True, "open": None, "supporting": False}
    return {
        "title": tables.study.title,
        "abstract": [*width_abstract.abstract(study), *say.gathered(findings, True)],
        "conclusion": list(width_abstract.conclusion(study)),
        "setup": _setup(study),
        "findings": {name: say.gathered(findings, kind) for name, kind in kinds.items()},
        "scores": width_scores.scores(study),
        "spread": width_scores.changes(study, width_scores.SPREAD),
        "dead": [found.detail for found in dead],
        "trends": list(width_growth.growth_details(study)),
        "trend_table": width_growth.growth_table(study),
        "normality": list(width_normality.normality(study)),
        "mixtures": list(width_mixtures.mixtures(study)),
        "artefact": [found.detail for found in artefacts],
        "components": [
            *width_scores.changes(study, width_scores.RANKS),
            *width_components.component_accuracy(study),
        ],
        "weights": width_scores.changes(study, width_scores.WEIGHTS),
        "saturation": list(width_verdicts.saturations(study)),
        "verdicts": list(width_verdicts.verdicts(study)),
        "verdict_table": width_verdicts.verdict_table(study),
        "extrapolation": list(width_extrapolation.extrapolation(study)),
        "overfitting": list(width_overfitting.overfitting(study)),
        "harder": [found.detail for found in harder],
        "counter_example": list(width_counter_example.counter_examples(study)),
        "cost": width_cost.cost(study),
        "published": width_published.published(study),
    }


def _setup(study: WidthStudy) -> dict[str, str]:
    widths = [f.count(width) for width in study.widths]
    return {
        **setup.setup(study.tables.study),
        "widths": f.listed(widths),
        "smallest": widths[0],
        "largest": widths[-1],
        "margin": study.margin_in_points(),
        "threshold": f.significant(THRESHOLD, 2),
        "saturation": f.percent(SATURATED_SHARE, 0),
        "slack": f.percent(SLACK_SHARE, 0),
    }
