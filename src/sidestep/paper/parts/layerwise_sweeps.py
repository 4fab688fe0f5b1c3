"""What each setting of a strategy does, where the study has variants that differ in it alone."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from sidestep.paper.parts import formats as f
from sidestep.paper.parts import sentences as say
from sidestep.paper.parts.layerwise_study import LOSS, LayerwiseStudy
from sidestep.paper.parts.layerwise_words import MOST
from sidestep.paper.parts.study import each_row
from sidestep.paper.parts.words import dataset_name

# Setting → the question that variants which differ in it alone answer; in the order of the text.
QUESTIONS = {
    "shares": "how long to train each block",
    "fine_tune": "whether a final stage of the whole network is worth its time",
    "ends": "where to cut the network",
    "freeze": "whether it matters that earlier blocks are left alone",
    "order": "whether blocks are better trained in turn or together",
    "signal": "which signal is best, all else equal",
    "optimiser": "which update rule is best, all else equal",
}
LOWER, HIGHER, OPEN, ALONE, LOST = "lower", "higher", "open", "alone", "lost"
WORDS = {
    LOWER: "lower",
    HIGHER: "higher",
    OPEN: "not separated",
    ALONE: "without interval",
    LOST: "without a pair of seeds that finished",
}


def sweeps(study: LayerwiseStudy) -> dict[str, list[str]]:
    """Setting → sentences on its sweeps, none for a setting that the study does not vary."""
    return {setting: list(_of_setting(study, setting)) for setting in QUESTIONS}


def unanswered(found: Mapping[str, Sequence[str]]) -> str:
    """Which questions the study does not ask; empty if it asks all of them."""
    missing = [QUESTIONS[setting] for setting, sentences in found.items() if not sentences]
    return say.absent(f"an answer to these: {'; '.join(missing)}") if missing else ""


def _of_setting(study: LayerwiseStudy, setting: str) -> Iterator[str]:
    rows = study.rows("strategy_sweeps", setting=setting, quantity=LOSS)
    if rows.empty:
        return
    for dataset in study.datasets:
        its = rows[rows["dataset"] == dataset]
        for _, sweep in its.groupby("sweep", sort=False):
            yield _told(dataset_name(dataset), setting, sweep)
    if setting == "fine_tune":
        yield from _worth(study, rows)


def _told(where: str, setting: str, sweep: pd.DataFrame) -> str:
    reference = sweep[sweep["reference"] == 1].iloc[0]
    others = [row for row in each_row(sweep) if not row.reference]
    groups: dict[str, list[str]] = {key: [] for key in WORDS}
    for row in others:
        groups[outcome(row)].append(label(setting, row))
    known = [(label(setting, row), row.mean) for row in each_row(sweep) if f.defined(row.mean)]
    base = label(setting, reference)
    if base != f"`{reference['variant']}`":
        base += f" (`{reference['variant']}`)"
    text = swept(where, base, groups, known)
    lost = {label(setting, row): int(row.diverged) for row in each_row(sweep) if row.diverged}
    return text + diverging(lost)


def label(setting: str, row: Any) -> str:
    """A member of a sweep: the value, and the variant's name where that says more."""
    if setting == "fine_tune":
        return f.percent(float(row.number), 0)
    if setting in ("signal", "optimiser"):
        return f"`{row.variant}`"
    if setting == "freeze":
        return "“frozen”" if str(row.value) == "yes" else "“not frozen”"
    return f"“{str(row.value).replace('_', ' ')}”"


def outcome(row: Any) -> str:
    """How a member's final loss stands to the reference's."""
    if not f.defined(row.difference):
        return LOST
    if not f.defined(row.difference_low):
        return ALONE
    if not row.separates:
        return OPEN
    return LOWER if row.difference < 0 else HIGHER


def swept(
    where: str,
    reference: str,
    groups: Mapping[str, Sequence[str]],
    means: Sequence[tuple[str, float]],
) -> str:
    """One sweep: each value against the reference, and the value with the lowest mean."""
    clauses = "; ".join(
        f"{text} for {_listed(groups[key])}" for key, text in WORDS.items() if groups.get(key)
    )
    text = f"On {where}, against {reference}, the final loss is {clauses}"
    if not means:
        return text + "."
    name, mean = min(means, key=lambda each: each[1])
    return f"{text}; the lowest mean is that of {name}, {f.decimal(mean, 3)}."


def _listed(labels: Sequence[str]) -> str:
    return f.listed(labels) if len(labels) <= MOST else f"{f.count(len(labels))} values"


def diverging(lost: Mapping[str, int]) -> str:
    """Which values lost seeds; empty if none did."""
    if not lost:
        return ""
    return f" Seeds diverged with {f.listed([f'{n} ({f.count(k)})' for n, k in lost.items()])}."


def _worth(study: LayerwiseStudy, rows: pd.DataFrame) -> Iterator[str]:
    """What the final stage costs in seconds, on each data set and sweep."""
    for dataset in study.datasets:
        its = rows[(rows["dataset"] == dataset) & rows["seconds_run"].notna()]
        for _, sweep in its.groupby("sweep", sort=False):
            seconds = [(label("fine_tune", row), row.seconds_run) for row in each_row(sweep)]
            yield seconds_of(dataset_name(dataset), seconds)


def seconds_of(where: str, seconds: Sequence[tuple[str, float]]) -> str:
    """Seconds of each value of a sweep."""
    parts = [f"{name} {f.significant(value)}" for name, value in seconds]
    return f"The runs on {where} take, in seconds: {f.listed(parts)}."
