"""Dead neurons, and the curve by which the sum of spread grows with the width."""

from collections.abc import Iterator, Sequence

from sidestep.paper.parts import formats as f
from sidestep.paper.parts import sentences as say
from sidestep.paper.parts.sentences import Finding
from sidestep.paper.parts.study import each_row
from sidestep.paper.parts.width_study import WidthStudy
from sidestep.paper.parts.words import dataset_name
from sidestep.statistics.intervals import Interval

SUMS = {"sum_of_spread": "the sum of spread", "sum_of_variance": "the sum of variance"}


def dead(study: WidthStudy) -> Iterator[Finding]:
    """Whether most neurons of the widest layer are dead."""
    widest = study.widths[-1]
    for dataset in study.datasets:
        found = study.mean(dataset, "dead_share", "train", width=widest)
        yield dead_majority(dataset_name(dataset), f.count(widest), found)


def growth(study: WidthStudy) -> Iterator[Finding]:
    """Which curve each sum follows on each data set."""
    found = study.latest("trends")
    if found.empty:
        yield Finding(None, "", "", say.absent("the comparison of growth curves"))
        return
    for row in each_row(found):
        if row.metric in SUMS:
            agreeing = int(row.agreeing) if f.defined(row.agreeing) else 0
            # The journal's claim is about the sum of standard deviations only.
            of_the_journal = row.metric == "sum_of_spread"
            place = (dataset_name(row.dataset), SUMS[row.metric], row.outcome)
            yield curve(*place, agreeing, int(row.seeds), of_the_journal)


def growth_details(study: WidthStudy) -> Iterator[str]:
    """What the curves say, data sets and sums of which the same is true together."""
    found = study.latest("trends")
    if found.empty:
        yield say.absent("the comparison of growth curves")
        return
    places: dict[tuple[str, str, int, int], list[str]] = {}
    for row in each_row(found):
        if row.metric in SUMS:
            agreeing = int(row.agreeing) if f.defined(row.agreeing) else 0
            key = (SUMS[row.metric], str(row.outcome), agreeing, int(row.seeds))
            places.setdefault(key, []).append(dataset_name(row.dataset))
    subjects: dict[tuple[tuple[str, ...], str, int, int], list[str]] = {}
    for (subject, outcome, agreeing, seeds), where in places.items():
        subjects.setdefault((tuple(where), outcome, agreeing, seeds), []).append(subject)
    for (alike, outcome, agreeing, seeds), names in subjects.items():
        yield curve_detail(alike, names, outcome, agreeing, seeds)


def growth_table(study: WidthStudy) -> f.Table:
    """Both curves, fitted to each sum on each data set."""
    head = ["Data set", "Sum of", "$R^2$ log", "power", "Exponent", "Difference"]
    rows = []
    found = study.latest("trends")
    for row in each_row(found):
        fits = [_number(row.logarithmic_r_squared, 3), _number(row.power_r_squared, 3)]
        apart = f.estimate(
            row.difference, row.difference_low, row.difference_high, lambda x: f.decimal(x, 2)
        )
        exponent = _number(row.power_b, 2)
        quantity = str(row.metric).removeprefix("sum_of_")
        rows.append([dataset_name(row.dataset), quantity, *fits, exponent, apart])
    return {"head": head, "rows": rows}


def _number(value: float, digits: int) -> str:
    return f.decimal(value, digits) if f.defined(value) else "–"


def dead_majority(dataset: str, at: str, found: Interval) -> Finding:
    """The journal's easy sign of an oversized network: more dead neurons than active ones."""
    share = f.estimate(found.mean, found.low, found.high, lambda x: f.percent(x, 1))
    open_ = "whether the widest layer has more dead neurons than active ones is not separated"
    if not f.defined(found.mean):
        return Finding(None, open_, dataset, f"On {dataset}, their share is {f.UNDEFINED}.")
    detail = f"On {dataset}, {share} of the neurons are dead at width {at}, the widest."
    if not f.defined(found.low) or found.low <= 0.5 <= found.high:
        return Finding(None, open_, dataset, detail)
    if found.high < 0.5:
        # Not against the journal: nobody knows that these layers are oversized.
        claim = (
            "not even the widest layer has more dead neurons than active ones; whether a layer that "
            "is oversized would show this sign of the journal's cannot be seen here"
        )
        return Finding(None, claim, dataset, detail)
    claim = "the widest layer has more dead neurons than active ones, as the journal expects"
    return Finding(False, claim, dataset, detail)


def curve(
    dataset: str, subject: str, outcome: str, agreeing: int, seeds: int, of_the_journal: bool
) -> Finding:
    """Logarithm or power law? The journal calls the sum of spread “a perfect logarithm”."""
    detail = curve_detail([dataset], [subject], outcome, agreeing, seeds)
    if outcome == "power law":
        claim = (
            f"{subject} grows like a power of the width rather than like the journal's “perfect "
            "logarithm”"
        )
        against: bool | None = True
    elif outcome == "logarithmic":
        claim = f"{subject} grows like a logarithm of the width rather than like a power of it"
        against = False
    elif outcome == "not separated":
        claim = f"a logarithm and a power law describe {subject} equally well, by their interval"
        against = None
    else:
        claim, against = f"no curve can be fitted to {subject}", None
    return Finding(against, claim if of_the_journal else "", dataset, detail)


def curve_detail(
    places: Sequence[str], subjects: Sequence[str], outcome: str, agreeing: int, seeds: int
) -> str:
    """Which curve describes the sums better, for all data sets and sums of which that is so."""
    on, what = f"On {f.listed(places)}", f.listed(subjects)
    if outcome in ("power law", "logarithmic"):
        better = "power law" if outcome == "power law" else "logarithm"
        return (
            f"{on}, the {better} describes {what} better, in {f.count(agreeing)} of "
            f"{f.plural(seeds, 'seed')}{' each' if len(places) * len(subjects) > 1 else ''}."
        )
    if outcome == "not separated":
        return f"{on}, the interval does not separate the two curves for {what}."
    return f"{on}, no curves can be compared for {what}."
