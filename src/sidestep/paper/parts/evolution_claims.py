"""What the post lists for and against networks that evolve, each measured: a table and its words."""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple

from sidestep.evolution import CONTROL, MLP
from sidestep.paper.parts import evolution_contrasts as contrasts
from sidestep.paper.parts import evolution_cost as cost
from sidestep.paper.parts import evolution_population as populations
from sidestep.paper.parts import formats as f
from sidestep.paper.parts import sentences as say
from sidestep.paper.parts.decoupled_words import pages
from sidestep.paper.parts.evolution_scores import gap_apart, is_number
from sidestep.paper.parts.evolution_study import EvolutionStudy, difference
from sidestep.paper.parts.evolution_words import apart, estimated, place, places, spoken
from sidestep.paper.parts.layerwise_words import code
from sidestep.paper.parts.layerwise_words import plain as name_cell
from sidestep.paper.parts.resizing_words import capital
from sidestep.statistics.intervals import Interval, paired_difference

_SPACE = "\N{NO-BREAK SPACE}"
AGREES, DISAGREES, OPEN = "agrees", "disagrees", "open"
PRO, CON, ENDS = "pro", "con", "conclusion"
MARKS = {AGREES: "a", DISAGREES: "d", OPEN: "o"}
# Scores are called similar if the difference is above minus this, a share or a part of R².
MARGIN = 0.01
MOST_ROWS = 16


class Found(NamedTuple):
    """What the runs of one data set and variant say of a claim.

    Attributes:
        outcome: `agrees`, `disagrees` or `open`.
        text: the value with its interval, for a table.
        said: the same with its unit, within a sentence.
    """

    outcome: str
    text: str
    said: str


Measure = Callable[[EvolutionStudy, str, str], Found | None]


@dataclass(frozen=True)
class Claim:
    """A claim of the post.

    Attributes:
        says: what is claimed, after “that”.
        side: what it is listed under.
        unit: what is measured, for a table.
        measure: data set and variant → what is found; None where nothing is.
        why: outcome → a clause on what stands behind it.
    """

    says: str
    side: str
    unit: str
    measure: Measure
    why: Mapping[str, str] = field(default_factory=dict)


def _outcome(found: Interval, none: float = 0.0) -> str:
    """`agrees` where the interval is above a value, `disagrees` where it is below."""
    if found.low > none:
        return AGREES
    return DISAGREES if found.high < none else OPEN


def _difference(study: EvolutionStudy, dataset: str, found: Interval, none: float = 0.0) -> Found:
    """A difference of scores: in points, or of R²."""
    scale, digits = (1, 3) if is_number(study, dataset) else (100, 2)
    text = f.estimate(
        found.mean, found.low, found.high, lambda value: f.decimal(scale * value, digits)
    )
    return Found(_outcome(found, none), text, estimated(found, apart(study.measure(dataset))))


def _ratio(found: Interval) -> Found:
    return Found(
        _outcome(found, 1.0),
        estimated(found, lambda value: f.decimal(value, 2)),
        estimated(found, lambda value: f.decimal(value, 2) + _SPACE + "times"),
    )


def _beside(study: EvolutionStudy, dataset: str, variant: str, role: str) -> Interval | None:
    """The difference of scores to the model of a role, as the analysis has it."""
    row = contrasts.pairs(study).get((variant, study.one(role)), {}).get(dataset)
    return None if row is None else difference(row)


def _searches(study: EvolutionStudy, dataset: str, variant: str) -> Found | None:
    found = _beside(study, dataset, variant, CONTROL)
    return None if found is None else _difference(study, dataset, found)


def _similar(study: EvolutionStudy, dataset: str, variant: str) -> Found | None:
    found = _beside(study, dataset, variant, MLP)
    return None if found is None else _difference(study, dataset, found, -MARGIN)


def _population(name: str) -> Measure:
    def measure(study: EvolutionStudy, dataset: str, variant: str) -> Found | None:
        row = populations.largest(study).get(variant, {}).get(dataset)
        if row is None or row.members < _PAIR or not f.defined(getattr(row, name)):
            return None
        return _difference(study, dataset, populations.gain(row, name))

    return measure


def _smaller(study: EvolutionStudy, dataset: str, variant: str) -> Found | None:
    """Parameters at the perceptron's score over the perceptron's."""
    other = study.one(MLP)
    rows = [
        row
        for row in cost.rows(study)
        if (str(row.dataset), str(row.target_of), str(row.variant)) == (dataset, other, variant)
    ]
    if not rows or not rows[0].runs:
        return None
    row = rows[0]
    reached = f"{f.count(row.reached)} of {f.count(row.runs)}"
    share = cost.parameter_share(study, other, row)
    if not row.reached:
        return Found(DISAGREES, f"never ({reached})", f"in {reached} runs")
    if not f.defined(share):
        return None
    every = row.reached == row.runs
    outcome = OPEN if not every or share == 1 else AGREES if share < 1 else DISAGREES
    times = f.decimal(share, 2)
    return Found(outcome, f"{times} ({reached})", f"{times} times in {reached} runs")


def _slower(metric: str) -> Measure:
    def measure(study: EvolutionStudy, dataset: str, variant: str) -> Found | None:
        other = study.one(MLP)
        found = cost.ratios(study, variant, other, metric).get(dataset) if other else None
        return None if found is None else _ratio(found)

    return measure


def _memory(study: EvolutionStudy, dataset: str, variant: str) -> Found | None:
    """Bytes of the finished model less the perceptron's, in kB."""
    other = study.one(MLP)
    if not other:
        return None
    mine, theirs = (study.value(dataset, name, "stored_bytes") for name in (variant, other))
    found = paired_difference(theirs, mine)
    if not f.defined(found.mean):
        return None
    text = estimated(found, lambda value: f.decimal(value / 1000, 2))
    return Found(_outcome(found), text, text + _SPACE + "kB")


def _overfits(study: EvolutionStudy, dataset: str, variant: str) -> Found | None:
    other = study.one(MLP)
    found = gap_apart(study, variant, other)[dataset] if other else None
    if found is None or not f.defined(found.mean):
        return None
    return _difference(study, dataset, found)


_PAIR = 2
CLAIMS = (
    Claim(
        "evolving finds an architecture with a good inductive bias",
        PRO,
        "score, less that of the control",
        _searches,
        {
            AGREES: "selection gains over as many random operations",
            DISAGREES: "operations that come late are trained for less time",
            OPEN: "random operations already serve as features",
        },
    ),
    Claim(
        "runs of the algorithm are easy to ensemble",
        PRO,
        "score of averaged predictions, less that of single runs",
        _population(populations.ENSEMBLE),
        {AGREES: "other mutations make other errors", OPEN: "members err alike, or hardly err"},
    ),
    Claim(
        "it needs less memory for equal accuracy",
        PRO,
        "parameters when its score reaches the perceptron's mean, over the perceptron's",
        _smaller,
        {
            AGREES: "what is useless has been pruned, or was never added",
            DISAGREES: "it takes more operations than the perceptron has weights for, or the score is not reached",
        },
    ),
    Claim(
        "its finished model takes less memory",
        PRO,
        "kB stored that it saves beside the perceptron",
        _memory,
        {DISAGREES: "the graph itself is stored: names, operands and statistics"},
    ),
    Claim(
        "it can be spread over machines",
        PRO,
        "score of the run that validation chooses among independent ones, less that of single runs",
        _population(populations.CHOSEN),
        {
            AGREES: "members need no exchange until one is chosen; speed over machines was not measured",
            OPEN: "there is nothing to choose between alike members; speed over machines was not measured",
            DISAGREES: "the validation part is small; speed over machines was not measured",
        },
    ),
    Claim(
        "its training is less efficient",
        CON,
        "seconds of training, over the perceptron's",
        _slower(cost.TRAINING),
        {AGREES: "a level of the graph is several calls on few numbers, and generations cost, too"},
    ),
    Claim(
        "its forward pass is less efficient",
        CON,
        "seconds for many rows, over the perceptron's",
        _slower(cost.MANY),
        {AGREES: "levels follow one another, where a perceptron multiplies twice"},
    ),
    Claim(
        "it is susceptible to overfitting",
        CON,
        "training less test score, less that of the perceptron",
        _overfits,
        {
            AGREES: "operations are chosen by rows that the weights are fitted to",
            DISAGREES: "few weights move at a time, and late ones are trained little",
        },
    ),
    Claim(
        "its results are similar to those of usual networks",
        ENDS,
        "score, less that of the perceptron",
        _similar,
        {DISAGREES: "hidden neurons learn what they compute; an operation is drawn once"},
    ),
)
# Claims that sentences on contrasts tell already.
TOLD = frozenset({CLAIMS[0].says})
_WHY = {OPEN: "the interval allows both"}


# Asked for by each sentence that tells of claims.
@lru_cache(maxsize=1)
def found(study: EvolutionStudy) -> tuple[tuple[Claim, str, dict[str, Found]], ...]:
    """Claim, variant, and data set → what is found, for all of which something is."""
    return tuple(_found(study))


def _found(study: EvolutionStudy) -> Iterator[tuple[Claim, str, dict[str, Found]]]:
    for claim in CLAIMS:
        for variant in study.evolving:
            cells = {
                dataset: each
                for dataset in study.datasets
                if (each := claim.measure(study, dataset, variant)) is not None
            }
            if cells:
                yield claim, variant, cells


def claims(study: EvolutionStudy) -> dict[str, Any]:
    """The table of claims in parts, how they come out, and the margin within which scores are similar."""
    head = [
        "Claim",
        "Of",
        "Measured by",
        "Variant",
        *map(place, study.datasets),
        "Outcome, and why",
    ]
    rows = [
        [
            capital(claim.says),
            claim.side,
            claim.unit,
            name_cell(variant),
            *(_cell(cells.get(dataset)) for dataset in study.datasets),
            _summary(claim, cells),
        ]
        for claim, variant, cells in found(study)
    ]
    parts = pages({"head": head, "rows": rows}, MOST_ROWS)
    return {
        "tables": [{**part, "rows": _once(part["rows"])} for part in parts],
        "sentences": list(counted(study)),
        "margin": f"{f.points(MARGIN, 0).removesuffix('s')}, or {f.setting(MARGIN)} of $R^2$",
    }


def _once(rows: list[list[str]]) -> list[list[str]]:
    """Rows in which what is measured is not repeated for the claim of the row above."""
    return [
        [row[0], "", "", *row[3:]] if at and rows[at - 1][0] == row[0] else row
        for at, row in enumerate(rows)
    ]


def _cell(each: Found | None) -> str:
    return "–" if each is None else f"{each.text} ({MARKS[each.outcome]})"


def _summary(claim: Claim, cells: Mapping[str, Found]) -> str:
    counts = Counter(each.outcome for each in cells.values())
    said = ", ".join(
        f"{outcome} {f.count(counts[outcome])}"
        for outcome in (AGREES, DISAGREES, OPEN)
        if counts[outcome]
    )
    ranked = sorted((AGREES, DISAGREES, OPEN), key=lambda outcome: -counts[outcome])
    why = claim.why.get(ranked[0]) or _WHY.get(ranked[0], "")
    return f"{said}: {why}" if why else said


def counted(study: EvolutionStudy) -> Iterator[str]:
    """How the post's claims come out, over variants and data sets."""
    outcomes = [each.outcome for _, _, cells in found(study) for each in cells.values()]
    if not outcomes:
        yield say.absent("the post's claims held against runs")
        return
    counts = Counter(outcomes)
    yield (
        f"Of the post's claims for and against, held against {f.plural(len(outcomes), 'result')}, "
        f"{_number(counts[AGREES])} {'is' if counts[AGREES] == 1 else 'are'} borne out, "
        f"{_number(counts[DISAGREES])} contradicted and {_number(counts[OPEN])} left open."
    )


def told(study: EvolutionStudy, outcome: str, leave: Collection[str] = ()) -> Iterator[str]:
    """A sentence for each claim and variant that some data set bears out, or contradicts.

    Args:
        study: the study.
        outcome: `agrees` or `disagrees`.
        leave: claims to leave out, which are told elsewhere.
    """
    parts: dict[str, list[str]] = {}
    for claim, variant, cells in found(study):
        said = {name: each.said for name, each in cells.items() if each.outcome == outcome}
        if said and claim.says not in leave:
            head = _SAYS[outcome].format(claim=claim.says, unit=claim.unit)
            parts.setdefault(head, []).append(f"{code(variant)} {spoken(said)}")
    for head, where in parts.items():
        yield f"{head}: {'; '.join(where)}."


_SAYS = {
    AGREES: "As the post has it, {claim} ({unit})",
    DISAGREES: "The post holds that {claim}; not so ({unit})",
}


def left_open(study: EvolutionStudy, leave: Collection[str] = ()) -> Iterator[str]:
    """Claims that some data set leaves open, in one sentence."""
    parts: dict[str, list[str]] = {}
    for claim, variant, cells in found(study):
        names = [name for name, each in cells.items() if each.outcome == OPEN]
        if names and claim.says not in leave:
            parts.setdefault(claim.says, []).append(f"{code(variant)} {places(names)}")
    if parts:
        said = [f"that {says} ({', '.join(where)})" for says, where in parts.items()]
        yield f"Of the post's claims, {'; '.join(said)}."


def _number(count: int) -> str:
    return f.count(count) if count else "none"
