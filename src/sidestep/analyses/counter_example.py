"""Can a metric of a layer tell that it is large enough? The journal's counter-example, run for real.

The same networks look at noise that they have labelled themselves, on which they are perfect: whatever the size, it
is large enough now. Metrics of the weights cannot change; metrics of the activations can.
"""

import pandas as pd

from sidestep.settings import Fraction
from sidestep.tables import Tables


def analyse(tables: Tables, *, margin: Fraction = 0.001) -> pd.DataFrame:
    """Rows of four kinds per data set, at the last recorded epoch.

    Columns: `study, dataset, epoch, kind, metric, rule, width, n, real, noise, difference, low, high, outcome,
    reason`.

    - `kind` `value`: per width and metric, the mean over seeds on the training images (`real`) and on the `noise`,
      the paired `difference` noise − real with t interval. `outcome`: `changes` (interval excludes 0), `not
      separated`, `cannot change` (`reason` says why; noise equals real) or `not defined`.
    - `verdict`: per metric and rule, without `width`: the width that the rule calls large enough on the training
      images (`real`) and on the noise, `inf` for never; `difference` in octaves with bootstrap interval. `outcome` as above, and
      `changes` also needs the two to differ on the mean; `both never` where neither speaks.
    - `width`: per width, metric `accuracy`: mean test accuracy (`real`), accuracy on the noise, which must be 1;
      `difference`, best mean test accuracy minus this one, with paired t interval. `outcome`: `counter-example`
      (perfect on the noise, and below the whole interval of the test saturation), `possible` (below the test
      saturation, but within its interval or without one), `large enough`, `not perfect` or `not defined`.
    - `summary`: one row: `width`, the largest counter-example (empty if none), `n`, how many widths are one;
      `outcome`: `exists`, `possible` or `none`.

    Args:
        tables: of the study, which has a column `width`.
        margin: of accuracy below the best that counts as saturated.
    """
    raise NotImplementedError
