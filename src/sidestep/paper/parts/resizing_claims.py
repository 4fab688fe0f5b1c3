"""What the journal said, and what we expected, each held against the runs: a table and its words."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sidestep.paper.parts import formats as f
from sidestep.paper.parts import sentences as say
from sidestep.paper.parts.decoupled_words import pages, plain, text
from sidestep.paper.parts.layerwise_words import plain as name_cell
from sidestep.paper.parts.resizing_study import ResizingStudy
from sidestep.paper.parts.resizing_words import capital, nats, neurons
from sidestep.paper.parts.words import dataset_name

AGREES, DISAGREES, OPEN, NOT_RUN = "agrees", "disagrees", "open", "not run"
JOURNAL, OURS, QUESTION = "the journal", "we", "the journal asks"
BOTH = "both"
HEAD = ("Claim", "Of", "Data set", "Variant", "Beside", "Found", "n", "Outcome", "Why")
MOST_ROWS = 22
_SPACE = "\N{NO-BREAK SPACE}"
_IDENTITY = (
    "a factor has no gradient where the weights that leave its neuron have settled (@resizing-why)"
)


@dataclass(frozen=True)
class Claim:
    """A claim in words.

    Attributes:
        says: what is claimed, after “that” or “whether”.
        of: who says so.
        why: outcome → a clause on what stands behind it.
    """

    says: str
    of: str = JOURNAL
    why: Mapping[str, str] = field(default_factory=dict)


CLAIMS = {
    "size_independent_of_start": Claim(
        "a flexible layer comes to one size whatever its start",
        why={DISAGREES: "the journal's code ignored the start at first; " + _IDENTITY},
    ),
    "accuracy_independent_of_start": Claim(
        "a flexible layer comes to one accuracy whatever its start",
        why={AGREES: "a layer that is large enough from every start reaches what static ones do"},
    ),
    "decay_empties_switched_off": Claim(
        "with $L_2$, the weights that leave switched off neurons vanish",
        why={AGREES: "$L_2$ is all that moves the weights of a neuron that is switched off"},
    ),
    "no_decay_is_larger": Claim(
        "a flexible layer becomes larger without $L_2$",
        why={
            AGREES: "with $L_2$, nothing is left beyond the boundary that could bring it outwards"
        },
    ),
    "grows_without_price": Claim(
        "a flexible layer grows if nothing is paid for",
        why={AGREES: "while the weights still change, a larger factor lowers the loss"},
    ),
    "random_slope_slower": Claim(
        "with a random slope a flexible layer grows more slowly",
        why={
            AGREES: "its mean slope is another one, so that the journal's two layers differ in more"
        },
    ),
    "random_slope_worse": Claim("with a random slope the training loss is higher"),
    "drawn_boundary_still": Claim(
        "the boundary stays where it is if neurons are drawn on or off and nothing is paid for",
        why={AGREES: "no gradient passes through the draw"},
    ),
    "pretrained_is_smaller": Claim(
        "a layer whose size moves only after its weights were trained becomes smaller",
        why={AGREES: "settled weights leave the boundary no gradient (@resizing-why)"},
    ),
    "pretrained_same_loss": Claim(
        "a layer whose weights were trained first comes to the same training loss"
    ),
    "boundary_price_diverges": Claim(
        "with a price on the boundary itself the boundary falls below zero",
        why={AGREES: "that price has no least value"},
    ),
    "fashion_smaller_flexible": Claim(
        "a flexible layer becomes smaller on Fashion-MNIST than on MNIST",
        why={
            AGREES: "where a boundary stops does not tell what its neurons are worth (@resizing-why)"
        },
    ),
    "fashion_larger_sparsified": Claim(
        "a sparsified layer becomes larger on Fashion-MNIST than on MNIST"
    ),
    "sparsified_generalises_better": Claim(
        "a sparsified layer is more accurate on test images than a static one"
    ),
    "sparsified_start_matters": Claim(
        "the start matters to the size of a sparsified layer",
        of=QUESTION,
        why={AGREES: "it can only shrink, and the price alone pulls, on all neurons alike"},
    ),
    "flexible_equals_static": Claim(
        "a flexible layer is as accurate as a static one of its size",
        why={
            DISAGREES: "the journal compared networks of which one had $L_2$ and the other had none",
            AGREES: "the journal says so of MNIST, and the contrary of Fashion-MNIST",
        },
    ),
    "late_loss_noisy_adam": Claim("late in training the loss jumps with Adam"),
    "adamax_calmer": Claim("late in training the loss jumps less with AdaMax"),
    "worth_independent_of_start": Claim(
        "layers sorted by worth come to nearly one size whatever their start",
        of=OURS,
        why={
            DISAGREES: "neurons are worth what the others leave to them, and the others come from the start",
            OPEN: "the interval reaches beyond the margin",
        },
    ),
    "worth_larger_on_harder": Claim(
        "layers sorted by worth become larger on harder data",
        of=OURS,
        why={AGREES: "more neurons are worth their price there"},
    ),
    "mixture_independent_of_start": Claim(
        "layers that follow the mixture come to nearly one size whatever their start", of=OURS
    ),
    "two_phase_larger": Claim("in two phases a flexible layer becomes larger", of=OURS),
    "size_only_moves": Claim(
        "in a trained network the boundary moves even if it moves alone",
        of=OURS,
        why={
            AGREES: "the weights had not settled, or the price alone moved it",
            DISAGREES: "settled weights leave the boundary no gradient (@resizing-why)",
        },
    ),
}
WHO = {JOURNAL: "journal", OURS: "us", QUESTION: "journal, asked"}
# Outcomes of a question.
ANSWERS = {AGREES: "yes", DISAGREES: "no, within the margin"}
WHY = {OPEN: "the interval allows both"}


def claim(key: str) -> Claim:
    """A claim in words; one that is not known by its key."""
    return CLAIMS.get(key) or Claim(plain(key.replace("_", " ")), of=OURS)


def rows(study: ResizingStudy) -> list[Any]:
    """Claims that were held against runs."""
    return [row for row in study.records("resizing_claims") if row.outcome != NOT_RUN]


def claims(study: ResizingStudy) -> dict[str, Any]:
    """The table of claims in parts, how they come out, and which were not run."""
    shown = rows(study)
    table = {"head": list(HEAD), "rows": _once([_row(row) for row in shown])}
    return {
        "tables": pages(table, MOST_ROWS),
        "sentences": list(counted(study)),
        "not_run": not_run(study),
    }


def _once(cells: list[list[str]]) -> list[list[str]]:
    """Rows in which a reason that the row above has for the same claim is not repeated."""
    found = []
    for place, row in enumerate(cells):
        above = cells[place - 1] if place else None
        same = above is not None and (above[0], above[-1]) == (row[0], row[-1]) and row[-1] != "–"
        found.append([*row[:-1], "as above"] if same else row)
    return found


def _row(row: Any) -> list[str]:
    known = claim(str(row.claim))
    outcome = str(row.outcome)
    said = ANSWERS.get(outcome, outcome) if known.of == QUESTION else outcome
    return [
        capital(known.says),
        WHO[known.of],
        "both" if row.dataset == BOTH else dataset_name(str(row.dataset)),
        name_cell(text(row.variant)) or "–",
        name_cell(text(row.other)) or "–",
        found(row) or "–",
        f.count(row.n),
        said,
        known.why.get(outcome) or WHY.get(outcome, "–"),
    ]


def found(row: Any) -> str:
    """A claim's value with its interval, in its unit."""
    if not f.defined(row.value):
        return ""
    return f.estimate(row.value, row.low, row.high, _shows(text(row.unit)))


def _shows(unit: str) -> f.Show:
    shows: dict[str, f.Show] = {
        "neurons": neurons,
        "points": lambda value: f.decimal(value, 2) + _SPACE + "points",
        "nats": nats,
        "share of initial": lambda value: f.percent(value, 1),
        "jumps a run": lambda value: f.decimal(value, 2) + _SPACE + "jumps",
    }
    return shows.get(unit, f.significant)


def counted(study: ResizingStudy) -> Iterator[str]:
    """How the claims that were held against runs come out."""
    shown = rows(study)
    if not shown:
        yield say.absent("claims held against runs")
        return
    for who, words in ((JOURNAL, "the journal's claims"), (OURS, "our own")):
        outcomes = [str(row.outcome) for row in shown if claim(str(row.claim)).of == who]
        if outcomes:
            yield (
                f"Of {words}, held against {f.plural(len(outcomes), 'result')}, "
                f"{_number(outcomes.count(AGREES))} {'is' if outcomes.count(AGREES) == 1 else 'are'} borne out, "
                f"{_number(outcomes.count(DISAGREES))} contradicted and {_number(outcomes.count(OPEN))} left open."
            )


def _number(count: int) -> str:
    return f.count(count) if count else "none"


def not_run(study: ResizingStudy) -> str:
    """Claims that no run speaks to, on some data set; empty if there are none."""
    every = study.records("resizing_claims")
    spoken = {str(row.claim) for row in rows(study)}
    silent = list(dict.fromkeys(str(row.claim) for row in every if str(row.claim) not in spoken))
    if not silent:
        return ""
    said = [f"that {claim(key).says}" for key in silent]
    return (
        f"{f.plural(len(silent), 'claim')} would need variants that were not run for this paper (`config/sweeps.yaml` "
        f"and `config/paper.yaml` have them): {'; '.join(said)}."
    )


# Findings


def told(study: ResizingStudy, of: str, outcome: str, leave: Collection[str] = ()) -> Iterator[str]:
    """One sentence a claim of that kind with that outcome, yes or no: where, and with which values.

    Args:
        study: the study.
        of: who claims it.
        outcome: of the claim.
        leave: claims to leave out, which are told elsewhere.
    """
    groups: dict[str, list[Any]] = {}
    for row in rows(study):
        known = claim(str(row.claim))
        if known.of == of and row.outcome == outcome and row.claim not in leave:
            groups.setdefault(str(row.claim), []).append(row)
    for key, found_rows in groups.items():
        yield _SAYS[of, outcome].format(claim=claim(key).says, where=_where(found_rows))


_SAYS = {
    (JOURNAL, AGREES): "As the journal has it, {claim}: {where}.",
    (JOURNAL, DISAGREES): "The journal has it that {claim}. Not so {where}.",
    (OURS, AGREES): "As we expected, {claim}: {where}.",
    (OURS, DISAGREES): "We expected that {claim}. Not so {where}.",
    (QUESTION, AGREES): "The journal asks whether {claim}. It is so {where}.",
    (QUESTION, DISAGREES): "The journal asks whether {claim}. Not so, within the margin, {where}.",
}


def left_open(study: ResizingStudy) -> Iterator[str]:
    """What the intervals leave open: of the journal, and of us; the table has the numbers."""
    for whose, words in (
        ((JOURNAL, QUESTION), "Of the journal's claims and questions"),
        ((OURS,), "Of what we expected"),
    ):
        places: dict[str, list[str]] = {}
        for row in rows(study):
            if row.outcome == OPEN and claim(str(row.claim)).of in whose:
                place = "" if row.dataset == BOTH else dataset_name(str(row.dataset))
                places.setdefault(str(row.claim), []).append(place)
        said = [
            f"whether {claim(key).says}" + (f" ({f.listed(found_in)})" if all(found_in) else "")
            for key, found_in in places.items()
        ]
        if said:
            yield f"{words}: {'; '.join(said)}."


def _where(found_rows: Sequence[Any]) -> str:
    parts = []
    for row in found_rows:
        value = found(row)
        place = (
            "between the data sets"
            if row.dataset == BOTH
            else f"on {dataset_name(str(row.dataset))}"
        )
        parts.append(f"{place} ({value})" if value else place)
    return f.listed(parts)
