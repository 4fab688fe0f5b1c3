"""Who is on the fronts, what a teacher and a scaled weight decay do, and counted against real speed-up."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sidestep.paper.parts import formats as f
from sidestep.paper.parts import sentences as say
from sidestep.paper.parts.layerwise_words import (
    ABOVE,
    ALONE,
    BELOW,
    MISSING,
    OPEN,
    code,
    named,
    verb,
)
from sidestep.paper.parts.substitution_study import (
    SubstitutionStudy,
    is_substitute,
    paired,
    told_by,
)
from sidestep.paper.parts.substitution_words import FEW, REASONS, layer_words, outcomes, times
from sidestep.paper.parts.words import dataset_name
from sidestep.statistics.intervals import Interval

COSTS = {
    "parameters": "parameters",
    "mult_adds": "operations",
    "seconds": "seconds of inference",
    "bytes": "stored bytes",
}
CHANGES = {
    ABOVE: "higher",
    OPEN: "not separated",
    BELOW: "lower",
    ALONE: "without interval",
    MISSING: "without a common seed",
}
# Counts that are equal but for the last operations.
EQUAL = 1e-3


def fronts(study: SubstitutionStudy) -> Iterator[str]:
    """The members of each front, by data set and teacher or none, and how many are substitutes."""
    known = False
    for dataset in study.datasets:
        for taught in (False, True):
            rows = [r for r in study.records("pareto", dataset) if bool(r.taught) == taught]
            if len(rows) < 2:
                continue
            known = True
            where = dataset_name(dataset)
            if study.has_taught():
                where += " with a teacher" if taught else " without a teacher"
            yield front(where, rows)
    if not known:
        yield say.absent("fronts of accuracy against cost")


def front(where: str, rows: Sequence[Any]) -> str:
    """The fronts of one data set, of taught variants or of others."""
    parts, numbers = [], []
    for key, words in COSTS.items():
        members = [row for row in rows if getattr(row, f"front_{key}") == 1]
        if members:
            parts.append(f"against {words} {named(str(row.variant) for row in members)}")
            numbers.append(f"{f.count(sum(map(is_substitute, members)))} against {words}")
    if not parts:
        return say.absent(f"a front on {where}")
    text = f"On {where}, the fronts are, {'; '.join(parts)}."
    mine = sum(map(is_substitute, rows))
    if mine:
        text += f" Of {f.plural(mine, 'substitute')}, they hold {f.listed(numbers)}."
    return text


# Teachers and weight decay


def teaching(study: SubstitutionStudy) -> Iterator[str]:
    """What the teacher changes, by data set: accuracy and loss."""
    known = False
    for dataset in study.datasets:
        rows = study.records("teaching", dataset)
        if not rows:
            continue
        known = True
        known_by = told_by(rows, "alone", "taught")
        accuracy = {name: paired(row) for name, row in known_by.items()}
        loss = {
            name: Interval(
                row.loss_difference, float("nan"), int(row.pairs), row.loss_low, row.loss_high
            )
            for name, row in known_by.items()
        }
        where = dataset_name(dataset)
        yield f"On {where}, with the teacher, test accuracy is {outcomes(accuracy, CHANGES)}."
        yield f"Test loss is {outcomes(loss, CHANGES, f.significant)}."
    if not known:
        yield say.absent("two variants that differ in the teacher alone")


def decays(study: SubstitutionStudy) -> Iterator[str]:
    """What the scaled weight decay changes, by data set."""
    known = False
    for dataset in study.datasets:
        rows = study.records("decay", dataset)
        apart = {name: paired(row) for name, row in told_by(rows, "full", "scaled").items()}
        if apart:
            known = True
            yield (
                f"On {dataset_name(dataset)}, with the scaled weight decay, test accuracy is "
                f"{outcomes(apart, CHANGES)}."
            )
    if not known:
        yield say.absent("two variants that differ in the scaled weight decay alone")


# Speed


def speed(study: SubstitutionStudy) -> dict[str, list[str]]:
    """Sentences on real against counted speed-up, and each layer that counts less and takes more."""
    sentences, slower = [], []
    for dataset in study.datasets:
        rows = [row for row in study.records("speedup", dataset) if row.variant != study.baseline]
        if rows:
            several = f" on {dataset_name(dataset)}" * (len(study.datasets) > 1)
            sentences += list(speedups(dataset_name(dataset), study.baseline, rows))
            slower += list(slow_layers(several, rows))
    if not sentences:
        sentences.append(say.absent("the time of any variant, as nothing was timed"))
    return {"sentences": sentences, "slower": slower}


def speedups(where: str, baseline: str, rows: Sequence[Any]) -> Iterator[str]:
    """How many variants count less, how many of these are slower, and the spread of both."""
    known = [row for row in rows if f.defined(row.counted) and f.defined(row.real_forward)]
    less = [row for row in known if row.counted > 1 + EQUAL]
    if not less:
        yield f"On {where}, no variant counts fewer operations than {code(baseline)}."
    else:
        slow = [row for row in less if row.slower == 1]
        counted = _range({str(row.variant): float(row.counted) for row in less})
        real = _range({str(row.variant): float(row.real_forward) for row in less})
        yield (
            f"On {where}, {f.plural(len(less), 'variant')} {'counts' if len(less) == 1 else 'count'} fewer operations "
            f"than {code(baseline)}, by a factor {counted}; measured, inference is faster by a factor {real}. "
            f"{f.count(len(slow)) if slow else 'None'} of them {verb(slow, 'is', 'are') if slow else 'is'} slower."
        )
        steps = {str(row.variant): float(row.real_step) for row in less if f.defined(row.real_step)}
        if steps:
            yield f"Of a training step, the factor is {_range(steps)}."
    same = [row for row in known if abs(row.counted - 1) <= EQUAL]
    if same:
        seconds = [1 / float(row.real_forward) for row in same]
        parts = [
            f"{code(row.variant)} ({times(each)} its seconds)"
            for row, each in zip(same, seconds, strict=True)
        ]
        if len(same) > FEW:
            parts = [f"{named(str(r.variant) for r in same)} ({_span(seconds)} its seconds)"]
        reasons = list(dict.fromkeys(REASONS[str(r.layer)] for r in same if r.layer in REASONS))
        why = f": {'; '.join(reasons)}" * (
            len(reasons) > 0 and all(r.real_forward < 1 for r in same)
        )
        yield f"As many operations as for {code(baseline)} are counted for {f.listed(parts)}{why}."


def slow_layers(where: str, rows: Sequence[Any]) -> Iterator[str]:
    """Every layer that counts fewer operations and is slower, with the reason."""
    layers: dict[str, list[Any]] = {}
    for row in rows:
        if row.slower == 1:
            layers.setdefault(str(row.layer), []).append(row)
    for layer, members in layers.items():
        counted = _span([float(row.counted) for row in members])
        real = _span([float(row.real_forward) for row in members])
        inside = [
            row
            for row in members
            if f.defined(row.real_forward_high) and row.real_forward_high >= 1
        ]
        doubt = ""
        if inside:
            which = (
                ""
                if len(inside) == len(members)
                else f" for {named(str(r.variant) for r in inside)}"
            )
            doubt = f", which the quartiles do not tell from no change{which}"
        reason = REASONS.get(layer, "the reason is not known")
        name = layer_words(layer)
        yield (
            f"_{name[:1].upper()}{name[1:]}_{where} ({named(str(row.variant) for row in members)}): counted {counted} "
            f"as fast, measured {real}{doubt}; {reason}."
        )


def _span(values: Sequence[float]) -> str:
    low, high = min(values), max(values)
    first, last = f.significant(low), f.significant(high)
    return f"{last} times" if first == last else f"{first} to {last} times"


def _range(values: Mapping[str, float]) -> str:
    low, high = min(values, key=lambda n: values[n]), max(values, key=lambda n: values[n])
    if values[low] == values[high]:
        return f"of {f.significant(values[low])}"
    return f"from {f.significant(values[low])} ({code(low)}) to {f.significant(values[high])} ({code(high)})"
