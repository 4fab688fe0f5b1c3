"""Over-fitting, and training blocks at the same time against training them in turn."""

from collections.abc import Iterator, Mapping, Sequence

from sidestep import variants
from sidestep.paper.parts import formats as f
from sidestep.paper.parts import sentences as say
from sidestep.paper.parts.decoupled_study import DecoupledStudy
from sidestep.paper.parts.decoupled_words import (
    CDNI,
    DGL,
    DNI,
    SEQUENTIAL,
    distinct,
)
from sidestep.paper.parts.layerwise_study import ACCURACY
from sidestep.paper.parts.layerwise_words import (
    ABOVE,
    ALONE,
    BELOW,
    OPEN,
    code,
    compared,
    named,
    sorted_out,
    verb,
)
from sidestep.statistics.intervals import Interval, mean_interval, paired_difference
from sidestep.sweeps import sweeps_of

GAP = {BELOW: "smaller", ABOVE: "larger", OPEN: "not separated", ALONE: "without interval"}
TRAINING = {BELOW: "lower", ABOVE: "higher", OPEN: "not separated", ALONE: "without interval"}


def overfitting(study: DecoupledStudy) -> Iterator[str]:
    """The gap of every variant against its reference's, and the published claim on who over-fits."""
    found = False
    for dataset in study.datasets:
        for reference in study.references():
            gaps = study.gaps(dataset, reference)
            names = [n for n in study.runs if n != reference and study.reference(n) == reference]
            where = study.place(dataset, study.settings[reference])
            if not gaps:
                continue
            found = True
            differences = {
                name: paired_difference(mine, gaps)
                for name in names
                if (mine := study.gaps(dataset, name))
            }
            train = study.ends(dataset, reference, "train")
            fits = {
                name: paired_difference(mine, train)
                for name in names
                if (mine := study.ends(dataset, name, "train"))
            }
            yield gap_sentence(
                where, code(reference), mean_interval(list(gaps.values())), sorted_out(differences)
            )
            guessing = [n for n in names if study.methods[n] in (DNI, CDNI)]
            if guessing:
                yield claim(where, guessing, sorted_out(differences), sorted_out(fits))
    if not found:
        yield say.absent("training accuracies beside those on test images, and so no over-fitting")


def gap_sentence(
    where: str, reference: str, gap: Interval, against: Mapping[str, Sequence[str]]
) -> str:
    """How far training accuracy is above test accuracy at the end."""
    size = f.estimate(gap.mean, gap.low, gap.high, f.points)
    text = f"On {where}, the training accuracy of {reference} ends {size} above its test accuracy"
    others = compared(against, GAP)
    return f"{text}; against that, the gap is {others}." if others else f"{text}."


def claim(
    where: str,
    names: Sequence[str],
    gaps: Mapping[str, Sequence[str]],
    fits: Mapping[str, Sequence[str]],
) -> str:
    """Whether synthetic gradients under-fit, as the older work has it: a lower training accuracy, a smaller gap."""
    both = [n for n in names if n in gaps[BELOW] and n in fits[BELOW]]
    against = [n for n in names if n in gaps[ABOVE] or n in fits[ABOVE]]
    rest = [n for n in names if n not in both and n not in against]
    parts = []
    if against:
        parts.append(f"does not hold of {named(against)}")
    if rest:
        parts.append(f"is not decided by the intervals of {named(rest)}")
    if both:
        parts.append(
            f"is borne out by {named(both)}, with a lower training accuracy and a smaller gap"
        )
    return (
        f"On {where}, the older work's claim that networks under-fit which learn from synthetic gradients "
        f"{f.listed(parts)}."
    )


# At the same time against in turn


def couples(study: DecoupledStudy) -> list[tuple[str, str]]:
    """Pairs of variants that differ in the order of their blocks alone: at the same time, and in turn."""
    found = []
    for sweep in sweeps_of(study.tables.study):
        if sweep.setting != "order":
            continue
        names = [member.variant for member in sweep.members]
        at_once = [name for name in names if study.methods[name] == DGL]
        in_turn = [name for name in names if study.methods[name] == SEQUENTIAL]
        found += [(a, b) for a in at_once for b in in_turn]
    return found


def orders(study: DecoupledStudy) -> Iterator[str]:
    """Each pair: the whole network, and the own head of each block."""
    pairs = couples(study)
    if not pairs:
        yield say.absent(
            "two variants that differ only in whether blocks learn at the same time or in turn"
        )
        return
    for dataset in study.datasets:
        for at_once, in_turn in pairs:
            where = study.place(dataset, study.settings[at_once])
            whole = study.final_differences(dataset, ACCURACY, in_turn, [at_once])[at_once]
            yield whole_network(where, code(at_once), code(in_turn), whole)
            stages = distinct(variants.stages(study.runs[at_once]))
            found = {
                stage: study.head_difference(dataset, at_once, in_turn, stage) for stage in stages
            }
            yield own_heads(where, code(at_once), code(in_turn), found)


def whole_network(where: str, at_once: str, in_turn: str, apart: Interval) -> str:
    """The final test accuracy, at the same time against in turn, after as many steps."""
    if not f.defined(apart.mean):
        return f"On {where}, no seed of {at_once} and {in_turn} finished in both."
    size = f.estimate(apart.mean, apart.low, apart.high, f.points)
    start = f"On {where}, {at_once}, whose blocks learn at the same time,"
    if not f.defined(apart.low):
        return (
            f"{start} ends {size} above {in_turn}, with one pair of seeds."
            if apart.mean >= 0
            else (f"{start} ends {size} from {in_turn}, with one pair of seeds.")
        )
    if apart.low > 0:
        return f"{start} ends above {in_turn}, whose blocks learn in turn, by {size}."
    if apart.high < 0:
        less = f.estimate(-apart.mean, -apart.high, -apart.low, f.points)
        return f"{start} ends below {in_turn}, whose blocks learn in turn, by {less}."
    return f"{start} is not separated from {in_turn}, whose blocks learn in turn ({size})."


def own_heads(where: str, at_once: str, in_turn: str, found: Mapping[str, Interval]) -> str:
    """The own heads of the blocks, at the same time against in turn."""
    known = {stage: each for stage, each in found.items() if f.defined(each.mean)}
    if not known:
        return say.absent(f"the accuracy of the blocks' own heads on {where}")
    said = sorted_out(known)
    words = {
        ABOVE: f"more accurate in {at_once}",
        BELOW: f"more accurate in {in_turn}",
        OPEN: "not separated",
        ALONE: "without interval",
    }
    parts = [
        f"{words[key]} {verb(said[key], 'is that', 'are those')} of {named(said[key])}"
        for key in words
        if said[key]
    ]
    sizes = f.listed(
        [
            f"{code(stage)} {f.estimate(each.mean, each.low, each.high, f.points)}"
            for stage, each in known.items()
        ]
    )
    return (
        f"Of the blocks' own heads on {where}, {f.listed(parts)}; the differences, {at_once} minus {in_turn} at "
        f"the end of each block's training, are {sizes}."
    )
