"""Names of groups of variants, as short as they can be without two groups having one name."""

from collections import Counter
from collections.abc import Callable, Sequence

from sidestep.study import Variant

Words = Callable[[Variant], str]


def labelled(groups: Sequence[Sequence[Variant]], *words: Words) -> list[str]:
    """A name for each group, all different.

    Args:
        groups: whose first member tells the words.
        words: the first are in every name, each other one only where names are equal without it; if
            they still are, numbers follow.
    """
    parts = [[words[0](group[0])] for group in groups]
    for more in words[1:]:
        for index in _equal(parts):
            parts[index].append(more(groups[index][0]))
    seen: Counter[str] = Counter()
    again = set(_equal(parts))
    found = []
    for index, each in enumerate(parts):
        name = ", ".join(part for part in each if part)
        seen[name] += 1
        found.append(f"{name}, {seen[name]}" if index in again else name)
    return found


def _equal(parts: list[list[str]]) -> list[int]:
    """Places of names that others have too."""
    counts = Counter(map(tuple, parts))
    return [index for index, each in enumerate(parts) if counts[tuple(each)] > 1]
