"""Mixtures of small and large spread on the neurons of all seeds together, as the journal fitted them."""

from collections.abc import Iterator

import numpy as np

from sidestep.measuring.group import Group
from sidestep.measuring.mixture_rows import mixture_rows
from sidestep.measuring.rows import Row

BINS = 60


def measure(group: Group, *, images: str = "train") -> Iterator[Row]:
    """Both fits, and the histogram of the living neurons' spread that they are drawn over.

    `spread_histogram` is a density whose abscissa is the bin's left edge; the bins are equally wide
    and `spread_histogram_width` is their width.

    Args:
        group: the runs.
        images: split to look at.
    """
    spread = group.values(f"spread_{images}")
    yield from mixture_rows(spread, images)
    living = spread[spread > 0]
    if len(living) and np.isfinite(living).all():
        densities, edges = np.histogram(living, BINS, (0.0, float(living.max())), density=True)
        yield Row("spread_histogram_width", float(edges[1]), images)
        for edge, density in zip(edges[:-1], densities, strict=True):
            yield Row("spread_histogram", float(density), images, float(edge))
