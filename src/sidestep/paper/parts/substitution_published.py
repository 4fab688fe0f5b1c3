"""Published figures beside ours: what agrees, and what differs in the settings."""

from collections.abc import Iterator
from typing import Any

from sidestep.paper.parts import formats as f
from sidestep.paper.parts import sentences as say
from sidestep.paper.parts.beside import SHORT, WORDS, counted, differing, not_run
from sidestep.paper.parts.decoupled_words import pages, plain, text
from sidestep.paper.parts.layerwise_words import plain as name_cell
from sidestep.paper.parts.substitution_study import SubstitutionStudy
from sidestep.paper.parts.substitution_words import layer_words
from sidestep.statistics.intervals import Interval

HEAD = (
    *("Source", "Layer", "Setting", "Network", "Parameters", "Teacher", "Published %"),
    *("Ours", "Parameters", "Ours %", "Difference", "", "Differs also in"),
)
NOT_RUN, OTHER = "not run", "other settings"
# Rows on one page, of which settings may take several lines.
MOST_ROWS = 30


def published(study: SubstitutionStudy) -> dict[str, Any]:
    """The table of published figures, a sentence that counts outcomes, and what stands out."""
    found = study.analysis("published_substitution")
    rows = study.records("published_substitution")
    if not rows:
        absent = say.absent(
            "the comparison with published figures, or there is none to compare with"
        )
        return {"tables": [], "sentences": [absent], "not_run": ""}
    missing = sum(row.outcome == NOT_RUN for row in rows)
    return {
        "tables": pages({"head": list(HEAD), "rows": list(_shown(rows))}, MOST_ROWS),
        "sentences": [
            counted(
                {str(k): int(n) for k, n in found["outcome"].value_counts().items()},
                "published accuracy",
                "published accuracies",
            ),
            *differing(found[found["outcome"] == OTHER]),
        ],
        "not_run": not_run(missing),
    }


def _shown(rows: list[Any]) -> Iterator[list[str]]:
    """The figures that have a counterpart, those of one source together."""
    shown = [row for row in rows if row.outcome != NOT_RUN]
    order = list(dict.fromkeys(text(row.source) for row in shown))
    always = _always([row for row in shown if row.outcome == OTHER])
    for row in sorted(shown, key=lambda row: order.index(text(row.source))):
        yield _row(row, always)


def _always(rows: list[Any]) -> set[str]:
    """Settings in which all that differ do, which a sentence tells."""
    every = [set(_parts(row.differs_in)) for row in rows]
    return set.intersection(*every) if every else set()


def _row(row: Any, always: set[str]) -> list[str]:
    ours = Interval(row.accuracy, float("nan"), _count(row.n), row.low, row.high)
    return [
        f"@{text(row.source)}",
        layer_words(text(row.layer)),
        plain(_setting(row.setting)) or "–",
        plain(text(row.network)) or "–",
        f.scaled(row.parameters) if f.defined(row.parameters) else "–",
        "yes" if row.teacher == 1 else "no",
        (f.bare_percent(1 - row.error) if f.defined(row.error) else "–") + _how(row),
        name_cell(text(row.variant)) or "–",
        f.scaled(row.our_parameters) if f.defined(row.our_parameters) else "–",
        f.cell(ours, f.bare_percent),
        f.bare_percent(row.difference) if f.defined(row.difference) else "–",
        SHORT.get(text(row.outcome), plain(text(row.outcome))),
        _settings([part for part in _parts(row.differs_in) if part not in always]),
    ]


def _count(value: float) -> int:
    return int(value) if f.defined(value) else 0


def _setting(value: Any) -> str:
    """A published setting as it was called, which a table may have read as a number."""
    return f.setting(value) if isinstance(value, int | float) and value == value else text(value)


def _how(row: Any) -> str:
    return " (by eye)" * ("eye" in text(row.how).split())


def _parts(value: Any) -> list[str]:
    return [part.strip() for part in text(value).split(";") if part.strip()]


def _settings(parts: list[str]) -> str:
    words = [WORDS.get(part, part.replace("_", " ")) for part in parts]
    return plain(f.listed(words)) if words else "–"
