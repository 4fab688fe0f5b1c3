"""What goes against us or the post first; what is borne out, what stays open; what falls short."""

from collections.abc import Iterator
from typing import Any

from sidestep.evolution import BOOSTING, CONTROL, LINEAR, MLP
from sidestep.paper.parts import evolution_claims as claims
from sidestep.paper.parts import evolution_contrasts as contrasts
from sidestep.paper.parts import evolution_population as populations
from sidestep.paper.parts import evolution_scores as scores
from sidestep.paper.parts import formats as f
from sidestep.paper.parts.evolution_data import inputs_of
from sidestep.paper.parts.evolution_study import EvolutionStudy
from sidestep.paper.parts.layerwise_words import ABOVE, BELOW

_BESIDE = (CONTROL, *contrasts.RULES)
_USUAL = (MLP, LINEAR, BOOSTING)


def findings(study: EvolutionStudy) -> dict[str, Any]:
    """What contradicts whom, what is borne out, and what stays open."""
    return {
        "against": [
            *contrasts.unshown(study),
            *contrasts.told(study, BELOW, _BESIDE),
            *contrasts.told(study, BELOW, _USUAL),
            *scores.own_fit_is_worse(study),
            *claims.told(study, claims.DISAGREES, leave=claims.TOLD),
        ],
        "supporting": [
            *contrasts.told(study, ABOVE, _BESIDE),
            *contrasts.told(study, ABOVE, _USUAL),
            *claims.told(study, claims.AGREES, leave=claims.TOLD),
        ],
        "open": [
            *contrasts.left_open(study),
            *claims.left_open(study, leave=claims.TOLD),
        ],
    }


def abstract(study: EvolutionStudy) -> Iterator[str]:
    """Whether evolving beats not evolving and a perceptron, and how the post's claims come out."""
    yield from contrasts.counted(study, (CONTROL, MLP))
    yield from claims.counted(study)


def conclusion(study: EvolutionStudy) -> Iterator[str]:
    """The same, with boosted trees and judged against unjudged evolution."""
    yield from contrasts.counted(study, (CONTROL, *contrasts.RULES, MLP, BOOSTING))
    yield from claims.counted(study)


def short_of(study: EvolutionStudy) -> Iterator[str]:
    """What the study does not tell."""
    inputs = [count for name in study.datasets if (count := inputs_of(name)) is not None]
    if inputs:
        most = f.plural(max(inputs), "input")
        text = most if min(inputs) == max(inputs) else f"{f.count(min(inputs))} to {most}"
        yield f"The data have {text}; nothing is said of large images or of large graphs."
    if not study.evolving:
        yield "No graph that evolves was run."
    elif not study.one(CONTROL):
        yield "No graph that never evolved was run beside those that do."
    if not study.one(MLP):
        yield "No perceptron of as many parameters was run."
    if not study.records("boosting"):
        yield "No boosted trees were fitted beside the graphs."
    if not populations.rows(study):
        yield "Each variant has one member, so that nothing is said of populations."
    if any(run.get("resample") for run in study.runs.values()):
        yield (
            "Seeds draw overlapping splits of the same rows. The interval is corrected for that by a rule of thumb, "
            "not by an exact distribution."
        )
    yield (
        "How many operations come and leave, how many are drawn, and how long a round takes are set by hand; other "
        "rules may do better. Intervals are not corrected for their number."
    )
    yield (
        "Seconds are those of jobs that may run side by side, of an implementation that computes a level of the graph "
        "at once on one processor; they bound neither what graphs nor what perceptrons could take."
    )
