"""What larger sizes add: data settings, learning rates, heads at equal seconds, signals without labels."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sidestep.paper.parts import formats as f
from sidestep.paper.parts.decoupled_study import DecoupledStudy
from sidestep.paper.parts.decoupled_words import (
    DGL,
    END_TO_END,
    METHODS,
    MIXED,
    RANDOM,
    RECONSTRUCTION,
    SHIFTED,
    groups,
    method_words,
    pages,
    plain,
    text,
)
from sidestep.paper.parts.layerwise_words import (
    ABOVE,
    ALONE,
    BELOW,
    MISSING,
    OPEN,
    code,
    compared,
    sorted_out,
)
from sidestep.paper.parts.layerwise_words import plain as name_cell
from sidestep.paper.parts.words import dataset_name
from sidestep.statistics.intervals import Interval, paired_difference

# Parts of the study that a size may leave out, in the order of the text.
LEFT_OUT = {
    "data": "the normalisation and augmentation of images",
    "rates": "several learning rates of one method",
    "seconds": "accuracy at equal seconds",
    "reconstruction": "signals that reconstruct the image",
}
WORDS = {
    ABOVE: "higher",
    BELOW: "lower",
    OPEN: "not separated",
    ALONE: "without interval",
    MISSING: "not defined",
}
UNLABELLED = tuple(m + s for m in (RECONSTRUCTION, MIXED) for s in ("", SHIFTED))


def sweeps(study: DecoupledStudy) -> dict[str, Any]:
    """Tables and sentences of each part; empty lists for one that the study does not have."""
    found: dict[str, list[str]] = {
        "data": list(data_settings(study)),
        "rates": list(learning_rates(study)),
        "seconds": list(equal_seconds(study)),
        "reconstruction": list(reconstruction(study)),
    }
    return {
        **found,
        "data_tables": data_tables(study),
        "seconds_tables": seconds_tables(study),
        "left_out": left_out([words for key, words in LEFT_OUT.items() if not found[key]]),
    }


def left_out(missing: Sequence[str]) -> str:
    """Which parts this size leaves out, and where they are; empty if it has all."""
    if not missing:
        return ""
    return (
        f"This size leaves out {f.listed(missing)}; `config/sweeps.yaml` and `config/paper.yaml` have "
        f"{'it' if len(missing) == 1 else 'them'}."
    )


# Data settings


def data_tables(study: DecoupledStudy) -> list[dict[str, Any]]:
    """One table a data set: each group of variants that differ in what is done to images alone."""
    found = study.analysis("data_settings")
    head = ["Group", "Variant", "Pixels", "Crop", "Flip", "Accuracy %", "Difference"]
    every = []
    for dataset in study.datasets:
        rows = found[found["dataset"] == dataset] if len(found) else found
        cells = [
            [
                group_words(group),
                name_cell(str(row.variant)),
                plain(text(row.normalisation)),
                "yes" if row.crop else "no",
                "yes" if row.flip else "no",
                f.cell(Interval(row.accuracy, 0.0, int(row.n), row.low, row.high), f.bare_percent),
                apart(row),
            ]
            for (group,), rows_of in groups(rows, ("group",))
            for row in rows_of
        ]
        every += _named(dataset, {"head": head, "rows": cells})
    return every


def _named(dataset: str, table: f.Table) -> list[dict[str, Any]]:
    return [{**part, "dataset": dataset, "name": dataset_name(dataset)} for part in pages(table)]


def apart(row: Any) -> str:
    """A difference in points with half its interval; a star where it does not hold zero."""
    if not f.defined(row.difference) or (row.difference == 0 and not f.defined(row.difference_low)):
        return "–"
    if row.difference == row.difference_low == row.difference_high == 0:
        return "–"
    half = (row.difference_high - row.difference_low) / 2
    size = f.bare_percent(row.difference)
    if not f.defined(half):
        return size
    return f"{size} ± {f.bare_percent(half)}" + ("\\*" if row.separates else "")


def data_settings(study: DecoupledStudy) -> Iterator[str]:
    """In each group, what augmentation and normalisation do against the plainest member."""
    found = study.analysis("data_settings")
    for (dataset, group), rows in groups(found, ("dataset", "group")):
        first = _plainest(rows)
        if len(rows) > 1:
            others = _sorted(rows, without=first)
            start = f"On {dataset_name(dataset)} ({group_words(group)}), against {code(first)}"
            yield f"{start}, test accuracy is {compared(others, WORDS)}."


def group_words(group: str) -> str:
    """A group of `data_settings`: its method as a reader knows it, and what else it says."""
    words = group.replace(" ", "_")
    return method_words(words) if words in METHODS else plain(group)


def _plainest(rows: Sequence[Any]) -> str:
    """The member that the others are compared to."""
    for row in rows:
        if text(row.normalisation) == "none" and not row.crop and not row.flip:
            return str(row.variant)
    return str(rows[0].variant)


def _sorted(rows: Sequence[Any], *, without: str) -> dict[str, list[str]]:
    """Variants by what their difference says."""
    return sorted_out(
        {
            str(row.variant): Interval(
                row.difference, 0.0, int(row.pairs), row.difference_low, row.difference_high
            )
            for row in rows
            if row.variant != without
        }
    )


# Learning rates


def learning_rates(study: DecoupledStudy) -> Iterator[str]:
    """The best rate of each group, and the published claim on what a higher one does."""
    found = study.analysis("learning_rates")
    best: dict[str, dict[str, float]] = {}
    for (dataset, _), rows in groups(found, ("dataset", "group")):
        first = str(rows[0].variant)
        kind = f"{method_words(study.methods[first])} as in {code(first)}"
        group = f"{study.place(dataset, study.settings[first])}, {kind}"
        yield rate_sentence(group, rows)
        top = next((row for row in rows if row.best == 1), None)
        method = study.methods.get(str(rows[0].variant), "")
        if top is not None and method:
            setting = study.settings[str(top.variant)]
            where = study.place(dataset, setting)
            best.setdefault(where, {}).setdefault(method, float(top.learning_rate))
        yield from higher(study, dataset, group, method, rows)
    for where, rates in best.items():
        if END_TO_END in rates and DGL in rates:
            yield best_rates(where, rates[END_TO_END], rates[DGL])


def rate_sentence(where: str, rows: Sequence[Any]) -> str:
    """The best learning rate by mean."""
    top = next((row for row in rows if row.best == 1), None)
    rates = f.listed([f.setting(row.learning_rate) for row in rows])
    start = f"On {where}, of the learning rates {rates}"
    if top is None:
        return f"{start} none has a run that finished."
    size = f.estimate(top.accuracy, top.low, top.high, f.percent)
    ends = [row.learning_rate for row in rows]
    edge = (
        ", an end of what was tried"
        if top.learning_rate in (min(ends), max(ends)) and len(rows) > 1
        else ""
    )
    return f"{start} the highest mean accuracy is that of {f.setting(top.learning_rate)}{edge}, {size}."


def higher(
    study: DecoupledStudy, dataset: str, group: str, method: str, rows: Sequence[Any]
) -> Iterator[str]:
    """The published claim, that a higher rate helps end to end and harms DGL: highest against lowest."""
    if method not in (END_TO_END, DGL):
        return
    low = min(rows, key=lambda row: float(row.learning_rate))
    high = max(rows, key=lambda row: float(row.learning_rate))
    each = [study.finals(dataset, str(row.variant), "accuracy") for row in (high, low)]
    yield claimed(
        f"On {group}",
        (f.setting(low.learning_rate), f.setting(high.learning_rate)),
        paired_difference(each[0], each[1]),
        helps=method == END_TO_END,
    )


def claimed(where: str, rates: tuple[str, str], apart: Interval, *, helps: bool) -> str:
    """Whether the highest rate does to accuracy what the older work noticed a higher one do."""
    start = f"{where}, going from the lowest to the highest rate ({rates[0]} to {rates[1]})"
    if not f.defined(apart.mean):
        return f"{start} cannot be judged, as no pair of seeds finished."
    size = f.estimate(apart.mean, apart.low, apart.high, f.points)
    noticed = "helps" if helps else "harms"
    if not f.defined(apart.low) or (apart.low <= 0 <= apart.high):
        return f"{start} changes accuracy by {size}, which leaves open whether it {noticed}, as the older work noticed."
    agrees = (apart.low > 0) == helps
    return (
        f"{start} {'helps' if apart.low > 0 else 'harms'}, by {size}, "
        f"{'as' if agrees else 'against what'} the older work noticed."
    )


def best_rates(where: str, whole: float, decoupled: float) -> str:
    """Whether the best rate end to end is higher than that of DGL."""
    relation = (
        "higher than" if whole > decoupled else "lower than" if whole < decoupled else "equal to"
    )
    return (
        f"On {where}, the best rate end to end ({f.setting(whole)}) is {relation} that of DGL "
        f"({f.setting(decoupled)})."
    )


# Equal seconds


def seconds_tables(study: DecoupledStudy) -> list[dict[str, Any]]:
    """One table a data set: every variant after the seconds of the shortest run of its setting."""
    found = study.analysis("equal_seconds")
    several = study.several()
    head = ["Setting"] * several + ["Variant", "Method", "Head or signal", "Epoch", "Accuracy %"]
    head += ["Difference", "At the end %", "Seconds in all", "Heads"]
    every = []
    for dataset in study.datasets:
        rows = found[found["dataset"] == dataset] if len(found) else found
        cells = [
            [study.label(setting)] * several + _equal_row(row)
            for (setting,), rows_of in groups(rows, ("setting",))
            for row in rows_of
        ]
        every += _named(dataset, {"head": head, "rows": cells, "several": several})
    return every


def _equal_row(row: Any) -> list[str]:
    return [
        name_cell(str(row.variant)),
        method_words(str(row.method)),
        plain(text(row.head)) or "–",
        f.count(row.epoch) if f.defined(row.epoch) else "–",
        f.cell(Interval(row.accuracy, 0.0, int(row.n), row.low, row.high), f.bare_percent),
        apart(row),
        f.bare_percent(row.final_accuracy) if f.defined(row.final_accuracy) else "–",
        f.significant(row.seconds_run) if f.defined(row.seconds_run) else "–",
        f.scaled(row.parameters_of_signals) if f.defined(row.parameters_of_signals) else "–",
    ]


def equal_seconds(study: DecoupledStudy) -> Iterator[str]:
    """Every variant after as many seconds as the shortest run has, against the reference."""
    found = study.analysis("equal_seconds")
    for (dataset, setting), rows in groups(found, ("dataset", "setting")):
        where = study.place(dataset, setting)
        reference = study.reference(str(rows[0].variant))
        yield equal(where, reference, rows)


def equal(where: str, reference: str, rows: Sequence[Any]) -> str:
    """One data set and setting at equal seconds."""
    known = [row for row in rows if f.defined(row.accuracy)]
    seconds = float(rows[0].seconds)
    start = f"After the {f.duration(seconds)} of the shortest run on {where}"
    if not known:
        return f"{start}, no variant has been evaluated."
    top = max(known, key=lambda row: float(row.accuracy))
    size = f.estimate(top.accuracy, top.low, top.high, f.percent)
    text = f"{start}, the highest mean test accuracy is that of {code(top.variant)}, {size}"
    others: Mapping[str, Sequence[str]] = _sorted(rows, without=reference)
    words = {key: said for key, said in WORDS.items() if key != MISSING}
    against = compared(others, words)
    if not reference or not against:
        return f"{text}."
    return f"{text}; against {code(reference)}, accuracy is {against}."


# Signals without labels


def reconstruction(study: DecoupledStudy) -> Iterator[str]:
    """Variants that learn from the image, against random features, DGL and end to end of their setting."""
    names = study.of_method(*UNLABELLED)
    for dataset in study.datasets:
        for name in names:
            same = [n for n in study.runs if study.settings[n] == study.settings[name]]
            others = [n for n in same if study.methods[n] in (RANDOM, DGL, END_TO_END)]
            apart = study.final_differences(dataset, "accuracy", name, others)
            # Read from the side of the variant itself.
            mine = {
                n: Interval(-each.mean, each.sd, each.n, -each.high, -each.low)
                for n, each in apart.items()
            }
            where = study.place(dataset, study.settings[name])
            yield unlabelled(where, name, study.methods[name], sorted_out(mine))


def unlabelled(where: str, name: str, method: str, against: Mapping[str, Sequence[str]]) -> str:
    """One variant that learns from the image."""
    words = {
        ABOVE: "above",
        BELOW: "below",
        OPEN: "not separated from",
        ALONE: "without interval against",
        MISSING: "without a common seed with",
    }
    said = compared(against, words).replace(" for `", " `")
    if not said:
        return f"On {where}, {code(name)} ({method_words(method)}) has nothing to be held against."
    return f"On {where}, {code(name)} ({method_words(method)}) ends {said}."
