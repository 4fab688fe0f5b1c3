"""What the scale of pixels and the augmentations do: variants that differ in nothing else."""

from typing import Any

import pandas as pd

from sidestep import things, variants
from sidestep.analyses.shared.finals import apart, finals, mean
from sidestep.analyses.shared.groups import labelled
from sidestep.study import Variant
from sidestep.tables import Tables

CROP, FLIP = "random_crop", "horizontal_flip"
COLUMNS = [
    *("study", "dataset", "group", "variant", "normalisation", "crop", "flip"),
    *("accuracy", "low", "high", "n", "diverged"),
    *("difference", "difference_low", "difference_high", "pairs", "separates"),
]


def analyse(tables: Tables) -> pd.DataFrame:
    """One row per data set and variant of a group of two or more that differ in its images alone.

    Columns: `study`, `dataset`; `group`, the method of learning in words (with the network, and then
    a number, where groups would have one name); `variant`; `normalisation` of pixels; `crop` and `flip`, 1
    where training images are randomly cropped or mirrored; test `accuracy` at the last evaluation with `low`
    and `high` (95 % t interval) over the `n` seeds that finished; `diverged`, those that did not; over the
    `pairs` of seeds that finished in both, the `difference` to the group's member without normalisation
    (`none`), crop and flip (to its first one, if there is none) with `difference_low` and
    `difference_high`; `separates`, 1 where that interval excludes 0.
    """
    study, ends = tables.study, finals(tables)
    groups = variants.differing_in(study, "normalisation", "augmentations")
    names = labelled(
        groups,
        lambda variant: variants.method(variant.run).replace("_", " "),
        lambda variant: things.describe("networks", variant.run["network"]),
    )
    rows: list[dict[str, Any]] = []
    for dataset in study.datasets:
        for name, group in zip(names, groups, strict=True):
            plain = [variant for variant in group if _is_plain(variant)]
            reference = [*plain, *group][0].name
            theirs = ends.of(dataset, reference, "test", "accuracy")
            for variant in group:
                mine = ends.of(dataset, variant.name, "test", "accuracy")
                found = mean(mine)
                done = variants.augmented_by(variant.run)
                rows.append(
                    {
                        **found,
                        "study": study.name,
                        "dataset": dataset,
                        "group": name,
                        "variant": variant.name,
                        "normalisation": variants.normalisation(variant.run),
                        "crop": int(CROP in done),
                        "flip": int(FLIP in done),
                        "accuracy": found["mean"],
                        "diverged": ends.diverged(dataset, variant.name),
                        **apart(mine, {} if variant.name == reference else theirs),
                    }
                )
    return pd.DataFrame(rows, columns=COLUMNS)


def _is_plain(variant: Variant) -> bool:
    """Whether nothing at all is done to the images."""
    return variants.normalisation(variant.run) == "none" and not variants.augmented_by(variant.run)
