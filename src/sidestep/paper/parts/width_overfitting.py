"""Whether any metric of the layer follows the gap between training and test."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sidestep.paper.parts import formats as f
from sidestep.paper.parts import sentences as say
from sidestep.paper.parts.width_study import WidthStudy
from sidestep.paper.parts.words import dataset_name, metric_name

TARGETS = {
    "accuracy_gap": "the gap between train and test accuracy",
    "loss_gap": "the gap between test and train loss",
}


def overfitting(study: WidthStudy) -> Iterator[str]:
    """Which metrics follow the gaps, on each data set."""
    found = study.latest("accuracy_correlation")
    if found.empty:
        yield say.absent("the correlation of the metrics with over-fitting")
        return
    for dataset in study.datasets:
        followings = []
        for target, words in TARGETS.items():
            rows = found[(found["dataset"] == dataset) & (found["target"] == target)]
            rows = rows[rows["metric"] != "width"].fillna(
                {"tested": 0, "excluding": 0, "by_chance": 0.0}
            )
            if rows.empty:
                continue
            first = rows.iloc[0]
            knowing = [
                metric_name(str(metric))
                for metric in rows.loc[rows["over_width_low"] > 0, "metric"]
            ]
            counts = (int(first["excluding"]), int(first["tested"]), float(first["by_chance"]))
            followings.append(Following(words, *counts, knowing))
        yield gaps_followed(dataset_name(dataset), followings)


def in_short(study: WidthStudy) -> str:
    """The answer for the abstract and the conclusion."""
    found = study.latest("accuracy_correlation")
    if found.empty or not (found["tested"].fillna(0) > 0).any():
        return say.absent("the correlation of the metrics with over-fitting")
    better = found["target"].isin(TARGETS) & (found["over_width_low"] > 0)
    better &= found["metric"] != "width"
    return followed_in_short([metric_name(str(m)) for m in found.loc[better, "metric"].unique()])


@dataclass(frozen=True)
class Following:
    """How many metrics follow a gap: those whose correlation excludes zero, of those tested; how many
    would by chance; and the names of those that follow it more closely than the width does."""

    target: str
    excluding: int
    tested: int
    chance: float
    knowing: Sequence[str]


def gaps_followed(dataset: str, found: Sequence[Following]) -> str:
    """Does any metric follow the gap between train and test better than the width itself does?"""
    tested = [item for item in found if item.tested]
    if not tested:
        return f"On {dataset}, no correlation with over-fitting has an interval."
    parts = [
        f"with {item.target} for {f.count(item.excluding)} of {f.plural(item.tested, 'metric')} "
        f"({f.decimal(item.chance, 1)} by chance)"
        for item in tested
    ]
    text = f"On {dataset}, the rank correlation excludes zero {f.listed(parts)}; "
    knowing = list(dict.fromkeys(name for item in tested for name in item.knowing))
    if knowing:
        return (
            text + f"only {f.listed(knowing)} follow a gap more closely than the width itself does."
        )
    return text + "none follows a gap more closely than the width itself does, by its interval."


def followed_in_short(knowing: Sequence[str]) -> str:
    """The answer in one sentence, over all data sets."""
    if not knowing:
        return (
            "By their intervals, no metric follows the gap between training and test more closely than "
            "the width itself does, so that none is shown to predict over-fitting."
        )
    return (
        f"Only {f.listed(knowing)} follow the gap between training and test more closely than the width "
        "itself does, by an interval on some data set, as a few would by chance among so many."
    )
