"""Sentences that the section of any study may say, with a branch for every outcome; each says no more
than the intervals carry.

They are Typst markup (citations such as `@fastdeepnets2017` are allowed); the Typst sections hold the
text that no outcome changes, and what only one study says lies beside the code that counts it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sidestep.paper.parts.formats import CONFIDENCE_PERCENT, count, listed, percent, plural

# The smallest sizes' names, of which nothing may be concluded beyond the intervals.
SMALL = "small"
FULL = "paper"


@dataclass(frozen=True)
class Extent:
    """How much a study trains: numbers of variants, data sets and seeds, its epochs, and how many
    training images it uses (None for all), of how many that are drawn first, those of validation
    among them (None for all); and its name, to be told where there are several."""

    variants: int
    datasets: int
    seeds: int
    epochs: Sequence[int]
    train_images: int | None = None
    subset: int | None = None
    name: str = ""


@dataclass(frozen=True)
class Finding:
    """What one data set says of a claim of the older work.

    Attributes:
        against: whether it goes against the older work; None where the intervals leave it open.
        claim: what was found, without numbers, for a list of findings; data sets that say the same
            are named together.
        place: the data set, or empty.
        detail: the sentence with its numbers, for the claim's own section.
    """

    against: bool | None
    claim: str
    place: str
    detail: str


def gathered(findings: Sequence[Finding], against: bool | None) -> list[str]:
    """One sentence for each claim of that kind, with all data sets that say so."""
    places: dict[str, list[str]] = {}
    for finding in findings:
        if finding.against is against and finding.claim:
            places.setdefault(finding.claim, []).append(finding.place)
    return [
        f"On {listed(found)}, {claim}." if found[0] else f"{claim}."
        for claim, found in places.items()
    ]


def size_note(size: str, extents: Sequence[Extent]) -> str:
    """What the first page says of the size of the study, before anything else."""
    parts = [
        f"{_named(e, extents)}{plural(e.variants, 'variant')} on {plural(e.datasets, 'data set')} with "
        f"{plural(e.seeds, 'seed')} each, trained for {_epochs(e.epochs)} on "
        f"{'all' if e.train_images is None else count(e.train_images)} training images{_drawn(e)}"
        for e in extents
    ]
    what = "; ".join(parts)
    if size == SMALL:
        return (
            f"*This is the small size:* {what}. It exists to show that the whole paper can be "
            "rebuilt on a laptop, not to settle the questions. The text draws no conclusion that "
            "its intervals do not carry."
        )
    if size == FULL:
        return (
            f"*This is the full size*, the older works' own: {what}. The text draws no conclusion "
            "that its intervals do not carry."
        )
    return (
        f"*This is the size “{_plain(size)}”,* neither the small nor the full one: {what}. The text "
        "draws no conclusion that its intervals do not carry."
    )


def _drawn(extent: Extent) -> str:
    if extent.subset is None:
        return ""
    return f" but those of validation, cut to {count(extent.subset)} where there are more"


def training_images(number: int | None, validation: int) -> str:
    """Which of the training images a network learns from, and why none or some are held out."""
    held = (
        f"{plural(validation, 'image')} of the training set are held out for validation"
        if validation
        else "Nothing is chosen, so no image is held out"
    )
    if number is None:
        rest = (
            "the networks learn from all others" if validation else "the training set is used whole"
        )
        return f"{held}: {rest}."
    return (
        f"{held}. To save time, the networks learn from {plural(number, 'image')} of the training "
        "set, the same ones in every run, drawn once at random."
    )


def runs(number: int, diverged: Sequence[str]) -> str:
    """How many runs there are and what became of them."""
    if not diverged:
        return f"Of {plural(number, 'training run')}, all finished and none diverged."
    which = listed([f"`{place}`" for place in diverged[:6]]) + (" …" if len(diverged) > 6 else "")
    return (
        f"Of {plural(number, 'training run')}, {count(len(diverged))} diverged ({which}); means over "
        f"seeds leave {'it' if len(diverged) == 1 else 'them'} out and say so."
    )


def left_out(studies: Sequence[str]) -> str:
    """Studies of the config that the paper has no section on; empty if there is none."""
    if not studies:
        return ""
    which = listed([f"`{study}`" for study in studies])
    return f"The configuration also runs {which}, on which the paper has no section."


def absent(what: str) -> str:
    """Where a part of the study was not asked for, or nothing that was run allows it."""
    return f"What was run for this paper does not give {what}."


def confidence() -> str:
    """The level of all intervals."""
    return percent(CONFIDENCE_PERCENT / 100, 0)


def _named(extent: Extent, extents: Sequence[Extent]) -> str:
    return f"in the study `{extent.name}`, " if extent.name and len(extents) > 1 else ""


def _epochs(epochs: Sequence[int]) -> str:
    text = listed([count(epoch) for epoch in epochs])
    return f"{text} epoch{'' if list(epochs) == [1] else 's'}"


def _plain(text: str) -> str:
    """Text without what Typst would read as markup."""
    return "".join(character for character in text if character.isalnum() or character in " -.,")
