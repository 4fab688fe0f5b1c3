"""Published runs beside ours: values at published epochs, what agrees, and what differs in the settings."""

from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd

from sidestep.paper.parts import formats as f
from sidestep.paper.parts import sentences as say
from sidestep.paper.parts.beside import SHORT, counted, differing, settings_of
from sidestep.paper.parts.decoupled_study import DecoupledStudy
from sidestep.paper.parts.decoupled_words import (
    distinct,
    groups,
    method_words,
    pages,
    plain,
    text,
)
from sidestep.paper.parts.layerwise_words import plain as name_cell
from sidestep.paper.parts.words import dataset_name
from sidestep.statistics.intervals import Interval

HOW = {"log": "log", "eye": "by eye"}
BEST = "best test epoch"
HEAD = (
    "Source",
    "Run",
    "Method",
    "Epoch",
    "Published %",
    "Ours",
    "Epoch",
    "Ours %",
    "",
    "Differs in",
)


def published(study: DecoupledStudy) -> dict[str, Any]:
    """Tables by published run, a sentence that counts outcomes, and what stands out."""
    found = study.analysis("published_curves")
    if found.empty:
        absent = say.absent(
            "the comparison with published figures, or there is none to compare with"
        )
        return {"tables": [], "sentences": [absent], "not_run": ""}
    every = []
    for dataset in study.datasets:
        rows = list(_shown(found[found["dataset"] == dataset]))
        parts = pages({"head": list(HEAD), "rows": rows})
        name = dataset_name(dataset)
        every += [{**part, "dataset": dataset, "name": name} for part in parts]
    return {
        "tables": every,
        "sentences": [
            counted(
                {str(k): int(n) for k, n in found["outcome"].value_counts().items()},
                "published value",
                what="accuracies and losses, by epoch",
                same="at the same settings and epoch",
            ),
            *differing(found[found["outcome"] == "other settings"]),
        ],
        "not_run": not_run(_runs(found[found["outcome"] == "not run"])),
    }


def _shown(found: pd.DataFrame) -> Iterator[list[str]]:
    """Of each published run the value at the epoch that ours is nearest to, the last one, and the best."""
    mask = (found["quantity"] == "accuracy") & (found["split"] == "test")
    mask &= found["outcome"] != "not run"
    for (source, run), rows in groups(found[mask], ("source", "run")):
        for variant in distinct(text(row.variant) for row in rows):
            mine = [row for row in rows if text(row.variant) == variant]
            for row in _three(mine):
                yield _row(source, run, row)


def _three(rows: Sequence[Any]) -> list[Any]:
    """The rows of one published run and variant that the table shows, each once."""
    plain_rows = [row for row in rows if not _extra(row)]
    found: list[Any] = []
    if plain_rows:
        near = min(plain_rows, key=lambda row: (abs(row.epoch - row.our_epoch), -row.epoch))
        last = max(plain_rows, key=lambda row: float(row.epoch))
        found = [near] if near is last else [near, last]
    return found + [row for row in rows if _extra(row) == BEST]


def _extra(row: Any) -> str:
    """What makes a value more than the one at its epoch: that the epoch was chosen, or a mean."""
    return text(row.how).partition("; ")[2]


def _how(row: Any) -> str:
    found = HOW.get(text(row.how).partition("; ")[0], "")
    parts = [part for part in (found, "best epoch" * (_extra(row) == BEST)) if part]
    return f" ({', '.join(parts)})" if parts else ""


def _row(source: str, run: str, row: Any) -> list[str]:
    ours = Interval(row.mean, float("nan"), int(row.n), row.low, row.high)
    return [
        f"@{source}",
        plain(run),
        method_words(text(row.method)),
        f.count(row.epoch),
        f.bare_percent(row.value) + _how(row),
        name_cell(text(row.variant)),
        f.count(row.our_epoch) if f.defined(row.our_epoch) else "–",
        f.cell(ours, f.bare_percent),
        SHORT.get(text(row.outcome), plain(text(row.outcome))),
        f.listed(settings_of(row.differs_in)) if settings_of(row.differs_in) else "–",
    ]


def _runs(found: pd.DataFrame) -> list[str]:
    return [plain(run) for (_, run), _ in groups(found, ("source", "run"))]


def not_run(runs: Sequence[str]) -> str:
    """The published runs that this size has no counterpart of; empty if it has all."""
    if not runs:
        return ""
    which = f": {f.listed(runs)}" if len(runs) <= 12 else ""
    return (
        f"{f.plural(len(runs), 'published run')} {'has' if len(runs) == 1 else 'have'} no counterpart at this "
        f"size{which}."
    )
