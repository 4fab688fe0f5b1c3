"""Principal components: what the transposed matrix claims of them, and how many keep the accuracy."""

import math
from collections.abc import Iterator

import numpy as np
import pandas as pd

from sidestep.paper.parts import formats as f
from sidestep.paper.parts.sentences import Finding
from sidestep.paper.parts.width_study import WidthStudy
from sidestep.paper.parts.words import dataset_name


def artefacts(study: WidthStudy) -> Iterator[Finding]:
    """What the transposed matrix does to the curve of each data set."""
    for dataset in study.datasets:
        yield _both_curves(study, dataset)


def _both_curves(study: WidthStudy, dataset: str) -> Finding:
    """Both reconstruction curves at the widest width that has them, at about a tenth of the components."""
    for width in reversed(study.widths):
        wrong = _curve(study, "reconstruction_error_transposed", "train", dataset, width)
        right = _curve(study, "reconstruction_error", "train", dataset, width)
        if wrong.empty or 0.0 not in right.index or not right[0.0] > 0:
            continue
        shared = np.array(sorted(set(wrong.index) & set(right.index)))
        total = shared[-1]
        k = float(shared[np.argmin(np.abs(shared - total / 10))])
        return artefact(
            dataset_name(dataset),
            f.count(width),
            f.plural(int(k), "component").partition("\N{NO-BREAK SPACE}")[0],
            float(right[k] / right[0.0]),
            float(wrong[k] / right[0.0]),
            1 - k / total,
        )
    return artefact(dataset_name(dataset), "", "", math.nan, math.nan, math.nan)


def component_accuracy(study: WidthStudy) -> Iterator[str]:
    """The fewest tried components that keep the mean accuracy, at the widest width."""
    width = study.widths[-1]
    for dataset in study.datasets:
        for images in ("test", "train", "validation"):
            found = _curve(study, "component_accuracy", images, dataset, width)
            if found.empty:
                continue
            whole = study.mean(dataset, "accuracy", images, width=width).mean
            enough = found[found >= whole - study.margin - 1e-12]
            least = float(enough.index[0]) if len(enough) else math.nan
            total = f.count(float(found.index[-1]))
            yield enough_components(dataset_name(dataset), images, f.count(width), least, total)


def _curve(study: WidthStudy, metric: str, images: str, dataset: str, width: int) -> pd.Series:
    """Mean over seeds of a metric that is a curve, by component."""
    frame = study.tables.metric(metric, images=images, last=True)
    chosen = frame[(frame["dataset"] == dataset) & (frame["width"] == width)]
    return chosen.groupby("component")["value"].mean()


def artefact(
    dataset: str, at: str, k: str, true_left: float, wrong_left: float, even: float
) -> Finding:
    """The journal's equally important components, against the curve that the spectrum gives.

    `true_left` and `wrong_left` are shares of variance left after k components, `even` what equally
    important components would leave.
    """
    if not (f.defined(true_left) and f.defined(wrong_left)):
        return Finding(None, "", dataset, f"On {dataset}, no width allows both curves.")
    detail = (
        f"On {dataset} at width {at}, {k} components leave {f.percent(true_left, 1)} of the variance; "
        f"the transposed projection claims {f.percent(wrong_left, 1)}, and components of equal "
        f"importance would leave {f.percent(even, 1)}."
    )
    if abs(wrong_left - even) < abs(true_left - even):
        claim = (
            "principal components are far from “equally important”: the journal's straight line comes "
            "from a transposed matrix and not from the data"
        )
        return Finding(True, claim, dataset, detail)
    claim = (
        "the right reconstruction curve is as near to a straight line as the journal's wrong one"
    )
    return Finding(False, claim, dataset, detail)


def enough_components(dataset: str, images: str, at: str, k: float, total: str) -> str:
    """How many components keep the accuracy."""
    if not f.defined(k):
        return (
            f"On {dataset} at width {at}, no tried number of components keeps the mean {images} "
            "accuracy within the margin."
        )
    return (
        f"On {dataset} at width {at}, the first {f.count(k)} of {total} components keep the mean "
        f"{images} accuracy within the margin."
    )
