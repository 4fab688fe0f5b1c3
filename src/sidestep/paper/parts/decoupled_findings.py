"""The order among variants that the intervals support, and whether published or expected orders agree."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sidestep.paper.parts import formats as f
from sidestep.paper.parts import sentences as say
from sidestep.paper.parts.decoupled_study import DecoupledStudy
from sidestep.paper.parts.decoupled_words import (
    CDNI,
    DGL,
    DNI,
    END_TO_END,
    MIXED,
    RANDOM,
    RECONSTRUCTION,
    SEQUENTIAL,
    SHIFTED,
    groups,
    method_words,
)
from sidestep.paper.parts.layerwise_words import code, named

# Pairs of a setting that are listed one by one; of more, those of the first variant of each method.
MOST_PAIRS = 28
README, BELILOVSKY, WE = (
    "the older work",
    "the authors of decoupled greedy learning",
    "we",
)
VERBS = {README: "has", BELILOVSKY: "have", WE: "expect"}
DEEP = "vgg"
# Networks of the authors of decoupled greedy learning, who found the same order.
BELILOVSKYS = ("dgl_cnn", "four_layer_cnn")


@dataclass(frozen=True)
class Claim:
    """An order of two methods that somebody published or expected.

    Attributes:
        first: a method.
        second: another one.
        equal: whether they are said to be about equal; else the first is said to be better.
        whose: who says so.
        deep: of VGGs only (True), of other networks only (False), or of all (None).
    """

    first: str
    second: str
    equal: bool
    whose: str
    deep: bool | None = None


CLAIMS = (
    Claim(END_TO_END, DGL, True, README, False),
    Claim(END_TO_END, DGL, False, README, True),
    Claim(END_TO_END, CDNI, False, README, False),
    Claim(DGL, CDNI, False, README, False),
    Claim(END_TO_END, DNI, False, README, False),
    Claim(DGL, DNI, False, README, False),
    Claim(CDNI, DNI, False, README, False),
    Claim(DGL, MIXED, True, README, True),
    Claim(DGL, MIXED + SHIFTED, False, README, True),
    Claim(DGL, RECONSTRUCTION, False, README, True),
    Claim(RECONSTRUCTION, RANDOM, False, README, True),
    Claim(RECONSTRUCTION + SHIFTED, RANDOM, False, README, True),
    Claim(DGL, SEQUENTIAL, True, BELILOVSKY),
    *(Claim(method, RANDOM, False, WE) for method in (DGL, SEQUENTIAL, CDNI, DNI)),
)


@dataclass(frozen=True)
class Verdict:
    """What the interval of one data set and setting says of a claim.

    Attributes:
        claim: the claim.
        against: whether the interval contradicts it (True) or bears it out (False); None if it leaves it open.
        place: the data set, with the setting where there are several.
        found: how the two variants stand, in words; empty where there is no interval.
    """

    claim: Claim
    against: bool | None
    place: str
    found: str


def findings(study: DecoupledStudy) -> dict[str, Any]:
    """The supported order, and the claims: those contradicted first, then open, then borne out."""
    said = list(verdicts(study))
    return {
        "order": list(orders(study)),
        "against": list(contradicted(said)),
        "open": list(left_open(said)),
        "supporting": list(borne_out(said)),
        "agreement": agreement([each for each in said if each.claim.whose == README]),
        "size": size(*extent(study)),
    }


def contradicted(said: Sequence[Verdict]) -> Iterator[str]:
    """A sentence on each claim that an interval contradicts."""
    for each in said:
        if each.against is True:
            whose = f"{each.claim.whose} {VERBS[each.claim.whose]}"
            yield f"On {each.place}, {whose} {_claimed(each.claim)}; but {each.found}."


def borne_out(said: Sequence[Verdict]) -> Iterator[str]:
    """A sentence for everything on one place that bears out what somebody claims."""
    for (where, whose), found in _gathered(said, False):
        yield (
            f"On {where}, as {whose} {VERBS[whose]} it, {'; '.join(each.found for each in found)}."
        )


def left_open(said: Sequence[Verdict]) -> Iterator[str]:
    """A sentence for everything on one place that the intervals leave open of what somebody claims."""
    for (where, whose), found in _gathered(said, None):
        parts = [
            _claimed(each.claim) + (f" ({each.found})" if each.found else " (no interval)")
            for each in found
        ]
        yield f"On {where}, {whose} {VERBS[whose]} {'; '.join(parts)}."


def _gathered(
    said: Sequence[Verdict], against: bool | None
) -> Iterator[tuple[tuple[str, str], list[Verdict]]]:
    found: dict[tuple[str, str], list[Verdict]] = {}
    for each in said:
        if each.against is against:
            found.setdefault((each.place, each.claim.whose), []).append(each)
    yield from found.items()


# The order that the intervals support


def orders(study: DecoupledStudy) -> Iterator[str]:
    """A sentence or two on each data set and setting: which pairs separate, and which do not."""
    found = study.analysis("order")
    if found.empty:
        yield say.absent("an order among variants")
        return
    for (dataset, setting), rows in groups(found, ("dataset", "setting")):
        where = study.place(dataset, setting)
        if len(rows) <= MOST_PAIRS:
            yield ordered(where, rows)
            continue
        yield counted(where, rows)
        if shown := _of_firsts(study, rows):
            yield ordered(f"{where}, taking the first variant of each method", shown)


def _of_firsts(study: DecoupledStudy, rows: Sequence[Any]) -> list[Any]:
    """The pairs of those variants that are the first of their method in their setting."""
    firsts = study.firsts()
    return [row for row in rows if row.better in firsts and row.worse in firsts]


def counted(where: str, rows: Sequence[Any]) -> str:
    """How many pairs of many are separated."""
    known = [row for row in rows if f.defined(row.low)]
    apart = sum(bool(row.separates) for row in known)
    return (
        f"On {where}, the intervals separate {_of(apart, len(known))} of variants."
        if known
        else (
            f"On {where}, there is no interval for any of {f.plural(len(rows), 'pair')} of variants."
        )
    )


def ordered(where: str, rows: Sequence[Any]) -> str:
    """The order in one data set and setting."""
    compared = [row for row in rows if row.pairs >= 1]
    known = [row for row in rows if f.defined(row.low)]
    lone = len(rows) - len(known)
    if not compared:
        return f"On {where}, no two variants have a seed in common that both finished."
    if not known:
        return (
            f"On {where}, any two variants have one pair of seeds at most, and so no interval that "
            "could support an order."
        )
    apart = [row for row in known if row.separates]
    rest = [row for row in known if not row.separates]
    if len(known) == 1 and rest:
        return f"On {where}, the interval does not separate {code(rest[0].better)} and {code(rest[0].worse)}."
    text = f"On {where}, the intervals separate {_of(len(apart), len(known))} of variants"
    text += f": {_ranked(apart)}. " if apart else ". "
    text += f"They do not separate {_unranked(rest)}. " if rest and apart else ""
    if lone:
        text += (
            f"{f.plural(lone, 'pair')} of variants {'has' if lone == 1 else 'have'} no interval. "
        )
    return text.strip()


def _of(number: int, total: int) -> str:
    if number == total:
        return f"all {f.plural(total, 'pair')}" if total > 1 else "the one pair"
    return f"{_number(number)} of {f.plural(total, 'pair')}"


def _ranked(rows: Sequence[Any]) -> str:
    """`a` ends above `b` and `c`; `b` above `c`."""
    below: dict[str, list[str]] = {}
    for row in rows:
        below.setdefault(str(row.better), []).append(str(row.worse))
    # From the one that is above most, as a reader goes down an order.
    names = sorted(below, key=lambda name: -len(below[name]))
    parts = [f"{code(name)} above {named(below[name])}" for name in names]
    return "; ".join([parts[0].replace(" above ", " ends above ", 1), *parts[1:]])


def _unranked(rows: Sequence[Any]) -> str:
    """`a` from `b` and `c`; `b` from `c`."""
    beside: dict[str, list[str]] = {}
    for row in rows:
        beside.setdefault(str(row.better), []).append(str(row.worse))
    return "; ".join(f"{code(name)} from {named(others)}" for name, others in beside.items())


# Claims


def verdicts(study: DecoupledStudy) -> Iterator[Verdict]:
    """Each claim on each data set and setting that has variants of both methods."""
    for (dataset, setting), rows in groups(study.analysis("order"), ("dataset", "setting")):
        where = study.place(dataset, setting)
        network = str(study.runs[str(rows[0].better)]["network"]["name"])
        for claim in CLAIMS:
            if claim.deep is not None and claim.deep != network.startswith(DEEP):
                continue
            theirs = claim.whose == README and network in BELILOVSKYS
            for row in _of_firsts(study, rows):
                if {row.better_method, row.worse_method} == {claim.first, claim.second}:
                    yield verdict(replace(claim, whose=BELILOVSKY) if theirs else claim, where, row)


def verdict(claim: Claim, where: str, row: Any) -> Verdict:
    """What one pair of variants, of a claim's two methods, says of it."""
    if not f.defined(row.low):
        return Verdict(claim, None, where, "")
    size = f.estimate(row.difference, row.low, row.high, f.points)
    if not row.separates:
        found = f"the interval does not separate {code(row.better)} and {code(row.worse)}, {size}"
        return Verdict(claim, None, where, found)
    found = f"{code(row.better)} ends above {code(row.worse)} by {size}"
    return Verdict(claim, claim.equal or row.better_method != claim.first, where, found)


def _claimed(claim: Claim) -> str:
    first, second = method_words(claim.first), method_words(claim.second)
    return f"{first} and {second} about equal" if claim.equal else f"{first} above {second}"


def agreement(said: Sequence[Verdict]) -> str:
    """How much of the older work's order the intervals carry, in one sentence."""
    ranked = [each for each in said if not each.claim.equal]
    equal = [each for each in said if each.claim.equal]
    total, same = len(ranked), len(equal)
    if total:
        borne = sum(each.against is False for each in ranked)
        against = sum(each.against is True for each in ranked)
        text = (
            f"Of {f.plural(total, 'pair')} of variants that the older work puts in an order, the intervals "
            f"bear out {_number(borne)}, contradict {_number(against)} and leave "
            f"{_number(total - borne - against)} open"
        )
    else:
        text = say.absent("two variants whose order the older work published").removesuffix(".")
    if same:
        text += _equals(same, sum(each.against is True for each in equal))
    return text + "."


def _equals(same: int, apart: int) -> str:
    """The pairs that are said to be about equal, which no interval can show."""
    pairs = f"{'one pair' if same == 1 else f.plural(same, 'pair')} that it finds about equal"
    if not apart:
        left = "are not separated, which does not make them equal"
        return f"; the two of {pairs} {left}" if same == 1 else f"; those of {pairs} {left}"
    if apart == same:
        return f"; the two of {pairs} are separated" if same == 1 else f"; {pairs} are separated"
    return f"; of {pairs}, {f.count(apart)} {'is' if apart == 1 else 'are'} separated"


def _number(count: int) -> str:
    return f.count(count) if count else "none"


# At which size


def extent(study: DecoupledStudy) -> tuple[list[int], list[int | None], float, bool]:
    """Our epochs and training images, the longest published run, and whether its images were more."""
    runs = list(study.runs.values())
    found = study.analysis("published_curves")
    found = found[found["outcome"] != "not run"] if len(found) else found
    longest = float(found["epoch"].max()) if len(found) else float("nan")
    differing = [str(each) for each in found["differs_in"].dropna()] if len(found) else []
    fewer = any("train_images" in [part.strip() for part in each.split(";")] for each in differing)
    epochs = sorted({int(run["epochs"]) for run in runs})
    return epochs, list(dict.fromkeys(run.get("train_images") for run in runs)), longest, fewer


def size(epochs: Sequence[int], images: Sequence[int | None], published: float, fewer: bool) -> str:
    """At which size all of this is said."""
    each = f.listed([f.count(number) for number in epochs], "or")
    kept = [number for number in images if number is not None]
    whole = "all training images that are not held out"
    which = f"{f.listed([f.count(number) for number in kept], 'or')} training images"
    if not kept:
        which = whole
    elif None in images:
        which = f"{which} or {whole}"
    text = (
        f"All this is said of networks trained for {each} epoch{'s' * (list(epochs) != [1])} on "
        f"{which}"
    )
    if not f.defined(published):
        return f"{text}."
    long = max(epochs) < published
    if not long and not fewer:
        return f"{text}, as long as the published runs."
    if not fewer:
        return (
            f"{text}. The published networks had up to {f.plural(int(published), 'epoch')}: an order that "
            "holds early need not be the one at the end."
        )
    more = [f"up to {f.plural(int(published), 'epoch')}"] * long + ["more images"] * fewer
    return (
        f"{text}. The published networks had {f.listed(more)}: an order that holds early or with few images "
        "need not be the one at the end, and the full size (`config/paper.yaml`) has to confirm it."
    )


def best(study: DecoupledStudy, dataset: str) -> str:
    """What the abstract says of one data set: the variant that is highest, in the baseline's setting."""
    setting = study.settings[study.baseline]
    rows = study.rows("order", dataset=dataset, setting=setting)
    where = study.place(dataset, setting)
    for (_,), pairs in groups(rows, ("setting",)):
        return leader(where, pairs)
    return say.absent(f"an order among variants on {where}")


def leader(where: str, pairs: Sequence[Any]) -> str:
    """The variant that no other is above, those below it, and those not separated from it."""
    # Means over the seeds that two have in common need not rank three in one way: who wins most leads.
    wins = Counter(str(row.better) for row in pairs)
    losses = Counter(str(row.worse) for row in pairs)
    top = max(wins, key=lambda name: wins[name] - losses[name], default="")
    mine = [row for row in pairs if row.better == top and f.defined(row.low)]
    if not top or not mine:
        return f"On {where}, no interval supports an order of the variants."
    below = [str(row.worse) for row in mine if row.separates]
    beside = [str(row.worse) for row in mine if not row.separates]
    text = f"On {where}, {code(top)} has the highest mean test accuracy"
    if below:
        text += f", separated by its paired intervals from {named(below)}"
    if beside:
        text += f"{', and' if below else ','} not separated from {named(beside)}"
    return text + "."
