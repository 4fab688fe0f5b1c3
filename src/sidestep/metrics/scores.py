"""Loss and accuracy on every split, each image counted once, and the train–test gap (trap T3-13)."""

from collections.abc import Iterator

from sidestep.measuring.rows import Row
from sidestep.measuring.snapshot import Snapshot


def measure(snapshot: Snapshot) -> Iterator[Row]:
    """`loss` (nats) and `accuracy` per split; `accuracy_gap` is train minus test."""
    for images in snapshot.splits:
        seen = snapshot.score(images)
        yield Row("loss", seen.loss, images)
        yield Row("accuracy", seen.accuracy, images)
    train, test = snapshot.score("train"), snapshot.score("test")
    yield Row("accuracy_gap", train.accuracy - test.accuracy)
    yield Row("loss_gap", test.loss - train.loss)
