"""Substitutes against dense networks of the same budget, and what contradicts the older work or us."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sidestep.paper.parts import formats as f
from sidestep.paper.parts import sentences as say
from sidestep.paper.parts.decoupled_findings import size
from sidestep.paper.parts.layerwise_words import (
    ABOVE,
    ALONE,
    BELOW,
    MISSING,
    OPEN,
    code,
    compared,
    named,
    verb,
)
from sidestep.paper.parts.layerwise_words import sorted_out as by_outcome
from sidestep.paper.parts.substitution_study import (
    SMALLER,
    SubstitutionStudy,
    difference,
    paired,
    told_by,
)
from sidestep.paper.parts.substitution_words import FEW, sized, times
from sidestep.paper.parts.words import dataset_name
from sidestep.statistics.intervals import Interval

BETTER = {ABOVE: "better", OPEN: "not separated", BELOW: "worse"}
UNKNOWN = {ALONE: "without interval", MISSING: "without a common seed"}
# The layers of which the older work reports that a scaled weight decay does not help.
HARMED = ("hashed", "separable_hashed")


@dataclass(frozen=True)
class Comparison:
    """A substitute held against one dense network of its budget.

    Attributes:
        place: data set, budget and teacher in words.
        variant: the substitute.
        smaller: the dense network.
        which: `narrower` or `shallower`.
        apart: paired difference of test accuracy, the substitute's minus the dense network's.
        speed: seconds of an image of the dense network over those of the substitute; nan if not timed.
        decided: whether that is beyond the quartiles of both times.
    """

    place: str
    variant: str
    smaller: str
    which: str
    apart: Interval
    speed: float
    decided: bool = True


def comparisons(study: SubstitutionStudy) -> list[Comparison]:
    """Every substitute against each dense network made smaller to its budget."""
    return [
        Comparison(
            place=cell.place,
            variant=str(row.variant),
            smaller=str(getattr(row, which)),
            which=which,
            apart=difference(row, which),
            speed=float(getattr(row, f"{which}_seconds")),
            decided=decided(study, row, str(getattr(row, which))),
        )
        for cell in study.cells()
        for row in cell.substitutes
        for which in SMALLER
        if isinstance(getattr(row, which), str) and getattr(row, which)
    ]


def decided(study: SubstitutionStudy, row: Any, other: str) -> bool:
    """Whether the times of two variants lie apart by their quartiles; true if there are none."""
    found = {str(each.variant): each for each in study.records("speedup", str(row.dataset))}
    mine, theirs = found.get(str(row.variant)), found.get(other)
    if mine is None or theirs is None:
        return True
    bounds = (
        *(mine.real_forward_low, mine.real_forward_high),
        *(theirs.real_forward_low, theirs.real_forward_high),
    )
    if not all(map(f.defined, bounds)):
        return True
    return bool(bounds[0] > bounds[3] or bounds[1] < bounds[2])


def findings(study: SubstitutionStudy) -> dict[str, Any]:
    """Counts, times, and what goes against whom; what is borne out, and what stays open."""
    every = comparisons(study)
    return {
        "counts": list(counts(every)),
        "times": list(measured(every)),
        "against": [
            *premise(every),
            *guess(every),
            *faster(every),
            *teachers(study, against=True),
            *decays(study, against=True),
            *operations(study),
        ],
        "supporting": [*teachers(study, against=False), *decays(study, against=False)],
        "open": [*unseparated(every), *without(study)],
        "size": size(*extent(study)),
    }


# Counts


def counts(every: Sequence[Comparison]) -> Iterator[str]:
    """How the comparisons come out, by accuracy, by time and by both."""
    if not every:
        yield say.absent("a substitute beside a dense network made smaller to the same budget")
        return
    known = [each for each in every if f.defined(each.apart.low)]
    better = [each for each in known if each.apart.low > 0]
    worse = [each for each in known if each.apart.high < 0]
    if known:
        text = (
            f"Of {f.plural(len(known), 'comparison')}{_with_interval(known, every)}, the "
            f"substitute is better in {_number(len(better))}, worse in {_number(len(worse))} and not separated in "
            f"{_number(len(known) - len(better) - len(worse))}."
        )
        if len(known) < len(every):
            text += f" {f.count(len(every) - len(known))} more have none."
        yield text
    else:
        yield f"None of {f.plural(len(every), 'comparison')} has an interval."
    timed = [each for each in every if f.defined(each.speed)]
    if not timed:
        yield "Nothing was timed."
        return
    quick = [each for each in timed if each.speed > 1 and each.decided]
    slow = [each for each in timed if each.speed < 1 and each.decided]
    yield (
        f"By measured time of inference, it is faster in {_number(len(quick))} of {f.count(len(timed))} and slower in "
        f"{_number(len(slow))}, beyond the quartiles of both."
    )
    if known:
        both = list(dict.fromkeys(each.variant for each in better if each in quick))
        yield (
            f"More accurate and faster as well than a dense network of its budget: {named(both)}."
            if both
            else "No substitute is both more accurate and faster than a dense network of its budget."
        )


def _with_interval(known: Sequence[Comparison], every: Sequence[Comparison]) -> str:
    if len(known) == len(every):
        return ""
    return f" that {'has' if len(known) == 1 else 'have'} an interval"


def _number(count: int) -> str:
    return f.count(count) if count else "none"


# By place: accuracy


def grouped(every: Sequence[Comparison]) -> dict[tuple[str, str, str], list[Comparison]]:
    """Comparisons by place and dense network."""
    found: dict[tuple[str, str, str], list[Comparison]] = {}
    for each in every:
        found.setdefault((each.place, each.smaller, each.which), []).append(each)
    return found


def verdicts(every: Sequence[Comparison]) -> Iterator[str]:
    """A sentence on each place and dense network: who is better, not separated, worse."""
    for (place, smaller, which), cell in grouped(every).items():
        groups = by_outcome({each.variant: each.apart for each in cell})
        said = compared(groups, {**BETTER, **UNKNOWN})
        yield f"On {place}, against the {which} dense network {code(smaller)}, test accuracy is {said}."


def premise(every: Sequence[Comparison]) -> Iterator[str]:
    """Where a dense network made smaller is better, against what the older work takes for granted."""
    if said := _gathered(every, BELOW):
        yield f"The older work takes for granted that a budget is better spent on another layer. But {said}."


def guess(every: Sequence[Comparison]) -> Iterator[str]:
    """Where a substitute is better, against our guess."""
    if said := _gathered(every, ABOVE):
        yield f"We guessed that a dense network made smaller does as well. But {said}."


def _gathered(every: Sequence[Comparison], outcome: str) -> str:
    """`on X, a and b end below the narrower one, c; on Y, …`: all that come out so, with sizes if they are few."""
    found = []
    for key, cell in grouped(every).items():
        apart = {each.variant: each.apart for each in cell}
        if names := by_outcome(apart)[outcome]:
            found.append((key, apart, names))
    parts, before = [], ""
    for (place, smaller, which), apart, names in found:
        who = sized(apart, names) if len(found) <= FEW else named(names)
        where = "" if place == before else f"on {place}, "
        parts.append(
            f"{where}{who} {verb(names, 'ends', 'end')} {outcome} the {which} one, {code(smaller)}"
        )
        before = place
    return "; ".join(parts)


def unseparated(every: Sequence[Comparison]) -> Iterator[str]:
    """Pairs that the intervals leave open, or that have none."""
    for (place, smaller, which), cell in grouped(every).items():
        groups = by_outcome({each.variant: each.apart for each in cell})
        parts = []
        if groups[OPEN]:
            parts.append(f"does not separate {named(groups[OPEN])} from it")
        for key, words in UNKNOWN.items():
            if groups[key]:
                parts.append(f"leaves {named(groups[key])} {words}")
        if parts:
            yield (
                f"On {place}, the comparison with the {which} dense network {code(smaller)} "
                f"{f.listed(parts)}."
            )


def without(study: SubstitutionStudy) -> Iterator[str]:
    """Places in which nothing is held against a smaller dense network."""
    for cell in study.cells():
        names = [str(row.variant) for row in cell.substitutes if not _matched(row)]
        if names:
            yield f"On {cell.place}, no dense network was made smaller to the budget of {named(names)}."


def _matched(row: Any) -> bool:
    return any(isinstance(getattr(row, which), str) and getattr(row, which) for which in SMALLER)


# By place: time


def measured(every: Sequence[Comparison]) -> Iterator[str]:
    """A sentence on each place and dense network: who is faster, who slower."""
    found = False
    for (place, smaller, which), cell in grouped(every).items():
        timed = [each for each in cell if f.defined(each.speed) and each.speed > 0]
        if not timed:
            continue
        found = True
        groups = {
            "faster": [each for each in timed if each.decided and each.speed > 1],
            "slower": [each for each in timed if each.decided and each.speed < 1],
            "not told apart by its quartiles": [
                each for each in timed if not each.decided or each.speed == 1
            ],
        }
        parts = [
            f"{words} with {_seconds(members)}" for words, members in groups.items() if members
        ]
        yield (
            f"On {place}, beside the {which} dense network {code(smaller)}, inference is "
            f"{'; '.join(parts)}."
        )
    if not found:
        yield say.absent("times of inference of substitutes beside those of smaller dense networks")


def _seconds(members: Sequence[Comparison]) -> str:
    """Substitutes, with their seconds over the dense network's; only the range where they are many."""
    shares = [1 / each.speed for each in members]
    if len(members) <= FEW:
        pairs = zip(members, shares, strict=True)
        return f.listed(
            [f"{code(each.variant)} ({times(share)} the seconds)" for each, share in pairs]
        )
    bounds = f"{f.significant(min(shares))} to {times(max(shares))}"
    return f"{named(each.variant for each in members)} ({bounds} the seconds)"


def faster(every: Sequence[Comparison]) -> Iterator[str]:
    """Substitutes that are faster than a dense network of their budget, against our guess."""
    quick = [each for each in every if f.defined(each.speed) and each.speed > 1 and each.decided]
    parts, last = [], ""
    for (place, smaller, which), cell in grouped(quick).items():
        names = [each.variant for each in cell]
        where = "" if place == last else f"on {place}, "
        last = place
        parts.append(
            f"{where}{named(names)} {verb(names, 'takes', 'take')} less time than the {which} one, "
            f"{code(smaller)}"
        )
    if parts:
        yield f"We guessed that a dense network made smaller is faster. But {'; '.join(parts)}."


# Teachers, weight decay, operations


def teachers(study: SubstitutionStudy, *, against: bool) -> Iterator[str]:
    """Where a teacher harms, or helps; the older work reports that it helps."""
    for dataset in study.datasets:
        rows = study.records("teaching", dataset)
        apart = {name: paired(row) for name, row in told_by(rows, "alone", "taught").items()}
        names = by_outcome(apart)[BELOW if against else ABOVE]
        if not names:
            continue
        where = dataset_name(dataset)
        yield (
            f"The older work reports that a teacher helps, but for its first run; on {where} it lowers the accuracy of "
            f"{sized(apart, names)}."
            if against
            else f"As the older work reports, a teacher helps {sized(apart, names)} on {where}."
        )


def decays(study: SubstitutionStudy, *, against: bool) -> Iterator[str]:
    """Where a scaled weight decay does other than reported, or as reported."""
    for dataset in study.datasets:
        rows = study.records("decay", dataset)
        known = told_by(rows, "full", "scaled")
        apart = {name: paired(row) for name, row in known.items()}
        harmed = {name for name, row in known.items() if row.layer in HARMED}
        groups = by_outcome(apart)
        where = dataset_name(dataset)
        helped_so = [n for n in groups[ABOVE] if (n in harmed) == against]
        harmed_so = [n for n in groups[BELOW] if (n not in harmed) == against]
        for names, verb_ in ((helped_so, "raises"), (harmed_so, "lowers")):
            if names and against:
                other = "harms hashed weights" if verb_ == "raises" else "helps"
                yield (
                    f"The older work reports that weight decay scaled by the compression {other}; but on {where} "
                    f"it {verb_} the accuracy of {sized(apart, names)}."
                )
            elif names:
                yield (
                    f"As the older work reports, weight decay scaled by the compression {verb_} the accuracy of "
                    f"{sized(apart, names)} on {where}."
                )


def operations(study: SubstitutionStudy) -> Iterator[str]:
    """Variants that count fewer operations than the baseline and are slower."""
    for dataset in study.datasets:
        slow = [str(row.variant) for row in study.records("speedup", dataset) if row.slower == 1]
        if slow:
            yield (
                "The older work gives counted operations for what a layer costs; but on "
                f"{dataset_name(dataset)}, {named(slow)} {verb(slow, 'counts', 'count')} fewer than "
                f"{code(study.baseline)} and {verb(slow, 'is', 'are')} slower at inference "
                "(@substitution-speed)."
            )


# Extent, abstract, conclusion


def extent(study: SubstitutionStudy) -> tuple[list[int], list[int | None], float, bool]:
    """Our epochs and training images, the longest published run, and whether its images were more."""
    runs = list(study.runs.values())
    found = [row for row in study.records("published_substitution") if row.outcome != "not run"]
    longest = max((float(row.epochs) for row in found if f.defined(row.epochs)), default=math.nan)
    fewer = any(
        "train_images" in [part.strip() for part in str(row.differs_in).split(";")] for row in found
    )
    epochs = sorted({int(run["epochs"]) for run in runs})
    return epochs, list(dict.fromkeys(run.get("train_images") for run in runs)), longest, fewer


def abstract(study: SubstitutionStudy) -> Iterator[str]:
    """How the comparisons come out."""
    every = comparisons(study)
    said = list(counts(every))
    if every:
        said[0] = (
            "Substitutes of convolutions stand beside dense networks made narrower or shallower to the same "
            f"budget. {said[0]}"
        )
    yield from said


def conclusion(study: SubstitutionStudy) -> Iterator[str]:
    """How the comparisons come out, and at which size."""
    yield from counts(comparisons(study))
    yield size(*extent(study))


def older(study: SubstitutionStudy) -> str:
    """What the older work's figures are, with the length of its runs where they are at hand."""
    longest = extent(study)[2]
    after = f" of up to {f.plural(int(longest), 'epoch')}" if f.defined(longest) else ""
    return f"Every figure is of a single run{after}, without an interval."
