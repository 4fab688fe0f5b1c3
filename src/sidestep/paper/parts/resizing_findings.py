"""What goes against the journal or against us first; what is borne out, what stays open; what falls short."""

import math
from collections.abc import Iterator
from typing import Any

from sidestep import sizing
from sidestep.paper.parts import formats as f
from sidestep.paper.parts import resizing_boundary as boundary
from sidestep.paper.parts import resizing_claims as claims
from sidestep.paper.parts import resizing_matched as matched
from sidestep.paper.parts import resizing_orders as orders
from sidestep.paper.parts import resizing_starts as starts
from sidestep.paper.parts.decoupled_findings import size
from sidestep.paper.parts.layerwise_words import code
from sidestep.paper.parts.resizing_claims import AGREES, DISAGREES, JOURNAL, OURS, QUESTION
from sidestep.paper.parts.resizing_study import MATCHED, WORTH, ResizingStudy
from sidestep.paper.parts.resizing_table import beside_baseline
from sidestep.paper.parts.resizing_words import SEVERAL, spelled
from sidestep.paper.parts.words import dataset_name

# Claims of which the sentences on all layers sorted by worth say more.
_TOLD = ("worth_independent_of_start", "worth_larger_on_harder")


def findings(study: ResizingStudy) -> dict[str, Any]:
    """What contradicts whom, what is borne out, and what stays open."""
    return {
        "against": [
            *starts.against(study),
            *matched.against(study),
            *claims.told(study, OURS, DISAGREES, leave=_TOLD),
            *less_accurate(study),
            *boundary.against(study),
            *orders.against(study),
            *claims.told(study, JOURNAL, DISAGREES),
        ],
        "supporting": [
            *claims.told(study, OURS, AGREES),
            *claims.told(study, JOURNAL, AGREES),
            *claims.told(study, QUESTION, AGREES),
            *claims.told(study, QUESTION, DISAGREES),
        ],
        "open": list(claims.left_open(study)),
        "size": size(*extent(study)),
    }


def less_accurate(study: ResizingStudy) -> Iterator[str]:
    """Where layers sorted by worth end below the baseline, against us."""
    parts = []
    for dataset in study.datasets:
        apart = {
            code(name): each
            for name, each in beside_baseline(study, dataset).items()
            if study.method(name) == WORTH and each.high < 0
        }
        if apart:
            who = spelled(apart, list(apart), f.points)
            parts.append(f"{who} on {dataset_name(dataset)}")
    if parts:
        yield (
            f"Sorting by worth costs accuracy: these end below {code(study.baseline)}, {'; '.join(parts)}."
        )


# Extent, abstract, conclusion


def extent(study: ResizingStudy) -> tuple[list[int], list[int | None], float, bool]:
    """Our epochs and training images, the longest published run, and whether its images were more."""
    runs = list(study.runs.values())
    found = [row for row in study.records("published_resizing") if row.outcome != "not run"]
    longest = max((float(row.epochs) for row in found if f.defined(row.epochs)), default=math.nan)
    fewer = any(
        "train_images" in [part.strip() for part in str(row.differs_in).split(";")] for row in found
    )
    epochs = sorted({int(run["epochs"]) for run in runs})
    return epochs, list(dict.fromkeys(run.get("train_images") for run in runs)), longest, fewer


def abstract(study: ResizingStudy) -> Iterator[str]:
    """How sizes depend on the start, what static networks of the same size reach, and how claims come out."""
    yield from _short(study)


def conclusion(study: ResizingStudy) -> Iterator[str]:
    """The same, and at which size it is said."""
    yield from _short(study)
    yield size(*extent(study))


def _short(study: ResizingStudy) -> Iterator[str]:
    yield starts.counted(study)
    yield from starts.worth_counted(study)
    yield from matched.counted(study)
    yield from claims.counted(study)


def older(study: ResizingStudy) -> str:
    """How much the journal trained, where its figures are at hand."""
    rows = study.records("published_resizing")
    seeds = [int(row.seeds) for row in rows if f.defined(row.seeds)]
    if not seeds:
        return ""
    least, most = f.count(min(seeds)), f.count(max(seeds))
    many = least if least == most else f"{least} to {most}"
    epochs = [float(row.epochs) for row in rows if f.defined(row.epochs)]
    after = f" after up to {f.plural(int(max(epochs)), 'epoch')}" if epochs else ""
    return f"Its figures are of {many} runs each{after}, without intervals."


def short_of(study: ResizingStudy) -> Iterator[str]:
    """What the study does not tell."""
    if {str(run["network"]["name"]) for run in study.runs.values()} == {"mlp"}:
        yield (
            "Every network has one hidden layer. The exact increase takes one pass only where the next layer is the "
            "last and linear; in a deeper network it takes a pass of the later layers for each neuron."
        )
    if WORTH in study.by_method():
        yield (
            "How often layers are sorted, how many neurons leave at once and how many come are set by hand; they were "
            "not searched for, and what a size depends on may be these."
        )
        yield (
            "Worth is that of single neurons: of two that do the same, neither is worth anything until the other has "
            "left."
        )
    members = [int(row.members) for row in study.records("start_dependence")]
    if members and max(members) == _PAIR:
        yield (
            "Each method is started from two sizes only, so that nothing is said of how a size depends on those "
            "between."
        )
    beside = matched_methods(study)
    if not beside:
        yield "No static network was built as large as another layer has become."
    elif {study.method(name) for name in study.moving()} - beside:
        yield f"Static networks of matched size stand beside {_several(beside)} only."
    if alone_at_their_price(study):
        yield (
            "No two methods pay the same price, so that their sizes cannot be held against each other; the sum of loss "
            "and price of each stands beside static networks alone."
        )
    yield (
        "Sizes, accuracies and the best static network are read off the test images after training; no image was held "
        "out. Intervals are not corrected for their number."
    )
    yield "Seconds are those of jobs that ran side by side, and are not compared."


# Variants in a group that has a lowest start and a highest one and none between.
_PAIR = 2


def _several(methods: set[str]) -> str:
    return f.listed([SEVERAL[each] for each in sizing.METHODS if each in methods])


def matched_methods(study: ResizingStudy) -> set[str]:
    """Methods of which some variant has a static one of matched size."""
    names = study.by_method().get(MATCHED, [])
    return {study.method(str(study.runs[name]["teacher"])) for name in names}


def alone_at_their_price(study: ResizingStudy) -> bool:
    """Whether some methods pay and no two of them the same price."""
    methods: dict[float, set[str]] = {}
    for name in study.moving():
        if price := sizing.price(study.study.variant(name).run):
            methods.setdefault(price, set()).add(study.method(name))
    every = [method for each in methods.values() for method in each]
    return len(set(every)) > 1 and all(len(each) == 1 for each in methods.values())
