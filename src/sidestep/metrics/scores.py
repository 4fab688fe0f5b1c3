"""Loss, and accuracy or R², on every split, each image counted once, and the train–test gap (trap T3-13)."""

from collections.abc import Iterator

from sidestep.measuring.rows import Row
from sidestep.measuring.snapshot import Snapshot

TAKES_NUMBERS = True


def measure(snapshot: Snapshot) -> Iterator[Row]:
    """`loss` and `accuracy`, or `r2` of numbers, per split; their `_gap` is what training images have more.

    Of the loss it is what they have less.
    """
    for images in snapshot.splits:
        seen = snapshot.score(images)
        yield Row("loss", seen.loss, images)
        for name in ("accuracy", "r2"):
            if (value := getattr(seen, name)) is not None:
                yield Row(name, value, images)
    train, test = snapshot.score("train"), snapshot.score("test")
    for name in ("accuracy", "r2"):
        most, least = getattr(train, name), getattr(test, name)
        if most is not None and least is not None:
            yield Row(f"{name}_gap", most - least)
    yield Row("loss_gap", test.loss - train.loss)
