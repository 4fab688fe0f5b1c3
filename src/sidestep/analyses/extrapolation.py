"""Which verdicts extrapolate: from the first epochs to the last, and from one data set to the other?"""

import pandas as pd

from sidestep.settings import Fraction
from sidestep.tables import Tables


def analyse(
    tables: Tables, *, margin: Fraction = 0.001, easy: str = "mnist", hard: str = "fashion_mnist"
) -> pd.DataFrame:
    """Rows of two questions.

    Columns: `study, question, dataset, metric, images, rule, epoch, width, low, high, target_epoch, target_width,
    target_low, target_high, octaves, octaves_low, octaves_high, n, outcome`.

    - `question` `later epochs`: per data set, rule and recorded epoch: the verdict at `epoch` (`width` with bootstrap
      interval, as in the verdicts) against the width where test accuracy saturates at the last epoch (`target_…`);
      `octaves` is log₂(width / target_width), seeds resampled together. `outcome`: `agrees`, `earlier`, `later`,
      `never`, `not defined`. Metric `accuracy` is the accuracy's own saturation at that epoch: what one gets without
      any metric.
    - `other dataset`: per rule and recorded epoch, `dataset` empty: `width` is the verdict on the easy data set and
      `target_width` that on the hard one, `octaves` hard − easy. `outcome`: `same order` or `opposite order` as the
      test saturation of the two data sets, where both differences have intervals that exclude 0, else `not
      separated` or `not defined`.
    """
    raise NotImplementedError
