"""Graphs that evolve in words: scores of both kinds, data sets, variants by their roles."""

from collections.abc import Iterable, Mapping

from sidestep.evolution import (
    ALL_CLASSES,
    BOOSTING,
    CONTROL,
    EVOLVED,
    EXACT_LINEAR,
    JUDGED,
    LINEAR,
    MLP,
    OTHER,
    R2,
)
from sidestep.paper.parts import formats as f
from sidestep.paper.parts.evolution_data import title
from sidestep.paper.parts.evolution_study import POST
from sidestep.paper.parts.layerwise_words import (
    ABOVE,
    ALONE,
    BELOW,
    MISSING,
    OPEN,
    code,
    sorted_out,
)
from sidestep.paper.parts.layerwise_words import plain as name_cell
from sidestep.paper.parts.substitution_words import FEW
from sidestep.statistics.intervals import Interval

_SPACE = "\N{NO-BREAK SPACE}"
LINES = {
    CONTROL: "a graph of random operations, drawn once and never changed, whose read-out is trained: the control",
    POST: "the post's rule, repaired: one operation drawn for each that comes, whatever it is good for, and the "
    "leaf of least norm leaves",
    EVOLVED: "a graph that evolves by the training part: of several operations drawn, the one of the largest sure gain "
    "comes",
    JUDGED: "a graph that evolves and is judged: of several operations drawn, the one comes that gains most on the "
    "validation part, and none where none gains there",
    MLP: "a multilayer perceptron of one hidden layer with as many parameters as a graph of the size named",
    LINEAR: "a linear model of the inputs alone",
    OTHER: "a network of another kind",
}
# What `evolution_contrasts` and `boosting` name that is no variant.
METHODS = {BOOSTING: "boosted trees", EXACT_LINEAR: "the exact linear model"}
SIDES = {ABOVE: "higher", BELOW: "lower", OPEN: "not separated", ALONE: "known without interval"}


def place(dataset: str) -> str:
    """A data set's name, also of the mean over those with classes."""
    if dataset == ALL_CLASSES:
        return "Mean over classes"
    return title(dataset)


def on(dataset: str) -> str:
    """`on Wine`, or `in the mean of those with classes`."""
    return "in the mean over classes" if dataset == ALL_CLASSES else f"on {place(dataset)}"


def places(datasets: Iterable[str]) -> str:
    """`on Wine and Digits and in the mean over classes`."""
    every = list(datasets)
    single = [place(name) for name in every if name != ALL_CLASSES]
    parts = [f"on {f.listed(single)}"] if single else []
    return f.listed([*parts, *([on(ALL_CLASSES)] if ALL_CLASSES in every else [])])


def other_words(name: str) -> str:
    """A variant, or a method that is none, within a sentence."""
    return METHODS.get(name) or code(name)


def other_cell(name: str) -> str:
    """The same as a cell."""
    return METHODS.get(name) or name_cell(name)


def score(measure: str) -> f.Show:
    """How a score is written: an accuracy in percent, or R²."""
    return _explained if measure == R2 else f.percent


def score_cell(measure: str) -> f.Show:
    """The same without a unit."""
    return _explained if measure == R2 else f.bare_percent


def apart(measure: str) -> f.Show:
    """How a difference of scores is written: in points, or of R²."""
    return _of_explained if measure == R2 else f.points


def _explained(value: float) -> str:
    return f.decimal(value, 3)


def _of_explained(value: float) -> str:
    return f.decimal(value, 3) + _SPACE + "of $R^2$"


def estimated(found: Interval, show: f.Show) -> str:
    """A mean with its interval in brackets."""
    return f.estimate(found.mean, found.low, found.high, show)


def starred(found: Interval, show: f.Show) -> str:
    """A mean with its interval for a table, and a star where that does not hold zero."""
    if not f.defined(found.mean):
        return "–"
    if not f.defined(found.low):
        return show(found.mean)
    star = "\\*" * (found.low > 0 or found.high < 0)
    return f"{show(found.mean)} {f.interval(found.low, found.high, show)}{star}"


def by_side(found: Mapping[str, Interval], measures: Mapping[str, str]) -> str:
    """`higher on Wine (1 point [..]); not separated on Digits`: every side that has a data set.

    Args:
        found: difference by data set.
        measures: of the scores by data set.
    """
    groups = sorted_out(found)
    return "; ".join(
        f"{text} "
        + (
            places(groups[key])
            if key == OPEN
            else spelled({name: found[name] for name in groups[key]}, measures)
        )
        for key, text in SIDES.items()
        if groups[key]
    )


def spelled(found: Mapping[str, Interval], measures: Mapping[str, str]) -> str:
    """Data sets, with their differences where they are few."""
    if len(found) > FEW:
        return places(found)
    return f.listed(
        [f"{on(name)} ({estimated(each, apart(measures[name]))})" for name, each in found.items()]
    )


def microseconds(value: float) -> str:
    """Seconds as microseconds, without the unit."""
    return f.significant(1e6 * value)


def missing(found: Mapping[str, Interval]) -> list[str]:
    """Data sets of which nothing is known."""
    return sorted_out(found)[MISSING]


def between(found: Mapping[str, float], show: f.Show) -> str:
    """`1.20 times (Wine) to 3.40 times (Digits)`, or the one there is."""
    least, most = (pick(found, key=lambda name: found[name]) for pick in (min, max))
    low, high = show(found[least]), show(found[most])
    if low == high:
        return low
    return f"{low} ({place(least)}) to {high} ({place(most)})"


def spoken(found: Mapping[str, str]) -> str:
    """`1.2 [0.9, 1.5] on Wine and 1.3 [1.0, 1.6] on Digits`: data sets with a value that is written already."""
    if len(found) > FEW:
        return places(found)
    return f.listed([f"{text} {on(name)}" for name, text in found.items()])
