"""How a variant comes to the size of its hidden layers, told by its settings and never by its name."""

from typing import Any

from sidestep import settings
from sidestep.files import canonical_json
from sidestep.study import Study, Variant
from sidestep.things import complete

Run = dict[str, Any]

# What `method` tells apart, in the order in which the text and the figures have them.
METHODS = (
    *("static", "matched", "flexible", "flexible_boundary_price", "flexible_random_slope"),
    *("flexible_trainable_slope", "flexible_drawn", "flexible_two_phase", "flexible_pretrained"),
    *("flexible_size_only", "sparsified", "sparsified_absolute", "by_mixture", "by_worth"),
)
# Methods whose size does not move.
STILL = ("static", "matched")


def gates(run: Run) -> dict[str, dict[str, Any]]:
    """The gates of a run by stage, from the input on, with all settings."""
    order = settings.stages_of(run["network"]["name"])
    return {
        stage: complete("gates", run["gates"][stage]) for stage in order if stage in run["gates"]
    }


def stage(run: Run) -> str:
    """The first gated stage; empty if there is none."""
    return next(iter(gates(run)), "")


def gate(run: Run) -> dict[str, Any]:
    """The gate of the first gated stage with all settings; empty if there is none."""
    return next(iter(gates(run).values()), {})


def edit(run: Run) -> dict[str, Any]:
    """What a run does to the network between its rounds, with all settings; empty for nothing."""
    found: dict[str, Any] = complete("strategies", run["strategy"]).get("edit", {})
    return found


def method(run: Run) -> str:
    """How the size of a run's hidden layer comes about, one of `METHODS`."""
    of, strategy, change = gate(run), complete("strategies", run["strategy"]), edit(run)
    if change.get("name") in ("by_worth", "by_mixture"):
        return str(change["name"])
    match of.get("name"):
        case "sparsified":
            return "sparsified" if of["form"] == "strict" else "sparsified_absolute"
        case "flexible":
            return _flexible(of, strategy)
    return "matched" if of.get("as_teacher") else "static"


def _flexible(of: dict[str, Any], strategy: dict[str, Any]) -> str:
    if strategy["name"] == "size_later":
        return "flexible_pretrained" if strategy["then"] == "all" else "flexible_size_only"
    if strategy["name"] == "two_phase":
        return "flexible_two_phase"
    if of["switch"] == "drawn":
        return "flexible_drawn"
    if of["slope_is"] != "fixed":
        return f"flexible_{of['slope_is']}_slope"
    return "flexible_boundary_price" if of["price_on"] == "boundary" else "flexible"


def neurons(run: Run) -> int:
    """Neurons that the layer is built with; 0 for a network without a width."""
    return int(complete("networks", run["network"]).get("width", 0))


def start(run: Run) -> float:
    """The size from which the layer starts: a flexible one's boundary, else its number of neurons."""
    strategy, of = complete("strategies", run["strategy"]), gate(run)
    if strategy["name"] == "size_later":
        return float(strategy["restart"])
    return float(of["start"]) if of.get("name") == "flexible" else float(neurons(run))


def price(run: Run) -> float:
    """What a used neuron costs, in nats of the loss."""
    return float(edit(run).get("price", gate(run).get("price", 0.0)))


def decay(run: Run) -> float:
    """The optimiser's weight decay (coupled L2)."""
    return float(complete("optimisers", run["optimiser"]).get("weight_decay", 0.0))


def matched(study: Study, variant: str) -> str:
    """The variant that is built as large as this one has become and trained like it; empty if none is."""
    for other in study.variants:
        if other.run["teacher"] == variant and method(other.run) == "matched":
            return other.name
    return ""


def from_every_start(study: Study) -> list[list[Variant]]:
    """Variants that differ in where they start alone, by rising start; groups of at least two."""
    found: dict[str, list[Variant]] = {}
    for variant in study.variants:
        if method(variant.run) not in STILL:
            found.setdefault(_but_start(variant.run), []).append(variant)
    groups = [sorted(group, key=lambda v: start(v.run)) for group in found.values()]
    return [group for group in groups if len(group) > 1]


def _but_start(run: Run) -> str:
    """The run without its start; a flexible layer's number of neurons is not its start and stays."""
    rest = {key: value for key, value in run.items() if key != "records"}
    moving = gate(run).get("name") == "flexible"
    network = complete("networks", run["network"])
    strategy = complete("strategies", run["strategy"])
    rest["network"] = network if moving else {k: v for k, v in network.items() if k != "width"}
    rest["strategy"] = {k: v for k, v in strategy.items() if k != "restart"}
    later = strategy["name"] == "size_later"
    rest["gates"] = {
        name: {k: v for k, v in of.items() if k != "start" or later}
        for name, of in gates(run).items()
    }
    return canonical_json(rest)
