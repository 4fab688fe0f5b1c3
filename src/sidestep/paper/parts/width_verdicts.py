"""Where the accuracy saturates, and which rules of the metrics name a width that overlaps with that."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from sidestep.paper.parts import formats as f
from sidestep.paper.parts import sentences as say
from sidestep.paper.parts.study import each_row
from sidestep.paper.parts.width_study import WidthStudy
from sidestep.paper.parts.words import dataset_name, metric_head, metric_name

# A saturation interval over more octaves than this says little about any verdict.
WIDE_OCTAVES = 2.0
AGREEMENT = {
    "agrees": "overlap with the saturation of the accuracy",
    "earlier": "speak at smaller widths",
    "later": "speak at larger widths",
    "never": "never speak within the widths",
    "not defined": "are not defined",
}


def metric_verdicts(study: WidthStudy) -> pd.DataFrame:
    """Verdicts of the networks' metrics, that of the accuracy itself left out, at the last epoch.

    Those of pooled neurons are in the table only: they have no interval.
    """
    found = study.latest("verdicts")
    if found.empty:
        return found
    return found[(found["metric"] != "accuracy") & (found["source"] == "network")]


def saturation_row(study: WidthStudy, dataset: str) -> Any:
    """A row that carries where the data set's accuracy saturates, or None."""
    found = study.latest("verdicts")
    rows = found[found["dataset"] == dataset] if len(found) else found
    return next(each_row(rows), None) if len(rows) else None


def by_chance(study: WidthStudy, at: Any, verdicts: int) -> float:
    """How many verdicts would fall into the accuracy's interval, were they widths drawn at random."""
    if at is None or not (f.defined(at.test_low) and f.defined(at.test_high)):
        return math.nan
    low, high = float(at.test_low), float(at.test_high)
    within = len([width for width in study.widths if low <= width <= high])
    return verdicts * within / len(study.widths)


def verdict_names(frame: pd.DataFrame) -> list[str]:
    """Names of verdicts, with the rule where a metric has more than one in the study."""
    rules: dict[Any, int] = (
        frame.groupby("metric")["rule"].nunique().to_dict() if len(frame) else {}
    )
    return [_verdict_name(row, rules[row.metric] > 1) for row in each_row(frame)]


def _verdict_name(row: Any, several: bool) -> str:
    return metric_name(row.metric) + (f" ({row.rule})" if several else "")


def saturations(study: WidthStudy) -> Iterator[str]:
    """Where the accuracy of each data set stops rising."""
    for dataset in study.datasets:
        at = saturation_row(study, dataset)
        if at is None:
            yield say.absent(f"the saturation of the accuracy on {dataset_name(dataset)}")
            continue
        place = (at.test_width, at.test_low, at.test_high)
        yield saturation(dataset_name(dataset), *place, float(study.widths[-1]))


def verdicts(study: WidthStudy) -> Iterator[str]:
    """How many verdicts agree on each data set, and at last which do so on all."""
    found = metric_verdicts(study)
    if found.empty:
        yield say.absent("the verdicts of the metrics")
        return
    agreeing: list[set[str]] = []
    wide = False
    for dataset in study.datasets:
        rows = found[found["dataset"] == dataset]
        outcomes = [str(outcome) for outcome in rows["agreement"].fillna("not defined")]
        counts = {outcome: outcomes.count(outcome) for outcome in dict.fromkeys(outcomes)}
        at = saturation_row(study, dataset)
        yield agreements(dataset_name(dataset), counts, by_chance(study, at, len(rows)))
        names = pd.Series(verdict_names(rows), index=rows.index, dtype=object)
        agreeing.append(set(names[rows["agreement"] == "agrees"]))
        if at is not None and at.test_low > 0 and f.defined(at.test_high):
            wide |= math.log2(at.test_high / at.test_low) >= WIDE_OCTAVES
    everywhere = set.intersection(*agreeing) if agreeing else set()
    yield agreeing_everywhere(sorted(everywhere), len(study.datasets), wide)


def verdict_table(study: WidthStudy) -> f.Table:
    """The width that each rule names on each data set."""
    found = study.latest("verdicts")
    head = ["Metric", "Rule", "Images", *(dataset_name(dataset) for dataset in study.datasets)]
    if found.empty:
        return {"head": head, "rows": []}
    rows = []
    keys = ["metric", "source", "rule", "images"]
    for key, group in found.groupby(keys, sort=False, dropna=False):
        metric, source, rule, images = key
        by_dataset = {row.dataset: row for row in each_row(group)}
        pooled = ", pooled" if source == "pooled" else ""
        cells = [
            metric_head(str(metric)) + pooled,
            str(rule),
            str(images) if isinstance(images, str) else "–",
        ]
        for dataset in study.datasets:
            row = by_dataset.get(dataset)
            cells.append(_verdict_cell(row) if row is not None else "–")
        rows.append(cells)
    return {"head": head, "rows": rows}


def _verdict_cell(row: Any) -> str:
    """A width with its bounds, bold where it agrees with the accuracy."""
    if not f.defined(row.width):
        return "–"
    never = row.width == math.inf
    bounds = f.interval(row.low, row.high, f.count)
    text = "never" if never else f.count(row.width)
    if bounds != f.NO_INTERVAL and not (never and row.low == math.inf):
        text += f" {bounds}"
    return f"*{text}*" if row.agreement == "agrees" and row.metric != "accuracy" else text


def saturation(dataset: str, at: float, low: float, high: float, widest: float) -> str:
    """Where the test accuracy stops rising."""
    if not f.defined(at):
        return f"On {dataset}, where test accuracy saturates is {f.UNDEFINED}."
    text = (
        f"On {dataset}, test accuracy comes within the margin of its best at width "
        f"{f.width_estimate(at, low, high)}"
    )
    if at == widest or high == widest:
        text += "; as the widest layer is among the answers, saturation itself is not established"
    return text + "."


def agreements(dataset: str, counts: Mapping[str, int], expected: float) -> str:
    """How many verdicts agree with the accuracy, and how many would by chance."""
    total = sum(counts.values())
    if total == 0:
        return f"On {dataset}, no metric gives a verdict."
    parts = [
        f"{f.count(counts[outcome])} {words}"
        for outcome, words in AGREEMENT.items()
        if counts.get(outcome)
    ]
    if counts.get("agrees") and f.defined(expected):
        parts[0] += f" ({blindly(expected)})"
    return f"On {dataset}, of {f.plural(total, 'verdict')}, {f.listed(parts)}."


def blindly(expected: float) -> str:
    """How many verdicts would agree if each were one of the widths, drawn at random."""
    if not f.defined(expected):
        return ""
    return f"drawing widths at random would give about {f.decimal(expected, 0)}"


def agreeing_everywhere(names: Sequence[str], datasets: int, wide: bool) -> str:
    """Which verdicts agree with the accuracy on every data set."""
    where = "on every data set" if datasets > 1 else "on the only data set"
    if not names:
        return f"No verdict agrees with the accuracy {where}."
    text = f"The verdicts of {f.listed(names)} overlap with the accuracy {where}"
    if wide:
        text += (
            "; with intervals of the accuracy's own saturation as wide as these, an overlap is weak "
            "evidence for a metric"
        )
    return text + "."
