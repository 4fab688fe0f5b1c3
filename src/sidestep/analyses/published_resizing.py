"""What the journal published of layers that size themselves, beside ours of the nearest settings.

The figures are in `paper/published_resizing.csv`, each with its source (a citation key of the paper's
bibliography) and what is known of its run. They are of networks with one hidden layer, trained on all 60,000
images of MNIST or Fashion-MNIST by Adam.
"""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from sidestep import sizing
from sidestep.analyses.matched_accuracy import best
from sidestep.analyses.shared import published
from sidestep.analyses.shared.finals import Finals, apart, finals, mean
from sidestep.analyses.shared.moments import Moments, after, before, moments
from sidestep.datasets import fashion_mnist, mnist
from sidestep.registry import PACKAGE
from sidestep.study import Study, Variant
from sidestep.tables import Tables
from sidestep.things import complete
from sidestep.variants import Run

PATH = PACKAGE.parents[1] / "paper" / "published_resizing.csv"
# The network with one hidden layer.
NETWORK = "mlp"
# By which of ours the nearest is found.
NEAREST = ("price", "decay", "start")
PUBLISHED = (
    *("source", "dataset", "method", *("start", "price", "decay"), "epochs", "neurons"),
    *("slope", "pretrained", "quantity", "value", "seeds", "how", "note"),
)
COLUMNS = [
    *("study", *PUBLISHED, "variant", "ours", "low", "high", "n"),
    *("difference", "differs_in", "outcome"),
]
TEXTS = ("source", "dataset", "method", "quantity", "how", "note")
TRAIN_IMAGES = {data.name: data.sizes["train"] for data in (mnist.DATASET, fashion_mnist.DATASET)}
SIZE = "size"
# Differences of accuracy → the split that they are of, and from what.
DIFFERENCES = {
    "matched_difference": ("test", "matched"),
    "best_difference": ("test", "best"),
    "train_best_difference": ("train", "best"),
}
BATCH, RATE, BOUNDARY_RATE = 128, 1e-3, 1.0
# Grey zone of the published random slopes, in neurons.
ZONE = (1.0, 20.0)
# A start within so many neurons is the same, and prices that are as near as this share are.
NEURONS, SHARE = 1.0, 0.01
# Lower prices are as far from each other as from none, when the nearest is looked for.
NO_PRICE = 1e-9


def analyse(tables: Tables) -> pd.DataFrame:
    """One row per published figure on one of this study's data sets.

    Columns: `study`; as published `source`, `dataset`, `method` as `sidestep.sizing` names it, `start` and number of
    `neurons` of the layer, `price` of a neuron (nats), weight `decay`, `epochs` since the size began to move,
    `slope` of a flexible layer (empty if it has none or it is random), `pretrained`, the epochs before in which the
    size was held, `quantity` (`size` in neurons; `test_accuracy`, `train_accuracy`, shares; `matched_difference` and
    `best_difference`, of test accuracy from the static network of the same size and from the best one;
    `train_best_difference`, of training accuracy), `value`, `seeds`, `how` it is known (`exact` or `read by eye`),
    `note`; what was not recorded is empty. A figure of before 4 November 2017 says so in its note and has the start
    from which it truly was, not the one it was said to be from (trap T3-5).

    Ours: `variant` of that method with one hidden layer that has the fewest of price, decay and start different, then
    the same decay, the nearest price in decades, the nearest start, the fewest other differences, then the study's
    first (empty if there is none of that method); `ours`, the mean at the evaluation nearest to as many epochs since
    the size began to move (differences: at the last one), with its 95 % t interval (`low`, `high`), over the `n` seeds
    that finished; `difference`, ours minus published; `differs_in`, what else is different, with `;` between: of
    `price`, `decay`, `start` (by more than one neuron), `neurons`, `slope`, `pretrained`, `batch_size`,
    `optimiser` (rule, rates or schedule), `train_images` and `epochs`; `outcome`: `agrees` or
    `differs` (the value lies inside or outside of our interval), `no interval` (one seed), `other settings` (some
    differ, or were not recorded), or `not run` (no such variant, or no seed of it finished).

    Args:
        tables: of the study.

    Raises:
        UserError: there is no `paper/published_resizing.csv`, or it lacks a column.
    """
    study, figures = tables.study, read(PATH)
    ends = finals(tables)
    known = moments(tables, ends)
    rows = [
        {"study": study.name, **figure, **_beside(figure, study, ends, known)}
        for figure in figures[figures["dataset"].isin(study.datasets)].to_dict("records")
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def read(path: Path) -> pd.DataFrame:
    """The published figures.

    Raises:
        UserError: no such file, or a column is missing.
    """
    return published.read(path, PUBLISHED, TEXTS)


def _nearest(figure: Mapping[Any, Any], study: Study) -> tuple[Variant | None, tuple[str, ...]]:
    """The variant to compare with, if there is one, and the settings in which it differs."""
    candidates = []
    for place, variant in enumerate(study.variants):
        run = variant.run
        if sizing.method(run) == figure["method"] and run["network"]["name"] == NETWORK:
            differing = _differing(run, figure)
            main = [name for name in NEAREST if name in differing]
            candidates.append(
                (
                    len(main),
                    "decay" in differing,
                    _decades(sizing.price(run), figure["price"]),
                    _distance(sizing.start(run), figure["start"]),
                    len(differing),
                    place,
                    variant,
                    differing,
                )
            )
    if not candidates:
        return None, ()
    *_, variant, differing = min(candidates, key=lambda candidate: candidate[:6])
    return variant, differing


def _decades(ours: float, theirs: float) -> float:
    """How far two prices are apart; nothing where one is not recorded."""
    if math.isnan(theirs):
        return 0.0
    return round(abs(math.log10(max(ours, NO_PRICE) / max(theirs, NO_PRICE))), 6)


def _distance(ours: float, theirs: float) -> float:
    return 0.0 if math.isnan(theirs) else abs(ours - theirs)


def _differing(run: Run, figure: Mapping[Any, Any]) -> tuple[str, ...]:
    """In what that was recorded of a published run ours differs; the epochs are told at its values."""
    optimiser = complete("optimisers", run["optimiser"])
    adam = optimiser["name"] == "adam" and math.isclose(optimiser["lr"], RATE)
    moves = sizing.gate(run).get("lr", BOUNDARY_RATE) == BOUNDARY_RATE
    every = TRAIN_IMAGES[figure["dataset"]]
    # A sparsified layer starts with all its neurons.
    starts = _distance(sizing.start(run), figure["start"]) > NEURONS
    found = {
        "price": not _alike(sizing.price(run), figure["price"]),
        "decay": not _alike(sizing.decay(run), figure["decay"]),
        "start": starts,
        "neurons": not _alike(sizing.neurons(run), figure["neurons"]),
        "slope": not _same_slope(run, figure["slope"]),
        "pretrained": not _alike(before(run), figure["pretrained"]),
        "batch_size": run["batch_size"] != BATCH,
        "optimiser": not (adam and moves and run["schedule"]["name"] == "constant"),
        "train_images": (run["train_images"] or every) - run["validation"] != every,
    }
    return tuple(name for name, differs in found.items() if differs)


def _alike(ours: float, theirs: float) -> bool:
    """Whether two numbers are the same, or the published one is not known."""
    return math.isnan(theirs) or math.isclose(ours, theirs, rel_tol=SHARE)


def _same_slope(run: Run, slope: float) -> bool:
    gate = sizing.gate(run)
    if gate.get("slope_is") == "random":
        return (gate["zone_from"], gate["zone_to"]) == ZONE
    return _alike(gate.get("slope", math.nan), slope)


def _beside(
    figure: Mapping[Any, Any], study: Study, ends: Finals, known: Moments
) -> dict[str, Any]:
    """Our columns for one published figure."""
    variant, differing = _nearest(figure, study)
    name = variant.name if variant else ""
    found, at_its_epochs = mean({}), True
    if variant is not None:
        found, at_its_epochs = _found(figure, variant, study, ends, known)
    if not at_its_epochs:
        differing = (*differing, "epochs")
    settings = [figure[key] for key in (*NEAREST, "epochs")]
    comparable = not differing and all(map(published.recorded, settings))
    return {
        "variant": name,
        "ours": found["mean"],
        "low": found["low"],
        "high": found["high"],
        "n": found["n"],
        "difference": found["mean"] - figure["value"],
        "differs_in": ";".join(differing),
        "outcome": published.outcome(found, figure["value"], comparable=comparable),
    }


def _found(
    figure: Mapping[Any, Any], variant: Variant, study: Study, ends: Finals, known: Moments
) -> tuple[dict[str, float], bool]:
    """Our mean with its interval and `n`, and whether it is of as many epochs as the published value."""
    dataset, quantity = str(figure["dataset"]), str(figure["quantity"])
    if quantity in DIFFERENCES:
        images, against = DIFFERENCES[quantity]
        other = best(study, ends, dataset)
        if against == "matched":
            other = sizing.matched(study, variant.name)
        between = apart(
            *(ends.of(dataset, name, images, "accuracy") for name in (variant.name, other))
        )
        found = {
            "mean": between["difference"],
            "low": between["difference_low"],
            "high": between["difference_high"],
            "n": between["pairs"],
        }
        return found, variant.run["epochs"] - before(variant.run) == figure["epochs"]
    curves = known.get((dataset, variant.name), {}).get(quantity, {})
    values, exact = after(variant.run, curves, figure["epochs"])
    return mean(values), exact
