"""What is said of published figures beside ours, in every section that has any."""

from collections.abc import Iterator
from typing import Any

import pandas as pd

from sidestep.paper.parts import formats as f
from sidestep.paper.parts.decoupled_words import distinct, text

OUTCOMES = {
    "agrees": "lie inside our interval",
    "differs": "lie outside our interval",
    "no interval": "stand beside a value of ours without interval",
    "other settings": "stand beside one of other settings",
    "not run": "have no counterpart among our runs",
}
SHORT = {
    "agrees": "agrees",
    "differs": "differs",
    "no interval": "no interval",
    "other settings": "other settings",
    "not run": "not run",
}
# Settings in words, where their names are none.
WORDS = {"train_images": "training images", "optimiser": "update rule"}


def settings_of(value: Any) -> list[str]:
    """The settings that an analysis lists with `;` between, in words."""
    found = [part.strip() for part in text(value).split(";") if part.strip()]
    return [WORDS.get(part, part.replace("_", " ")) for part in found]


def counted(
    outcomes: dict[str, int],
    one: str,
    many: str = "",
    *,
    what: str = "",
    same: str = "at the same settings",
) -> str:
    """How many published figures came out how.

    Args:
        outcomes: outcome → number of figures.
        one: what one of them is called.
        many: and several, if that is not `one` with an s.
        what: they are, in brackets.
        same: when one can be held against ours.
    """
    total = sum(outcomes.values())
    parts = [
        f"{f.count(outcomes[key])} {words}" for key, words in OUTCOMES.items() if outcomes.get(key)
    ]
    rest = total - sum(outcomes.get(key, 0) for key in OUTCOMES)
    if rest:
        parts.append(f"{f.count(rest)} came out in some other way")
    named = f.plural(total, one, many)
    said = f"Of {named}{f' ({what})' if what else ''}, {f.listed(parts)}."
    if not outcomes.get("agrees", 0) + outcomes.get("differs", 0):
        said += f" None can be held against ours {same} with an interval."
    return said


def differing(found: pd.DataFrame) -> Iterator[str]:
    """In which settings our runs differ from the published ones that they stand beside."""
    if found.empty:
        return
    every = [settings_of(value) for value in found["differs_in"]]
    names = distinct(name for each in every for name in each)
    always = [name for name in names if all(name in each for each in every)]
    some = [name for name in names if name not in always]
    parts = []
    if always:
        parts.append(f"they always differ in {f.listed(always)}")
    if some:
        parts.append(f"{'' if always else 'they differ '}in some cases in {f.listed(some)}")
    if parts:
        yield f"Where settings are others, {f.listed(parts)}."


def not_run(missing: int) -> str:
    """How many published figures this size has no counterpart of; empty if it has all."""
    if not missing:
        return ""
    return f"{f.plural(missing, 'published figure')} {'has' if missing == 1 else 'have'} no counterpart at this size."
