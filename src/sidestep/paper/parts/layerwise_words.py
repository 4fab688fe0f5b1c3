"""Variants in words: their names, how their blocks are trained, their signals and update rules."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sidestep.paper.parts import formats as f
from sidestep.statistics.intervals import Interval, separates

# Names in one list before a reader is better served by the table.
MOST = 8
SIGNALS = {
    "true_loss": "true loss",
    "sub_model": "sub-model",
    "maximum_difference": "maximum difference",
    "similarity_matching": "similarity matching",
    "divergence": "divergence",
}
_ESTIMATORS = {
    "gaussian_full": "Gaussians, full",
    "gaussian_diagonal": "Gaussians, diagonal",
    "nearest_neighbours": "nearest neighbours",
}
_OPTIMISERS = {"adam": "Adam", "adamw": "AdamW", "adamax": "AdaMax", "sgd": "SGD"}
_SCHEDULES = {"one_cycle": "one cycle", "cosine": "cosine", "step": "steps"}
_SHARES = {
    "parameters": "steps by parameters",
    "mult_adds": "steps by operations",
    "front": "front-loaded",
    "back": "back-loaded",
}
Thing = dict[str, Any]

ABOVE, BELOW, OPEN, ALONE, MISSING = "above", "below", "open", "alone", "missing"


def code(name: str) -> str:
    """A name of the configuration, set as such."""
    return f"`{name}`"


def plain(name: str) -> str:
    """A name of the configuration as a cell of a table."""
    return name.replace("_", "\\_")


def named(names: Iterable[str], last: str = "and") -> str:
    """`a`, `b` and `c`; only how many they are where they would fill the paragraph."""
    found = list(names)
    if len(found) > MOST:
        return f.plural(len(found), "variant")
    return f.listed([code(name) for name in found], last)


def verb(names: Sequence[str], one: str, several: str) -> str:
    """The verb of `named`."""
    return one if len(names) == 1 else several


def sorted_out(differences: Mapping[str, Interval]) -> dict[str, list[str]]:
    """Names by what their interval says: above zero, below it, neither, no interval, nothing at all."""
    found: dict[str, list[str]] = {key: [] for key in (ABOVE, BELOW, OPEN, ALONE, MISSING)}
    for name, each in differences.items():
        if not f.defined(each.mean):
            key = MISSING
        elif not f.defined(each.low):
            key = ALONE
        elif separates(each):
            key = ABOVE if each.mean > 0 else BELOW
        else:
            key = OPEN
        found[key].append(name)
    return found


def compared(groups: Mapping[str, Sequence[str]], words: Mapping[str, str]) -> str:
    """`lower for a and b, higher for c`: each group that has a member, in the order of the words."""
    return "; ".join(
        f"{text} for {named(groups[key])}" for key, text in words.items() if groups.get(key)
    )


def order_words(run: Thing, stages: Sequence[str]) -> str:
    """How a variant's blocks are trained, with what is not the default."""
    strategy = run["strategy"]
    if not strategy.get("signal"):
        return "end to end" if strategy["name"] == "end_to_end" else code(strategy["name"])
    together = strategy.get("order") == "together"
    parts = ["together" if together else "in turn"]
    ends = [stage for stage in stages[:-1] if stage in (strategy.get("ends") or stages)]
    if len(ends) < len(stages) - 1:
        parts.append(f"cut after {f.listed(ends)}" if ends else "no cut")
    shares = strategy.get("shares", "equal")
    if not together and shares != "equal":
        parts.append(_shares_words(shares))
    if strategy.get("fine_tune"):
        parts.append(f"then {f.percent(strategy['fine_tune'], 0)} whole")
    if strategy.get("freeze") is False:
        parts.append("not frozen")
    return ", ".join(parts)


def _shares_words(shares: str | Sequence[float]) -> str:
    if isinstance(shares, str):
        return str(_SHARES.get(shares, shares))
    return "steps " + " : ".join(f.decimal(100 * share, 0) for share in shares)


def signal_words(signal: Thing) -> str:
    """A signal with the setting that tells its kinds apart."""
    name = SIGNALS.get(signal["name"]) or str(signal["name"]).replace("_", " ")
    if signal["name"] == "maximum_difference":
        return f"{name} ({signal['loss'].replace('_', ' ')})"
    if signal["name"] == "divergence":
        return f"{name} ({_ESTIMATORS.get(str(signal['estimator']), str(signal['estimator']))})"
    if signal.get("prediction"):
        return f"{name}, predicting"
    return name


def optimiser_words(run: Thing) -> str:
    """The update rule with its schedule, without the rate."""
    optimiser, schedule = run["optimiser"], run["schedule"]["name"]
    text = _OPTIMISERS.get(optimiser["name"], code(optimiser["name"]))
    if optimiser.get("momentum"):
        text += f", momentum {f.setting(optimiser['momentum'])}"
    return text if schedule == "constant" else f"{text}, {_SCHEDULES.get(schedule, code(schedule))}"


def rate(run: Thing) -> str:
    """The learning rate."""
    found = run["optimiser"].get("lr")
    return "–" if found is None else f.setting(found)
