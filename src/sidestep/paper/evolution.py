"""The numbers and outcome-dependent sentences of the section on graphs of operations that evolve.

As in every section, each value is text that is ready to be set, and each list of sentences has a
branch for every outcome: diverged runs, one seed, one data set, variants that were not run, nothing
separated, no members of a population.
"""

from typing import Any

from sidestep.paper.parts import (
    evolution_claims,
    evolution_contrasts,
    evolution_cost,
    evolution_findings,
    evolution_generations,
    evolution_graph,
    evolution_population,
    evolution_scores,
    evolution_setup,
)
from sidestep.paper.parts.evolution_study import EvolutionStudy
from sidestep.paper.parts.study import told_in_its_own_section
from sidestep.tables import Tables


def numbers(tables: Tables) -> dict[str, Any]:
    """Everything that `paper/sections/evolution.typ` quotes."""
    study = EvolutionStudy(tables)
    return {
        "title": tables.study.title,
        "abstract": list(evolution_findings.abstract(study)),
        "conclusion": list(evolution_findings.conclusion(study)),
        "findings": evolution_findings.findings(study),
        "setup": evolution_setup.evolution_setup(study),
        "scores": evolution_scores.scores(study),
        "contrasts": evolution_contrasts.contrasts(study),
        "generations": evolution_generations.generations(study),
        "cost": evolution_cost.models(study),
        "equal_score": evolution_cost.equal_score(study),
        "population": evolution_population.population(study),
        "graph": evolution_graph.graph(study),
        "claims": evolution_claims.claims(study),
        "short_of": list(evolution_findings.short_of(study)),
        "published": told_in_its_own_section([])["published"],
    }
