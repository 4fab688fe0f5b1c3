"""The journal's three expectations for a harder data set of the same shape, each tested on paired seeds."""

import pandas as pd

from sidestep.tables import Tables


def analyse(
    tables: Tables, *, easy: str = "mnist", hard: str = "fashion_mnist"
) -> pd.DataFrame:
    """One row per recorded epoch and test.

    Columns: `study, easy, hard, epoch`; `expectation`: `plateau later` (accuracy saturates at a larger width),
    `distribution to the right` (mean spread is larger), `verdict later` (a metric's rule speaks at a larger width);
    `metric`, `images`, `rule` (as in the verdicts; empty for spread); `width`, empty for what concerns all widths;
    `unit` (`octaves` or `spread`); `estimate`, hard − easy, with `low` and `high` (bootstrap over seeds for octaves,
    t interval for spread; the row of spread over all widths is the mean over widths); `n` seeds; `outcome`: `holds`
    (interval above 0), `contradicted` (below 0), `not separated` or `not defined`. `estimate` and bounds are `inf`
    where only the hard data set's verdict lies beyond the widths, `-inf` where only the easy one's does; where both
    do there is no estimate, and in a resample it counts as no difference. Without one of the two data sets every
    outcome is `not defined`.

    Args:
        tables: of the study, which has a column `width`.
        easy: data set.
        hard: data set that is expected to need more neurons.
    """
    raise NotImplementedError
