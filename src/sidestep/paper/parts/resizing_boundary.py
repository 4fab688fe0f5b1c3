"""What the runs say of the proposition on the boundary: weights of switched off neurons."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sidestep import sizing
from sidestep.paper.parts import formats as f
from sidestep.paper.parts import sentences as say
from sidestep.paper.parts.layerwise_words import ABOVE, ALONE, BELOW, OPEN, code
from sidestep.paper.parts.resizing_study import FLEXIBLE, ResizingStudy
from sidestep.paper.parts.resizing_words import amount, outcomes, spelled
from sidestep.paper.parts.substitution_words import FEW
from sidestep.paper.parts.words import dataset_name
from sidestep.statistics.intervals import Interval, mean_interval, separates

PROBE = "probe_boundary_gradient"
PULLED = {
    BELOW: "below zero, outwards,",
    OPEN: "not told from zero",
    ABOVE: "above zero, inwards,",
    ALONE: "without interval",
}
# Of what initialisation gives: below this share weights are as good as gone, above that one as they were drawn.
GONE, KEPT = 0.1, 0.9
WORDS = {
    "gone": "as good as gone",
    "less": "smaller than they were drawn",
    "kept": "about as large as they were drawn",
    "grown": "larger than they were drawn",
    "open": "of a size that the interval leaves open",
}


def switched_off(study: ResizingStudy) -> Iterator[str]:
    """By data set, with weight decay and without: how large the weights are that leave switched off neurons."""
    found = False
    for dataset in study.datasets:
        rows = [row for row in study.records("switched_off", dataset) if row.n > 0]
        for several, words in ((True, "with an $L_2$ of"), (False, "without $L_2$")):
            chosen = [row for row in rows if (row.decay > 0) == several]
            if chosen:
                found = True
                yield _sentence(f"On {dataset_name(dataset)} {words}", chosen)
    if not found:
        yield say.absent("the weights that leave switched off neurons")
        return
    if not any(row.decay > 0 and row.n > 0 for row in study.records("switched_off")):
        yield "No flexible layer was trained with $L_2$ for this paper, so that what it does is not shown here."


def pulls(study: ResizingStudy, dataset: str) -> dict[str, Interval]:
    """Flexible variant → the gradient of the cross-entropy by its boundary at the last evaluation.

    In nats per neuron, without the price, on the training images that the probe `sizes` looks at; negative where
    the loss would fall if the boundary moved outwards.
    """
    found = {}
    for name in study.by_method().get(FLEXIBLE, []):
        stage = sizing.stage(study.study.variant(name).run)
        last = study.last_by_seed(PROBE, dataset, name, stage)
        if last:
            found[name] = mean_interval([*last.values()])
    return found


def gradients(study: ResizingStudy) -> Iterator[str]:
    """By data set: whether the loss still pulls at boundaries at the end, as it would not if weights had settled."""
    pulled, known, balanced = 0, 0, 0
    for dataset in study.datasets:
        found = {code(name): each for name, each in pulls(study, dataset).items()}
        if said := outcomes(found, PULLED, thousandths):
            yield (
                f"On {dataset_name(dataset)}, at the last evaluation the gradient of the cross-entropy with respect to "
                f"the boundary, in thousandths of a nat a neuron, is {said}."
            )
        known += sum(f.defined(each.low) for each in found.values())
        pulled += sum(separates(each) for each in found.values())
        balanced += sum(
            _balances(study, name, each) for name, each in pulls(study, dataset).items()
        )
    if pulled:
        yield (
            "Where it is not zero, the outgoing weights have not settled when training ends: the proposition tells "
            "where training leads, not where these runs are."
        )
    elif known:
        yield (
            "No interval tells it from zero, which is what settled weights would give; nor, in "
            f"{f.count(balanced) if balanced else 'none'} of {f.plural(known, 'case')}, from what would balance the "
            "price."
        )


def _balances(study: ResizingStudy, variant: str, pull: Interval) -> bool:
    """Whether the interval holds minus the price, at which a boundary inside the layer would rest."""
    return pull.low <= -sizing.price(study.study.variant(variant).run) <= pull.high


def thousandths(value: float) -> str:
    """A gradient in thousandths, without unit."""
    return f.decimal(1000 * value, 2)


def against(study: ResizingStudy) -> Iterator[str]:
    """Where the loss still pulls, against what we hold to be behind sizes that depend on their start."""
    parts = []
    for dataset in study.datasets:
        found = {code(name): each for name, each in pulls(study, dataset).items()}
        names = [name for name, each in found.items() if separates(each)]
        if names:
            parts.append(f"{_few(names, len(found))} on {dataset_name(dataset)}")
    if parts:
        yield (
            "We hold that a boundary stops where weights have settled, which leaves it no gradient (@resizing-why). "
            f"But when training ends, the loss still pulls at the boundary of {f.listed(parts)}."
        )


def _few(names: Sequence[str], every: int) -> str:
    if len(names) <= FEW:
        return f.listed(names)
    return f"{f.count(len(names))} of {f.plural(every, 'flexible layer')}"


def share(row: Any) -> Interval:
    """Weights that leave switched off neurons over what initialisation gives."""
    return Interval(row.outside_share, float("nan"), int(row.n), row.share_low, row.share_high)


def _sentence(where: str, rows: Sequence[Any]) -> str:
    shares = {code(str(row.variant)): share(row) for row in rows}
    groups = sorted_out(shares)
    said = "; ".join(
        f"{text} in {spelled(shares, groups[key], _percent)}"
        for key, text in WORDS.items()
        if groups[key]
    )
    decays = sorted({row.decay for row in rows if row.decay})
    which = " " + f.listed([amount(decay) for decay in decays], "or") if decays else ""
    return (
        f"{where}{which}, the weights that leave switched off neurons are, beside their size at initialisation, "
        f"{said}."
    )


def _percent(value: float) -> str:
    return f.percent(value, 1)


def sorted_out(shares: Mapping[str, Interval]) -> dict[str, list[str]]:
    """Names by what the interval says; the mean where there is none."""
    found: dict[str, list[str]] = {key: [] for key in WORDS}
    for name, each in shares.items():
        low, high = (each.low, each.high) if f.defined(each.low) else (each.mean, each.mean)
        if high < GONE:
            key = "gone"
        elif low >= GONE and high < KEPT:
            key = "less"
        elif low >= KEPT and high <= 1 / KEPT:
            key = "kept"
        elif low > 1 / KEPT:
            key = "grown"
        else:
            key = "open"
        found[key].append(name)
    return found
