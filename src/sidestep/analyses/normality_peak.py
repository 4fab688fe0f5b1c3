"""At which width is the spread of the neurons most normal (the journal's "sweet spot")?"""

import pandas as pd

from sidestep.tables import Tables


def analyse(tables: Tables) -> pd.DataFrame:
    """One row per data set, recorded epoch, set of neurons and source.

    Columns: `study, dataset, epoch`; `neurons` (`all`, `living`); `source`: `network` (W of each network, mean over
    seeds) or `pooled` (one W on the neurons of all seeds, as the journal did: no interval, since one value a width is
    left); `n` seeds; `width` of the largest W, `low` and `high` (percentile bootstrap over seeds) and `share` of the
    resamples with that answer; `w` there with t interval `w_low`, `w_high`; `edge`: `smallest` or `largest` where
    the maximum is at the end of the widths and may lie beyond, else empty; the neighbours `width_below`, `w_below`,
    `width_above`, `w_above` (empty at an end). Undefined numbers are empty.
    """
    raise NotImplementedError
