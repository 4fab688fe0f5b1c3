"""In what order neurons are, by the exact increase of the loss and by what stands in for it."""

from collections.abc import Iterator, Sequence
from typing import Any

from sidestep.paper.parts import formats as f
from sidestep.paper.parts import sentences as say
from sidestep.paper.parts.layerwise_words import code, sorted_out
from sidestep.paper.parts.resizing_study import ResizingStudy, interval
from sidestep.paper.parts.resizing_words import MEASURES, estimated
from sidestep.paper.parts.words import dataset_name
from sidestep.statistics.intervals import Interval, separates

EXACT, RANDOM = "zeroing", "random"
PROXIES = [name for name in MEASURES if name not in (EXACT, RANDOM)]
# Mean distance of two unrelated orders of many neurons, in percent of the largest change of rank.
UNRELATED = 100 / 3


def orders(study: ResizingStudy) -> Iterator[str]:
    """By data set, for the baseline: agreement of the proxies with the exact order, and what each keeps."""
    if not study.records("neuron_orders"):
        yield say.absent("the importance of neurons")
        return
    for dataset in study.datasets:
        rows = of_baseline(study, dataset)
        if rows:
            yield from _agreement(dataset_name(dataset), rows)
            yield from _kept(dataset_name(dataset), rows)


def of_baseline(study: ResizingStudy, dataset: str) -> list[Any]:
    """Rows of `neuron_orders` of the baseline, or of the first variant that has some."""
    rows = study.records("neuron_orders", dataset)
    names = [study.baseline, *study.runs]
    for name in names:
        if mine := [row for row in rows if row.variant == name]:
            return mine
    return []


def _agreement(where: str, rows: Sequence[Any]) -> Iterator[str]:
    known = [row for row in rows if f.defined(row.rank_correlation)]
    known.sort(key=lambda row: -row.rank_correlation)
    if not known:
        return
    parts = [
        f"{_measure(row)} {f.estimate(row.rank_correlation, row.rank_low, row.rank_high, _two)}"
        for row in known
    ]
    yield (
        f"On {where}, in {code(str(known[0].variant))}, Kendall's $tau$ with the exact order is, by falling mean, "
        f"{f.listed(parts)}."
    )


def _two(value: float) -> str:
    return f.decimal(value, 2)


def _measure(row: Any) -> str:
    return MEASURES.get(str(row.measure), code(str(row.measure)))


def below_exact(row: Any) -> Interval:
    """What the exact order keeps minus what this one does, paired by seed."""
    return Interval(row.below_exact, float("nan"), int(row.n), row.below_low, row.below_high)


def above_random(row: Any) -> Interval:
    """What this order keeps minus what chance does, paired by seed."""
    return Interval(row.above_random, float("nan"), int(row.n), row.above_low, row.above_high)


def _kept(where: str, rows: Sequence[Any]) -> Iterator[str]:
    exact = next((row for row in rows if row.measure == EXACT), None)
    if exact is None or not f.defined(exact.area):
        return
    text = (
        f"Where neurons are kept in the exact order, accuracy averaged over the logarithm of their number is "
        f"{estimated(interval(exact, 'area'), f.percent)} on {where}"
    )
    others = [row for row in rows if row.measure not in (EXACT, RANDOM)]
    groups = sorted_out({str(row.measure): below_exact(row) for row in others})
    by_name = {str(row.measure): row for row in others}
    said = [
        f"{words} for {f.listed([_measure(by_name[name]) for name in groups[key]])}"
        for key, words in (("above", "less"), ("open", "not separated from it"), ("below", "more"))
        if groups[key]
    ]
    yield f"{text}; it is {'; '.join(said)}." if said else f"{text}."
    every = [row for row in (exact, *others) if f.defined(row.above_low)]
    below = [row for row in every if separates(above_random(row)) and row.above_random < 0]
    level = [row for row in every if not separates(above_random(row))]
    if every and not below and not level:
        yield "Each of these orders is better than chance."
    elif len(level) == len(every) and every:
        yield "No order is told from chance by its interval, the exact one included."
    else:
        for words, some in (("Worse than chance", below), ("Not told from chance", level)):
            if some:
                yield f"{words} by their interval: {f.listed([_measure(row) for row in some])}."


def changes(study: ResizingStudy, dataset: str, measure: str = EXACT) -> list[Any]:
    """How the order by a measure changes in the baseline, or the first variant of which it is known, by epoch."""
    rows = [r for r in study.records("order_stability", dataset) if f.defined(r.distance)]
    names = [study.baseline, *study.runs]
    name = next((n for n in names if any(r.variant == n for r in rows)), "")
    mine = [row for row in rows if row.variant == name and row.measure == measure]
    return sorted(mine, key=lambda row: row.epoch)


def stability(study: ResizingStudy) -> Iterator[str]:
    """How far neurons move in the exact order from one recorded epoch to the next, at first and at last."""
    found = False
    for dataset in study.datasets:
        exact = changes(study, dataset)
        if not exact:
            continue
        found = True
        first, last = exact[0], exact[-1]
        text = (
            f"On {dataset_name(dataset)}, in {code(str(first.variant))}, neurons change their rank in the exact order "
            f"by {_moved(first)} of the largest possible mean change"
        )
        yield f"{text}, then by {_moved(last)}." if first is not last else f"{text}."
        final = [
            row
            for measure in (EXACT, *PROXIES)
            for row in changes(study, dataset, measure)
            if row.epoch == last.epoch
        ]
        calm = min(final, key=lambda row: row.distance)
        if calm.measure != EXACT:
            least = f.percent(calm.distance / 100, 1)
            yield f"By then the order by {_measure(calm)} changes least, by {least}."
    if not found:
        yield say.absent("the order of neurons at two epochs")


def _moved(row: Any) -> str:
    size = estimated(interval(row, "distance"), lambda value: f.percent(value / 100, 1))
    begin = f.count(row.epoch - row.epochs_apart)
    return f"{size} (epochs {begin} to {f.count(row.epoch)})"


def against(study: ResizingStudy) -> Iterator[str]:
    """An exact order that is not stable, and what keeps more than it does, proxies or chance, against us."""
    moving = []
    for dataset in study.datasets:
        if exact := changes(study, dataset):
            found = interval(exact[-1], "distance")
            if f.defined(found.low) and found.low <= UNRELATED <= found.high:
                size = estimated(found, lambda value: f.percent(value / 100, 1))
                moving.append(f"on {dataset_name(dataset)} ({size})")
    if moving:
        yield (
            "An order that is to be followed should be stable. But the exact one's change from one recorded epoch to "
            f"the next is at the end not told from that of two unrelated orders, a third, {f.listed(moving)}."
        )
    parts = []
    for dataset in study.datasets:
        rows = [row for row in of_baseline(study, dataset) if row.measure != EXACT]
        more = [row for row in rows if separates(below_exact(row)) and row.below_exact < 0]
        said = [
            f"{_measure(row)} ({f.estimate(-row.below_exact, -row.below_high, -row.below_low, f.points)})"
            for row in more
        ]
        if said:
            parts.append(f"on {dataset_name(dataset)} by {f.listed(said)}")
    if parts:
        yield (
            "We expected that the exact order keeps most of the accuracy where neurons are taken out. But more is kept "
            f"{'; '.join(parts)}."
        )
