"""A made study with a variant of every method, and changes to what the tables of made studies say."""

from collections.abc import Mapping
from typing import Any

import made_resizing
import numpy as np
import pandas as pd
from made_resizing import DATASETS, STEPS, Run, flexible, matched, run

from sidestep import sizing
from sidestep.tables import Tables

FREE = {"price": 0.0}
RUNS: dict[str, Run] = {
    "plain-small": run(20),
    "plain-large": run(50),
    "plain-max": run(50, optimiser={"name": "adamax", "weight_decay": made_resizing.DECAY}),
    "soft-low": flexible(5.0),
    "soft-middle": flexible(20.0),
    "soft-high": flexible(40.0),
    "soft-low-again": matched("soft-low"),
    "soft-light": flexible(5.0, decay=0.0),
    "unpriced-decayed": flexible(5.0, gate=FREE),
    "unpriced": flexible(5.0, gate=FREE, decay=0.0),
    "blurred": flexible(5.0, gate=FREE | {"slope_is": "random"}, decay=0.0),
    "coin": flexible(20.0, gate=FREE | {"switch": "drawn"}),
    "later": flexible(
        45.0,
        gate=FREE,
        decay=0.0,
        strategy={"name": "size_later", "before": 0.5, "restart": 5.0},
    ),
    "unbounded": flexible(5.0, gate={"price_on": "boundary"}),
    "sparse-low": made_resizing.sparsified(10),
    "sparse-high": made_resizing.sparsified(50),
    "sparse-cheap": made_resizing.sparsified(50, gate={"price": 1e-4}),
    "sorted-low": made_resizing.by_worth(8),
    "sorted-high": made_resizing.by_worth(40),
    "mixed-low": run(
        8, {"name": "open"}, strategy={"name": "rounds", "edit": {"name": "by_mixture"}, "rounds": 2}
    ),
    "mixed-high": run(
        40, {"name": "open"}, strategy={"name": "rounds", "edit": {"name": "by_mixture"}, "rounds": 2}
    ),
    "in-turn": flexible(5.0, strategy={"name": "two_phase", "rounds": 2}),
    "alone": flexible(45.0, strategy={"name": "size_later", "before": 0.5, "restart": 20.0, "then": "size"}),
}  # fmt: skip
SIZES: dict[str, tuple[float, ...]] = {
    "plain-small": (20, 20, 20),
    "plain-large": (50, 50, 50),
    "plain-max": (50, 50, 50),
    "soft-low": (20.5, 22.0, 21.5),
    "soft-middle": (20.0, 21.0, 22.0),
    "soft-high": (22.0, 21.0, 23.0),
    "soft-low-again": (20, 22, 22),
    "soft-light": (30.0, 33.0, 31.0),
    "unpriced-decayed": (24.0, 25.0, 26.0),
    "unpriced": (35.0, 36.0, 39.0),
    "blurred": (25.0, 27.0, 28.0),
    "coin": (20.0, 20.0, 20.0),
    "later": (12.0, 13.0, 15.0),
    "unbounded": (-20.0, -22.0, -21.0),
    "sparse-low": (9, 10, 8),
    "sparse-high": (31, 33, 29),
    "sparse-cheap": (44, 47, 43),
    "sorted-low": (16, 17, 17),
    "sorted-high": (17, 16, 18),
    "mixed-low": (6, 7, 7),
    "mixed-high": (33, 36, 34),
    "in-turn": (24.0, 27.0, 25.0),
    "alone": (26.0, 27.0, 25.0),
}
ACCURACIES: dict[str, tuple[float, ...]] = {
    name: (0.960, 0.962, 0.961 + 0.0002 * place) for place, name in enumerate(RUNS)
}
# How much larger, or smaller, sizes are on the second data set, and how much worse the accuracies.
HARDER = {"soft": -6.0, "sparse": 7.0, "sorted": 9.0}
WORSE = 0.1
# Losses at every evaluation.
CALM = (2.0, 1.0, 0.5, 0.3, 0.2, 0.1, 0.05, 0.02, 0.01)
# Three jumps: by a factor of four, of two and a little, and to five times; twofold is none.
NOISY = (2.0, 1.0, 0.5, 0.1, 0.4, 0.2, 0.05, 0.101, 0.505)


def study(
    runs: Mapping[str, Run] = RUNS,
    sizes: Mapping[str, tuple[float, ...]] | None = None,
    accuracies: Mapping[str, tuple[float, ...]] | None = None,
    **settings: Any,
) -> Tables:
    """A study of these runs, with other sizes and accuracies of some; nothing is known of orders."""
    every_size = SIZES | dict(sizes or {})
    every_accuracy = ACCURACIES | dict(accuracies or {})
    seeds = range(min(len(every_size[name]) for name in runs))
    found = {
        dataset: {
            name: tuple(
                size + place * HARDER.get(name, HARDER.get(name.partition("-")[0], 0.0))
                for size in every_size[name]
            )
            for name in runs
        }
        for place, dataset in enumerate(DATASETS)
    }
    reached = {
        dataset: {name: tuple(a - place * WORSE for a in every_accuracy[name]) for name in runs}
        for place, dataset in enumerate(DATASETS)
    }
    there = {
        dataset: {
            name: (50,) * len(seeds) if its["gates"].get("hidden", {}).get("name") == "flexible"
            else tuple(round(size) for size in found[dataset][name])
            for name, its in runs.items()
        }
        for dataset in DATASETS
    }  # fmt: skip
    given: dict[str, Any] = {
        "baseline": next(iter(runs)), "orders": False, "seeds": tuple(seeds), **settings,
    }  # fmt: skip
    return made_resizing.made(runs, sizes=found, accuracies=reached, neurons=there, **given)


def changed(tables: Tables, values: pd.Series) -> Tables:
    """The same study with other values in its table."""
    return Tables(tables.study, _read={"": tables.main.assign(value=values)})


def with_losses(
    tables: Tables, losses: Mapping[tuple[str, int], tuple[float, ...]], images: str = "train"
) -> Tables:
    """The study with other losses on a split, by variant and seed, from the first evaluation on."""
    frame = tables.main
    values = frame["value"].copy()
    for (variant, seed), its in losses.items():
        chosen = (frame["metric"] == "history_loss") & (frame["images"] == images)
        chosen &= (frame["variant"] == variant) & (frame["seed"] == str(seed))
        steps = dict(zip(STEPS, its, strict=False))
        values[chosen] = frame.loc[chosen, "component"].map(steps)
    return changed(tables, values)


def of(name: str, *, at: float = 1.0) -> Any:
    """Sizes of a variant a share of the way from where it starts to its last ones."""
    begin = sizing.start(RUNS[name])
    return begin + at * (np.array(SIZES[name]) - begin)
