"""What the abstract and the conclusion say of the width of a layer."""

from collections.abc import Iterator

from sidestep.paper.parts import formats as f
from sidestep.paper.parts import width_overfitting
from sidestep.paper.parts.width_study import WidthStudy
from sidestep.paper.parts.width_verdicts import (
    blindly,
    by_chance,
    metric_verdicts,
    saturation_row,
    verdicts,
)
from sidestep.paper.parts.words import dataset_name


def abstract(study: WidthStudy) -> Iterator[str]:
    """A sentence on each data set, and whether any metric predicts over-fitting."""
    found = metric_verdicts(study)
    for dataset in study.datasets:
        at = saturation_row(study, dataset)
        if at is None:
            continue
        rows = found[found["dataset"] == dataset] if len(found) else found
        agrees = int((rows["agreement"] == "agrees").sum()) if len(rows) else 0
        place = (at.test_width, at.test_low, at.test_high, float(study.widths[-1]))
        expected = by_chance(study, at, len(rows))
        yield saturation_in_short(
            dataset_name(dataset), study.margin_in_points(), *place, agrees, len(rows), expected
        )
    yield width_overfitting.in_short(study)


def conclusion(study: WidthStudy) -> Iterator[str]:
    """Which verdicts agree everywhere, and whether any metric predicts over-fitting."""
    if len(metric_verdicts(study)):
        yield list(verdicts(study))[-1]
    yield width_overfitting.in_short(study)


def saturation_in_short(
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
    if not f.defined(at):
        return f"On {dataset}, where the accuracy saturates is {f.UNDEFINED}."
    text = (
        f"On {dataset}, test accuracy comes within {margin} of its best at width "
        f"{f.width_estimate(at, low, high)}"
    )
    if widest in (at, high):
        text += ", which does not exclude that wider layers would do better"
    if not total:
        return text + "."
    text += (
        f". Of {f.plural(total, 'rule')} that read a size off a metric of the layer, {f.count(agrees)} "
        "name a width that overlaps with that"
    )
    return f"{text}; {blindly(expected)}." if f.defined(expected) else text + "."
