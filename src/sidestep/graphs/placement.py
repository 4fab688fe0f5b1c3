"""Where the columns of a graph stand in a layered drawing: coordinates, no ink.

Layers and barycentres as in Sugiyama et al. 1981 (IEEE Transactions on Systems, Man, and Cybernetics
11:109–125): a column stands in the layer of its depth, near the mean height of what it reads.
"""

from typing import NamedTuple

from sidestep.graphs.graph import Graph


class Placement(NamedTuple):
    """A drawing's coordinates.

    Attributes:
        places: x and y of each column, inputs first; x is 0 at the inputs and 1 at the deepest
            operation, y is from 0, the bottom, to 1.
        lines: pairs of columns: what is read, and what reads it.
    """

    places: tuple[tuple[float, float], ...]
    lines: tuple[tuple[int, int], ...]


def place(graph: Graph) -> Placement:
    """Coordinates of all columns; the first input is at the top."""
    layers: list[list[int]] = [[] for _ in range(1 + max(graph.levels, default=0))]
    for column, level in enumerate([0] * graph.inputs + list(graph.levels)):
        layers[level].append(column)
    heights: dict[int, float] = {}
    places: dict[int, tuple[float, float]] = {}
    for level, layer in enumerate(layers):
        if level:
            wanted = {column: _mean_height(graph, column, heights) for column in layer}
            layer.sort(key=lambda column, wanted=wanted: (-wanted[column], column))  # type: ignore[misc]
        for index, column in enumerate(layer):
            heights[column] = 1 - (index + 0.5) / len(layer)
            places[column] = (level / max(1, len(layers) - 1), heights[column])
    lines = tuple(
        (read, graph.inputs + index)
        for index, op in enumerate(graph.ops)
        for read in sorted(set(op.columns))
    )
    return Placement(tuple(places[column] for column in range(graph.columns)), lines)


def _mean_height(graph: Graph, column: int, heights: dict[int, float]) -> float:
    read = graph.ops[column - graph.inputs].columns
    return sum(heights[one] for one in read) / len(read)
