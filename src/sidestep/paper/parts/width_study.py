"""The tables of a study of widths, as its section reads them."""

import pandas as pd

from sidestep.errors import UserError
from sidestep.paper.parts import formats as f
from sidestep.paper.parts.study import StudyTables
from sidestep.statistics.intervals import Interval, paired_difference
from sidestep.tables import Tables

# Accuracy that may be lost before a smaller thing no longer counts as enough, where the config of
# the verdicts says nothing else.
MARGIN = 0.001


class WidthStudy(StudyTables):
    """A study with a grid over the width of a layer.

    Attributes:
        widths: ascending.
        margin: accuracy that may be lost without counting as a loss.

    Raises:
        UserError: the study has no such grid.
    """

    def __init__(self, tables: Tables) -> None:
        super().__init__(tables)
        frame = tables.main
        self.widths: list[int] = []
        if "width" in frame:
            self.widths = sorted({int(width) for width in frame["width"].dropna()})
        if not self.widths:
            raise UserError(
                f"study '{tables.study.name}' has no grid over 'network.width', which its section of "
                "the paper needs"
            )
        asked = {thing["name"]: thing for thing in tables.study.analyses}
        self.margin = float(asked.get("verdicts", {}).get("margin", MARGIN))

    def change(self, dataset: str, metric: str, images: str) -> Interval:
        """Widest minus narrowest, paired over seeds."""
        return paired_difference(
            self.seeds(dataset, metric, images, width=self.widths[-1]),
            self.seeds(dataset, metric, images, width=self.widths[0]),
        )

    def pooled(self, dataset: str, metric: str, images: str = "train") -> pd.DataFrame:
        """A metric of the pool of seeds at the last epoch, by width."""
        frame = self.tables.metric(metric, images=images, pooled=True)
        found = frame[(frame["dataset"] == dataset) & (frame["epoch"] == self.last)]
        return found.sort_values("width")

    def margin_in_points(self) -> str:
        """`0.1 point`, an accuracy that counts as no loss."""
        text = f.points(self.margin, 1)
        return text if self.margin > 0.01 else text.removesuffix("s")
