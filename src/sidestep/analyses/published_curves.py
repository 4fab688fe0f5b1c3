"""Curves and ends of training that the older works published, beside ours at the same or the nearest epoch.

They are in `paper/published_curves.csv`, each with its source (a citation key of the paper's bibliography)
and the settings of the run that it is of.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from sidestep import things, variants
from sidestep.analyses.shared import timeline
from sidestep.analyses.shared.finals import Values, mean
from sidestep.datasets import cifar10
from sidestep.errors import UserError
from sidestep.registry import PACKAGE
from sidestep.study import Variant
from sidestep.tables import Tables

PATH = PACKAGE.parents[1] / "paper" / "published_curves.csv"
# Settings of a published run that ours may differ in; empty where they were not recorded.
SETTINGS = (
    *("channels", "train_images", "batch_size", "learning_rate", "optimiser", "normalisation"),
)
EPOCH = "epoch"
PUBLISHED = (
    *("source", "run", "method", "network", "augmented"),
    *("epoch", "split", "quantity", "value", "how"),
)
FILE = (*PUBLISHED, "dataset", "head", *SETTINGS)
COLUMNS = [
    *("study", "dataset", *PUBLISHED),
    *("variant", "our_epoch", "mean", "low", "high", "n", "difference", "differs_in", "outcome"),
]
# Part of `how` for a value whose epoch was chosen by the test images.
BEST = "best test epoch"
# Training images of data sets of which anything was published.
TRAIN_IMAGES = {data.name: data.sizes["train"] for data in (cifar10.DATASET,)}
Place = tuple[str, str]


def analyse(tables: Tables) -> pd.DataFrame:
    """One row per published figure on one of this study's data sets.

    Columns: `study`, `dataset`; as published `source`, `run` (the source's label, with its iteration),
    `method` and `network` as we name them, `augmented` (1 or 0), `epoch` (whole ones done), `split`, `quantity`
    (`accuracy` as a share, `loss` in nats), `value`, and `how` it is known: `exact`, off a vector drawing;
    `log`; `eye`; followed by `best test epoch` or the number of epochs, up to this one, of which it is the mean.
    Published `train` values are means over an epoch's batches while they were learned.

    Ours: `variant` of that method and network, augmented or not (empty if there is none; of several the
    one with the fewest differences, then with the same kind of head or signal, where nothing differs with the
    same settings of it too, then the study's first);
    `our_epoch`, the nearest that was evaluated; there `mean`, `low`, `high` (95 % t interval) over the `n` seeds
    that finished; `difference`, ours − published; `differs_in`, what else is different, with `;` between: of
    `channels` (of the first convolution), `train_images`, `batch_size`, `learning_rate`, `optimiser`,
    `normalisation` and `epoch`, which the best test epoch always differs in, being chosen by the test images, and
    `train` values, being taken before the epoch's end; `outcome`: `agrees` or `differs` (the published value lies
    inside or outside of our interval), `no interval` (one seed), `other settings` (some differ, or were not
    recorded), or `not run` (no such variant, or it has no such value of a seed that finished).

    Args:
        tables: of the study.

    Raises:
        UserError: there is no `paper/published_curves.csv`, or it lacks a column.
    """
    study, figures = tables.study, read(PATH)
    ours = _Ours.of(tables)
    rows = [
        {"study": study.name, **figure, **_beside(figure, ours)}
        for figure in figures[figures["dataset"].isin(study.datasets)].to_dict("records")
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def read(path: Path) -> pd.DataFrame:
    """The published figures.

    Raises:
        UserError: no such file, or a column is missing.
    """
    try:
        frame = pd.read_csv(path, keep_default_na=False, na_values=[""])
    except FileNotFoundError:
        raise UserError(f"{path}: there is no such file of published curves") from None
    missing = [column for column in FILE if column not in frame]
    if missing:
        raise UserError(f"{path}: lacks the column {', '.join(missing)}")
    return frame[list(FILE)].fillna({"head": "", "optimiser": "", "normalisation": ""})


@dataclass
class _Ours:
    """What the study has to be held against published runs.

    Attributes:
        variants: of the study.
        curves: data set and variant → (split, quantity) → epoch → the values of seeds that finished.
    """

    variants: tuple[Variant, ...]
    curves: dict[Place, dict[Place, dict[int, Values]]]
    _chosen: dict[tuple[Any, ...], tuple[str, tuple[str, ...]]] = field(default_factory=dict)

    @classmethod
    def of(cls, tables: Tables) -> "_Ours":
        history = timeline.history(tables)
        lost = timeline.diverged(history)
        # The first evaluation of an epoch is the one at its beginning: it is done, and no more.
        keys = ["dataset", "variant", "seed", "split", "quantity", "epoch"]
        first = history.sort_values("step", kind="stable").drop_duplicates(keys)
        found: dict[Place, dict[Place, dict[int, Values]]] = {}
        columns = (first[key] for key in (*keys, "value"))
        for dataset, variant, seed, split, quantity, epoch, value in zip(*columns, strict=True):
            if (dataset, variant, int(seed)) not in lost:
                curves = found.setdefault((dataset, variant), {}).setdefault((split, quantity), {})
                curves.setdefault(int(epoch), {})[int(seed)] = float(value)
        return cls(tables.study.variants, found)

    def chosen(self, figure: Mapping[Any, Any]) -> tuple[str, tuple[str, ...]]:
        """The variant to compare with, empty if there is none, and the settings in which it differs."""
        keys = ("dataset", "method", "network", "augmented", "head", *SETTINGS)
        # Values that are missing are no number, and equal to nothing.
        run = tuple(str(figure[key]) for key in keys)
        if run not in self._chosen:
            candidates = []
            for place, variant in enumerate(self.variants):
                if _is_of(variant.run, figure):
                    differing = _differing(variant.run, figure)
                    other = _other_head(variants.head(variant.run), figure["head"], differing)
                    candidates.append((len(differing), other, place, variant.name, differing))
            best = min(candidates, default=(0, 0, 0, "", ()))
            self._chosen[run] = best[3], best[4]
        return self._chosen[run]


def _is_of(run: variants.Run, figure: Mapping[Any, Any]) -> bool:
    """Whether a run has the published one's method and network, and is augmented or not as that was."""
    return (
        variants.method(run) == figure["method"]
        and run["network"]["name"] == figure["network"]
        and bool(variants.augmented_by(run)) == bool(figure["augmented"])
    )


def _other_head(ours: str, theirs: str, differing: tuple[str, ...]) -> int:
    """How far heads in words are from each other: 0 or 1; 2 if they have not even one name.

    Where other settings differ, in a smaller network for example, a head of the same size is no nearer.
    """
    if ours.split(" (")[0] != theirs.split(" (")[0]:
        return 2
    return int(ours != theirs and not differing)


def _differing(run: variants.Run, figure: Mapping[Any, Any]) -> tuple[str, ...]:
    """The recorded settings of a published run that ours does not have."""
    network = things.complete("networks", run["network"])
    optimiser = things.complete("optimisers", run["optimiser"])
    whole = TRAIN_IMAGES.get(figure["dataset"], math.nan) - run.get("validation", 0)
    ours = {
        "channels": network.get("channels", network.get("width", math.nan)),
        "train_images": run.get("train_images") or whole,
        "batch_size": run["batch_size"],
        "learning_rate": optimiser.get("lr", math.nan),
        "optimiser": optimiser["name"],
        "normalisation": variants.normalisation(run),
    }
    return tuple(
        name
        for name in SETTINGS
        if _recorded(figure[name])
        and (
            ours[name] != figure[name]
            if isinstance(figure[name], str)
            else not math.isclose(ours[name], figure[name])
        )
    )


def _recorded(value: Any) -> bool:
    return value != "" if isinstance(value, str) else not math.isnan(value)


def _beside(figure: Mapping[Any, Any], ours: _Ours) -> dict[str, Any]:
    """Our columns for one published figure."""
    variant, differing = ours.chosen(figure)
    curves = ours.curves.get((figure["dataset"], variant), {})
    curve = curves.get((figure["split"], figure["quantity"]), {})
    epoch = min(curve, key=lambda known: (abs(known - figure["epoch"]), known), default=None)
    if epoch is None:
        nothing = {**mean({}), "our_epoch": math.nan, "difference": math.nan}
        return nothing | {
            "variant": variant,
            "differs_in": ";".join(differing),
            "outcome": "not run",
        }
    found = mean(curve[epoch])
    if epoch != figure["epoch"] or BEST in figure["how"] or figure["split"] == "train":
        differing = (*differing, EPOCH)
    unknown = not all(_recorded(figure[name]) for name in SETTINGS)
    if differing or unknown:
        outcome = "other settings"
    elif math.isnan(found["low"]):
        outcome = "no interval"
    else:
        outcome = "agrees" if found["low"] <= figure["value"] <= found["high"] else "differs"
    return {
        "variant": variant,
        "our_epoch": epoch,
        **found,
        "difference": found["mean"] - figure["value"],
        "differs_in": ";".join(differing),
        "outcome": outcome,
    }
