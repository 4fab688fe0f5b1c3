"""At which width does each metric say "large enough", and is the accuracy of the same opinion?

The rules, each with its sentence, are in `sidestep.statistics.size_rules`.
"""

import pandas as pd

from sidestep.settings import Fraction
from sidestep.tables import Tables


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
    raise NotImplementedError
