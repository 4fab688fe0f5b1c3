"""Sentences that depend on what was measured: each has a branch for every outcome, and says no more
than the intervals carry.

They are Typst markup (citations such as `@fastdeepnets2017` are allowed); the sections hold the text
that no outcome changes.
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sidestep.paper.formats import (
    CONFIDENCE_PERCENT,
    UNDEFINED,
    Show,
    count,
    decimal,
    defined,
    estimate,
    listed,
    percent,
    plural,
    significant,
    width,
    width_estimate,
)
from sidestep.statistics.intervals import Interval, separates

# The smallest sizes' names, of which nothing may be concluded beyond the intervals.
SMALL = "small"
FULL = "paper"


@dataclass(frozen=True)
class Extent:
    """How much a study trains: numbers of variants, data sets and seeds, its epochs, and how many
    training images it uses (None for all)."""

    variants: int
    datasets: int
    seeds: int
    epochs: Sequence[int]
    train_images: int | None = None


@dataclass(frozen=True)
class Finding:
    """What one data set says of a claim of the older work.

    Attributes:
        against: whether it goes against the older work; None where the intervals leave it open.
        claim: what was found, without numbers, for a list of findings; data sets that say the same
            are named together.
        place: the data set, or empty.
        detail: the sentence with its numbers, for the claim's own section.
    """

    against: bool | None
    claim: str
    place: str
    detail: str


def gathered(findings: Sequence[Finding], against: bool | None) -> list[str]:
    """One sentence for each claim of that kind, with all data sets that say so."""
    places: dict[str, list[str]] = {}
    for finding in findings:
        if finding.against is against and finding.claim:
            places.setdefault(finding.claim, []).append(finding.place)
    return [
        f"On {listed(found)}, {claim}." if found[0] else f"{claim}."
        for claim, found in places.items()
    ]


def size_note(size: str, extents: Sequence[Extent]) -> str:
    """What the first page says of the size of the study, before anything else."""
    parts = [
        f"{plural(e.variants, 'variant')} on {plural(e.datasets, 'data set')} with "
        f"{plural(e.seeds, 'seed')} each, trained for {_epochs(e.epochs)} on "
        f"{'all' if e.train_images is None else count(e.train_images)} training images"
        for e in extents
    ]
    what = "; ".join(parts)
    if size == SMALL:
        return (
            f"*This is the small size:* {what}. It exists to show that the whole paper can be "
            "rebuilt on a laptop, not to settle the questions. The text draws no conclusion that "
            "its intervals do not carry."
        )
    if size == FULL:
        return (
            f"*This is the full size*, the older works' own: {what}. The text draws no conclusion "
            "that its intervals do not carry."
        )
    return (
        f"*This is the size “{_plain(size)}”,* neither the small nor the full one: {what}. The text "
        "draws no conclusion that its intervals do not carry."
    )


def training_images(number: int | None, validation: int) -> str:
    """Which of the training images a network learns from, and why none or some are held out."""
    held = (
        f"{plural(validation, 'image')} of the training set are held out for validation"
        if validation
        else "Nothing is chosen, so no image is held out"
    )
    if number is None:
        rest = (
            "the networks learn from all others" if validation else "the training set is used whole"
        )
        return f"{held}: {rest}."
    return (
        f"{held}. To save time, the networks learn from {plural(number, 'image')} of the training "
        "set, the same ones in every run, drawn once at random."
    )


def runs(number: int, diverged: Sequence[str]) -> str:
    """How many runs there are and what became of them."""
    if not diverged:
        return f"Of {plural(number, 'training run')}, all finished and none diverged."
    which = listed([f"`{place}`" for place in diverged[:6]]) + (" …" if len(diverged) > 6 else "")
    return (
        f"Of {plural(number, 'training run')}, {count(len(diverged))} diverged ({which}); means over "
        f"seeds leave {'it' if len(diverged) == 1 else 'them'} out and say so."
    )


def left_out(studies: Sequence[str]) -> str:
    """Studies of the config that the paper has no section on; empty if there is none."""
    if not studies:
        return ""
    which = listed([f"`{study}`" for study in studies])
    return f"The configuration also runs {which}, on which the paper has no section."


def absent(what: str) -> str:
    """Where a part of the study was not asked for, or nothing that was run allows it."""
    return f"What was run for this paper does not give {what}."


def changes(
    subject: str,
    first: str,
    last: str,
    found: Sequence[tuple[str, Interval]],
    show: Show = significant,
) -> str:
    """Whether a quantity rises or falls from one width to another, by its paired interval on each data set."""
    parts: dict[str, list[str]] = {}
    for place, difference in found:
        size = estimate(difference.mean, difference.low, difference.high, show)
        if not defined(difference.mean):
            parts.setdefault("does not have a defined change", []).append(f"on {place}")
        elif not defined(difference.low):
            parts.setdefault("changes by an amount without interval", []).append(
                f"on {place} ({size})"
            )
        elif difference.low == difference.high == 0:
            parts.setdefault("stays exactly the same", []).append(f"on {place}")
        elif not separates(difference):
            parts.setdefault("changes by less than its interval", []).append(f"on {place} ({size})")
        else:
            verb = "rises" if difference.mean > 0 else "falls"
            parts.setdefault(verb, []).append(
                f"on {place} (by {size})"
                if difference.mean > 0
                else f"on {place} (difference {size})"
            )
    clauses = [f"{verb} {listed(places)}" for verb, places in parts.items()]
    if not clauses:
        return f"How {subject} changes with the width is {UNDEFINED}."
    return f"From width {first} to width {last}, {subject} {'; it '.join(clauses)}."


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
    on, what = f"On {listed(places)}", listed(subjects)
    if outcome in ("power law", "logarithmic"):
        better = "power law" if outcome == "power law" else "logarithm"
        return (
            f"{on}, the {better} describes {what} better, in {count(agreeing)} of "
            f"{plural(seeds, 'seed')}{' each' if len(places) * len(subjects) > 1 else ''}."
        )
    if outcome == "not separated":
        return f"{on}, the interval does not separate the two curves for {what}."
    return f"{on}, no curves can be compared for {what}."


def dead_majority(dataset: str, at: str, found: Interval) -> Finding:
    """The journal's easy sign of an oversized network: more dead neurons than active ones."""
    share = estimate(found.mean, found.low, found.high, lambda x: percent(x, 1))
    open_ = "whether the widest layer has more dead neurons than active ones is not separated"
    if not defined(found.mean):
        return Finding(None, open_, dataset, f"On {dataset}, their share is {UNDEFINED}.")
    detail = f"On {dataset}, {share} of the neurons are dead at width {at}, the widest."
    if not defined(found.low) or found.low <= 0.5 <= found.high:
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


@dataclass(frozen=True)
class Peak:
    """Where $W$ is largest on a data set: width and W with their bounds, the end of the widths at
    which it lies (or empty), and the width where W of the pooled neurons is largest."""

    place: str
    width: tuple[float, float, float]
    w: tuple[float, float, float]
    edge: str
    pooled: float


def peaks(neurons: str, found: Sequence[Peak]) -> str:
    """Where the spread is most normal, on each data set."""
    parts = []
    for peak in found:
        if not defined(peak.width[0]):
            parts.append(f"nowhere defined on {peak.place}")
            continue
        size = estimate(*peak.w, lambda x: decimal(x, 3))
        text = f"at width {width_estimate(*peak.width)} on {peak.place}, where it is {size}"
        if defined(peak.pooled):
            text += f" (pooled: at {width(peak.pooled)})"
        if peak.edge:
            text += f", at the {peak.edge} of the widths, so that the true maximum may lie beyond"
        parts.append(text)
    if not parts:
        return f"$W$ over {neurons} neurons is {UNDEFINED}."
    return f"$W$ over {neurons} neurons is largest {'; '.join(parts)}."


def cost(narrowest: str, widest: str, operations: float, seconds: float) -> str:
    """What the widest network costs in terms of the narrowest."""
    if narrowest == widest or not defined(operations):
        return absent("a second width to compare costs with")
    text = (
        f"A training step at width {widest} takes {significant(operations)} times the operations of "
        f"one at width {narrowest}"
    )
    if not defined(seconds):
        return text + "; no step was timed."
    relation = (
        "as many"
        if round(seconds, 1) == round(operations, 1)
        else f"{significant(seconds)} times the"
    )
    return f"{text} and {relation} seconds."


def refusals(model: str, fitted: int, networks: int) -> str:
    """How often a mixture could be told from a single component."""
    if networks == 0:
        return f"The mixture of {model} was fitted to no network."
    if fitted == 0:
        return (
            f"The mixture of {model} is not identifiable in any of the "
            f"{plural(networks, 'network')}, so no share of its first component is reported."
        )
    if fitted == networks:
        return f"The mixture of {model} is identifiable in all {plural(networks, 'network')}."
    return (
        f"The mixture of {model} is identifiable in {count(fitted)} of {plural(networks, 'network')} "
        "and refused in the others."
    )


def preferred(first: str, second: str, wins: int, losses: int) -> str:
    """Which of two mixtures has the lower BIC, where both are identifiable."""
    total = wins + losses
    if total == 0:
        return "No network allows both, so the two mixtures cannot be compared."
    where = f"Where both are identifiable ({plural(total, 'network')})"
    if wins == losses:
        return f"{where}, BIC prefers each equally often."
    better, times = (first, wins) if wins > losses else (second, losses)
    return f"{where}, BIC prefers {better} in {count(times)}."


def share_trend(dataset: str, model: str, shares: Sequence[tuple[float, float]]) -> str:
    """How the pooled share of small-spread neurons goes with width, over identifiable fits."""
    if len(shares) < 2:
        return (
            f"On {dataset}, the pooled fits of {model} are identifiable at too few widths to follow "
            "the share of the first component."
        )
    (first, low), (last, high) = shares[0], shares[-1]
    values = [value for _, value in shares]
    text = (
        f"On {dataset}, the pooled share of the first component of {model} goes from "
        f"{decimal(low, 3)} at width {width(first)} to {decimal(high, 3)} at width {width(last)}"
    )
    steps = [after - before for before, after in itertools.pairwise(values)]
    if all(step >= 0 for step in steps):
        return text + ", rising at every step between identifiable fits."
    if all(step <= 0 for step in steps):
        return text + ", falling at every step between identifiable fits."
    return text + ", not monotonically."


def artefact(
    dataset: str, at: str, k: str, true_left: float, wrong_left: float, even: float
) -> Finding:
    """The journal's equally important components, against the curve that the spectrum gives.

    `true_left` and `wrong_left` are shares of variance left after k components, `even` what equally
    important components would leave.
    """
    if not (defined(true_left) and defined(wrong_left)):
        return Finding(None, "", dataset, f"On {dataset}, no width allows both curves.")
    detail = (
        f"On {dataset} at width {at}, {k} components leave {percent(true_left, 1)} of the variance; "
        f"the transposed projection claims {percent(wrong_left, 1)}, and components of equal "
        f"importance would leave {percent(even, 1)}."
    )
    if abs(wrong_left - even) < abs(true_left - even):
        claim = (
            "principal components are far from “equally important”: the journal's straight line comes "
            "from a transposed matrix and not from the data"
        )
        return Finding(True, claim, dataset, detail)
    claim = (
        "the right reconstruction curve is as near to a straight line as the journal's wrong one"
    )
    return Finding(False, claim, dataset, detail)


def enough_components(dataset: str, images: str, at: str, k: float, total: str) -> str:
    """How many components keep the accuracy."""
    if not defined(k):
        return (
            f"On {dataset} at width {at}, no tried number of components keeps the mean {images} "
            "accuracy within the margin."
        )
    return (
        f"On {dataset} at width {at}, the first {count(k)} of {total} components keep the mean "
        f"{images} accuracy within the margin."
    )


def saturation(dataset: str, at: float, low: float, high: float, widest: float) -> str:
    """Where the test accuracy stops rising."""
    if not defined(at):
        return f"On {dataset}, where test accuracy saturates is {UNDEFINED}."
    text = (
        f"On {dataset}, test accuracy comes within the margin of its best at width "
        f"{width_estimate(at, low, high)}"
    )
    if at == widest or high == widest:
        text += "; as the widest layer is among the answers, saturation itself is not established"
    return text + "."


AGREEMENT = {
    "agrees": "overlap with the saturation of the accuracy",
    "earlier": "speak at smaller widths",
    "later": "speak at larger widths",
    "never": "never speak within the widths",
    "not defined": "are not defined",
}


def blindly(expected: float) -> str:
    """How many verdicts would agree if each were one of the widths, drawn at random."""
    if not defined(expected):
        return ""
    return f"drawing widths at random would give about {decimal(expected, 0)}"


def agreements(dataset: str, counts: Mapping[str, int], expected: float) -> str:
    """How many verdicts agree with the accuracy, and how many would by chance."""
    total = sum(counts.values())
    if total == 0:
        return f"On {dataset}, no metric gives a verdict."
    parts = [
        f"{count(counts[outcome])} {words}"
        for outcome, words in AGREEMENT.items()
        if counts.get(outcome)
    ]
    if counts.get("agrees") and defined(expected):
        parts[0] += f" ({blindly(expected)})"
    return f"On {dataset}, of {plural(total, 'verdict')}, {listed(parts)}."


def agreeing_everywhere(names: Sequence[str], datasets: int, wide: bool) -> str:
    """Which verdicts agree with the accuracy on every data set."""
    where = "on every data set" if datasets > 1 else "on the only data set"
    if not names:
        return f"No verdict agrees with the accuracy {where}."
    text = f"The verdicts of {listed(names)} overlap with the accuracy {where}"
    if wide:
        text += (
            "; with intervals of the accuracy's own saturation as wide as these, an overlap is weak "
            "evidence for a metric"
        )
    return text + "."


def early_verdicts(
    dataset: str, epoch: str, last: str, agreeing: int, total: int, accuracy: str
) -> str:
    """How many verdicts at an early epoch already agree with the accuracy at the last one."""
    if total == 0:
        return f"On {dataset}, no verdict is defined after epoch {epoch}."
    text = (
        f"On {dataset}, {count(agreeing)} of {plural(total, 'verdict')} after epoch {epoch} "
        f"overlap with the saturation after epoch {last}"
    )
    text += {
        "agrees": "; so does the accuracy's own saturation, which needs no metric",
        "earlier": "; the accuracy's own saturation at that time is earlier",
        "later": "; the accuracy's own saturation at that time is later",
        "never": "; the accuracy itself does not saturate at that time",
    }.get(accuracy, "")
    return text + "."


def early_everywhere(names: Sequence[str], datasets: int) -> str:
    """Which verdicts overlap early, on every data set and at every recorded epoch."""
    where = "on every data set" if datasets > 1 else "on the only data set"
    if not names:
        return f"No verdict does so at every early epoch {where}."
    return f"Those of {listed(names)} do so at every early epoch {where}."


def order_of_datasets(same: Sequence[str], opposite: Sequence[str], open_: int) -> str:
    """Do verdicts carry over from one data set to the other?"""
    if not same and not opposite and not open_:
        return "Whether a verdict carries over to another data set needs two data sets."
    total = len(same) + len(opposite) + open_
    parts = []
    if same:
        parts.append(f"{listed(same)} order the two data sets as the accuracy does")
    if opposite:
        parts.append(f"{listed(opposite)} order them the other way round")
    if not parts:
        return (
            f"Of the {plural(total, 'verdict')} that could be compared between the two data sets, none "
            "orders them by intervals that exclude zero for the verdict and for the accuracy both."
        )
    rest = f"; for the other {count(open_)} the intervals do not separate them" if open_ else ""
    return f"Of {plural(total, 'verdict')}, {'; '.join(parts)}{rest}."


@dataclass(frozen=True)
class Following:
    """How many metrics follow a gap: those whose correlation excludes zero, of those tested; how many
    would by chance; and the names of those that follow it more closely than the width does."""

    target: str
    excluding: int
    tested: int
    chance: float
    knowing: Sequence[str]


def overfitting(dataset: str, found: Sequence[Following]) -> str:
    """Does any metric follow the gap between train and test better than the width itself does?"""
    tested = [item for item in found if item.tested]
    if not tested:
        return f"On {dataset}, no correlation with over-fitting has an interval."
    parts = [
        f"with {item.target} for {count(item.excluding)} of {plural(item.tested, 'metric')} "
        f"({decimal(item.chance, 1)} by chance)"
        for item in tested
    ]
    text = f"On {dataset}, the rank correlation excludes zero {listed(parts)}; "
    knowing = list(dict.fromkeys(name for item in tested for name in item.knowing))
    if knowing:
        return (
            text + f"only {listed(knowing)} follow a gap more closely than the width itself does."
        )
    return text + "none follows a gap more closely than the width itself does, by its interval."


def overfitting_in_short(knowing: Sequence[str]) -> str:
    """The answer in one sentence, over all data sets."""
    if not knowing:
        return (
            "By their intervals, no metric follows the gap between training and test more closely than "
            "the width itself does, so that none is shown to predict over-fitting."
        )
    return (
        f"Only {listed(knowing)} follow the gap between training and test more closely than the width "
        "itself does, by an interval on some data set, as a few would by chance among so many."
    )


EXPECTATIONS = {
    "plateau later": "accuracy reaches its plateau at a larger width",
    "distribution to the right": "spread is distributed further to the right",
    "verdict later": "metrics call a layer large enough at a larger width",
}


def expectation(
    name: str, easy: str, hard: str, outcome: str, size: str, details: Mapping[str, int] | None
) -> Finding:
    """One of the three expectations for a harder data set."""
    what = EXPECTATIONS.get(name, name)
    notes = [f"difference {size}"] if size else []
    if details:
        total = sum(details.values())
        parts = [f"{count(n)} {_OUTCOMES.get(o, o)}" for o, n in details.items() if n]
        notes.append(f"of {plural(total, 'single test')}, {listed(parts)}")
    note = f" ({'; '.join(notes)})" if notes else ""
    over = "width" if name == "distribution to the right" else "metric"
    against, verdict = {
        "holds": (False, "is borne out"),
        "contradicted": (True, "is contradicted"),
        "mixed": (None, f"depends on the {over}"),
        "not separated": (None, "is neither borne out nor contradicted"),
    }.get(outcome, (None, "could not be tested"))
    claim = f"That {what} on {hard} than on {easy} {verdict}"
    return Finding(against, claim, "", f"{claim}{note}.")


_OUTCOMES = {
    "holds": "borne out",
    "contradicted": "contradicted",
    "not separated": "not separated",
    "not defined": "not defined",
}


def counter_example(dataset: str, outcome: str, largest: float, number: int) -> str:
    """Whether the journal's counter-example exists among the trained networks."""
    if outcome == "exists":
        return (
            f"On {dataset}, {plural(number, 'width')} {'is' if number == 1 else 'are'} a "
            "counter-example: too small for the images by the whole interval of the saturation, and "
            f"perfect on the noise. The largest is {width(largest)}."
        )
    if outcome == "possible":
        return (
            f"On {dataset}, some widths may be a counter-example, being perfect on the noise and "
            "below the saturation on the images, but not by its whole interval."
        )
    if outcome == "none":
        return f"On {dataset}, no width is a counter-example."
    return f"On {dataset}, the counter-example was not run."


def changed_values(dataset: str, changed: int, tested: int, unmoved: Sequence[str]) -> str:
    """How often a metric of the activations sees the difference between the images and the noise."""
    if tested == 0:
        return f"On {dataset}, no metric of the activations was computed on both."
    chance = decimal(tested * (1 - CONFIDENCE_PERCENT / 100), 1)
    text = (
        f"On {dataset}, the metrics of the activations change by their paired intervals in "
        f"{count(changed)} of {plural(tested, 'comparison')} of a metric at a width ({chance} by "
        "chance)"
    )
    return text + (f"; {listed(unmoved)} at no width." if unmoved else ", each at some width.")


def fixed_values(names: Sequence[str]) -> str:
    """The metrics that cannot change."""
    if not names:
        return ""
    return f"What the weights alone determine ({listed(names)}) is the same on both, as it must be."


def changed_verdicts(
    dataset: str, smaller: Sequence[str], larger: Sequence[str], total: int
) -> str:
    """Whether the verdicts, and not just the values, move on the noise, and which way."""
    if total == 0:
        return f"On {dataset}, no verdict is defined both on the images and on the noise."
    if not smaller and not larger:
        return (
            f"On {dataset}, none of the {plural(total, 'verdict')} of activation metrics moves by its "
            "interval."
        )
    parts = [
        f"{count(len(names))} move{'s' if len(names) == 1 else ''} {way} ({listed(names)})"
        for names, way in (
            (smaller, "to smaller widths"),
            (larger, "to larger widths or to none at all"),
        )
        if names
    ]
    return (
        f"On {dataset}, of {plural(total, 'verdict')} of activation metrics, {listed(parts)}, by "
        "intervals that exclude zero."
    )


def right_on_both(found: Sequence[tuple[str, Sequence[str]]]) -> str:
    """Which activation verdicts are right on the images and on the noise, on each data set."""
    if not found:
        return absent("verdicts on both the images and the noise")
    parts = [f"on {place}, {listed(names)}" for place, names in found]
    if len(found) > 1:
        everywhere = sorted(set.intersection(*(set(names) for _, names in found)))
        parts.append(f"on every data set, {listed(everywhere)}")
    return (
        "These are right on both, by overlapping with the accuracy on the images and by naming the "
        f"smallest width on the noise: {'; '.join(parts)}."
    )


def published(same: int, agreeing: int, elsewhere: int, missing: int) -> str:
    """How our figures compare with the published ones."""
    parts = []
    if same:
        parts.append(
            f"{count(same)} can be held against one of ours at the same width and epoch, and "
            f"{count(agreeing)} of these lie inside our interval"
        )
    else:
        parts.append("none can be held against one of ours at the same width and epoch")
    if elsewhere:
        parts.append(
            f"{count(elsewhere)} stand beside one of another width, another epoch or without interval"
        )
    if missing:
        parts.append(f"{count(missing)} have no counterpart")
    total = same + elsewhere + missing
    if total == 0:
        return "The older work published no figure for these data sets."
    if elsewhere == total:
        return (
            f"None of the {plural(total, 'published figure')} can be held against one of ours at the "
            "same width and epoch with an interval; where the width is one of ours, the tables show both "
            "side by side."
        )
    return f"Of {plural(total, 'published figure')}, {listed(parts)}."


def in_short(
    dataset: str,
    margin: str,
    at: float,
    low: float,
    high: float,
    widest: float,
    agrees: int,
    total: int,
    expected: float,
) -> str:
    """The abstract's sentence on one data set."""
    if not defined(at):
        return f"On {dataset}, where the accuracy saturates is {UNDEFINED}."
    text = (
        f"On {dataset}, test accuracy comes within {margin} of its best at width "
        f"{width_estimate(at, low, high)}"
    )
    if widest in (at, high):
        text += ", which does not exclude that wider layers would do better"
    if not total:
        return text + "."
    text += (
        f". Of {plural(total, 'rule')} that read a size off a metric of the layer, {count(agrees)} "
        "name a width that overlaps with that"
    )
    return f"{text}; {blindly(expected)}." if defined(expected) else text + "."


def confidence() -> str:
    """The level of all intervals."""
    return percent(CONFIDENCE_PERCENT / 100, 0)


def _epochs(epochs: Sequence[int]) -> str:
    text = listed([count(epoch) for epoch in epochs])
    return f"{text} epoch{'' if list(epochs) == [1] else 's'}"


def _plain(text: str) -> str:
    """Text without what Typst would read as markup."""
    return "".join(character for character in text if character.isalnum() or character in " -.,")
