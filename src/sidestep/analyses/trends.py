"""Does the sum of spread grow like a logarithm of the width, as the journal says, or like a power?

Journal of fastdeepnets, "we obtain a perfect logarithm" (its "variance" is a standard deviation, trap T3-3; both
sums are here).
"""

import pandas as pd

from sidestep.tables import Tables


def analyse(tables: Tables) -> pd.DataFrame:
    """One row per data set, recorded epoch and metric (`sum_of_spread`, `sum_of_variance`; training images).

    Columns: `study, dataset, epoch, metric`; `widths` and `seeds`, how many entered the fits (a seed that diverged
    at some width is left out); on the mean over seeds the fits y = a + b·log₂ w (`logarithmic_a`, `logarithmic_b`,
    growth per octave, `logarithmic_r_squared`) and y = a·w^b (`power_a`, `power_b`, `power_r_squared`); t intervals
    of b over the seeds' own fits (`logarithmic_b_low`, `logarithmic_b_high`, `power_b_low`, `power_b_high`);
    `better` on the mean (`logarithmic`, `power law`, `neither`) and `agreeing`, how many seeds have the same better
    curve; `difference`, `difference_low`, `difference_high`: R²(logarithmic) − R²(power law) over seeds with its t
    interval; `outcome`: `logarithmic` or `power law` where that interval excludes 0, else `not separated`, or
    `not defined` (fewer than 3 widths, no or one seed).
    """
    raise NotImplementedError
