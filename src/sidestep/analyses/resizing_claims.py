"""What the journal said of layers that size themselves, and what we expect of ours, each held against the runs.

A claim of a difference agrees or disagrees where the 95 % t interval excludes 0. A claim that two things are
equal needs a margin, since an interval that holds 0 may only be wide: it agrees where the whole interval lies
within the margin, and disagrees where all of it lies beyond. Everything else is open.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from sidestep import sizing, things, variants
from sidestep.analyses import late_loss
from sidestep.analyses.shared.finals import Values
from sidestep.analyses.shared.moments import after, before
from sidestep.analyses.shared.size_claims import (
    AGREES,
    DISAGREES,
    NOT_RUN,
    NOTHING,
    OPEN,
    Claim,
    Context,
    Found,
    above,
    below,
    contrary,
    first,
    of_row,
    points,
    within,
)
from sidestep.analyses.switched_off import initial
from sidestep.files import canonical_json
from sidestep.statistics.intervals import Interval, mean_interval, paired_difference
from sidestep.study import Variant
from sidestep.tables import Tables

COLUMNS = [
    *("study", "claim", "dataset", "variant", "other", "value", "low", "high", "n"),
    *("unit", "outcome"),
]
# Of claims on how data sets differ.
BOTH = "both"
EASIER, HARDER = "mnist", "fashion_mnist"
# Units, and the margins within which things of that unit are called equal.
SIZE, POINTS, NATS, SHARE, JUMPS = "neurons", "points", "nats", "share of initial", "jumps a run"
SAME_SIZE, SAME_ACCURACY, SAME_LOSS, STILL = 10.0, 0.5, 0.01, 1.0
# Weights below this share of what initialisation gives are as good as gone.
EMPTY = 0.1
# Whole training runs that are no longer than this have not come to where the journal saw noise.
NOISE_AFTER = 30


def analyse(tables: Tables) -> pd.DataFrame:
    """One row per claim and data set, and one per claim on how data sets differ.

    Columns: `study`; `claim`, a key; `dataset`, or `both`; `variant`, and `other`, to which it is compared (empty if to
    nothing; several with commas, if the value is a mean over them): of several that would do the study's first, but
    for what is said below (both empty if there is none);
    `value` at the end of training, the mean over the `n` seeds that finished (differences are `variant` minus
    `other`, paired by seed), with its 95 % t interval (`low`, `high`) and its `unit`; `outcome`, `agrees`, `disagrees`,
    `open`, also where all seeds diverged, or `not run`.

    Of the journal:

    - `size_independent_of_start`, `accuracy_independent_of_start`: of a flexible layer, from the highest start minus
      from the lowest. Equal means within ±10 neurons and within ±0.5 points.
    - `decay_empties_switched_off`: with weight decay the outgoing weights of switched off neurons are less than a
      tenth of what initialisation gives. Agrees or disagrees where the interval lies below or above a tenth.
    - `no_decay_is_larger`: a flexible layer becomes larger without weight decay than with it, all else equal.
    - `grows_without_price`: a flexible layer, of the least decay that there is, ends larger than it was before the
      first step.
    - `random_slope_slower`, `random_slope_worse`: with a random slope a layer is smaller after as many steps, and its
      training loss is higher, than with a fixed one of equal price, decay and start.
    - `drawn_boundary_still`: the boundary of neurons that are drawn on or off never moves if there is no price. The
      value is its largest distance from where it was at first; agrees only if that is 0 in all runs.
    - `pretrained_is_smaller`, `pretrained_same_loss`: of a layer whose size moves only after pretraining, minus a
      flexible one from where it is restarted, at as many epochs since the size began to move as both have. Equal
      losses means within ±0.01 nats, on training images.
    - `boundary_price_diverges`: with a price on the boundary itself it ends below 0.
    - `fashion_smaller_flexible`, `fashion_larger_sparsified`: on Fashion-MNIST minus on MNIST, mean
      over the starts.
    - `sparsified_generalises_better`: test accuracy of the sparsified layer of the lowest price above 0 minus that of
      the static one of the same optimiser and decay (of any, if there is none) whose number of neurons is the
      nearest, in octaves, to what it starts with.
    - `sparsified_start_matters`, an open question there: as `size_independent_of_start`, and `agrees` is yes.
    - `flexible_equals_static`: test accuracy minus that of the matched static layer, equal within ±0.5 points. The
      journal says so of MNIST, and the contrary of Fashion-MNIST.
    - `late_loss_noisy_adam`: jumps of the training loss (`late_loss`) in the second half of a run by Adam.
      Agrees where the interval lies above 0; disagrees if no run has one, but only after more than 30 epochs.
    - `adamax_calmer`: such jumps by AdaMax minus by Adam.

    Of ours: `worth_independent_of_start`, `mixture_independent_of_start` as for flexible layers;
    `worth_larger_on_harder`, sizes on the data set on which the baseline is worse minus on the other, mean over the
    starts;
    `two_phase_larger`, than a flexible layer of equal price, decay and start; `size_only_moves`: the boundary, which
    alone moves in a trained network, ends elsewhere than it was restarted, by more than one neuron.
    """
    context = Context.of(tables)
    rows: list[dict[str, Any]] = []
    for claim, says in CLAIMS.items():
        for dataset in context.study.datasets:
            rows.append(_row(context, claim, dataset, says(context, dataset)))
    for claim, compares in CLAIMS_OF_BOTH.items():
        rows.append(_row(context, claim, BOTH, compares(context, BOTH)))
    places = {claim: place for place, claim in enumerate(ORDER)}
    rows.sort(key=lambda row: places[row["claim"]])
    return pd.DataFrame(rows, columns=COLUMNS)


def _row(context: Context, claim: str, dataset: str, found: Found) -> dict[str, Any]:
    outcome = found.outcome
    datasets = context.study.datasets if dataset == BOTH else (dataset,)
    if not found.interval.n and found.variant:
        names = [name for name in (found.variant, found.other) if name]
        lost = any(context.ends.diverged(d, name) for d in datasets for name in names)
        outcome = OPEN if lost else NOT_RUN
    return {
        "study": context.study.name,
        "claim": claim,
        "dataset": dataset,
        "variant": found.variant,
        "other": found.other,
        "value": found.interval.mean,
        "low": found.interval.low,
        "high": found.interval.high,
        "n": found.interval.n,
        "unit": found.unit,
        "outcome": outcome,
    }


def _independent(method: str, *, claimed: bool = True) -> Claim:
    """That a method's layers come to one size from every start, or that they do not."""

    def claim(context: Context, dataset: str) -> Found:
        row = first(context.starts, dataset=dataset, method=method)
        if row is None:
            return NOTHING
        interval = of_row(row)
        same = within(interval, SAME_SIZE)
        outcome = same if claimed else contrary(same)
        return Found(row["high_variant"], row["low_variant"], interval, SIZE, outcome)

    return claim


def _accuracy_independent(context: Context, dataset: str) -> Found:
    row = first(context.starts, dataset=dataset, method="flexible")
    if row is None:
        return NOTHING
    interval = of_row(row, "accuracy_", 100)
    same = within(interval, SAME_ACCURACY)
    return Found(row["high_variant"], row["low_variant"], interval, POINTS, same)


def _empties(context: Context, dataset: str) -> Found:
    for variant in context.of_method("flexible"):
        if sizing.decay(variant.run) > 0:
            _, outside = context.weights.get((dataset, variant.name), ({}, {}))
            drawn = initial(variant.run)
            interval = mean_interval([value / drawn for value in outside.values()])
            return Found(variant.name, "", interval, SHARE, below(interval, EMPTY))
    return NOTHING


def _larger_without_decay(context: Context, dataset: str) -> Found:
    for group in variants.differing_in(context.study, "optimiser.weight_decay"):
        flexible = [v for v in group if sizing.method(v.run) == "flexible"]
        none = [v for v in flexible if not sizing.decay(v.run)]
        some = [v for v in flexible if sizing.decay(v.run)]
        if none and some:
            return _compared(context, dataset, (none[0], some[0]), "size", SIZE, above)
    return NOTHING


def _compared(
    context: Context,
    dataset: str,
    pair: tuple[Variant, Variant],
    quantity: str,
    unit: str,
    says: Callable[[Interval], str],
) -> Found:
    """The paired difference of two variants at their ends."""
    values = [context.last(dataset, variant, quantity) for variant in pair]
    interval = paired_difference(values[0], values[1])
    return Found(pair[0].name, pair[1].name, interval, unit, says(interval))


def _grows(context: Context, dataset: str) -> Found:
    free = [v for v in context.of_method("flexible") if not sizing.price(v.run)]
    if not free:
        return NOTHING
    variant = min(free, key=lambda v: sizing.decay(v.run))
    its = context.curves(dataset, variant, "size")
    grown = mean_interval([curve[max(curve)] - curve[min(curve)] for curve in its.values()])
    return Found(variant.name, "", grown, SIZE, above(grown))


def _counterpart(context: Context, variant: Variant) -> Variant | None:
    """A flexible variant of equal network, price, decay and start, and of the fewest other differences."""
    candidates = [
        other for other in context.of_method("flexible") if _main(other.run) == _main(variant.run)
    ]

    def differences(other: Variant) -> int:
        return sum(other.run.get(key) != value for key, value in variant.run.items())

    return min(candidates, key=differences, default=None)


def _main(run: variants.Run) -> str:
    network = things.complete("networks", run["network"])
    return canonical_json([network, sizing.price(run), sizing.decay(run), sizing.start(run)])


def _beside_flexible(
    method: str, quantity: str, unit: str, says: Callable[[Interval], str]
) -> Claim:
    """That a method differs at the end from the flexible layer that is like it in all else."""

    def claim(context: Context, dataset: str) -> Found:
        for variant in context.of_method(method):
            other = _counterpart(context, variant)
            if other is not None:
                return _compared(context, dataset, (variant, other), quantity, unit, says)
        return NOTHING

    return claim


def _pretrained(quantity: str, unit: str, says: Callable[[Interval], str]) -> Claim:
    """That pretraining makes a difference, at as many epochs since the size began to move."""

    def claim(context: Context, dataset: str) -> Found:
        for variant in context.of_method("flexible_pretrained"):
            other = _counterpart(context, variant)
            if other is None:
                continue
            pair = (variant, other)
            epochs = min(v.run["epochs"] - before(v.run) for v in pair)
            values = [after(v.run, context.curves(dataset, v, quantity), epochs)[0] for v in pair]
            interval = paired_difference(values[0], values[1])
            return Found(variant.name, other.name, interval, unit, says(interval))
        return NOTHING

    return claim


def _drawn_still(context: Context, dataset: str) -> Found:
    for variant in context.of_method("flexible_drawn"):
        if not sizing.price(variant.run):
            its = context.curves(dataset, variant, "boundary")
            moved = [
                max(abs(value - curve[min(curve)]) for value in curve.values())
                for curve in its.values()
            ]
            interval = mean_interval(moved)
            outcome = AGREES if interval.n > 1 and not any(moved) else contrary(above(interval))
            return Found(variant.name, "", interval, SIZE, outcome)
    return NOTHING


def _boundary_diverges(context: Context, dataset: str) -> Found:
    for variant in context.of_method("flexible_boundary_price"):
        interval = mean_interval([*context.last(dataset, variant, "boundary").values()])
        return Found(variant.name, "", interval, SIZE, below(interval))
    return NOTHING


def _on_fashion(method: str, says: Callable[[Interval], str]) -> Claim:
    """That a method's layers are smaller, or larger, on Fashion-MNIST than on MNIST."""

    def claim(context: Context, dataset: str) -> Found:
        del dataset
        if not {EASIER, HARDER} <= {*context.study.datasets}:
            return NOTHING
        members = _from_all_starts(context, method)
        if not members:
            return NOTHING
        values = [_mean_size(context, name, members) for name in (HARDER, EASIER)]
        interval = paired_difference(values[0], values[1])
        return Found(_names(members), "", interval, SIZE, says(interval))

    return claim


def _from_all_starts(context: Context, method: str) -> list[Variant]:
    """A method's first variant and those that differ from it in the start alone."""
    first = next(context.of_method(method), None)
    if first is None:
        return []
    groups = sizing.from_every_start(context.study)
    return next((group for group in groups if first in group), [first])


def _names(members: list[Variant]) -> str:
    return ", ".join(variant.name for variant in members)


def _mean_size(context: Context, dataset: str, members: list[Variant]) -> Values:
    """Seed → the mean size over variants, of seeds that finished in all of them."""
    each = [context.last(dataset, variant, "size") for variant in members]
    seeds = [seed for seed in each[0] if all(seed in its for its in each)]
    return {seed: float(np.mean([its[seed] for its in each])) for seed in seeds}


def _generalises(context: Context, dataset: str) -> Found:
    sparsified = context.of_method("sparsified")
    priced = [v for v in sparsified if sizing.price(v.run) and sizing.neurons(v.run)]
    static = [v for v in context.of_method("static") if sizing.neurons(v.run)]
    if not priced or not static:
        return NOTHING
    variant = min(priced, key=lambda v: sizing.price(v.run))

    def apart(other: Variant) -> tuple[bool, float]:
        mine, theirs = (things.complete("optimisers", v.run["optimiser"]) for v in (variant, other))
        return mine != theirs, abs(math.log2(sizing.neurons(other.run) / sizing.start(variant.run)))

    other = min(static, key=apart)
    values = [context.ends.of(dataset, v.name, "test", "accuracy") for v in (variant, other)]
    interval = points(paired_difference(values[0], values[1]))
    return Found(variant.name, other.name, interval, POINTS, above(interval))


def _equals_static(context: Context, dataset: str) -> Found:
    row = first(
        context.matches, dataset=dataset, method="flexible", against="matched", images="test"
    )
    if row is None:
        return NOTHING
    interval = of_row(row, factor=100)
    same = within(interval, SAME_ACCURACY)
    return Found(row["variant"], row["other"], interval, POINTS, same)


def _late_jumps(context: Context, dataset: str, variant: str) -> Values:
    """Seed → jumps of its training loss in the second half of training, of all runs."""
    runs = context.losses.get((dataset, variant), {})
    last = max((step for curve in runs.values() for step in curve), default=0)
    return {
        seed: float(np.sum(np.array(late_loss.jumps(curve)) > last / 2))
        for seed, curve in runs.items()
    }


def _optimisers(context: Context) -> tuple[str, str] | None:
    """A variant trained by Adam and one by AdaMax that differ in the optimiser alone."""
    for group in late_loss.compared(context.study):
        by_rule = {context.study.variant(name).run["optimiser"]["name"]: name for name in group}
        if {"adam", "adamax"} <= by_rule.keys():
            return by_rule["adam"], by_rule["adamax"]
    return None


def _noisy_adam(context: Context, dataset: str) -> Found:
    both = _optimisers(context)
    if both is None:
        return NOTHING
    interval = mean_interval([*_late_jumps(context, dataset, both[0]).values()])
    outcome = above(interval)
    long = context.study.variant(both[0]).run["epochs"] > NOISE_AFTER
    if long and interval.n > 1 and interval.mean == 0:
        outcome = DISAGREES
    return Found(both[0], "", interval, JUMPS, outcome)


def _calmer_adamax(context: Context, dataset: str) -> Found:
    both = _optimisers(context)
    if both is None:
        return NOTHING
    calm, noisy = (_late_jumps(context, dataset, name) for name in (both[1], both[0]))
    interval = paired_difference(calm, noisy)
    return Found(both[1], both[0], interval, JUMPS, below(interval))


def _larger_on_harder(context: Context, dataset: str) -> Found:
    del dataset
    row = first(context.harder, method="by_worth")
    if row is None:
        return NOTHING
    members = _from_all_starts(context, "by_worth")
    values = [_mean_size(context, row[place], members) for place in ("harder", "easier")]
    interval = paired_difference(values[0], values[1])
    return Found(_names(members), "", interval, SIZE, above(interval))


def _size_moves(context: Context, dataset: str) -> Found:
    for variant in context.of_method("flexible_size_only"):
        restart = sizing.start(variant.run)
        its = context.last(dataset, variant, "boundary")
        interval = mean_interval([value - restart for value in its.values()])
        return Found(variant.name, "", interval, SIZE, contrary(within(interval, STILL)))
    return NOTHING


CLAIMS: dict[str, Claim] = {
    "size_independent_of_start": _independent("flexible"),
    "accuracy_independent_of_start": _accuracy_independent,
    "decay_empties_switched_off": _empties,
    "no_decay_is_larger": _larger_without_decay,
    "grows_without_price": _grows,
    "random_slope_slower": _beside_flexible("flexible_random_slope", "size", SIZE, below),
    "random_slope_worse": _beside_flexible("flexible_random_slope", "train_loss", NATS, above),
    "drawn_boundary_still": _drawn_still,
    "pretrained_is_smaller": _pretrained("size", SIZE, below),
    "pretrained_same_loss": _pretrained("train_loss", NATS, lambda i: within(i, SAME_LOSS)),
    "boundary_price_diverges": _boundary_diverges,
    "sparsified_generalises_better": _generalises,
    "sparsified_start_matters": _independent("sparsified", claimed=False),
    "flexible_equals_static": _equals_static,
    "late_loss_noisy_adam": _noisy_adam,
    "adamax_calmer": _calmer_adamax,
    "worth_independent_of_start": _independent("by_worth"),
    "mixture_independent_of_start": _independent("by_mixture"),
    "two_phase_larger": _beside_flexible("flexible_two_phase", "size", SIZE, above),
    "size_only_moves": _size_moves,
}
CLAIMS_OF_BOTH: dict[str, Claim] = {
    "fashion_smaller_flexible": _on_fashion("flexible", below),
    "fashion_larger_sparsified": _on_fashion("sparsified", above),
    "worth_larger_on_harder": _larger_on_harder,
}
# In which the text has them.
ORDER = (
    *("size_independent_of_start", "accuracy_independent_of_start", "decay_empties_switched_off"),
    *("no_decay_is_larger", "grows_without_price", "random_slope_slower", "random_slope_worse"),
    *("drawn_boundary_still", "pretrained_is_smaller", "pretrained_same_loss"),
    *("boundary_price_diverges", "fashion_smaller_flexible", "fashion_larger_sparsified"),
    *("sparsified_generalises_better", "sparsified_start_matters", "flexible_equals_static"),
    *("late_loss_noisy_adam", "adamax_calmer", "worth_independent_of_start"),
    *("worth_larger_on_harder", "mixture_independent_of_start", "two_phase_larger"),
    "size_only_moves",
)
