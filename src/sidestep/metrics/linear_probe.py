"""How much of the classes a linear classifier can read from each stage (Alain & Bengio 2016).

A multinomial logistic regression on a stage's outputs, fitted on some training images and scored on
some test images. The network is not changed.
"""

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from sidestep.measuring.rows import Row
from sidestep.measuring.snapshot import Snapshot
from sidestep.settings import Count, Positive


def measure(
    snapshot: Snapshot,
    *,
    train_images: Count = 2000,
    test_images: Count = 2000,
    penalty: Positive = 0.01,
) -> Iterator[Row]:
    """`linear_probe.<stage>`: accuracy on test images.

    Args:
        snapshot: of any network.
        train_images: training images to fit on, the first ones.
        test_images: test images to score, the first ones.
        penalty: λ of the mean loss + λ/2 ‖weights‖², on features of unit mean variance.
    """
    held_out = snapshot.stage_outputs("test", test_images)
    for (stage, seen, labels), (_, unseen, expected) in zip(
        snapshot.stage_outputs("train", train_images), held_out, strict=True
    ):
        accuracy = probe_accuracy(
            _flat(seen), labels.numpy(), _flat(unseen), expected.numpy(), penalty
        )
        yield Row(f"linear_probe.{stage}", accuracy, "test")


def probe_accuracy(
    train: NDArray[np.float32],
    labels: NDArray[np.int64],
    test: NDArray[np.float32],
    expected: NDArray[np.int64],
    penalty: float,
) -> float:
    """Accuracy on `test` (m×d) of a logistic regression fitted to `train` (n×d).

    NaN if the features of a network that exploded are too large for their numbers' type.
    """
    # A second of import that other metrics need not pay.
    from sklearn.linear_model import LogisticRegression

    mean = train.mean(axis=0)
    scale = float(np.sqrt(train.var(axis=0).mean())) or 1.0
    model = LogisticRegression(C=1 / (penalty * len(train)), max_iter=1000, tol=1e-3)
    known, new = (train - mean) / scale, (test - mean) / scale
    if not (np.isfinite(known).all() and np.isfinite(new).all()):
        return math.nan
    model.fit(known, labels)
    return float((model.predict(new) == expected).mean())


def _flat(outputs: Tensor) -> NDArray[np.float32]:
    return outputs.flatten(1).numpy()
