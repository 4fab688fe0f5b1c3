"""Small made studies over the width, as analyses see them."""

import math
from collections.abc import Callable
from typing import NamedTuple

import pandas as pd

from sidestep.study import Study, Variant
from sidestep.tables import Tables


class At(NamedTuple):
    """Where a value belongs; the seed is −1 if it is of the pool."""

    dataset: str
    epoch: int
    width: int
    seed: int


#: `nan` for a missing one.
Value = Callable[[At], float]
Key = tuple[str, str]


def tables(
    values: dict[Key, Value],
    *,
    datasets: tuple[str, ...] = ("mnist", "fashion_mnist"),
    seeds: tuple[int, ...] = (0, 1, 2),
    widths: tuple[int, ...] = (16, 32, 64, 128, 256),
    epochs: tuple[int, ...] = (1, 3),
    pooled: dict[Key, Value] | None = None,
    components: dict[tuple[str, str, float], Value] | None = None,
) -> Tables:
    """A study whose table holds, for each (metric, images), a value per data set, epoch, width, seed."""
    names = {width: f"width-{width}" for width in widths}
    variants = tuple(
        Variant(names[width], {"width": width}, {"records": list(epochs), "epochs": epochs[-1]})
        for width in widths
    )
    study = Study(
        name="width",
        title="made",
        datasets=datasets,
        seeds=seeds,
        variants=variants,
        baseline=variants[-1].name,
        timing_datasets=(),
        timing_steps=1,
        metrics=(),
        group_metrics=(),
        analyses=(),
        figures=(),
    )
    rows = []
    for dataset in datasets:
        for width in widths:
            place = ("width", dataset, names[width], width)
            rows.append((*place, "", math.nan, "", "seconds_run", math.nan, 1.0))
            for epoch in epochs:
                for seed in seeds:
                    at = At(dataset, epoch, width, seed)
                    for (metric, images), value in values.items():
                        found = value(at)
                        rows.append((*place, str(seed), epoch, images, metric, math.nan, found))
                    for (metric, images, component), value in (components or {}).items():
                        rows.append(
                            (*place, str(seed), epoch, images, metric, component, value(at))
                        )
                for (metric, images), value in (pooled or {}).items():
                    found = value(At(dataset, epoch, width, -1))
                    rows.append((*place, "pooled", epoch, images, metric, math.nan, found))
    columns = ["study", "dataset", "variant", "width", "seed"]
    columns += ["epoch", "images", "metric", "component", "value"]
    return Tables(study, _read={"": pd.DataFrame(rows, columns=columns)})


def one(frame: pd.DataFrame, **where: object) -> pd.Series:
    """The only row with these values."""
    for column, value in where.items():
        frame = frame[frame[column].isna() if value is None else frame[column] == value]
    assert len(frame) == 1, frame
    return frame.iloc[0]
