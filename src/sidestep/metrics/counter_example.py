"""The journal's counter-example to any metric of a layer: noise, labelled by the network itself.

On such data the network is perfect by construction, so a layer that was too small for the real data
is large enough for these, though not a weight has changed. A metric of the weights alone must give
the same answer on both and is wrong once; a metric of activations sees other inputs and need not.
"""

from collections.abc import Iterator

from sidestep.measuring.rows import Row, Values
from sidestep.measuring.snapshot import Snapshot
from sidestep.metrics import dead_neurons, mixtures, normality, principal_components, spread

CURVES = ("spread_density", "explained_variance", "reconstruction_error")


def measure(snapshot: Snapshot) -> Iterator[Row]:
    """The activation metrics again, on noise (`images` is `noise`), at the last epoch only.

    Metrics of the weights do not see the images and are not repeated.
    """
    if not snapshot.last:
        return
    yield Row("accuracy", snapshot.activations("noise").accuracy, "noise")
    for metric in (spread, dead_neurons, normality, mixtures, principal_components):
        for row in metric.measure(snapshot, images="noise"):
            if not isinstance(row, Values) and not row.metric.startswith(CURVES):
                yield row
