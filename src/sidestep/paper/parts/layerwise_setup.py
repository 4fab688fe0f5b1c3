"""What a study of strategies trains: its network, signals, baselines and learning rates."""

import math
from collections.abc import Iterator, Sequence
from typing import Any

from sidestep.paper.parts import formats as f
from sidestep.paper.parts import sentences as say
from sidestep.paper.parts import setup
from sidestep.paper.parts.layerwise_study import LayerwiseStudy
from sidestep.paper.parts.layerwise_words import (
    code,
    named,
    optimiser_words,
    order_words,
    plain,
    rate,
    signal_words,
)
from sidestep.paper.parts.words import dataset_name

# What each signal of the older work's loss is, as a formula of the pairs; c is the cosine.
LOSSES = {
    "pairs": "the mean cosine of pairs with different labels plus the mean of $1 - c$ of pairs with "
    "the same label, which is what the older work meant",
    "abs_diff": "the mean absolute cosine of pairs with different labels",
    "equal": "minus the mean cosine of pairs with the same label",
    "all": "the mean of the cosine over all pairs, taken negative where the labels are the same",
    "mean_squared": "the mean squared distance from the mean output of the class",
    "mean_cosine": "the mean of $1 - c$ to the mean output of the class",
}
# Losses without a term between classes: their minimum is total collapse.
BLIND = ("equal", "mean_squared", "mean_cosine")
ESTIMATORS = {
    "gaussian_full": "Gaussians with the outputs' own means and covariances, which are drawn towards "
    "a spherical one that all classes share",
    "gaussian_diagonal": "Gaussians with the outputs' own means and variances, which are drawn "
    "towards one that all classes share",
    "nearest_neighbours": "distances to nearest neighbours @wang2009divergence "
    "@perezcruz2008kullback, which assumes no shape",
}


def layerwise_setup(study: LayerwiseStudy) -> dict[str, str]:
    """The words and numbers of the paragraphs on the experiment."""
    runs = list(study.runs.values())
    return {
        **setup.setup(study.tables.study),
        "stages": f.listed([code(stage) for stage in study.stages()]),
        "baseline": code(study.baseline),
        "parameters": parameters(study),
        "dropout": dropout(
            [run["network"]["dropout"] for run in runs if "dropout" in run["network"]]
        ),
        "reads": reads(*_by_stage_end(study)),
        "normalisation": normalisation([dataset_name(d) for d in study.datasets]),
        "evaluations": evaluations(
            [run["evaluations"] for run in runs], [run["evaluation_images"] for run in runs]
        ),
        "rates": rates([run["validation"] for run in runs]),
        "variants": f.count(len(runs)),
    }


def parameters(study: LayerwiseStudy) -> str:
    """How many parameters the networks have."""
    frame = study.tables.main
    found = frame.loc[frame["metric"] == "parameters", "value"].dropna()
    sizes = sorted({int(value) for value in found.astype(float)})
    if not sizes:
        return "an unknown number of parameters"
    return f"{f.listed([f.count(size) for size in sizes], 'or')} parameters"


def dropout(shares: Sequence[float]) -> str:
    """The share of the dense layer that is dropped."""
    found = sorted(set(shares))
    return f.listed([f.percent(share, 0) for share in found], "or") if found else "none"


def _by_stage_end(study: LayerwiseStudy) -> tuple[list[str], list[str]]:
    """Variants with local signals that read after the pool, and those that read before it."""
    ends = {name: study.runs[name]["network"].get("stage_ends") for name in study.local}
    after = [name for name, end in ends.items() if end == "after_pool"]
    return after, [name for name, end in ends.items() if end == "before_pool"]


def reads(after: Sequence[str], before: Sequence[str]) -> str:
    """Where a signal reads a convolution's output; the older work read it before the pool."""
    if not before:
        return (
            "A signal reads a convolution's output after its pool, where the older work read it before."
            if after
            else ""
        )
    if not after:
        return "As in the older work, a signal reads a convolution's output before its pool."
    return (
        "A signal reads a convolution's output after its pool, but in "
        f"{named(before)} before it, as in the older work."
    )


def normalisation(datasets: Sequence[str]) -> str:
    """How inputs are scaled."""
    text = (
        "Inputs are normalised by constants of the data set, where the older work left them "
        "between zero and one"
    )
    if "Fashion-MNIST" in datasets:
        text += "; Fashion-MNIST has those of MNIST"
    return text + "."


def evaluations(times: Sequence[int], images: Sequence[int | None]) -> str:
    """How often the network is evaluated, and on what."""
    often = sorted(set(times))
    counts = {count for count in images if count is not None}
    some = None in images
    many = f.listed([f.count(count) for count in sorted(counts)], "or")
    if not counts:
        which = "all test images"
    elif some:
        which = f"all or the first {many} test images"
    else:
        which = f"the first {many} test images"
    each = f.listed([f.count(time) for time in often], "or")
    rhythm = "once an epoch" if often == [1] else f"{each} times an epoch"
    return (
        f"The whole network is evaluated before the first step, {rhythm} and where a phase ends, on "
        f"{which}, with dropout off."
    )


def rates(validation: Sequence[int]) -> str:
    """Where the learning rates come from."""
    if not all(validation):
        return (
            "Some variants hold no validation image out, so that nothing can have chosen their "
            "learning rate but the configuration."
        )
    return (
        "Learning rates are chosen for each variant by a search that the configuration declares: the same "
        "grid and the same seeds for every variant, judged by the loss on the "
        "validation images. The table of the search is kept in `config/search/`, and the configuration "
        "names the winners."
    )


def described_signals(study: LayerwiseStudy) -> Iterator[str]:
    """A sentence or more on each signal that some variant learns from."""
    users: dict[str, list[str]] = {}
    for name in study.local:
        users.setdefault(study.signal(name)["name"], []).append(name)
    if "sub_model" in users:
        yield (
            "_Sub-model_ (never written in the older work). One dense layer on the block's output, "
            "trained with the block by cross-entropy and then thrown away: "
            f"{named(users['sub_model'])}."
        )
    yield from _maximum_difference(study, users.get("maximum_difference", []))
    if "similarity_matching" in users:
        yield similarity([study.signal(n)["prediction"] for n in users["similarity_matching"]])
    if "divergence" in users:
        kinds = [study.signal(name)["estimator"] for name in users["divergence"]]
        yield divergence(list(dict.fromkeys(kinds)))
    for name in users.keys() - {
        "sub_model",
        "maximum_difference",
        "similarity_matching",
        "divergence",
    }:
        yield f"{code(name)}: {named(users[name])}."


def _maximum_difference(study: LayerwiseStudy, users: list[str]) -> Iterator[str]:
    by_loss: dict[str, list[str]] = {}
    for name in users:
        by_loss.setdefault(study.signal(name)["loss"], []).append(name)
    if own := {loss: names for loss, names in by_loss.items() if loss in LOSSES}:
        yield difference(own)
    if "stabilised" in by_loss:
        yield stabilised(by_loss["stabilised"])


def difference(by_loss: dict[str, list[str]]) -> str:
    """The older work's losses, with which variants use them."""
    parts = [f"{LOSSES[loss]} ({named(names)})" for loss, names in by_loss.items()]
    text = (
        "_Maximum difference._ Image $i$ of a batch of $N$ is paired with image $i + N\\/2$, and $c$ is "
        "the cosine of the two outputs. The losses are "
    )
    text += f"{'; '.join(parts)}."
    blind = [name for loss in BLIND for name in by_loss.get(loss, [])]
    if blind:
        text += (
            f" {named(blind)} {'has' if len(blind) == 1 else 'have'} no term between classes: the minimum "
            "is collapse, all outputs in one direction or one point."
        )
    return text


def stabilised(names: Sequence[str]) -> str:
    """Our cure of the instability."""
    return (
        f"_Maximum difference, stabilised_ ({named(names)}): our attempt at a cure. Outputs are centred "
        "over the batch, so that they can point apart without a dead unit; the norm in the "
        "denominator has a share of the batch's mean squared norm added, which bounds the gradient; all "
        "pairs of the batch count; and a further term holds the root mean square of the outputs near one."
    )


def similarity(predictions: Sequence[float]) -> str:
    """Nøkland and Eidnes's loss."""
    text = (
        "_Similarity matching_ @nokland2019training, as today's best of the kind: the squared difference "
        "between the matrix of cosines of the outputs, seen through a small layer of the signal's own, "
        "and that of the labels"
    )
    mixed = sorted({share for share in predictions if share})
    if mixed:
        shares = f.listed([f.setting(share) for share in mixed], "or")
        some = "" if all(predictions) else ", in one form alone and in another"
        text += f"{some} mixed with the loss of a classifier of weight {shares}"
    return text + "."


def divergence(estimators: Sequence[str]) -> str:
    """The idea that the older work shelved."""
    kinds = "; and by ".join(ESTIMATORS.get(kind, code(kind)) for kind in estimators)
    return (
        "_Divergence._ The Kullback–Leibler divergence between the outputs of each two classes should be "
        "large, the idea that the older work put on the shelf for want of densities. It is estimated by "
        f"{kinds}."
    )


def variant_table(study: LayerwiseStudy) -> f.Table:
    """Every variant in words."""
    stages = study.stages()
    rows = [
        [
            plain(name),
            order_words(run, stages),
            signal_words(study.signal(name)),
            optimiser_words(run),
            rate(run),
        ]
        for name, run in study.runs.items()
    ]
    return {"head": ["Variant", "Blocks", "Signal", "Optimiser", "Rate"], "rows": rows}


def baselines(study: LayerwiseStudy) -> str:
    """Those variants that are trained end to end, as standard practice is."""
    local = study.local
    found = [name for name in study.runs if name not in local]
    parts = [_baseline(name, study.runs[name]) for name in found]
    return baselines_sentence(parts, code(study.baseline), study.baseline in found)


def _baseline(name: str, run: dict[str, Any]) -> str:
    optimiser, schedule = run["optimiser"], run["schedule"]["name"]
    text = setup.CITED.get(optimiser["name"], code(optimiser["name"]))
    if optimiser.get("momentum"):
        text += " with momentum"
    if schedule == "one_cycle":
        text += " and one cycle of the learning rate @smith2019super"
    elif schedule != "constant":
        text += f" and the schedule {code(schedule)}"
    return f"{code(name)} ({text}{_rate_of(run)})"


def _rate_of(run: dict[str, Any]) -> str:
    value = run["optimiser"].get("lr", math.nan)
    return f", learning rate {f.setting(value)}" if f.defined(value) else ""


def baselines_sentence(found: Sequence[str], baseline: str, among: bool) -> str:
    """What the strategies are held against."""
    if not found:
        return (
            say.absent("a network that is trained end to end")
            + f" The others are compared to {baseline}."
        )
    text = f"Trained end to end, as is standard practice, are {f.listed(found)}"
    if len(found) == 1:
        text = f"Trained end to end, as is standard practice, is {found[0]}"
    if among:
        return f"{text}. Every other variant is compared to {baseline}."
    return f"{text}; but every other variant is compared to {baseline}."
