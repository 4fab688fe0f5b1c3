"""The journal's figures beside ours: for each of our values the published one of the nearest settings."""

import math
from collections.abc import Iterator
from typing import Any

from sidestep import sizing
from sidestep.paper.parts import formats as f
from sidestep.paper.parts import sentences as say
from sidestep.paper.parts.beside import SHORT, WORDS, counted, differing, not_run
from sidestep.paper.parts.decoupled_words import pages, text
from sidestep.paper.parts.layerwise_words import plain as name_cell
from sidestep.paper.parts.resizing_study import ResizingStudy
from sidestep.paper.parts.resizing_words import NAMES, amount
from sidestep.paper.parts.words import dataset_name
from sidestep.statistics.intervals import Interval

HEAD = (
    *("Data set", "Method", "Start", "Price", "$L_2$", "Epochs", "Quantity", "Published", "Ours"),
    *("Start", "Price", "$L_2$", "Ours", "", "Differs also in"),
)
NOT_RUN, OTHER = "not run", "other settings"
SIZE = "size"
QUANTITIES = {
    "size": "size",
    "test_accuracy": "test accuracy",
    "train_accuracy": "training accuracy",
    "matched_difference": "to matched",
    "best_difference": "to best",
    "train_best_difference": "to best, training",
}
# Told in columns of their own.
SHOWN = {"start", "price", "decay"}
MOST_ROWS = 30
# Lower prices are as far from each other as from none.
NO_PRICE = 1e-9


def published(study: ResizingStudy) -> dict[str, Any]:
    """The table, a sentence that counts outcomes, and what differs."""
    found = study.analysis("published_resizing")
    rows = study.records("published_resizing")
    if not rows:
        absent = say.absent(
            "the comparison with published figures, or there is none to compare with"
        )
        return {"tables": [], "sentences": [absent], "not_run": ""}
    missing = sum(row.outcome == NOT_RUN for row in rows)
    return {
        "tables": pages({"head": list(HEAD), "rows": list(_shown(study, rows))}, MOST_ROWS),
        "sentences": [
            counted(
                {str(k): int(n) for k, n in found["outcome"].value_counts().items()},
                "published figure",
                what="sizes, accuracies and their differences",
            ),
            *differing(found[found["outcome"] == OTHER]),
        ],
        "not_run": not_run(missing),
    }


def _shown(study: ResizingStudy, rows: list[Any]) -> Iterator[list[str]]:
    """For each data set, variant and quantity of ours the published figure of the nearest settings."""
    groups: dict[tuple[str, str, str], list[Any]] = {}
    for row in rows:
        if row.outcome != NOT_RUN:
            key = (text(row.dataset), text(row.variant), text(row.quantity))
            groups.setdefault(key, []).append(row)
    nearest = [min(group, key=lambda row: _distance(study, row)) for group in groups.values()]
    always = _always([row for row in nearest if row.outcome == OTHER])
    order = {name: place for place, name in enumerate(study.runs)}
    nearest.sort(
        key=lambda row: (study.datasets.index(text(row.dataset)), order[text(row.variant)])
    )
    for row in nearest:
        yield _row(study, row, always)


def _distance(study: ResizingStudy, row: Any) -> tuple[float, ...]:
    """How far a published figure's settings are from ours; the longest run of equal ones is nearest."""
    run = study.study.variant(text(row.variant)).run
    return (
        # What was not recorded is taken to differ.
        len(_parts(row.differs_in))
        + sum(not f.defined(value) for value in (row.start, row.price, row.decay)),
        _decades(sizing.price(run), row.price),
        abs(sizing.start(run) - row.start) if f.defined(row.start) else 0.0,
        -row.epochs if f.defined(row.epochs) else 0.0,
    )


def _decades(ours: float, theirs: float) -> float:
    if not f.defined(theirs):
        return 0.0
    return abs(math.log10(max(ours, NO_PRICE) / max(theirs, NO_PRICE)))


def _always(rows: list[Any]) -> set[str]:
    """Settings in which all that differ do, which a sentence tells."""
    every = [set(_parts(row.differs_in)) for row in rows]
    return set.intersection(*every) if every else set()


def _row(study: ResizingStudy, row: Any, always: set[str]) -> list[str]:
    run = study.study.variant(text(row.variant)).run
    show = _show(text(row.quantity))
    ours = Interval(row.ours, math.nan, int(row.n) if f.defined(row.n) else 0, row.low, row.high)
    rest = [p for p in _parts(row.differs_in) if p not in always | SHOWN]
    return [
        dataset_name(text(row.dataset)),
        NAMES.get(text(row.method), name_cell(text(row.method))),
        f.count(row.start) if f.defined(row.start) else "–",
        _setting(row.price),
        _setting(row.decay),
        f.count(row.epochs) if f.defined(row.epochs) else "–",
        QUANTITIES.get(text(row.quantity), name_cell(text(row.quantity))),
        _value(row) + " (by eye)" * ("eye" in text(row.how).split()),
        name_cell(text(row.variant)),
        f.count(sizing.start(run)),
        _setting(sizing.price(run)),
        _setting(sizing.decay(run)),
        f.cell(ours, show),
        SHORT.get(text(row.outcome), text(row.outcome)),
        f.listed([WORDS.get(part, part.replace("_", " ")) for part in rest]) if rest else "–",
    ]


def _value(row: Any) -> str:
    """A published figure: a size as it was written, the others in percent or points."""
    return f.setting(row.value) if row.quantity == SIZE else f.bare_percent(row.value)


def _setting(value: float) -> str:
    """A price or a decay: `0` where nothing is paid, a dash where it was not recorded."""
    return amount(value) if f.defined(value) else "–"


def _show(quantity: str) -> f.Show:
    """Sizes in neurons, accuracies in percent, their differences in points."""
    if quantity == SIZE:
        return lambda value: f.decimal(value, 1)
    return f.bare_percent


def _parts(value: Any) -> list[str]:
    return [part.strip() for part in text(value).split(";") if part.strip()]
