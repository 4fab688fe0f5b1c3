"""How large the layers of runs have become, and other single values that a run ends with."""

import math
from collections.abc import Collection, Mapping

from sidestep import sizing, variants
from sidestep.analyses.shared.finals import Finals, Values
from sidestep.tables import Tables

# Of a gated stage: neurons that count as used, neurons that are there, sum of the absolute factors.
QUANTITIES = ("size", "neurons", "scale")
# What is measured of neurons, as the metric `neuron_importance` names it; the first is exact.
EXACT, RANDOM = "zeroing", "random"
PROXIES = ("spread", "incoming_norm", "outgoing_norm", "gradient_times_activation", "fisher")
MEASURES = (EXACT, *PROXIES)

#: (data set, variant) → quantity → seed → value.
Sizes = dict[tuple[str, str], dict[str, Values]]


def lasts(
    tables: Tables, ends: Finals, metrics: Collection[str]
) -> dict[tuple[str, str, str], Values]:
    """Data set, variant and metric → seed → its last value, of the runs that finished.

    Args:
        tables: of the study.
        ends: of the study, which know the runs that diverged.
        metrics: of single runs, each on one split at most; the last value is that of the last epoch
            and, of a curve over steps, of the last step.
    """
    frame = tables.main
    chosen = frame[frame["metric"].isin(metrics) & ~frame["seed"].isin(["", "pooled"])]
    keys = ["dataset", "variant", "metric", "seed"]
    ordered = chosen.sort_values(["epoch", "component"], kind="stable")
    last = ordered.drop_duplicates(keys, keep="last")
    found: dict[tuple[str, str, str], Values] = {}
    for dataset, variant, metric, seed, value in zip(
        *(last[key] for key in (*keys, "value")), strict=True
    ):
        if int(seed) not in ends.lost.get((dataset, variant), ()):
            found.setdefault((dataset, variant, metric), {})[int(seed)] = float(value)
    return {key: dict(sorted(values.items())) for key, values in found.items()}


def sizes(tables: Tables, ends: Finals) -> Sizes:
    """Of each data set and variant the first gated stage's `QUANTITIES` at the end, in neurons.

    A static layer without a gate has as many neurons as it was built with, all of them used, whole.
    A variant of which nothing is known has empty values.
    """
    study = tables.study
    stages = {variant.name: sizing.stage(variant.run) for variant in study.variants}
    names = {f"probe_{of}.{stage}" for stage in stages.values() if stage for of in QUANTITIES}
    probed = lasts(tables, ends, names)
    found: Sizes = {}
    for dataset in study.datasets:
        for variant in study.variants:
            stage = stages[variant.name]
            its = {
                of: probed.get((dataset, variant.name, f"probe_{of}.{stage}"), {})
                for of in QUANTITIES
            }
            built = sizing.neurons(variant.run)
            if not its["size"] and built and sizing.method(variant.run) == "static":
                seeds = ends.of(dataset, variant.name, "test", "accuracy")
                its = {of: dict.fromkeys(seeds, float(built)) for of in QUANTITIES}
            found[dataset, variant.name] = its
    return found


def start(run: variants.Run) -> float:
    """The size from which a layer starts; `nan` if another's size or an unknown width decides."""
    if sizing.method(run) == "matched":
        return math.nan
    found = sizing.start(run)
    known = sizing.neurons(run) or sizing.gate(run).get("name") == "flexible"
    return found if known else math.nan


def prices(run: variants.Run) -> dict[str, float]:
    """Gated stage → what a used neuron of it costs, in nats; stages without a price are left out."""
    edit = sizing.edit(run)
    found = {
        stage: float(edit.get("price", gate.get("price", 0.0)))
        for stage, gate in sizing.gates(run).items()
    }
    return {stage: price for stage, price in found.items() if price}


def objectives(tables: Tables, ends: Finals) -> dict[tuple[str, str], Values]:
    """Data set and variant → seed → test loss plus what the used neurons of all gated stages cost, in nats.

    Empty for a variant without a price.
    """
    study = tables.study
    paid = {variant.name: prices(variant.run) for variant in study.variants}
    names = {f"probe_size.{stage}" for its in paid.values() for stage in its}
    probed = lasts(tables, ends, names)
    found: dict[tuple[str, str], Values] = {}
    for dataset in study.datasets:
        for name, its in paid.items():
            losses = ends.of(dataset, name, "test", "loss")
            used = {stage: probed.get((dataset, name, f"probe_size.{stage}"), {}) for stage in its}
            found[dataset, name] = {
                seed: loss + math.fsum(price * used[stage][seed] for stage, price in its.items())
                for seed, loss in losses.items()
                if its and all(seed in sizes for sizes in used.values())
            }
    return found


def bare(found: Mapping[str, float]) -> dict[str, float]:
    """What `finals.apart` gives, with its bounds called `low` and `high`."""
    names = {"difference_low": "low", "difference_high": "high"}
    return {names.get(key, key): value for key, value in found.items()}
