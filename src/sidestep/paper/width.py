"""The numbers and outcome-dependent sentences of the section on the width of a layer.

Every value is text that is ready to be set (`formats`), every list of sentences one that the section
runs through, so that the same section serves one data set or several, any widths, refused fits, a
single seed and diverged runs.
"""

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from sidestep.errors import UserError
from sidestep.paper import formats as f
from sidestep.paper import sentences as say
from sidestep.paper.sentences import Finding
from sidestep.statistics.intervals import Interval, mean_interval, paired_difference
from sidestep.statistics.size_rules import SATURATED_SHARE, SLACK_SHARE, THRESHOLD
from sidestep.style import LABELS, TITLES
from sidestep.tables import Tables

MODELS = {"exponential_normal": "an exponential and a normal", "two_gammas": "two gammas"}
# Accuracy that may be lost before a smaller thing no longer counts as enough, where the config of
# the verdicts says nothing else.
MARGIN = 0.001
# A saturation interval over more octaves than this says little about any verdict.
WIDE_OCTAVES = 2.0
CITED = {
    "adam": "Adam @kingma2015adam",
    "adamw": "AdamW @loshchilov2019decoupled",
    "adamax": "AdaMax @kingma2015adam",
    "sgd": "stochastic gradient descent",
}
NETWORKS = {"mlp": "fully connected networks of one hidden ReLU layer"}
DATASET_KEYS = {
    "mnist": "@lecun1998gradient",
    "fashion_mnist": "@xiao2017fashion",
    "cifar10": "@krizhevsky2009learning",
    "digits": "@alpaydin1998optical",
}

Table = dict[str, Any]


def numbers(tables: Tables) -> dict[str, Any]:
    """Everything that `paper/sections/width.typ` quotes."""
    study = _Study(tables)
    trends, dead, artefacts = list(_trends(study)), list(_dead(study)), list(_artefacts(study))
    harder = list(_harder(study))
    findings = [*trends, *dead, *artefacts, *harder]
    kinds = {"against": True, "open": None, "supporting": False}
    return {
        "title": tables.study.title,
        "abstract": [
            *_abstract(study),
            _overfitting_in_short(study),
            *say.gathered(findings, True),
        ],
        "conclusion": list(_conclusion(study)),
        "setup": _setup(study),
        "findings": {name: say.gathered(findings, kind) for name, kind in kinds.items()},
        "scores": _scores(study),
        "spread": _changes(study, SPREAD),
        "dead": [found.detail for found in dead],
        "trends": list(_trend_details(study)),
        "trend_table": _trend_table(study),
        "normality": list(_normality(study)),
        "mixtures": list(_mixtures(study)),
        "artefact": [found.detail for found in artefacts],
        "components": [*_changes(study, RANKS), *_component_accuracy(study)],
        "weights": _changes(study, WEIGHTS),
        "saturation": list(_saturation(study)),
        "verdicts": list(_verdicts(study)),
        "verdict_table": _verdict_table(study),
        "extrapolation": list(_extrapolation(study)),
        "overfitting": list(_overfitting(study)),
        "harder": [found.detail for found in harder],
        "counter_example": list(_counter_example(study)),
        "cost": _cost(study),
        "published": _published(study),
    }


class _Study:
    """The study's tables, with what the config leaves out as empty frames."""

    def __init__(self, tables: Tables) -> None:
        self.tables = tables
        self.datasets = tables.study.datasets
        frame = tables.main
        self.widths: list[int] = []
        if "width" in frame:
            self.widths = sorted({int(width) for width in frame["width"].dropna()})
        if not self.widths:
            raise UserError(
                f"study '{tables.study.name}' has no grid over 'network.width', which its section of "
                "the paper needs"
            )
        epochs = frame.loc[frame["metric"] == "accuracy", "epoch"].dropna()
        self.epochs = sorted({int(epoch) for epoch in epochs})
        self.last = self.epochs[-1] if self.epochs else 0
        asked = {thing["name"]: thing for thing in tables.study.analyses}
        self.margin = float(asked.get("verdicts", {}).get("margin", MARGIN))

    def analysis(self, name: str) -> pd.DataFrame:
        """An analysis, empty if the study does not list it."""
        if name not in {thing["name"] for thing in self.tables.study.analyses}:
            return pd.DataFrame()
        return self.tables.analysis(name)

    def latest(self, name: str) -> pd.DataFrame:
        """Rows of an analysis at the last recorded epoch."""
        found = self.analysis(name)
        return found[found["epoch"] == self.last] if len(found) else found

    def seeds(self, dataset: str, metric: str, images: str, width: int) -> dict[int, float]:
        """Values of a metric at the last epoch, by seed."""
        frame = self.tables.metric(metric, images=images)
        chosen = (frame["dataset"] == dataset) & (frame["width"] == width)
        chosen &= (frame["epoch"] == self.last) & ~frame["seed"].isin(["", "pooled"])
        found = frame[chosen]
        return dict(zip(found["seed"].astype(int), found["value"].astype(float), strict=True))

    def mean(self, dataset: str, metric: str, images: str, width: int) -> Interval:
        """Mean over seeds with its interval."""
        return mean_interval(list(self.seeds(dataset, metric, images, width).values()))

    def change(self, dataset: str, metric: str, images: str) -> Interval:
        """Widest minus narrowest, paired over seeds."""
        return paired_difference(
            self.seeds(dataset, metric, images, self.widths[-1]),
            self.seeds(dataset, metric, images, self.widths[0]),
        )

    def pooled(self, dataset: str, metric: str, images: str = "train") -> pd.DataFrame:
        """A metric of the pool of seeds at the last epoch, by width."""
        frame = self.tables.metric(metric, images=images, pooled=True)
        found = frame[(frame["dataset"] == dataset) & (frame["epoch"] == self.last)]
        return found.sort_values("width")


def _rows(frame: pd.DataFrame) -> Iterator[Any]:
    """The rows as tuples with named fields, none for an empty frame."""
    return iter(frame.itertuples())


def _title(dataset: str) -> str:
    return TITLES.get(dataset, dataset)


# Names that read well within a sentence, where those of the figures do not.
NAMES = {
    "normality_all": "$W$ over all neurons",
    "normality_living": "$W$ over living neurons",
    "exponential_normal_share": "the exponential–normal share",
    "two_gammas_share": "the two-gammas share",
}
HEADS = {
    "normality_all": "$W$, all neurons",
    "normality_living": "$W$, living neurons",
    "exponential_normal_share": "exponential–normal share",
    "two_gammas_share": "two-gammas share",
    "normality_all_peak": "width of largest $W$, all neurons",
    "normality_living_peak": "width of largest $W$, living neurons",
    "accuracy_saturation": "width of saturation",
    "sum_of_variance": "sum of variance",
    "sum_of_variance_before": "sum of variance before the ReLU",
    "reconstruction_error_transposed": "reconstruction error, transposed",
}


def _label(metric: str) -> str:
    """A metric's name in a sentence."""
    return NAMES.get(metric) or _head(metric)


def _head(metric: str) -> str:
    """A metric's name in a table."""
    label = LABELS.get(metric, metric.replace("_", " ")).replace("\n", " ")
    return HEADS.get(metric) or label.replace(" %", "\N{NO-BREAK SPACE}%")


def _verdict_name(row: Any, several: bool) -> str:
    return _label(row.metric) + (f" ({row.rule})" if several else "")


def _names(frame: pd.DataFrame) -> list[str]:
    """Names of verdicts, with the rule where a metric has more than one in the study."""
    rules: dict[Any, int] = (
        frame.groupby("metric")["rule"].nunique().to_dict() if len(frame) else {}
    )
    return [_verdict_name(row, rules[row.metric] > 1) for row in _rows(frame)]


def _abstract(study: _Study) -> list[str]:
    verdicts = _metric_verdicts(study)
    found = []
    for dataset in study.datasets:
        at = _saturation_row(study, dataset)
        if at is None:
            continue
        rows = verdicts[verdicts["dataset"] == dataset] if len(verdicts) else verdicts
        agrees = int((rows["agreement"] == "agrees").sum()) if len(rows) else 0
        place = (at.test_width, at.test_low, at.test_high, float(study.widths[-1]))
        expected = _by_chance(study, at, len(rows))
        told = say.in_short(_title(dataset), _margin(study), *place, agrees, len(rows), expected)
        found.append(told)
    return found


def _by_chance(study: _Study, at: Any, verdicts: int) -> float:
    """How many verdicts would fall into the accuracy's interval, were they widths drawn at random."""
    if at is None or not (f.defined(at.test_low) and f.defined(at.test_high)):
        return math.nan
    low, high = float(at.test_low), float(at.test_high)
    within = len([width for width in study.widths if low <= width <= high])
    return verdicts * within / len(study.widths)


def _overfitting_in_short(study: _Study) -> str:
    found = study.latest("accuracy_correlation")
    if found.empty or not (found["tested"].fillna(0) > 0).any():
        return say.absent("the correlation of the metrics with over-fitting")
    better = found["target"].isin(TARGETS) & (found["over_width_low"] > 0)
    better &= found["metric"] != "width"
    return say.overfitting_in_short([_label(str(m)) for m in found.loc[better, "metric"].unique()])


def _conclusion(study: _Study) -> Iterator[str]:
    verdicts = _metric_verdicts(study)
    if len(verdicts):
        yield list(_verdicts(study))[-1]
    yield _overfitting_in_short(study)


def _margin(study: _Study) -> str:
    """`0.1 point`, an accuracy that counts as no loss."""
    text = f.points(study.margin, 1)
    return text if study.margin > 0.01 else text.removesuffix("s")


def _setup(study: _Study) -> dict[str, str]:
    declared = study.tables.study
    run = declared.variants[0].run
    widths = [f.count(width) for width in study.widths]
    optimiser = run["optimiser"]
    kept = [f.count(epoch) for epoch in run["records"]]
    return {
        "datasets": f.listed(
            [f"{_title(d)} {DATASET_KEYS.get(d, '')}".strip() for d in study.datasets]
        ),
        "network": NETWORKS.get(run["network"]["name"], f"networks `{run['network']['name']}`"),
        "widths": f.listed(widths),
        "smallest": widths[0],
        "largest": widths[-1],
        "seeds": f.plural(len(declared.seeds), "seed"),
        "runs": f.count(len(declared.seeds) * len(declared.datasets) * len(declared.variants)),
        "epochs": f.plural(run["epochs"], "epoch"),
        "records": f"epoch{'s' * (len(kept) > 1)} {f.listed(kept)}",
        "optimiser": CITED.get(optimiser["name"], f"`{optimiser['name']}`"),
        "learning_rate": f.significant(optimiser.get("lr", math.nan), 1),
        "batch_size": f.count(run["batch_size"]),
        "training_images": say.training_images(run.get("train_images"), run["validation"]),
        "normalisation": "Fashion-MNIST is normalised by the constants of MNIST, as in the journal."
        if "fashion_mnist" in study.datasets
        else "Inputs are normalised by constants of the data set.",
        "margin": _margin(study),
        "threshold": f.significant(THRESHOLD, 2),
        "saturation": f.percent(SATURATED_SHARE, 0),
        "slack": f.percent(SLACK_SHARE, 0),
    }


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


def _changes(study: _Study, followed: Sequence[tuple[str, str, str]]) -> list[str]:
    ends = (f.count(study.widths[0]), f.count(study.widths[-1]))
    if len(study.widths) < 2:
        return [say.absent("a second width to compare with")]
    return [
        say.changes(
            subject,
            *ends,
            [
                (_title(dataset), study.change(dataset, metric, images))
                for dataset in study.datasets
            ],
        )
        for metric, images, subject in followed
    ]


def _scores(study: _Study) -> Table:
    """Accuracy, gap, spread and dead neurons by width, at the last epoch."""
    rows = []
    for dataset in study.datasets:
        for width in study.widths:
            cells = [_title(dataset), f.count(width)]
            for metric, images, show in (
                ("accuracy", "train", _bare_percent),
                ("accuracy", "test", _bare_percent),
                ("accuracy_gap", "", _bare_percent),
                ("sum_of_spread", "train", f.significant),
                ("sum_of_variance", "train", f.significant),
                ("sum_of_spread_before", "train", f.significant),
                ("dead_neurons", "train", lambda x: f.decimal(x, 1)),
                ("dead_share", "train", lambda x: _bare_percent(x, 1)),
            ):
                cells.append(
                    _cell(
                        study.mean(dataset, metric, images, width),
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


def _bare_percent(share: float, digits: int = 2) -> str:
    return f.decimal(100 * share, digits)


def _cell(found: Interval, show: f.Show, seeds: int = 0) -> str:
    """Mean ± half the interval's width, for tables; n in parentheses where seeds are missing."""
    if not f.defined(found.mean):
        return "–"
    if show is f.significant:
        show = f.alike(found.mean)
    missing = f" ({f.count(found.n)})" if found.n < seeds else ""
    if not f.defined(found.low):
        return show(found.mean) + missing
    return f"{show(found.mean)} ± {show((found.high - found.low) / 2)}{missing}"


SUMS = {"sum_of_spread": "the sum of spread", "sum_of_variance": "the sum of variance"}


def _trends(study: _Study) -> Iterator[Finding]:
    found = study.latest("trends")
    if found.empty:
        yield Finding(None, "", "", say.absent("the comparison of growth curves"))
        return
    for row in _rows(found):
        if row.metric in SUMS:
            agreeing = int(row.agreeing) if f.defined(row.agreeing) else 0
            # The journal's claim is about the sum of standard deviations only.
            of_the_journal = row.metric == "sum_of_spread"
            place = (_title(row.dataset), SUMS[row.metric], row.outcome)
            yield say.curve(*place, agreeing, int(row.seeds), of_the_journal)


def _trend_details(study: _Study) -> Iterator[str]:
    """What the curves say, data sets and sums of which the same is true together."""
    found = study.latest("trends")
    if found.empty:
        yield say.absent("the comparison of growth curves")
        return
    places: dict[tuple[str, str, int, int], list[str]] = {}
    for row in _rows(found):
        if row.metric in SUMS:
            agreeing = int(row.agreeing) if f.defined(row.agreeing) else 0
            key = (SUMS[row.metric], str(row.outcome), agreeing, int(row.seeds))
            places.setdefault(key, []).append(_title(row.dataset))
    subjects: dict[tuple[tuple[str, ...], str, int, int], list[str]] = {}
    for (subject, outcome, agreeing, seeds), where in places.items():
        subjects.setdefault((tuple(where), outcome, agreeing, seeds), []).append(subject)
    for (alike, outcome, agreeing, seeds), names in subjects.items():
        yield say.curve_detail(alike, names, outcome, agreeing, seeds)


def _trend_table(study: _Study) -> Table:
    head = ["Data set", "Sum of", "$R^2$ log", "power", "Exponent", "Difference"]
    rows = []
    found = study.latest("trends")
    for row in _rows(found):
        fits = [_number(row.logarithmic_r_squared, 3), _number(row.power_r_squared, 3)]
        apart = f.estimate(
            row.difference, row.difference_low, row.difference_high, lambda x: f.decimal(x, 2)
        )
        exponent = _number(row.power_b, 2)
        quantity = str(row.metric).removeprefix("sum_of_")
        rows.append([_title(row.dataset), quantity, *fits, exponent, apart])
    return {"head": head, "rows": rows}


def _number(value: float, digits: int) -> str:
    return f.decimal(value, digits) if f.defined(value) else "–"


def _dead(study: _Study) -> Iterator[Finding]:
    widest = study.widths[-1]
    for dataset in study.datasets:
        found = study.mean(dataset, "dead_share", "train", widest)
        yield say.dead_majority(_title(dataset), f.count(widest), found)


def _normality(study: _Study) -> Iterator[str]:
    found = study.latest("normality_peak")
    if found.empty:
        yield say.absent("the search for the most normal width")
        return
    for kind, neurons in (("all", "all"), ("living", "the living")):
        rows = found[found["neurons"] == kind]
        pooled = rows[rows["source"] == "pooled"].set_index("dataset")["width"]
        yield say.peaks(
            neurons,
            [
                say.Peak(
                    _title(row.dataset),
                    (row.width, row.low, row.high),
                    (row.w, row.w_low, row.w_high),
                    row.edge if isinstance(row.edge, str) else "",
                    float(pooled.get(row.dataset, math.nan)),
                )
                for row in _rows(rows[rows["source"] == "network"])
            ],
        )


def _mixtures(study: _Study) -> Iterator[str]:
    fitted = {}
    for model, words in MODELS.items():
        frame = study.tables.metric(f"{model}_identifiable", images="train", last=True)
        fitted[model] = frame
        yield say.refusals(words, int(frame["value"].sum()), len(frame))
    keys = ["dataset", "width", "seed"]
    columns = []
    for model in MODELS:
        ready = fitted[model][fitted[model]["value"] == 1]
        bic = study.tables.metric(f"{model}_bic", images="train", last=True)
        columns.append(bic.merge(ready[keys], on=keys)[[*keys, "value"]])
    both = columns[0].merge(columns[1], on=keys, suffixes=("_first", "_second"))
    first, second = both["value_first"], both["value_second"]
    one, other = (f"the mixture of {words}" for words in MODELS.values())
    yield say.preferred(one, other, int((first < second).sum()), int((second < first).sum()))
    for dataset in study.datasets:
        for model, words in MODELS.items():
            shares = study.pooled(dataset, f"{model}_share").dropna(subset=["value"])
            pairs = list(
                zip(shares["width"].astype(float), shares["value"].astype(float), strict=True)
            )
            yield say.share_trend(_title(dataset), words, pairs)


def _artefacts(study: _Study) -> Iterator[Finding]:
    for dataset in study.datasets:
        yield _artefact(study, dataset)


def _curve(study: _Study, metric: str, images: str, dataset: str, width: int) -> pd.Series:
    """Mean over seeds of a metric that is a curve, by component."""
    frame = study.tables.metric(metric, images=images, last=True)
    chosen = frame[(frame["dataset"] == dataset) & (frame["width"] == width)]
    return chosen.groupby("component")["value"].mean()


def _artefact(study: _Study, dataset: str) -> Finding:
    """Both reconstruction curves at the widest width that has them, at about a tenth of the components."""
    for width in reversed(study.widths):
        wrong = _curve(study, "reconstruction_error_transposed", "train", dataset, width)
        right = _curve(study, "reconstruction_error", "train", dataset, width)
        if wrong.empty or 0.0 not in right.index or not right[0.0] > 0:
            continue
        shared = np.array(sorted(set(wrong.index) & set(right.index)))
        total = shared[-1]
        k = float(shared[np.argmin(np.abs(shared - total / 10))])
        return say.artefact(
            _title(dataset),
            f.count(width),
            f.plural(int(k), "component").partition("\N{NO-BREAK SPACE}")[0],
            float(right[k] / right[0.0]),
            float(wrong[k] / right[0.0]),
            1 - k / total,
        )
    return say.artefact(_title(dataset), "", "", math.nan, math.nan, math.nan)


def _component_accuracy(study: _Study) -> Iterator[str]:
    """The fewest tried components that keep the mean accuracy, at the widest width."""
    width = study.widths[-1]
    for dataset in study.datasets:
        for images in ("test", "train", "validation"):
            found = _curve(study, "component_accuracy", images, dataset, width)
            if found.empty:
                continue
            whole = study.mean(dataset, "accuracy", images, width).mean
            enough = found[found >= whole - study.margin - 1e-12]
            least = float(enough.index[0]) if len(enough) else math.nan
            total = f.count(float(found.index[-1]))
            yield say.enough_components(_title(dataset), images, f.count(width), least, total)


def _metric_verdicts(study: _Study) -> pd.DataFrame:
    """Verdicts of the networks' metrics, that of the accuracy itself left out, at the last epoch.

    Those of pooled neurons are in the table only: they have no interval.
    """
    found = study.latest("verdicts")
    if found.empty:
        return found
    return found[(found["metric"] != "accuracy") & (found["source"] == "network")]


def _saturation_row(study: _Study, dataset: str) -> Any:
    """A row that carries where the data set's accuracy saturates, or None."""
    found = study.latest("verdicts")
    rows = found[found["dataset"] == dataset] if len(found) else found
    return next(_rows(rows), None) if len(rows) else None


def _saturation(study: _Study) -> Iterator[str]:
    for dataset in study.datasets:
        at = _saturation_row(study, dataset)
        if at is None:
            yield say.absent(f"the saturation of the accuracy on {_title(dataset)}")
            continue
        place = (at.test_width, at.test_low, at.test_high)
        yield say.saturation(_title(dataset), *place, float(study.widths[-1]))


def _verdicts(study: _Study) -> Iterator[str]:
    found = _metric_verdicts(study)
    if found.empty:
        yield say.absent("the verdicts of the metrics")
        return
    agreeing: list[set[str]] = []
    wide = False
    for dataset in study.datasets:
        rows = found[found["dataset"] == dataset]
        outcomes = [str(outcome) for outcome in rows["agreement"].fillna("not defined")]
        counts = {outcome: outcomes.count(outcome) for outcome in dict.fromkeys(outcomes)}
        at = _saturation_row(study, dataset)
        yield say.agreements(_title(dataset), counts, _by_chance(study, at, len(rows)))
        names = pd.Series(_names(rows), index=rows.index, dtype=object)
        agreeing.append(set(names[rows["agreement"] == "agrees"]))
        if at is not None and at.test_low > 0 and f.defined(at.test_high):
            wide |= math.log2(at.test_high / at.test_low) >= WIDE_OCTAVES
    everywhere = set.intersection(*agreeing) if agreeing else set()
    yield say.agreeing_everywhere(sorted(everywhere), len(study.datasets), wide)


def _verdict_table(study: _Study) -> Table:
    found = study.latest("verdicts")
    head = ["Metric", "Rule", "Images", *(_title(dataset) for dataset in study.datasets)]
    if found.empty:
        return {"head": head, "rows": []}
    rows = []
    keys = ["metric", "source", "rule", "images"]
    for key, group in found.groupby(keys, sort=False, dropna=False):
        metric, source, rule, images = key
        by_dataset = {row.dataset: row for row in _rows(group)}
        pooled = ", pooled" if source == "pooled" else ""
        cells = [
            _head(str(metric)) + pooled,
            str(rule),
            str(images) if isinstance(images, str) else "–",
        ]
        for dataset in study.datasets:
            row = by_dataset.get(dataset)
            cells.append(_verdict_cell(row) if row is not None else "–")
        rows.append(cells)
    return {"head": head, "rows": rows}


def _verdict_cell(row: Any) -> str:
    """A width with its bounds, bold where it agrees with the accuracy."""
    if not f.defined(row.width):
        return "–"
    never = row.width == math.inf
    bounds = f.interval(row.low, row.high, f.count)
    text = "never" if never else f.count(row.width)
    if bounds != f.NO_INTERVAL and not (never and row.low == math.inf):
        text += f" {bounds}"
    return f"*{text}*" if row.agreement == "agrees" and row.metric != "accuracy" else text


def _extrapolation(study: _Study) -> Iterator[str]:
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
            yield say.early_verdicts(
                _title(dataset),
                f.count(float(str(epoch))),
                f.count(study.last),
                int(agrees.sum()),
                len(metrics),
                str(own["outcome"].iloc[0]) if len(own) else "",
            )
            names = pd.Series(_names(metrics), index=metrics.index, dtype=object)
            early.append(set(names[agrees]))
    if early:
        yield say.early_everywhere(sorted(set.intersection(*early)), len(study.datasets))
    other = found[(found["question"] == "other dataset") & (found["epoch"] == study.last)]
    other = other[other["metric"] != "accuracy"]
    if len(study.datasets) > 1:
        yield say.order_of_datasets(
            _names(other[other["outcome"] == "same order"]),
            _names(other[other["outcome"] == "opposite order"]),
            int((other["outcome"] == "not separated").sum()),
        )


TARGETS = {
    "accuracy_gap": "the gap between train and test accuracy",
    "loss_gap": "the gap between test and train loss",
}


def _overfitting(study: _Study) -> Iterator[str]:
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
                _label(str(metric)) for metric in rows.loc[rows["over_width_low"] > 0, "metric"]
            ]
            counts = (int(first["excluding"]), int(first["tested"]), float(first["by_chance"]))
            followings.append(say.Following(words, *counts, knowing))
        yield say.overfitting(_title(dataset), followings)


def _harder(study: _Study) -> Iterator[Finding]:
    found = study.latest("harder_dataset")
    if found.empty:
        yield Finding(None, "", "", say.absent("the expectations for a harder data set"))
        return
    easy, hard = _title(str(found["easy"].iloc[0])), _title(str(found["hard"].iloc[0]))
    for name in say.EXPECTATIONS:
        rows = found[found["expectation"] == name]
        if rows.empty:
            continue
        if name == "plateau later":
            main = rows[rows["images"] == "test"] if (rows["images"] == "test").any() else rows
            row = main.iloc[0]
            size = f.estimate(row["estimate"], row["low"], row["high"]) + " octaves"
            outcome, details = str(row["outcome"]), None
        elif name == "distribution to the right":
            whole = rows[rows["width"].isna()]
            row = whole.iloc[0] if len(whole) else rows.iloc[0]
            size = f.estimate(row["estimate"], row["low"], row["high"]) + " in spread"
            single = rows[rows["width"].notna()]
            outcome, details = str(row["outcome"]), _counts(single)
            outcome = _combined(outcome, details)
        else:
            size, details = "", _counts(rows)
            outcome = _combined("", details)
        yield say.expectation(
            name, easy, hard, outcome, "" if f.UNDEFINED in size else size, details
        )


def _counts(rows: pd.DataFrame) -> dict[str, int]:
    order = ("holds", "contradicted", "not separated", "not defined")
    return {outcome: int((rows["outcome"] == outcome).sum()) for outcome in order}


def _combined(overall: str, details: dict[str, int]) -> str:
    """One outcome of several tests: mixed where some hold and others are contradicted."""
    if details["holds"] and details["contradicted"]:
        return "mixed"
    if overall:
        return overall
    for outcome in ("holds", "contradicted"):
        if details[outcome]:
            # A single kind of outcome is told for all only where it is the majority of what was tested.
            tested = sum(details.values()) - details["not defined"]
            return outcome if 2 * details[outcome] > tested else "not separated"
    return "not separated" if details["not separated"] else "not defined"


def _counter_example(study: _Study) -> Iterator[str]:
    found = study.analysis("counter_example")
    if found.empty:
        yield say.absent("the counter-example")
        return
    for dataset in study.datasets:
        rows = found[(found["dataset"] == dataset) & (found["kind"] == "summary")]
        for row in _rows(rows):
            number = int(row.n) if f.defined(row.n) else 0
            yield say.counter_example(_title(dataset), str(row.outcome), row.width, number)
    values = found[found["kind"] == "value"]
    fixed = values.loc[values["outcome"] == "cannot change", "metric"].unique()
    yield say.fixed_values([_label(str(metric)) for metric in fixed])
    for dataset in study.datasets:
        rows = values[values["dataset"] == dataset]
        tested = rows[rows["outcome"].isin(["changes", "not separated"])]
        moves = tested["outcome"] == "changes"
        ever = moves.groupby(tested["metric"], sort=False).any()
        unmoved = [_label(str(metric)) for metric in ever.index[~ever.to_numpy(bool)]]
        yield say.changed_values(_title(dataset), int(moves.sum()), len(tested), unmoved)
    for dataset in study.datasets:
        rows = _noise_verdicts(found, dataset)
        names = pd.Series(_names(rows), index=rows.index, dtype=object)
        moves, smaller = rows["outcome"] == "changes", rows["difference"] < 0
        yield say.changed_verdicts(
            _title(dataset), list(names[moves & smaller]), list(names[moves & ~smaller]), len(rows)
        )
    verdicts = _metric_verdicts(study)
    both = []
    for dataset in study.datasets:
        rows = _noise_verdicts(found, dataset)
        if rows.empty or verdicts.empty:
            continue
        agreeing = verdicts[(verdicts["dataset"] == dataset) & (verdicts["agreement"] == "agrees")]
        pairs = set(zip(agreeing["metric"], agreeing["rule"], strict=True))
        named = zip(_names(rows), _rows(rows), strict=True)
        both.append(
            (
                _title(dataset),
                [
                    name
                    for name, row in named
                    if row.noise == study.widths[0] and (row.metric, row.rule) in pairs
                ],
            )
        )
    yield say.right_on_both(both)


def _noise_verdicts(found: pd.DataFrame, dataset: str) -> pd.DataFrame:
    """Verdicts of activation metrics that are defined on the images and on the noise."""
    rows = found[(found["dataset"] == dataset) & (found["kind"] == "verdict")]
    return rows[~rows["outcome"].isin(["cannot change", "not defined"])]


def _cost(study: _Study) -> dict[str, Any]:
    """Parameters, mult-adds and seconds of each width; seconds from the timing job, if there is one."""
    frame = study.tables.main
    timed = frame["metric"].str.startswith("seconds_per_step_median.")
    datasets = [d for d in study.datasets if (timed & (frame["dataset"] == d)).any()]
    rows = []
    for width in study.widths:
        here = frame[frame["width"] == width]
        cells = [f.count(width), f.scaled(_value(here, "parameters"))]
        cells += [f.scaled(_value(here, "mult_adds_forward_per_image"))]
        steps = [
            str(m) for m in here["metric"].unique() if str(m).startswith("mult_adds_per_step.")
        ]
        cells.append(f.scaled(sum(_value(here, step) for step in steps)))
        for dataset in datasets:
            part = here[here["dataset"] == dataset]
            median, low, high = (
                _step(part, f"seconds_per_step_{quartile}.") for quartile in ("median", "q1", "q3")
            )
            cells.append(
                f"{f.milliseconds(median)} [{f.milliseconds(low)}, {f.milliseconds(high)}]"
            )
            cells.append(f.significant(_value(part, "seconds_run")))
        rows.append(cells)
    head = ["Width", "Parameters", "Forward", "Step"]
    for dataset in datasets:
        suffix = f" ({_title(dataset)})" if len(datasets) > 1 else ""
        head += [f"ms per step{suffix}", f"s per run{suffix}"]
    ends = [frame[frame["width"] == width] for width in (study.widths[0], study.widths[-1])]
    operations, seconds = (
        [_step(part, prefix) for part in ends]
        for prefix in ("mult_adds_per_step.", "seconds_per_step_median.")
    )
    sentence = say.cost(
        f.count(study.widths[0]), f.count(study.widths[-1]), _ratio(operations), _ratio(seconds)
    )
    return {
        "head": head,
        "rows": rows,
        "timed_on": f.listed([_title(d) for d in datasets]),
        "sentences": [sentence],
    }


def _ratio(ends: list[float]) -> float:
    return ends[1] / ends[0] if ends[0] > 0 else math.nan


def _step(frame: pd.DataFrame, prefix: str) -> float:
    """What a step costs, summed over phases, on the first data set that says so."""
    found = frame[frame["metric"].str.startswith(prefix)].drop_duplicates("metric")
    return float(found["value"].sum()) if len(found) else math.nan


def _value(frame: pd.DataFrame, metric: str) -> float:
    """The value of a metric that is the same for every seed and data set."""
    found = frame.loc[frame["metric"] == metric, "value"].dropna()
    return float(found.iloc[0]) if len(found) else math.nan


# Signs in the cells of the table of published figures.
SIGNS = {"agrees": " =", "differs": " ≠"}


def _published(study: _Study) -> dict[str, Any]:
    """How our figures compare with the older work's: a sentence, and tables of those at our widths."""
    found = study.analysis("published")
    if found.empty:
        absent = say.absent(
            "the comparison with published figures, or there is none to compare with"
        )
        return {"sentences": [absent], "by_width": [], "other": {"head": [], "rows": []}}
    same = found["outcome"].isin(SIGNS)
    missing = found["outcome"] == "not measured"
    sentence = say.published(
        int(same.sum()),
        int((found["outcome"] == "agrees").sum()),
        int((~same & ~missing).sum()),
        int(missing.sum()),
    )
    at_width = (found["width"] == found["our_width"]) & found["component"].isna()
    curves = (found["width"] == found["our_width"]) & found["component"].notna()
    other = found[~missing & (found["our_width"].isna() | curves)]
    return {
        "sentences": [sentence],
        "by_width": [
            table
            for keys, group in found[at_width].groupby(["dataset", "epochs"], sort=False)
            if (table := _by_width(str(keys[0]), group))["rows"]
        ],
        "other": {
            "head": ["Data set", "Quantity", "Width", "k", "Published", "after", "Ours", "after"],
            "rows": [_other_row(row) for row in _rows(other)],
        },
    }


def _by_width(dataset: str, found: pd.DataFrame) -> Table:
    """Published figures of one data set and training time beside ours, a column for each quantity."""
    quantities = list(dict.fromkeys(found["quantity"]))
    rows = []
    for width, group in found.groupby("width"):
        cells = {row.quantity: _beside(row) for row in _rows(group)}
        rows.append([f.count(float(str(width))), *(cells.get(name, "–") for name in quantities)])
    first = found.iloc[0]
    return {
        "dataset": _title(dataset),
        "epochs": f.count(first["epochs"]),
        "our_epochs": f.count(first["our_epochs"]),
        "signs": bool(
            found["outcome"].isin(SIGNS).any() or (found["epochs"] == found["our_epochs"]).any()
        ),
        "head": ["Width", *(_column(name) for name in quantities)],
        "rows": rows,
    }


def _column(quantity: str) -> str:
    return _head(quantity) + (" %" if quantity == "accuracy" else "")


def _beside(row: Any) -> str:
    """`published | ours ± half of the interval`, with a sign where the two may be compared."""

    if row.quantity == "accuracy":
        show: f.Show = _bare_percent
    else:
        digits = 3 if row.quantity.endswith("_share") or row.quantity.startswith("normality") else 1

        def show(value: float) -> str:
            return f.decimal(value, digits)

    ours = _cell(Interval(row.mean, math.nan, 0, row.low, row.high), show)
    return f"{show(row.value)} | {ours}{SIGNS.get(row.outcome, '')}"


def _other_row(row: Any) -> list[str]:
    if row.quantity.endswith(("_peak", "_saturation")):
        ours = f.width_estimate(row.mean, row.low, row.high)
        value = f.width(row.value)
    else:
        ours = f.estimate(row.mean, row.low, row.high, lambda x: f.significant(x, 4))
        value = f.significant(row.value, 4)
    images = f" ({row.images})" if isinstance(row.images, str) else ""
    return [
        _title(str(row.dataset)),
        _head(str(row.quantity)) + images,
        f.count(row.width) if f.defined(row.width) else "–",
        f.count(row.component) if f.defined(row.component) else "–",
        value + {"text": " (in words)", "eye": " (by eye)"}.get(str(row.how), ""),
        f.count(row.epochs) if f.defined(row.epochs) else "–",
        ours + SIGNS.get(row.outcome, ""),
        f.count(row.our_epochs) if f.defined(row.our_epochs) else "–",
    ]
