"""Layers that size themselves against static ones of the same size, and against the best; harder data."""

from collections.abc import Iterator

from sidestep.paper.parts import formats as f
from sidestep.paper.parts import sentences as say
from sidestep.paper.parts.layerwise_words import ABOVE, ALONE, BELOW, MISSING, OPEN, code
from sidestep.paper.parts.resizing_study import WORTH, ResizingStudy
from sidestep.paper.parts.resizing_words import SEVERAL, neurons, outcomes, spelled
from sidestep.paper.parts.substitution_study import paired
from sidestep.paper.parts.words import dataset_name
from sidestep.statistics.intervals import Interval

BETTER = {
    BELOW: "lower",
    OPEN: "not separated",
    ABOVE: "higher",
    ALONE: "without interval",
    MISSING: "without a common seed",
}
LARGER = {
    ABOVE: "larger",
    BELOW: "smaller",
    OPEN: "not separated",
    ALONE: "without interval",
    MISSING: "without a common seed",
}
AGAINST = {
    "matched": "a static network of the size that the layer has come to, trained in the same way,",
    "best": "the static network that is most accurate on the test images,",
}


def differences(
    study: ResizingStudy, dataset: str, against: str, images: str
) -> dict[str, Interval]:
    """Variant → its accuracy minus that of the other network, paired by seed."""
    return {
        str(row.variant): paired(row)
        for row in study.records("matched_accuracy", dataset)
        if row.against == against and row.images == images
    }


def matched(study: ResizingStudy) -> Iterator[str]:
    """By data set: test and training accuracy against the static network of the same size, then the best."""
    if not study.records("matched_accuracy"):
        yield say.absent("a layer that sized itself beside a static one of the same size")
        return
    for dataset in study.datasets:
        for against, other in AGAINST.items():
            parts = []
            for images, name in (("test", "test"), ("train", "training")):
                found = differences(study, dataset, against, images)
                said = outcomes(
                    {code(each): apart for each, apart in found.items()}, BETTER, f.points
                )
                if said:
                    parts.append(f"{name} accuracy is {said}")
            if parts:
                yield f"On {dataset_name(dataset)}, against {other} {'; '.join(parts)}."


def counted(study: ResizingStudy) -> Iterator[str]:
    """How many layers are better or worse than a static one of the same size, by test accuracy."""
    every = [
        each
        for dataset in study.datasets
        for each in differences(study, dataset, "matched", "test").values()
        if f.defined(each.low)
    ]
    if every:
        worse, better = sum(each.high < 0 for each in every), sum(each.low > 0 for each in every)
        pairs = f.plural(len(every), "comparison")
        if not worse and not better:
            yield (
                f"No interval tells layers that size themselves from static networks of the size that they come to, in "
                f"{pairs} of test accuracy."
            )
            return
        yield (
            f"Against static networks of the size that they come to, layers are less accurate in {_number(worse)} of "
            f"{pairs} and more accurate in {_number(better)}."
        )


def _number(count: int) -> str:
    return f.count(count) if count else "none"


# Harder data


def harder(study: ResizingStudy) -> Iterator[str]:
    """Whose layers become larger on the harder data set, whose smaller."""
    rows = study.records("harder_sizes")
    if not rows:
        yield say.absent("one layer on an easier and on a harder data set")
        return
    for easy, hard in dict.fromkeys((row.easier, row.harder) for row in rows):
        apart = {
            code(str(row.variant)): paired(row)
            for row in rows
            if (row.easier, row.harder) == (easy, hard)
        }
        yield (
            f"{dataset_name(str(hard))} is the harder one, by the accuracy of {code(study.baseline)}. From "
            f"{dataset_name(str(easy))} to it, sizes are {outcomes(apart, LARGER, neurons)}."
        )
        yield from by_method(study, str(easy), str(hard))


def against(study: ResizingStudy) -> Iterator[str]:
    """Layers sorted by worth that become smaller on harder data, against us."""
    rows = study.records("harder_sizes")
    parts = []
    for easy, hard in dict.fromkeys((row.easier, row.harder) for row in rows):
        apart = {
            code(str(row.variant)): paired(row)
            for row in rows
            if (row.easier, row.harder) == (easy, hard) and row.method == WORTH and row.high < 0
        }
        if apart:
            who = spelled(apart, list(apart), neurons)
            places = f"from {dataset_name(str(easy))} to {dataset_name(str(hard))}"
            parts.append(f"{who} become{'s' * (len(apart) == 1)} smaller {places}")
    if parts:
        yield f"We expected that harder data make layers sorted by worth larger. But {'; '.join(parts)}."


def by_method(study: ResizingStudy, easy: str, hard: str) -> Iterator[str]:
    """Methods all of whose layers with an interval go the same way, where there are two or more."""
    found: dict[str, list[Interval]] = {}
    for row in study.records("harder_sizes"):
        if (row.easier, row.harder) == (easy, hard) and f.defined(row.low):
            found.setdefault(str(row.method), []).append(paired(row))
    larger = [m for m, each in found.items() if len(each) > 1 and all(one.low > 0 for one in each)]
    smaller = [
        m for m, each in found.items() if len(each) > 1 and all(one.high < 0 for one in each)
    ]
    for names, word in ((larger, "larger"), (smaller, "smaller")):
        if names:
            yield f"So all {f.listed([_several(name) for name in names])} are {word} there."


def _several(method: str) -> str:
    return SEVERAL.get(method, code(method))
