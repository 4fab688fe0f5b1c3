"""What the abstract, the conclusion and the section's opening say of the study of decoupled blocks."""

from collections.abc import Iterator

from sidestep.paper.parts import formats as f
from sidestep.paper.parts import sentences as say
from sidestep.paper.parts.decoupled_findings import (
    README,
    agreement,
    best,
    extent,
    size,
    verdicts,
)
from sidestep.paper.parts.decoupled_study import DecoupledStudy


def abstract(study: DecoupledStudy) -> Iterator[str]:
    """Who ends highest, and how much of the published order the intervals carry."""
    if study.analysis("order").empty:
        yield say.absent("an order of the ways to train blocks apart")
        return
    for dataset in study.datasets:
        yield best(study, dataset)
    yield agreement([each for each in verdicts(study) if each.claim.whose == README])


def conclusion(study: DecoupledStudy) -> Iterator[str]:
    """How much of the published order the intervals carry, and at which size."""
    yield agreement([each for each in verdicts(study) if each.claim.whose == README])
    yield size(*extent(study))


def older(study: DecoupledStudy) -> str:
    """What the older work's figures are, with the length of its runs where its curves are at hand."""
    found = study.analysis("published_curves")
    own = found[found["source"] == "thesis2021decoupled"] if len(found) else found
    epochs = f.count(float(own["epoch"].max())) + " epochs" if len(own) else "all epochs"
    return (
        "Every figure is of a single seed, and the ones that it quotes are those of the best of "
        f"{epochs} on the test images."
    )
