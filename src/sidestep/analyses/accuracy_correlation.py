"""Does a metric of the layer rank the widths as the accuracy does, and does any predict over-fitting?"""

import pandas as pd

from sidestep.tables import Tables


def analyse(tables: Tables) -> pd.DataFrame:
    """One row per data set, recorded epoch, target and metric.

    Columns: `study, dataset, epoch`; `target`: `test_accuracy`, `accuracy_gap` (train − test) or `loss_gap` (test −
    train); `metric`, `images`; `n` seeds; `correlation`, `low`, `high`: Spearman's rank correlation across widths,
    mean over seeds with its t interval; `excludes_zero` (true, false, or empty where there is no interval);
    `over_width`, `over_width_low`, `over_width_high`: |correlation| of the metric minus that of the width itself,
    paired over seeds (a metric that merely grows with the width correlates as the width does, so only a positive
    interval says that it knows more); `tested`, how many metrics have an interval for this data set, epoch and
    target, the width not counted, `excluding`, how many of those exclude 0, and `by_chance`, how many would if none
    were related (5 %, which is no correction: the metrics are not independent). The row with metric `width` is the
    width itself.
    """
    raise NotImplementedError
