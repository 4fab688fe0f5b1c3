"""Made studies with every row that the figures of the width study read."""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from sidestep.analyses import trends, verdicts
from sidestep.study import Study, Variant
from sidestep.tables import Tables

EPOCHS = (1, 3)
SCALARS = {
    "dead_neurons": 0.02,
    "sum_of_spread": 4.0,
    "sum_of_variance": 6.0,
    "participation_ratio": 0.3,
    "entropy_rank": 0.4,
    "components_for_95": 0.5,
    "components_for_99": 0.6,
}
WEIGHTS = ("participation_ratio", "entropy_rank", "stable_rank", "components_for_95")
COLUMNS = ["study", "dataset", "variant", "width", "seed", "epoch", "images", "metric"]
Row = tuple[Any, ...]


def tables(
    datasets: tuple[str, ...] = ("mnist", "fashion_mnist"),
    widths: tuple[int, ...] = (16, 32, 64, 128, 1024),
    seeds: tuple[int, ...] = (0, 1, 2),
    *,
    refused: bool = False,
    timed: bool = True,
    diverged: tuple[tuple[int, int], ...] = (),
) -> Tables:
    """A study; of the `diverged` runs (width, seed) only costs and learning curves are known."""
    variants = tuple(
        Variant(f"width-{width}", {"width": width}, {"records": list(EPOCHS), "epochs": EPOCHS[-1]})
        for width in widths
    )
    analyses = ({"name": "trends"}, {"name": "verdicts"})
    study = Study(
        name="width", title="made", datasets=datasets, seeds=seeds, variants=variants,
        baseline=variants[-1].name, timing_datasets=datasets[:1], timing_steps=7, metrics=(),
        group_metrics=(), analyses=analyses, figures=(),
    )  # fmt: skip
    rows: list[Row] = []
    for dataset in datasets:
        for width in widths:
            finished = [seed for seed in seeds if (width, seed) not in diverged]
            place = ("width", dataset, f"width-{width}", width)
            found = _cell(width, list(seeds), finished, refused=refused)
            rows += [(*place, *row) for row in found]
            if timed and dataset == datasets[0]:
                for name, factor in (("q1", 0.9), ("median", 1.0), ("q3", 1.2)):
                    value = 1e-5 * width * factor
                    metric = f"seconds_per_step_{name}.all"
                    rows.append((*place, "", math.nan, "", metric, math.nan, value))
    frame = pd.DataFrame(rows, columns=[*COLUMNS, "component", "value"])
    made = Tables(study, _read={"": frame})
    for name, module in (("trends", trends), ("verdicts", verdicts)):
        made._read[name] = module.analyse(made)
    return made


def _cell(width: int, seeds: list[int], finished: list[int], *, refused: bool) -> Iterator[Row]:
    """Rows of one data set and width, from the seed on."""
    for seed in seeds:
        yield str(seed), EPOCHS[-1], "", "mult_adds_per_step.all", math.nan, 1e5 * width
        yield str(seed), EPOCHS[-1], "", "diverged", math.nan, float(seed not in finished)
        for epoch in range(EPOCHS[-1] + 1):
            value = 0.9 - 0.5 / (epoch + 1) + 0.01 * seed if seed in finished else math.nan
            yield str(seed), epoch, "test", "history_accuracy", 100.0 * epoch, value
    for epoch in EPOCHS:
        for seed in finished:
            for row in _network(width, seed, epoch, refused=refused):
                yield str(seed), epoch, *row
        if finished:
            for row in _pooled(width, refused=refused):
                yield "pooled", epoch, *row


def _network(width: int, seed: int, epoch: int, *, refused: bool) -> Iterator[Row]:
    """Images, metric, component and value for one network."""
    jitter = 1 + 0.02 * seed
    for images in ("train", "test"):
        yield images, "accuracy", math.nan, 0.98 - 1 / width - 0.001 * seed - 0.01 / epoch
    last = epoch == EPOCHS[-1]
    if last:
        yield "noise", "accuracy", math.nan, 1.0
    for images in ("train", "noise") if last else ("train",):
        for metric, factor in SCALARS.items():
            yield images, metric, math.nan, factor * width**0.6 * jitter
        yield images, "mean_spread", math.nan, 4 * width**-0.4 * jitter
        yield images, "dead_share", math.nan, 0.01 * seed
        yield from _fits(width, images, refused=refused)
    for metric in WEIGHTS:
        yield "", f"weight_{metric}", math.nan, 2 * width**0.5 * jitter
    yield "test", "low_rank", math.nan, 3 * width**0.5 * jitter
    top = 5 * jitter
    for x in np.linspace(0, top, 30):
        yield "train", "spread_density", x, math.exp(-((x - 2) ** 2)) / 1.8
    largest = min(width, 784)
    for k in sorted({0, 1, 2, 4, largest // 2, largest}):
        left = (1 - k / largest) ** 4
        yield "train", "reconstruction_error", k, 100 * left * jitter
        if width <= 784:
            yield "train", "reconstruction_error_transposed", k, 100 * (1 - k / largest) * jitter
        if k:
            yield "train", "explained_variance", k, 100 / k**2 * jitter
            yield "", "singular_value", k, 10 / k**0.5 * jitter
        if last:
            yield "test", "component_accuracy", k, 0.95 - 0.8 * left


def _fits(width: int, images: str, *, refused: bool) -> Iterator[Row]:
    for neurons, w in (("all", 0.95), ("living", 0.97)):
        yield images, f"normality_{neurons}", math.nan, w - 0.01 * abs(math.log2(width / 64))
        yield images, f"normality_{neurons}_n", math.nan, float(width)
    narrow = refused or width < 64
    for model, share in (("exponential_normal", 0.2), ("two_gammas", 0.3)):
        yield images, f"{model}_identifiable", math.nan, float(not narrow)
        yield images, f"{model}_share", math.nan, math.nan if narrow else share
    if not narrow:
        yield images, "exponential_normal_component1_exponential_scale", math.nan, 0.4
        yield images, "exponential_normal_component2_normal_mean", math.nan, 2.0
        yield images, "exponential_normal_component2_normal_sd", math.nan, 0.6
        for index, mean in ((1, 0.5), (2, 2.0)):
            yield images, f"two_gammas_component{index}_gamma_shape", math.nan, 4.0
            yield images, f"two_gammas_component{index}_gamma_scale", math.nan, mean / 4


def _pooled(width: int, *, refused: bool) -> Iterator[Row]:
    yield from _fits(width, "train", refused=refused)
    yield "train", "spread_histogram_width", math.nan, 0.25
    for x in np.arange(0, 5, 0.25):
        yield "train", "spread_histogram", x, math.exp(-((x - 2) ** 2)) / 1.8
