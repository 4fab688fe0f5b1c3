"""Mixtures fitted to the spread of the neurons: which are identifiable, and where their shares go."""

import itertools
from collections.abc import Iterator, Sequence

from sidestep.paper.parts import formats as f
from sidestep.paper.parts.width_study import WidthStudy
from sidestep.paper.parts.words import dataset_name

MODELS = {"exponential_normal": "an exponential and a normal", "two_gammas": "two gammas"}


def mixtures(study: WidthStudy) -> Iterator[str]:
    """How often each mixture is identifiable, which fits better, and how the shares go."""
    fitted = {}
    for model, words in MODELS.items():
        frame = study.tables.metric(f"{model}_identifiable", images="train", last=True)
        fitted[model] = frame
        yield refusals(words, int(frame["value"].sum()), len(frame))
    keys = ["dataset", "width", "seed"]
    columns = []
    for model in MODELS:
        ready = fitted[model][fitted[model]["value"] == 1]
        bic = study.tables.metric(f"{model}_bic", images="train", last=True)
        columns.append(bic.merge(ready[keys], on=keys)[[*keys, "value"]])
    both = columns[0].merge(columns[1], on=keys, suffixes=("_first", "_second"))
    first, second = both["value_first"], both["value_second"]
    one, other = (f"the mixture of {words}" for words in MODELS.values())
    yield preferred(one, other, int((first < second).sum()), int((second < first).sum()))
    for dataset in study.datasets:
        for model, words in MODELS.items():
            shares = study.pooled(dataset, f"{model}_share").dropna(subset=["value"])
            pairs = list(
                zip(shares["width"].astype(float), shares["value"].astype(float), strict=True)
            )
            yield share_trend(dataset_name(dataset), words, pairs)


def refusals(model: str, fitted: int, networks: int) -> str:
    """How often a mixture could be told from a single component."""
    if networks == 0:
        return f"The mixture of {model} was fitted to no network."
    if fitted == 0:
        return (
            f"The mixture of {model} is not identifiable in any of the "
            f"{f.plural(networks, 'network')}, so no share of its first component is reported."
        )
    if fitted == networks:
        return f"The mixture of {model} is identifiable in all {f.plural(networks, 'network')}."
    return (
        f"The mixture of {model} is identifiable in {f.count(fitted)} of {f.plural(networks, 'network')} "
        "and refused in the others."
    )


def preferred(first: str, second: str, wins: int, losses: int) -> str:
    """Which of two mixtures has the lower BIC, where both are identifiable."""
    total = wins + losses
    if total == 0:
        return "No network allows both, so the two mixtures cannot be compared."
    where = f"Where both are identifiable ({f.plural(total, 'network')})"
    if wins == losses:
        return f"{where}, BIC prefers each equally often."
    better, times = (first, wins) if wins > losses else (second, losses)
    return f"{where}, BIC prefers {better} in {f.count(times)}."


def share_trend(dataset: str, model: str, shares: Sequence[tuple[float, float]]) -> str:
    """How the pooled share of small-spread neurons goes with width, over identifiable fits."""
    if len(shares) < 2:
        return (
            f"On {dataset}, the pooled fits of {model} are identifiable at too few widths to follow "
            "the share of the first component."
        )
    (first, low), (last, high) = shares[0], shares[-1]
    values = [value for _, value in shares]
    text = (
        f"On {dataset}, the pooled share of the first component of {model} goes from "
        f"{f.decimal(low, 3)} at width {f.width(first)} to {f.decimal(high, 3)} at width {f.width(last)}"
    )
    steps = [after - before for before, after in itertools.pairwise(values)]
    if all(step >= 0 for step in steps):
        return text + ", rising at every step between identifiable fits."
    if all(step <= 0 for step in steps):
        return text + ", falling at every step between identifiable fits."
    return text + ", not monotonically."
