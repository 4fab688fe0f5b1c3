"""The width at which the spread of the neurons is most normal."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sidestep.paper.parts import formats as f
from sidestep.paper.parts import sentences as say
from sidestep.paper.parts.study import each_row
from sidestep.paper.parts.width_study import WidthStudy
from sidestep.paper.parts.words import dataset_name


def normality(study: WidthStudy) -> Iterator[str]:
    """Where $W$ is largest, over all neurons and over the living ones."""
    found = study.latest("normality_peak")
    if found.empty:
        yield say.absent("the search for the most normal width")
        return
    for kind, neurons in (("all", "all"), ("living", "the living")):
        rows = found[found["neurons"] == kind]
        pooled = rows[rows["source"] == "pooled"].set_index("dataset")["width"]
        yield peaks(
            neurons,
            [
                Peak(
                    dataset_name(row.dataset),
                    (row.width, row.low, row.high),
                    (row.w, row.w_low, row.w_high),
                    row.edge if isinstance(row.edge, str) else "",
                    float(pooled.get(row.dataset, math.nan)),
                )
                for row in each_row(rows[rows["source"] == "network"])
            ],
        )


@dataclass(frozen=True)
class Peak:
    """Where $W$ is largest on a data set: width and W with their bounds, the end of the widths at
    which it lies (or empty), and the width where W of the pooled neurons is largest."""

    place: str
    width: tuple[float, float, float]
    w: tuple[float, float, float]
    edge: str
    pooled: float


def peaks(neurons: str, found: Sequence[Peak]) -> str:
    """Where the spread is most normal, on each data set."""
    parts = []
    for peak in found:
        if not f.defined(peak.width[0]):
            parts.append(f"nowhere defined on {peak.place}")
            continue
        size = f.estimate(*peak.w, lambda x: f.decimal(x, 3))
        text = f"at width {f.width_estimate(*peak.width)} on {peak.place}, where it is {size}"
        if f.defined(peak.pooled):
            text += f" (pooled: at {f.width(peak.pooled)})"
        if peak.edge:
            text += f", at the {peak.edge} of the widths, so that the true maximum may lie beyond"
        parts.append(text)
    if not parts:
        return f"$W$ over {neurons} neurons is {f.UNDEFINED}."
    return f"$W$ over {neurons} neurons is largest {'; '.join(parts)}."
