"""Principal components of the pre-activations: spectrum, effective ranks, reconstruction error.

The reconstruction error with k components kept is err(k) = (n − 1)/n · Σ_{j>k} λ_j. The journal
projected on the columns of the matrix whose rows are the components (trap T3-1) and concluded that
all components matter alike; that curve is given too, as `reconstruction_error_transposed`.
"""

from collections.abc import Iterator

import numpy as np

from sidestep.measuring.rows import Row, Values
from sidestep.measuring.snapshot import Snapshot, geometric_grid
from sidestep.statistics.spectrum import (
    components_for,
    entropy_rank,
    participation_ratio,
    reconstruction_error,
    transposed_reconstruction_error,
)


def measure(snapshot: Snapshot, *, images: str = "train") -> Iterator[Row | Values]:
    """Explained variance, reconstruction errors and effective ranks.

    Args:
        snapshot: the network.
        images: split to look at.
    """
    found = snapshot.principal(images)
    values, n = found.eigenvalues, found.n
    yield Values(f"explained_variance_{images}", values)
    yield Row("participation_ratio", participation_ratio(values), images)
    yield Row("entropy_rank", entropy_rank(values), images)
    yield Row("components_for_95", float(components_for(values, 0.95)), images)
    yield Row("components_for_99", float(components_for(values, 0.99)), images)
    errors = reconstruction_error(values, n)
    grid = list(geometric_grid(len(values)))
    for k in grid:
        yield Row("reconstruction_error", float(errors[k]), images, k)
        if k < len(values):
            yield Row("explained_variance", float(values[k]), images, k + 1)
    # The wrong curve needs a square matrix of components: one without a null space to make up.
    width = found.components.shape[0]
    if found.components.shape[1] == width:
        wrong = transposed_reconstruction_error(found.components.T, values, n)
        for k in grid:
            yield Row("reconstruction_error_transposed", float(wrong[k]), images, k)
    yield Row("rank", float(np.count_nonzero(values > values[0] * 1e-14)), images)
