"""What the older works published of networks with fewer parameters, beside ours of the nearest size.

The figures are in `paper/published_substitution.csv`, each with its source (a citation key of the paper's
bibliography) and what is known of its run. All are of CIFAR-10.
"""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from sidestep import variants
from sidestep.analyses.shared import published
from sidestep.analyses.shared.finals import Finals, finals, mean
from sidestep.datasets import cifar10
from sidestep.registry import PACKAGE
from sidestep.study import Study
from sidestep.tables import Tables

PATH = PACKAGE.parents[1] / "paper" / "published_substitution.csv"
DATA = cifar10.DATASET
PUBLISHED = (
    *("source", "network", "layer", "setting", "parameters", "mult_adds", "error", "teacher"),
    *("cutout", "decay", "epochs", "how", "note"),
)
COLUMNS = [
    *("study", "dataset", *PUBLISHED, "variant", "our_parameters"),
    *("accuracy", "low", "high", "n", "difference", "differs_in", "outcome"),
]
TEXTS = ("setting", "decay", "note")
# A wide residual network's name with its depth and width.
FAMILY = "WRN"
# Numbers of parameters that are nearer than this share are the same: the older layers have some biases more.
NEAR = 0.01


def analyse(tables: Tables) -> pd.DataFrame:
    """One row per published figure, in a study of CIFAR-10; else none.

    Columns: `study`, `dataset`; as published `source`, `network` (`WRN-depth-width`, or another), `layer` as we name
    it, `setting` in the source's words, `parameters` and `mult_adds` (of an image, by the source's rules) where
    known, `error` (top-1 on test images, a share), `teacher` (1 or 0), `cutout` (1 or 0, empty if not recorded),
    `decay` of the layers' weights (`full`, `scaled` or what else it was, empty if not recorded), `epochs`, `how` it is
    known (`exact`, off a vector drawing; `log`; `eye`; `text`), `note`.

    Ours: `variant`, a wide residual network with that layer, taught or not as that was, whose parameters are the
    nearest share of those of the study's baseline to what the published ones are of the same network with dense
    convolutions (of several the one with the fewest differences, then the study's first; empty if there is none);
    `our_parameters`; test `accuracy` at the last evaluation, with its 95 % t interval (`low`, `high`), over the `n`
    seeds that finished; `difference`, ours minus the published accuracy, 1 − error; `differs_in`, what else is
    different, with `;` between: of `network`, `parameters` (by more than 1 %), `epochs`, `cutout`, `decay` (not of a
    dense network) and `train_images` (all were trained on 50,000); `outcome`: `agrees` or `differs` (the published
    accuracy lies inside or outside of our interval), `no interval` (one seed), `other settings` (some differ, or
    were not recorded), or `not run` (no such variant, or no seed of it finished).

    Args:
        tables: of the study.

    Raises:
        UserError: there is no `paper/published_substitution.csv`, or it lacks a column.
    """
    study, figures = tables.study, read(PATH)
    if DATA.name not in study.datasets:
        return pd.DataFrame(columns=COLUMNS)
    ends, sizes, dense = finals(tables), _sizes(tables), _dense(figures)
    rows: list[dict[Any, Any]] = []
    for figure in figures.to_dict("records"):
        whole = dense.get(str(figure["network"]), math.nan)
        name, differing = _nearest(figure, study, sizes, whole)
        row: dict[Any, Any] = {"study": study.name, "dataset": DATA.name, **figure}
        row |= _beside(figure, ends, name, differing)
        rows.append({**row, "our_parameters": sizes.get(name, math.nan)})
    return pd.DataFrame(rows, columns=COLUMNS)


def read(path: Path) -> pd.DataFrame:
    """The published figures.

    Raises:
        UserError: no such file, or a column is missing.
    """
    return published.read(path, PUBLISHED, TEXTS)


def _sizes(tables: Tables) -> dict[str, float]:
    """Variant → its number of parameters."""
    frame = tables.main
    chosen = frame[(frame["metric"] == "parameters") & (frame["dataset"] == DATA.name)]
    means = chosen.groupby("variant", sort=False)["value"].mean()
    return {str(name): float(value) for name, value in means.items()}


def _dense(figures: pd.DataFrame) -> dict[str, float]:
    """Network → parameters with dense convolutions."""
    chosen = figures[(figures["layer"] == variants.DENSE) & figures["parameters"].notna()]
    pairs = zip(chosen["network"], chosen["parameters"], strict=True)
    return {str(network): float(parameters) for network, parameters in pairs}


def _nearest(
    figure: Mapping[Any, Any], study: Study, sizes: Mapping[str, float], whole: float
) -> tuple[str, tuple[str, ...]]:
    """The variant to compare with, empty if there is none, and what it differs in."""
    candidates = []
    for place, variant in enumerate(study.variants):
        if _is_of(variant.run, figure):
            size = sizes.get(variant.name, math.nan)
            ours = size / sizes.get(study.baseline, math.nan)
            apart = abs(math.log(ours / (figure["parameters"] / whole)))
            differing = _differing(variant.run, figure, size)
            # Where a size is not known all are as near.
            far = 0.0 if math.isnan(apart) else round(apart, 9)
            candidates.append((far, len(differing), place, variant.name, differing))
    best = min(candidates, default=(0.0, 0, 0, "", ()))
    return best[3], best[4]


def _is_of(run: variants.Run, figure: Mapping[Any, Any]) -> bool:
    """Whether a run has a network of the published one's family and its layer, and a teacher if that had."""
    return (
        run["network"]["name"] == "wide_resnet"
        and str(figure["network"]).startswith(f"{FAMILY}-")
        and variants.layer(run) == figure["layer"]
        and variants.taught(run) == bool(figure["teacher"])
    )


def _differing(run: variants.Run, figure: Mapping[Any, Any], size: float) -> tuple[str, ...]:
    """In what that was recorded of a published run ours differs."""
    network = run["network"]
    decay = (variants.USUAL | run)["substituted_decay"]
    images = DATA.sizes["train"]
    found = {
        "network": f"{FAMILY}-{network['depth']}-{network['width']}" != figure["network"],
        "parameters": abs(size / figure["parameters"] - 1) > NEAR,
        "epochs": published.recorded(figure["epochs"]) and run["epochs"] != figure["epochs"],
        "cutout": published.recorded(figure["cutout"])
        and ("cutout" in variants.augmented_by(run)) != bool(figure["cutout"]),
        "decay": figure["layer"] != variants.DENSE
        and published.recorded(figure["decay"])
        and decay != figure["decay"],
        "train_images": (run.get("train_images") or images) - run.get("validation", 0) != images,
    }
    return tuple(name for name, differs in found.items() if differs)


def _beside(
    figure: Mapping[Any, Any], ends: Finals, variant: str, differing: tuple[str, ...]
) -> dict[str, Any]:
    """Our columns for one published figure."""
    found = mean(ends.of(DATA.name, variant, "test", "accuracy"))
    accuracy = 1 - figure["error"]
    settings = [figure[key] for key in ("parameters", "epochs", "cutout")]
    if figure["layer"] != variants.DENSE:
        settings.append(figure["decay"])
    comparable = not differing and all(map(published.recorded, settings))
    return {
        "variant": variant,
        "accuracy": found["mean"],
        "low": found["low"],
        "high": found["high"],
        "n": found["n"],
        "difference": found["mean"] - accuracy,
        "differs_in": ";".join(differing),
        "outcome": published.outcome(found, accuracy, comparable=comparable),
    }
