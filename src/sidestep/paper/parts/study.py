"""A study's tables as the paper's text reads them."""

from collections.abc import Iterator
from typing import Any

import pandas as pd

from sidestep.statistics.intervals import Interval, mean_interval
from sidestep.tables import Tables


class StudyTables:
    """The study's tables, with what the config leaves out as empty frames.

    Attributes:
        tables: the tables.
        datasets: names of the data sets, in the study's order.
        last: the last epoch after which an accuracy was recorded; 0 if there is none.
    """

    def __init__(self, tables: Tables) -> None:
        self.tables = tables
        self.datasets = tables.study.datasets
        frame = tables.main
        epochs = frame.loc[frame["metric"] == "accuracy", "epoch"].dropna()
        self.last = int(epochs.max()) if len(epochs) else 0

    def analysis(self, name: str) -> pd.DataFrame:
        """An analysis, empty if the study does not list it."""
        if name not in {thing["name"] for thing in self.tables.study.analyses}:
            return pd.DataFrame()
        return self.tables.analysis(name)

    def latest(self, name: str) -> pd.DataFrame:
        """Rows of an analysis at the last recorded epoch."""
        found = self.analysis(name)
        return found[found["epoch"] == self.last] if len(found) else found

    def seeds(self, dataset: str, metric: str, images: str, **place: Any) -> dict[int, float]:
        """Values of a metric at the last epoch, by seed; `place` is what picks one variant, such as `width=16`."""
        frame = self.tables.metric(metric, images=images)
        chosen = (frame["dataset"] == dataset) & (frame["epoch"] == self.last)
        for column, value in place.items():
            chosen &= frame[column] == value
        found = frame[chosen & ~frame["seed"].isin(["", "pooled"])]
        return dict(zip(found["seed"].astype(int), found["value"].astype(float), strict=True))

    def mean(self, dataset: str, metric: str, images: str, **place: Any) -> Interval:
        """Mean over seeds with its interval."""
        return mean_interval(list(self.seeds(dataset, metric, images, **place).values()))


def each_row(frame: pd.DataFrame) -> Iterator[Any]:
    """The rows as tuples with named fields, none for an empty frame."""
    return iter(frame.itertuples())


def told_in_its_own_section(published: list[str]) -> dict[str, Any]:
    """What the sections that all studies share ask of one whose tables stand in its own section.

    Args:
        published: what is said there of the published figures.
    """
    nothing: dict[str, Any] = {"head": [], "rows": []}
    return {
        "cost": {**nothing, "timed_on": "none", "sentences": []},
        "published": {"sentences": published, "by_width": [], "other": nothing},
    }
