"""How normal the spread is on the neurons of all seeds together (Shapiro and Wilk's W), as the journal did."""

from collections.abc import Iterator

from sidestep.measuring.group import Group
from sidestep.measuring.rows import Row
from sidestep.statistics.normality import shapiro


def measure(group: Group, *, images: str = "train") -> Iterator[Row]:
    """W and n on all neurons and on the living ones.

    Args:
        group: the runs.
        images: split to look at.
    """
    spread = group.values(f"spread_{images}")
    for name, values in (("all", spread), ("living", spread[spread > 0])):
        found = shapiro(values)
        yield Row(f"normality_{name}", found.w, images)
        yield Row(f"normality_{name}_n", float(found.n), images)
