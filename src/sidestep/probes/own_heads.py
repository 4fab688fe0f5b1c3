"""How well each block's own classifier does while it is trained: the accuracy of its head.

The last block's is the network itself. A block whose signal has no classifier gives none.
"""

from collections.abc import Iterator

from sidestep.contract import Signal
from sidestep.settings import Count
from sidestep.training.view import Reading, View

PASS = 500


def probe(view: View, *, images: Count = 1000) -> Iterator[Reading]:
    """Accuracy on images of each scored split, for the last stage of each block that is trained.

    Args:
        view: what to look at.
        images: of each split, the first ones.
    """
    heads: dict[str, Signal] = {
        view.model.stages[index]: lesson.objective.signal
        for index, lessons in enumerate(view.plan.lessons)
        for lesson in lessons
    }
    for split, batch in view.scored.items():
        right: dict[str, int] = {}
        labels = batch.labels[:images]
        for part, known in zip(batch.images[:images].split(PASS), labels.split(PASS), strict=True):
            for stage, _, output in view.passing(part):
                signal = heads.get(stage)
                logits = view.logits(signal, output) if signal is not None else None
                if logits is not None:
                    hits = int((logits.argmax(1) == known).sum())
                    right[stage] = right.get(stage, 0) + hits
        for stage, count in right.items():
            yield Reading(stage, count / len(labels), images=split)
