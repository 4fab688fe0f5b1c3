"""Where nodes and lines of a layered graph stand so that lines cross little: coordinates, no ink.

Layers, barycentres and dummies on long lines as in Sugiyama et al. 1981 (IEEE Transactions on Systems, Man,
and Cybernetics 11:109–125); all long lines from one node share one trunk, from which they branch off.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
# Sweeps over all layers, each once in both directions.
SWEEPS = 12


class Segment(NamedTuple):
    """A piece of line between neighbouring layers.

    Attributes:
        start: layer and height of its left end.
        end: of its right end.
        source: the node from which the line comes.
        node: the node at its right end; −1 if it goes on.
        targets: the nodes to which it leads, at once or later.
    """

    start: tuple[int, float]
    end: tuple[int, float]
    source: int
    node: int
    targets: tuple[int, ...]


class Layout(NamedTuple):
    """A layered drawing.

    Attributes:
        layers: of each node, from 0.
        heights: of each node, from 0, the top, to `height`.
        levels: of each layer.
        segments: of all lines.
        height: of the drawing.
    """

    layers: tuple[int, ...]
    heights: tuple[float, ...]
    levels: tuple[int, ...]
    segments: tuple[Segment, ...]
    height: float


def lay_out(
    levels: Sequence[int],
    reads: Sequence[Sequence[int]],
    sizes: Sequence[float],
    start: Sequence[float],
    *,
    trunk: float,
    least: float,
    most: float,
) -> Layout:
    """Lay a graph out; a level that is taller than `most` has several layers.

    Args:
        levels: of each node; it reads nodes of lower levels alone.
        reads: the nodes that each reads.
        sizes: height that each takes.
        start: heights from which the search for good ones begins, in any unit.
        trunk: height that a long line takes in the layers that it passes.
        least: height of the drawing, at least.
        most: and at most.
    """
    layer, of_layer = _layers(levels, sizes, most)
    # Items are the nodes, then the dummies of trunks; each knows its layer, and what is left and right.
    at = list(layer)
    tall = list(sizes)
    left: list[list[int]] = [[] for _ in levels]
    right: list[list[int]] = [[] for _ in levels]
    targets: dict[tuple[int, int], list[int]] = {}
    for source in range(len(levels)):
        readers = [node for node, its in enumerate(reads) if source in its]
        item = source
        for place in range(layer[source] + 1, 1 + max((layer[r] for r in readers), default=0)):
            for node in (reader for reader in readers if layer[reader] == place):
                _join(left, right, targets, item, node, [node])
            further = [reader for reader in readers if layer[reader] > place]
            if further:
                at.append(place)
                tall.append(trunk)
                left.append([])
                right.append([])
                _join(left, right, targets, item, len(at) - 1, further)
                item = len(at) - 1
    members = [[i for i, its in enumerate(at) if its == place] for place in range(len(of_layer))]
    sums = [sum(tall[i] for i in its) for its in members]
    height = float(np.clip(max(sums), least, most))
    heights = _heights(members, np.asarray(tall), left, right, np.asarray(start, float), height)
    segments = tuple(
        Segment((at[a], heights[a]), (at[b], heights[b]), _source(a, left, len(levels)),
                b if b < len(levels) else -1, tuple(ends))
        for (a, b), ends in targets.items()
    )  # fmt: skip
    count = len(levels)
    return Layout(tuple(layer), tuple(heights[:count]), tuple(of_layer), segments, height)


def _layers(
    levels: Sequence[int], sizes: Sequence[float], most: float
) -> tuple[list[int], list[int]]:
    """The layer of each node, and the level of each layer."""
    layer = [0] * len(levels)
    of_layer: list[int] = []
    for level in sorted(set(levels)):
        nodes = [node for node, its in enumerate(levels) if its == level]
        count = max(1, int(np.ceil(sum(sizes[node] for node in nodes) / most)))
        for place, node in enumerate(nodes):
            layer[node] = len(of_layer) + place % count
        of_layer += [level] * count
    return layer, of_layer


def _join(
    left: list[list[int]],
    right: list[list[int]],
    targets: dict[tuple[int, int], list[int]],
    first: int,
    second: int,
    ends: list[int],
) -> None:
    left[second].append(first)
    right[first].append(second)
    targets[first, second] = ends


def _source(item: int, left: Sequence[Sequence[int]], nodes: int) -> int:
    """The node at the left end of the trunk to which an item belongs, itself if it is a node."""
    while item >= nodes:
        item = left[item][0]
    return item


def _heights(
    members: Sequence[Sequence[int]],
    tall: Array,
    left: Sequence[Sequence[int]],
    right: Sequence[Sequence[int]],
    start: Array,
    height: float,
) -> list[float]:
    found = np.zeros(len(tall))
    span = float(np.ptp(start)) or 1.0
    found[: len(start)] = (start - start.min()) / span * height
    for sweep in range(SWEEPS):
        for items in members[1:]:
            wanted = [_mean(found, left[i], found[i]) for i in items]
            found[items] = settled(np.asarray(wanted), tall[items], height)
        # The last sweep looks to both sides.
        both = sweep > SWEEPS // 2
        for items in reversed(members):
            wanted = [
                _mean(found, [*right[i], *(left[i] if both else ())], found[i]) for i in items
            ]
            found[items] = settled(np.asarray(wanted), tall[items], height)
    return [float(value) for value in np.round(found, 4)]


def _mean(heights: Array, items: Sequence[int], otherwise: float) -> float:
    return float(np.mean(heights[list(items)])) if len(items) else otherwise


def settled(wanted: Array, tall: Array, height: float) -> Array:
    """The heights nearest to the wanted ones, in squares, at which items of one layer do not overlap.

    Their order is that of the wanted heights. Where they are taller than the drawing together, all are
    pressed alike.

    Args:
        wanted: of their middles, (n,).
        tall: how tall each is, (n,).
        height: of the drawing, whose top is at 0.

    Returns:
        Of their middles, (n,).
    """
    order = np.argsort(wanted, kind="stable")
    sizes = tall[order] * min(1.0, height / float(tall.sum()))
    middles = np.cumsum(sizes) - sizes / 2
    # Isotonic regression by pooling neighbours that violate the order, then clipped: exact with bounds.
    blocks: list[list[float]] = []
    for value in wanted[order] - middles:
        blocks.append([float(value), 1.0])
        while len(blocks) > 1 and blocks[-2][0] >= blocks[-1][0]:
            value, count = blocks.pop()
            total = blocks[-1][1] + count
            blocks[-1] = [(blocks[-1][0] * blocks[-1][1] + value * count) / total, total]
    level = np.repeat([value for value, _ in blocks], [int(count) for _, count in blocks])
    found = np.empty(len(wanted))
    found[order] = np.clip(level, 0.0, height - float(sizes.sum())) + middles
    return found
