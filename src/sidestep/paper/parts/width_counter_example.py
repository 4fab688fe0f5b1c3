"""The counter-example: metrics on noise that the networks labelled themselves."""

from collections.abc import Iterator, Sequence

import pandas as pd

from sidestep.paper.parts import formats as f
from sidestep.paper.parts import sentences as say
from sidestep.paper.parts.study import each_row
from sidestep.paper.parts.width_study import WidthStudy
from sidestep.paper.parts.width_verdicts import metric_verdicts, verdict_names
from sidestep.paper.parts.words import dataset_name, metric_name


def counter_examples(study: WidthStudy) -> Iterator[str]:
    """Whether there is one, and what of values and verdicts changes on the noise."""
    found = study.analysis("counter_example")
    if found.empty:
        yield say.absent("the counter-example")
        return
    for dataset in study.datasets:
        rows = found[(found["dataset"] == dataset) & (found["kind"] == "summary")]
        for row in each_row(rows):
            number = int(row.n) if f.defined(row.n) else 0
            yield counter_example(dataset_name(dataset), str(row.outcome), row.width, number)
    values = found[found["kind"] == "value"]
    fixed = values.loc[values["outcome"] == "cannot change", "metric"].unique()
    yield fixed_values([metric_name(str(metric)) for metric in fixed])
    for dataset in study.datasets:
        rows = values[values["dataset"] == dataset]
        tested = rows[rows["outcome"].isin(["changes", "not separated"])]
        moves = tested["outcome"] == "changes"
        ever = moves.groupby(tested["metric"], sort=False).any()
        unmoved = [metric_name(str(metric)) for metric in ever.index[~ever.to_numpy(bool)]]
        yield changed_values(dataset_name(dataset), int(moves.sum()), len(tested), unmoved)
    for dataset in study.datasets:
        rows = _noise_verdicts(found, dataset)
        names = pd.Series(verdict_names(rows), index=rows.index, dtype=object)
        moves, smaller = rows["outcome"] == "changes", rows["difference"] < 0
        yield changed_verdicts(
            dataset_name(dataset),
            list(names[moves & smaller]),
            list(names[moves & ~smaller]),
            len(rows),
        )
    verdicts = metric_verdicts(study)
    both = []
    for dataset in study.datasets:
        rows = _noise_verdicts(found, dataset)
        if rows.empty or verdicts.empty:
            continue
        agreeing = verdicts[(verdicts["dataset"] == dataset) & (verdicts["agreement"] == "agrees")]
        pairs = set(zip(agreeing["metric"], agreeing["rule"], strict=True))
        named = zip(verdict_names(rows), each_row(rows), strict=True)
        both.append(
            (
                dataset_name(dataset),
                [
                    name
                    for name, row in named
                    if row.noise == study.widths[0] and (row.metric, row.rule) in pairs
                ],
            )
        )
    yield right_on_both(both)


def _noise_verdicts(found: pd.DataFrame, dataset: str) -> pd.DataFrame:
    """Verdicts of activation metrics that are defined on the images and on the noise."""
    rows = found[(found["dataset"] == dataset) & (found["kind"] == "verdict")]
    return rows[~rows["outcome"].isin(["cannot change", "not defined"])]


def counter_example(dataset: str, outcome: str, largest: float, number: int) -> str:
    """Whether the journal's counter-example exists among the trained networks."""
    if outcome == "exists":
        return (
            f"On {dataset}, {f.plural(number, 'width')} {'is' if number == 1 else 'are'} a "
            "counter-example: too small for the images by the whole interval of the saturation, and "
            f"perfect on the noise. The largest is {f.width(largest)}."
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
    chance = f.decimal(tested * (1 - f.CONFIDENCE_PERCENT / 100), 1)
    text = (
        f"On {dataset}, the metrics of the activations change by their paired intervals in "
        f"{f.count(changed)} of {f.plural(tested, 'comparison')} of a metric at a width ({chance} by "
        "chance)"
    )
    return text + (f"; {f.listed(unmoved)} at no width." if unmoved else ", each at some width.")


def fixed_values(names: Sequence[str]) -> str:
    """The metrics that cannot change."""
    if not names:
        return ""
    return (
        f"What the weights alone determine ({f.listed(names)}) is the same on both, as it must be."
    )


def changed_verdicts(
    dataset: str, smaller: Sequence[str], larger: Sequence[str], total: int
) -> str:
    """Whether the verdicts, and not just the values, move on the noise, and which way."""
    if total == 0:
        return f"On {dataset}, no verdict is defined both on the images and on the noise."
    if not smaller and not larger:
        return (
            f"On {dataset}, none of the {f.plural(total, 'verdict')} of activation metrics moves by its "
            "interval."
        )
    parts = [
        f"{f.count(len(names))} move{'s' if len(names) == 1 else ''} {way} ({f.listed(names)})"
        for names, way in (
            (smaller, "to smaller widths"),
            (larger, "to larger widths or to none at all"),
        )
        if names
    ]
    return (
        f"On {dataset}, of {f.plural(total, 'verdict')} of activation metrics, {f.listed(parts)}, by "
        "intervals that exclude zero."
    )


def right_on_both(found: Sequence[tuple[str, Sequence[str]]]) -> str:
    """Which activation verdicts are right on the images and on the noise, on each data set."""
    if not found:
        return say.absent("verdicts on both the images and the noise")
    parts = [f"on {place}, {f.listed(names)}" for place, names in found]
    if len(found) > 1:
        everywhere = sorted(set.intersection(*(set(names) for _, names in found)))
        parts.append(f"on every data set, {f.listed(everywhere)}")
    return (
        "These are right on both, by overlapping with the accuracy on the images and by naming the "
        f"smallest width on the noise: {'; '.join(parts)}."
    )
