"""Whether verdicts of an early epoch or of another data set carry over."""

from collections.abc import Iterator, Sequence

import pandas as pd

from sidestep.paper.parts import formats as f
from sidestep.paper.parts import sentences as say
from sidestep.paper.parts.width_study import WidthStudy
from sidestep.paper.parts.width_verdicts import verdict_names
from sidestep.paper.parts.words import dataset_name


def extrapolation(study: WidthStudy) -> Iterator[str]:
    """Which verdicts hold early already, and which order the data sets as the accuracy does."""
    found = study.analysis("extrapolation")
    if found.empty:
        yield say.absent("the question which verdicts extrapolate")
        return
    later = found[(found["question"] == "later epochs") & (found["epoch"] != study.last)]
    early: list[set[str]] = []
    for dataset in study.datasets:
        rows = later[later["dataset"] == dataset]
        for epoch, group in rows.groupby("epoch"):
            own = group[(group["metric"] == "accuracy") & (group["images"] == "test")]
            metrics = group[(group["metric"] != "accuracy") & (group["outcome"] != "not defined")]
            agrees = metrics["outcome"] == "agrees"
            yield early_verdicts(
                dataset_name(dataset),
                f.count(float(str(epoch))),
                f.count(study.last),
                int(agrees.sum()),
                len(metrics),
                str(own["outcome"].iloc[0]) if len(own) else "",
            )
            names = pd.Series(verdict_names(metrics), index=metrics.index, dtype=object)
            early.append(set(names[agrees]))
    if early:
        yield early_everywhere(sorted(set.intersection(*early)), len(study.datasets))
    other = found[(found["question"] == "other dataset") & (found["epoch"] == study.last)]
    other = other[other["metric"] != "accuracy"]
    if len(study.datasets) > 1:
        yield order_of_datasets(
            verdict_names(other[other["outcome"] == "same order"]),
            verdict_names(other[other["outcome"] == "opposite order"]),
            int((other["outcome"] == "not separated").sum()),
        )


def early_verdicts(
    dataset: str, epoch: str, last: str, agreeing: int, total: int, accuracy: str
) -> str:
    """How many verdicts at an early epoch already agree with the accuracy at the last one."""
    if total == 0:
        return f"On {dataset}, no verdict is defined after epoch {epoch}."
    text = (
        f"On {dataset}, {f.count(agreeing)} of {f.plural(total, 'verdict')} after epoch {epoch} "
        f"overlap with the saturation after epoch {last}"
    )
    text += {
        "agrees": "; so does the accuracy's own saturation, which needs no metric",
        "earlier": "; the accuracy's own saturation at that time is earlier",
        "later": "; the accuracy's own saturation at that time is later",
        "never": "; the accuracy itself does not saturate at that time",
    }.get(accuracy, "")
    return text + "."


def early_everywhere(names: Sequence[str], datasets: int) -> str:
    """Which verdicts overlap early, on every data set and at every recorded epoch."""
    where = "on every data set" if datasets > 1 else "on the only data set"
    if not names:
        return f"No verdict does so at every early epoch {where}."
    return f"Those of {f.listed(names)} do so at every early epoch {where}."


def order_of_datasets(same: Sequence[str], opposite: Sequence[str], open_: int) -> str:
    """Do verdicts carry over from one data set to the other?"""
    if not same and not opposite and not open_:
        return "Whether a verdict carries over to another data set needs two data sets."
    total = len(same) + len(opposite) + open_
    parts = []
    if same:
        parts.append(f"{f.listed(same)} order the two data sets as the accuracy does")
    if opposite:
        parts.append(f"{f.listed(opposite)} order them the other way round")
    if not parts:
        return (
            f"Of the {f.plural(total, 'verdict')} that could be compared between the two data sets, none "
            "orders them by intervals that exclude zero for the verdict and for the accuracy both."
        )
    rest = f"; for the other {f.count(open_)} the intervals do not separate them" if open_ else ""
    return f"Of {f.plural(total, 'verdict')}, {'; '.join(parts)}{rest}."
