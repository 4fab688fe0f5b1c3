"""What the scores table shows, and what rises or falls from the narrowest layer to the widest."""

from collections.abc import Sequence

from sidestep.paper.parts import formats as f
from sidestep.paper.parts import sentences as say
from sidestep.paper.parts.width_study import WidthStudy
from sidestep.paper.parts.words import dataset_name
from sidestep.statistics.intervals import Interval, separates

# Metric, images and name of what is followed from the narrowest layer to the widest.
SPREAD = (
    ("mean_spread", "train", "the mean spread of a neuron"),
    ("sum_of_spread_before", "train", "the sum of spread before the ReLU"),
)
RANKS = (
    ("participation_ratio", "train", "the participation ratio"),
    ("entropy_rank", "train", "the entropy rank"),
)
WEIGHTS = (
    ("weight_entropy_rank", "", "the entropy rank of the weights"),
    ("weight_stable_rank", "", "their stable rank"),
    ("low_rank", "test", "the smallest rank that keeps the accuracy"),
)


def scores(study: WidthStudy) -> f.Table:
    """Accuracy, gap, spread and dead neurons by width, at the last epoch."""
    rows = []
    for dataset in study.datasets:
        for width in study.widths:
            cells = [dataset_name(dataset), f.count(width)]
            for metric, images, show in (
                ("accuracy", "train", f.bare_percent),
                ("accuracy", "test", f.bare_percent),
                ("accuracy_gap", "", f.bare_percent),
                ("sum_of_spread", "train", f.significant),
                ("sum_of_variance", "train", f.significant),
                ("sum_of_spread_before", "train", f.significant),
                ("dead_neurons", "train", lambda x: f.decimal(x, 1)),
                ("dead_share", "train", lambda x: f.bare_percent(x, 1)),
            ):
                cells.append(
                    f.cell(
                        study.mean(dataset, metric, images, width=width),
                        show,
                        len(study.tables.study.seeds),
                    )
                )
            rows.append(cells)
    head = [
        "Data set",
        "Width",
        "Train %",
        "Test %",
        "Gap",
        "Σ sd",
        "Σ var",
        "Σ sd before",
        "Dead",
        "Dead %",
    ]
    return {"head": head, "rows": rows}


def changes(study: WidthStudy, followed: Sequence[tuple[str, str, str]]) -> list[str]:
    """What becomes of each followed quantity from the narrowest layer to the widest."""
    ends = (f.count(study.widths[0]), f.count(study.widths[-1]))
    if len(study.widths) < 2:
        return [say.absent("a second width to compare with")]
    return [
        change(
            subject,
            *ends,
            [
                (dataset_name(dataset), study.change(dataset, metric, images))
                for dataset in study.datasets
            ],
        )
        for metric, images, subject in followed
    ]


def change(
    subject: str,
    first: str,
    last: str,
    found: Sequence[tuple[str, Interval]],
    show: f.Show = f.significant,
) -> str:
    """Whether a quantity rises or falls from one width to another, by its paired interval on each data set."""
    parts: dict[str, list[str]] = {}
    for place, difference in found:
        size = f.estimate(difference.mean, difference.low, difference.high, show)
        if not f.defined(difference.mean):
            parts.setdefault("does not have a defined change", []).append(f"on {place}")
        elif not f.defined(difference.low):
            parts.setdefault("changes by an amount without interval", []).append(
                f"on {place} ({size})"
            )
        elif difference.low == difference.high == 0:
            parts.setdefault("stays exactly the same", []).append(f"on {place}")
        elif not separates(difference):
            parts.setdefault("changes by less than its interval", []).append(f"on {place} ({size})")
        else:
            verb = "rises" if difference.mean > 0 else "falls"
            parts.setdefault(verb, []).append(
                f"on {place} (by {size})"
                if difference.mean > 0
                else f"on {place} (difference {size})"
            )
    clauses = [f"{verb} {f.listed(places)}" for verb, places in parts.items()]
    if not clauses:
        return f"How {subject} changes with the width is {f.UNDEFINED}."
    return f"From width {first} to width {last}, {subject} {'; it '.join(clauses)}."
