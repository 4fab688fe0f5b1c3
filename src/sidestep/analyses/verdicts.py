"""At which width does each metric say "large enough", and is the accuracy of the same opinion?

The rules, each with its sentence, are in `sidestep.statistics.size_rules`.
"""

import math
from collections.abc import Iterator

import numpy as np
import pandas as pd

from sidestep.analyses.shared.curves import (
    NETWORK,
    Array,
    Curves,
    Verdict,
    agreement,
    saturation_of,
    sources,
    verdict,
)
from sidestep.settings import Fraction
from sidestep.statistics.bootstrap import Rule
from sidestep.statistics.octaves import Octaves, difference_in_octaves
from sidestep.statistics.size_rules import MARGIN_SENTENCE, SIZE_RULES
from sidestep.tables import Tables


def analyse(tables: Tables, *, margin: Fraction = 0.001) -> pd.DataFrame:
    """One row per data set, recorded epoch, metric, source and rule.

    Columns: `study, dataset, epoch, metric, images`; `source`: `network` (mean over seeds of the networks' values)
    or `pooled` (one value on the neurons of all seeds, as the journal; no interval); `rule` (`argmax`, `threshold`,
    `saturation`, `slack`, and `margin` for the two rows of metric `accuracy`, images `train` and `test`);
    `sentence`, the rule in words; `n` seeds and `defined`, the number of widths, with a value (a mixture is refused
    on narrow layers, and undefined widths are passed over); `width` that it calls large enough, `inf` where it never
    says so within the widths, empty where the metric is not defined; `low`, `high` (percentile bootstrap over seeds;
    `inf` for beyond the widths; empty with one seed); `never`, the share of resamples that never say so; `train_width,
    train_low, train_high, test_width, test_low, test_high`, where accuracy saturates (within `margin` of the best);
    `octaves`, `octaves_low`, `octaves_high`, log₂(width / test_width) with the seeds resampled together (±inf where
    one side never speaks); `agreement` with the test saturation: `agrees` (intervals overlap), `earlier`, `later`,
    `never` (not on the mean curve), `not defined`, and empty for the accuracy of the test images itself.

    Args:
        tables: of the study, which has a column `width`.
        margin: of accuracy below the best that counts as saturated; 0.001 is a tenth of a point.
    """
    curves = Curves.of(tables)
    rows = [
        row
        for dataset in curves.datasets
        for epoch in curves.epochs
        for row in _verdicts(curves, dataset, epoch, margin)
    ]
    return pd.DataFrame(rows)


def _verdicts(
    curves: Curves, dataset: str, epoch: int, margin: float
) -> Iterator[dict[str, object]]:
    """The rows of one data set and epoch: accuracy on train and test images, then every rule."""
    saturates = saturation_of(margin)
    train, test = (curves.values(dataset, epoch, "accuracy", name) for name in ("train", "test"))
    targets = {
        name: verdict(saturates, curves.widths, values)
        for name, values in (("train", train), ("test", test))
    }

    def row(
        metric: str, images: str, source: str, rule: str, sentence: str, says: Rule
    ) -> dict[str, object]:
        values = curves.values(dataset, epoch, metric, images, source)
        said = verdict(says, curves.widths, values)
        itself = (metric, images) == ("accuracy", "test")
        apart = _octaves(curves.widths, says, values, said, saturates, test, targets["test"])
        return {
            "study": curves.study,
            "dataset": dataset,
            "epoch": epoch,
            "metric": metric,
            "images": images,
            "source": source,
            "rule": rule,
            "sentence": sentence,
            "n": curves.seeds_with(dataset, epoch, metric, images),
            "defined": int(np.isfinite(values).any(axis=1).sum()),
            "width": said.width,
            "low": said.low,
            "high": said.high,
            "never": said.never,
            **{
                f"{name}_{part}": getattr(target, part)
                for name, target in targets.items()
                for part in ("width", "low", "high")
            },
            "octaves": apart.estimate,
            "octaves_low": apart.low,
            "octaves_high": apart.high,
            "agreement": "" if itself else agreement(said, targets["test"]),
        }

    for images in ("train", "test"):
        yield row("accuracy", images, NETWORK, "margin", MARGIN_SENTENCE, saturates)
    for rule in SIZE_RULES:
        for source in sources(rule):
            yield row(rule.metric, rule.images, source, rule.rule, rule.sentence, rule.says)


def _octaves(
    widths: Array,
    says: Rule,
    values: Array,
    said: Verdict,
    saturates: Rule,
    test: Array,
    target: Verdict,
) -> Octaves:
    """log₂(verdict / test saturation); without bounds where pooling has left one value a width."""
    if values.shape == test.shape:
        return difference_in_octaves(widths, says, values, saturates, test)
    return Octaves(math.log2(said.width / target.width), math.nan, math.nan)
