"""At which width does each metric say "large enough", and is the accuracy of the same opinion?

The rules, each with its sentence, are in `sidestep.statistics.size_rules`.
"""

import math

import numpy as np
import pandas as pd

from sidestep.analyses.shared.curves import (
    NETWORK,
    POOLED,
    Array,
    Curves,
    Verdict,
    agreement,
    saturation_of,
    sources,
    verdict,
)
from sidestep.statistics.bootstrap import Rule
from sidestep.statistics.octaves import Octaves, difference_in_octaves
from sidestep.statistics.size_rules import MARGIN_SENTENCE, SIZE_RULES


def analyse(tables: Tables, *, margin: Fraction = 0.001) -> pd.DataFrame:
    """One row per data set, recorded epoch, metric, source and rule.

    Columns: `study, dataset, epoch, metric, images`; `source`: `network` (mean over seeds of the networks' values)
    or `pooled` (one value on the neurons of all seeds, as the journal; no interval); `rule` (`argmax`, `threshold`,
    `saturation`, `slack`, and `margin` for the two rows of metric `accuracy`, images `train` and `test`);
    `sentence`, the rule in words; `n` seeds; `width` that it calls large enough, `inf` where it never says so
    within the widths, empty where the metric is not defined; `low`, `high` (percentile bootstrap over seeds; `inf`
    for beyond the widths; empty with one seed); `never`, the share of resamples that never say so; `train_width,
    train_low, train_high, test_width, test_low, test_high`, where accuracy saturates (within `margin` of the best);
    `octaves`, `octaves_low`, `octaves_high`, log₂(width / test_width) with the seeds resampled together (±inf where
    one side never speaks); `agreement` with the test saturation: `agrees` (intervals overlap), `earlier`, `later`,
    `never` (not on the mean curve), `not defined`, and empty for the accuracy of the test images itself.

    Args:
        tables: of the study, which has a column `width`.
        margin: of accuracy below the best that counts as saturated; 0.001 is a tenth of a point.
    """
    curves = Curves.of(tables)
    saturates = saturation_of(margin)
    rows = []
    for dataset in curves.datasets:
        for epoch in curves.epochs:
            accuracy = {
                images: curves.values(dataset, epoch, "accuracy", images)
                for images in ("train", "test")
            }
            targets = {
                images: verdict(saturates, curves.widths, values)
                for images, values in accuracy.items()
            }
            place = {"study": curves.study, "dataset": dataset, "epoch": epoch}

            def row(
                rule: Rule,
                values: Array,
                source: str,
                place: dict[str, object] = {**place},
                targets: dict[str, Verdict] = targets,
                test: Array = accuracy["test"],
            ) -> dict[str, object]:
                raise NotImplementedError
    return pd.DataFrame(rows)
