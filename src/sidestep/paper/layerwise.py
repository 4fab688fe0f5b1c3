"""The numbers and outcome-dependent sentences of the section on training one layer at a time.

As in every section, each value is text that is ready to be set, and each list of sentences has a
branch for every outcome: diverged runs, one seed, data sets without timing, targets that nobody
reaches, sweeps that a size does not have.
"""

from typing import Any

from sidestep.paper.parts import formats as f
from sidestep.paper.parts import layerwise_abstract as short
from sidestep.paper.parts import (
    layerwise_cost,
    layerwise_findings,
    layerwise_graph,
    layerwise_scores,
    layerwise_setup,
    layerwise_stages,
    layerwise_sweeps,
    layerwise_targets,
)
from sidestep.paper.parts import sentences as say
from sidestep.paper.parts.layerwise_study import LayerwiseStudy
from sidestep.tables import Tables

# The older work has no figure to stand beside ours.
PUBLISHED = (
    "Of training one layer at a time @layerwise no figure was published. Its log says that the baseline “took "
    "too long”, and that maximum difference “works, but optimization is unstable”; the graph of loss against "
    "time that it set out for is the one in @one-layer."
)


def numbers(tables: Tables) -> dict[str, Any]:
    """Everything that `paper/sections/layerwise.typ` quotes."""
    study = LayerwiseStudy(tables)
    found = layerwise_findings.findings(study)
    sweeps = layerwise_sweeps.sweeps(study)
    kinds = {"against": True, "open": None, "supporting": False}
    return {
        "title": tables.study.title,
        "abstract": list(short.abstract(study)),
        "conclusion": list(short.conclusion(study)),
        "setup": {
            **layerwise_setup.layerwise_setup(study),
            "one_way": f.decimal(layerwise_stages.ONE_WAY, 2),
            "gone": f.percent(layerwise_stages.GONE, 0),
        },
        "signals": list(layerwise_setup.described_signals(study)),
        "baselines": layerwise_setup.baselines(study),
        "variant_table": layerwise_setup.variant_table(study),
        "findings": {name: say.gathered(found, kind) for name, kind in kinds.items()},
        "scores": layerwise_scores.score_tables(study),
        "finals": list(layerwise_scores.finals(study)),
        "diverged": list(layerwise_scores.diverged(study)),
        "seconds": list(layerwise_scores.seconds(study)),
        "graph": list(layerwise_graph.graph(study)),
        "targets": list(layerwise_targets.targets(study)),
        "target_tables": layerwise_targets.target_tables(study),
        "areas": list(layerwise_targets.areas(study)),
        "held": list(layerwise_stages.held(study)),
        "probe_tables": layerwise_stages.probe_tables(study),
        "geometry": list(layerwise_stages.geometry(study)),
        "angles": list(layerwise_stages.angles(study)),
        "sweeps": sweeps,
        "unanswered": layerwise_sweeps.unanswered(sweeps),
        "cost": layerwise_cost.cost(study),
        "published": {
            "sentences": [PUBLISHED],
            "by_width": [],
            "other": {"head": [], "rows": []},
        },
    }
