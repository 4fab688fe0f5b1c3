"""What the abstract and the conclusion say of training one layer at a time."""

from collections.abc import Iterator

from sidestep.paper.parts import sentences as say
from sidestep.paper.parts.layerwise_findings import losses, speeds
from sidestep.paper.parts.layerwise_scores import lowest
from sidestep.paper.parts.layerwise_study import LOSS, LayerwiseStudy
from sidestep.paper.parts.layerwise_words import code, named
from sidestep.paper.parts.sentences import Finding
from sidestep.paper.parts.words import dataset_name


def abstract(study: LayerwiseStudy) -> Iterator[str]:
    """Who ends lowest on each data set, and how blocks stand to the baseline in time."""
    for dataset in study.datasets:
        yield ending(dataset_name(dataset), *lowest(study, dataset, LOSS), study.local)
    yield from in_time(list(speeds(study)))


def ending(where: str, name: str, equals: list[str], local: list[str]) -> str:
    """The variant with the lowest final loss, and whether it is trained by blocks."""
    if not name:
        return f"On {where}, no strategy of training came to its end."
    kind = "trained in blocks" if name in local else "trained end to end"
    text = f"On {where}, the lowest final test loss on average is that of {code(name)}, {kind}"
    if equals:
        return f"{text}, which the intervals do not separate from {named(equals)}."
    return f"{text}."


def in_time(found: list[Finding]) -> Iterator[str]:
    """The findings on time to target, those against the older work first."""
    sentences = [say.gathered(found, against) for against in (True, False, None)]
    if not any(sentences):
        yield say.absent("the time that blocks and whole networks take to a target")
        return
    for each in sentences:
        yield from each


def conclusion(study: LayerwiseStudy) -> Iterator[str]:
    """Time to target and final loss, blocks against the baseline."""
    yield from in_time(list(speeds(study)))
    found = list(losses(study))
    for against in (True, False, None):
        yield from say.gathered(found, against)
