"""Values while training at a number of epochs since a layer's size began to move."""

from collections.abc import Mapping

import pandas as pd

from sidestep import sizing, things, variants
from sidestep.analyses.shared import timeline
from sidestep.analyses.shared.finals import Finals, Values
from sidestep.tables import Tables

#: Step → value, by rising step, of one run.
Curve = Mapping[int, float]
#: (data set, variant) → quantity → seed → curve, of the runs that finished.
Moments = dict[tuple[str, str], dict[str, dict[int, dict[int, float]]]]
# Of the first gated stage, as the probe `sizes` names them.
PROBED = ("size", "boundary")


def moments(tables: Tables, ends: Finals) -> Moments:
    """Size and boundary of the first gated stage (neurons), and `<split>_loss` and `<split>_accuracy`.

    Args:
        tables: of the study.
        ends: of the study, which know the runs that diverged.
    """
    found: Moments = {}
    history = timeline.history(tables)
    named = history.assign(quantity=history["split"] + "_" + history["quantity"])
    for frame in (named, _probed(tables)):
        ordered = frame.sort_values("step", kind="stable")
        for dataset, variant, seed, quantity, step, value in zip(
            *(ordered[key] for key in ("dataset", "variant", "seed", "quantity", "step", "value")),
            strict=True,
        ):
            if int(seed) not in ends.lost.get((dataset, variant), ()):
                its = found.setdefault((str(dataset), str(variant)), {})
                curve = its.setdefault(str(quantity), {}).setdefault(int(seed), {})
                curve[int(step)] = float(value)
    return found


def before(run: variants.Run) -> float:
    """Epochs of a run in which its size is held where it is, before it begins to move."""
    strategy = things.complete("strategies", run["strategy"])
    held = strategy["before"] if strategy["name"] == "size_later" else 0.0
    return float(held * run["epochs"])


def after(run: variants.Run, curves: Mapping[int, Curve], epochs: float) -> tuple[Values, bool]:
    """Seed → its value at the evaluation nearest to so many epochs since the size began to move.

    Returns:
        The values, and whether the evaluations were at that step, to half a step.
    """
    last = max((step for curve in curves.values() for step in curve), default=0)
    wanted = (before(run) + epochs) * last / run["epochs"]
    steps = {seed: min(curve, key=lambda s: abs(s - wanted)) for seed, curve in curves.items()}
    values = {seed: curves[seed][step] for seed, step in steps.items()}
    return values, all(abs(step - wanted) <= 0.5 for step in steps.values())


def _probed(tables: Tables) -> pd.DataFrame:
    """Sizes and boundaries of first gated stages in the columns of `timeline.history` that are read."""
    frame = tables.main
    frame = frame[frame["metric"].str.startswith("probe_") & frame["component"].notna()]
    stages = {variant.name: sizing.stage(variant.run) for variant in tables.study.variants}
    parts = []
    for of in PROBED:
        wanted = frame["variant"].map({name: f"probe_{of}.{at}" for name, at in stages.items()})
        chosen = frame[frame["metric"] == wanted]
        parts.append(chosen.assign(quantity=of, step=chosen["component"].astype(int)))
    return pd.concat(parts, ignore_index=True)
