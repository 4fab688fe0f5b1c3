"""Singular spectrum of the hidden layer's weights, which needs no data, and its effective ranks."""

from collections.abc import Iterator

import numpy as np

from sidestep.measuring.rows import Row, Values
from sidestep.measuring.snapshot import Snapshot, geometric_grid
from sidestep.statistics.spectrum import components_for, entropy_rank, participation_ratio


def measure(snapshot: Snapshot) -> Iterator[Row | Values]:
    """Singular values, and effective ranks of their squares.

    `weight_stable_rank` is ‖W‖_F² / ‖W‖₂² (Rudelson & Vershynin 2007).
    """
    squares = snapshot.squared_singular_values()
    yield Values("singular_values", np.sqrt(squares))
    yield Row("weight_participation_ratio", participation_ratio(squares))
    yield Row("weight_entropy_rank", entropy_rank(squares))
    yield Row("weight_stable_rank", float(squares.sum() / squares[0]))
    yield Row("weight_components_for_95", float(components_for(squares, 0.95)))
    for k in geometric_grid(len(squares) - 1):
        yield Row("singular_value", float(np.sqrt(squares[k])), component=k + 1)
