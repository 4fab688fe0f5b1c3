"""What the study says of the older work's hope, of its report, and of our own cure."""

from collections.abc import Iterator, Mapping, Sequence

from sidestep.paper.parts import formats as f
from sidestep.paper.parts.layerwise_setup import LOSSES
from sidestep.paper.parts.layerwise_study import LOSS, LayerwiseStudy
from sidestep.paper.parts.layerwise_targets import FIRST, LATER, NEVER, SOONER, reaches
from sidestep.paper.parts.layerwise_words import (
    ABOVE,
    ALONE,
    BELOW,
    MISSING,
    OPEN,
    code,
    named,
    sorted_out,
    verb,
)
from sidestep.paper.parts.sentences import Finding
from sidestep.paper.parts.words import dataset_name
from sidestep.statistics.intervals import Interval, paired_difference
from sidestep.sweeps import sweeps_of


def findings(study: LayerwiseStudy) -> list[Finding]:
    """All of them, each with whether it goes against the older work or us."""
    return [*speeds(study), *losses(study), *cures(study), *instability(study)]


def speeds(study: LayerwiseStudy) -> Iterator[Finding]:
    """The hope that blocks could be trained radically faster."""
    for dataset in study.datasets:
        where = dataset_name(dataset)
        if not study.timed(dataset) or study.analysis("time_to_target").empty:
            continue
        said: dict[str, list[str]] = {name: [] for name in study.local}
        targets = 0
        for _, found in reaches(study, dataset):
            base = next((each for each in found if each.variant == study.baseline), None)
            if base is None or not base.seeds:
                continue
            # Every seed of the baseline must reach a target, or "later" would have two meanings.
            whole = base.reached == base.seeds
            targets += whole
            for each in found:
                if each.variant in said and (whole or each.outcome == FIRST):
                    said[each.variant].append(each.outcome)
        yield from speed(where, code(study.baseline), said, targets)


def speed(
    where: str, baseline: str, said: Mapping[str, Sequence[str]], targets: int
) -> Iterator[Finding]:
    """One finding for each way in which variants stand to the baseline.

    Args:
        where: the data set.
        baseline: its name.
        said: variant with local signals → its outcome at each target that the baseline reaches, and
            `first` at a target that it does not.
        targets: how many the baseline reaches with every seed.
    """
    sooner = [n for n, all_ in said.items() if SOONER in all_ or FIRST in all_]
    slower = [
        n for n, all_ in said.items() if all_ and n not in sooner and set(all_) <= {LATER, NEVER}
    ]
    rest = [n for n, all_ in said.items() if all_ and n not in sooner and n not in slower]
    mixed = [name for name in sooner if {LATER, NEVER} & set(said[name])]
    pure = [name for name in sooner if name not in mixed]
    for names, also in ((pure, ""), (mixed, ", but others later or never")):
        if names:
            yield Finding(
                False,
                f"{named(names)} {verb(names, 'reaches', 'reach')} some target sooner than {baseline}, or "
                f"one that it never reaches, which is what the older work hoped for{also}",
                where,
                "",
            )
    if slower and targets:
        yield Finding(
            True,
            f"{named(slower)} {verb(slower, 'reaches', 'reach')} every target that {baseline} reaches later than "
            f"it, or never: {verb(slower, 'it does', 'they do')} not speed training up, as the older work hoped for",
            where,
            "",
        )
    if rest:
        yield Finding(
            None,
            f"{named(rest)} {verb(rest, 'is', 'are')} neither shown to be sooner than {baseline} at any target "
            "nor later at every one",
            where,
            "",
        )


def losses(study: LayerwiseStudy) -> Iterator[Finding]:
    """Whether a network that never had a backward pass through all of it ends as well."""
    for dataset in study.datasets:
        differences = study.final_differences(dataset, LOSS, study.baseline, study.local)
        yield from ends(dataset_name(dataset), code(study.baseline), sorted_out(differences))


def ends(where: str, baseline: str, groups: Mapping[str, Sequence[str]]) -> Iterator[Finding]:
    """The final loss of variants with local signals against the baseline's."""
    for key, against, words in (
        (ABOVE, True, "a higher"),
        (BELOW, False, "a lower"),
    ):
        if names := groups[key]:
            claim = f"{named(names)} {verb(names, 'ends', 'end')} with {words} test loss than {baseline}"
            yield Finding(against, claim, where, "")
    if names := [*groups[OPEN], *groups[ALONE]]:
        claim = f"the final test loss of {named(names)} is not separated from that of {baseline}"
        yield Finding(None, claim, where, "")
    if names := groups[MISSING]:
        claim = f"no seed of {named(names)} finished together with one of {baseline}"
        yield Finding(None, claim, where, "")


def cures(study: LayerwiseStudy) -> Iterator[Finding]:
    """Our own expectation: the stabilised loss does better than the older work's losses."""
    pairs = _pairs(study)
    for dataset in study.datasets:
        for ours, theirs in pairs:
            apart = paired_difference(
                study.finals(dataset, ours, LOSS), study.finals(dataset, theirs, LOSS)
            )
            lost = (study.lost(dataset, ours), study.lost(dataset, theirs))
            yield cure(dataset_name(dataset), code(ours), code(theirs), apart, *lost)


def _pairs(study: LayerwiseStudy) -> list[tuple[str, str]]:
    """Each stabilised variant with each that differs from it in the loss alone."""
    found = []
    for sweep in sweeps_of(study.tables.study):
        names = [member.variant for member in sweep.members if sweep.setting == "signal"]
        kinds = {name: study.signal(name).get("loss", "") for name in names}
        cured = [name for name in names if kinds[name] == "stabilised"]
        found += [(a, b) for a in cured for b in names if kinds[b] in LOSSES]
    return found


def cure(
    where: str, ours: str, theirs: str, apart: Interval, lost_ours: int, lost_theirs: int
) -> Finding:
    """The stabilised loss against one of the older work's."""
    also = ""
    if lost_ours or lost_theirs:
        also = f" ({f.plural(lost_ours, 'seed')} of the former diverged, {f.count(lost_theirs)} of the latter)"
    start = f"our stabilised loss ({ours})"
    if not f.defined(apart.low):
        return Finding(None, f"{start} cannot be held against {theirs}{also}", where, "")
    if apart.high < 0:
        return Finding(False, f"{start} ends lower than {theirs}, as we expected{also}", where, "")
    if apart.low > 0:
        return Finding(
            True, f"{start} ends higher than {theirs}, against what we expected{also}", where, ""
        )
    return Finding(None, f"{start} is not separated from {theirs}{also}", where, "")


def instability(study: LayerwiseStudy) -> Iterator[Finding]:
    """The older work's report that its losses work but are unstable."""
    own = [name for name in study.local if study.signal(name).get("loss") in LOSSES]
    for dataset in study.datasets:
        lost = [name for name in own if study.lost(dataset, name)]
        if own:
            yield unstable(dataset_name(dataset), own, lost)


def unstable(where: str, own: Sequence[str], lost: Sequence[str]) -> Finding:
    """Whether the older work's losses diverge."""
    if lost:
        claim = f"training by the older work's loss diverges in {named(lost)}, as its report of instability has it"
        return Finding(False, claim, where, "")
    claim = (
        f"no run by the older work's losses ({named(own)}) diverges, though it reports instability; their "
        "learning rates were not its own"
    )
    return Finding(None, claim, where, "")
