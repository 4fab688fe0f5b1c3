"""Figures that the older works published, beside ours at the same or the nearest width and epoch.

The published figures are in `paper/published.csv`, each with its source (a citation key of the paper's bibliography).
"""

import pandas as pd

from sidestep.tables import Tables


def analyse(tables: Tables) -> pd.DataFrame:
    """One row per published figure of this study on one of its data sets.

    Columns: as published `study, source, dataset, width, epochs, quantity, component, images, value, how` (`exact`,
    read off a vector drawing or table; `calculated` from such figures; `eye`; `text`) `, note`; ours: `our_width`
    (nearest in octaves; empty where the figure belongs to no width), `our_epochs` (nearest recorded), `our_source` (`network`: mean over seeds;
    `pooled`: one value on the neurons of all seeds, as the journal's W and mixtures), `mean`, `low`, `high` (95 % t
    interval), `n`; `difference`, ours − published; `outcome`: `agrees` or `differs` (published value inside or
    outside our interval, at the same width and epochs), `no interval` (same width and epochs, but pooled or one
    seed), `different epochs`, `different width`, `different width and epochs`, or `not measured`.

    Raises:
        UserError: there is no `paper/published.csv`, or it lacks a column.
    """
    raise NotImplementedError
