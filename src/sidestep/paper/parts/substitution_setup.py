"""What the study of substitutes trains: network, layers, budgets, teacher, weight decay."""

from collections.abc import Iterator, Sequence
from typing import Any

from sidestep import things, variants
from sidestep.paper.parts import formats as f
from sidestep.paper.parts import sentences as say
from sidestep.paper.parts import setup
from sidestep.paper.parts.decoupled_setup import NORMALISATIONS
from sidestep.paper.parts.decoupled_words import distinct, plain
from sidestep.paper.parts.layerwise_words import code, named, optimiser_words, rate
from sidestep.paper.parts.substitution_study import (
    DENSE,
    SubstitutionStudy,
    budget_of,
    budget_words,
)
from sidestep.paper.parts.substitution_words import LINES, layer_words
from sidestep.paper.parts.words import dataset_name

Run = dict[str, Any]

AUGMENTATIONS = {
    "random_crop": "random crops",
    "horizontal_flip": "horizontal flips",
    "cutout": "Cutout @devries2017improved",
}


def substitution_setup(study: SubstitutionStudy) -> dict[str, Any]:
    """The words and numbers of the paragraphs on the experiment."""
    runs = list(study.runs.values())
    return {
        **setup.setup(study.tables.study),
        "network": networks([run["network"] for run in runs]),
        "replaced": replaced([run["network"] for run in runs]),
        "inputs": inputs(runs),
        "layers": list(layers(study)),
        "budgets": budgets(study),
        "reached": list(reached(study)),
        "teacher": teacher(study),
        "decay": decay(study),
        "optimiser": f.listed(distinct(optimiser_words(run) for run in runs), "or"),
        "rates": rates(runs),
        "variants": f.count(len(runs)),
    }


def networks(found: Sequence[Run]) -> str:
    """Wide residual networks by depth and width."""
    names = distinct(
        f"WRN-{net['depth']}-{net['width']}"
        if net["name"] == "wide_resnet"
        else f"networks {code(str(net['name']))}"
        for net in found
    )
    if all(net["name"] == "wide_resnet" for net in found):
        what = "the wide residual network" if len(names) == 1 else "wide residual networks"
        return f"{what} {f.listed(names)} @zagoruyko2016wide (depth, then width)"
    return f.listed(names)


def replaced(found: Sequence[Run]) -> str:
    """What may be replaced, and what never is."""
    wide = [net for net in found if net["name"] == "wide_resnet"]
    numbers = distinct(f.count(net["depth"] - 4) for net in wide)
    if not numbers:
        return ""
    return (
        f"A block has two 3 × 3 convolutions; these, {f.listed(numbers, 'or')} in all, may be replaced. The first "
        "convolution, the shortcuts and the classifier never are."
    )


def inputs(runs: Sequence[Run]) -> str:
    """How pixels are scaled, and what is done to training images."""
    scales = distinct(
        NORMALISATIONS.get(str(run["normalisation"]), f"are scaled by {code(run['normalisation'])}")
        for run in runs
    )
    done = distinct(
        f.listed(
            [
                AUGMENTATIONS.get(str(each["name"]), code(str(each["name"])))
                for each in run["augmentations"]
            ]
        )
        for run in runs
        if run["augmentations"]
    )
    text = f"Pixels {f.listed(scales, 'or')}"
    if not done:
        return f"{text}; training images are not augmented."
    some = "" if all(run["augmentations"] for run in runs) else " where a variant says so"
    return f"{text}; training images are augmented{some}, by {f.listed(done, 'or')}."


def layers(study: SubstitutionStudy) -> Iterator[str]:
    """A line on each layer that some variant has, with its variants."""
    users: dict[str, list[str]] = {}
    for name, run in study.runs.items():
        users.setdefault(variants.layer(run), []).append(name)
    for layer, names in users.items():
        line = LINES.get(layer, f"the layer {code(layer)}")
        yield f"_{_capital(layer_words(layer))}_ ({named(names)}): {line}."


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def budgets(study: SubstitutionStudy) -> str:
    """Every budget with what it is a share of."""
    found: dict[str, list[float]] = {}
    for net in (run["network"] for run in study.runs.values()):
        if net["name"] == "wide_resnet" and net["budget"] != 1:
            budget = float(net["budget"])
            found.setdefault("" if budget > 1 else str(net["base"]), []).append(budget)
    text = "“A share of the parameters” means nothing without its base"
    if not found:
        return f"{text}; no variant has a budget."
    parts = [budget_words(list(dict.fromkeys(each)), base) for base, each in found.items()]
    one = len(parts) == 1 and len(set(next(iter(found.values())))) == 1
    return f"{text}: here {'the budget is' if one else 'budgets are'} {f.listed(parts)}."


def reached(study: SubstitutionStudy) -> Iterator[str]:
    """The shares of the baseline's parameters that the networks have, by data set and budget."""
    known = False
    for dataset in study.datasets:
        cells: dict[str, dict[str, float]] = {}
        for row in study.records("pareto", dataset):
            if budget_of(row) and f.defined(row.reached):
                # A network has as many parameters with a teacher as without.
                cells.setdefault(budget_of(row), {}).setdefault(str(row.layer), float(row.reached))
        for budget, shares in cells.items():
            known = True
            parts = [
                f"{layer_words(layer)} {f.percent(share, 1)}" for layer, share in shares.items()
            ]
            where = f" on {dataset_name(dataset)}" * (len(study.datasets) > 1)
            yield (
                f"Of the parameters of {code(study.baseline)}, a budget of {budget} leaves the whole network{where}, "
                f"with what is never replaced: {', '.join(parts)}."
            )
    if not known:
        yield say.absent("the share of parameters that each layer reached")


def teacher(study: SubstitutionStudy) -> str:
    """Who teaches whom, and by what."""
    taught = {name: run for name, run in study.runs.items() if variants.taught(run)}
    if not taught:
        return "No variant has a teacher."
    who = distinct(code(str(run["teacher"])) for run in taught.values())
    means = distinct(_means(run["strategy"]) for run in taught.values())
    return (
        f"{_capital(named(list(taught)))} learn{'s' * (len(taught) == 1)} from the finished {f.listed(who, 'or')} of "
        f"the same seed as well, {'; or '.join(means)}. Its forward passes are part of a step's time, its "
        "training is not."
    )


def _means(strategy: dict[str, Any]) -> str:
    found = things.complete("strategies", strategy)
    if found["name"] != "distilled":
        return f"by the strategy {code(str(found['name']))}"
    parts = []
    if found["attention"]:
        stages = f.listed([plain(str(stage)) for stage in found["stages"]])
        where = f"at {stages}" if found["stages"] else "at every stage that gives maps"
        parts.append(
            f"by attention transfer @zagoruyko2017paying {where} (weight {f.setting(found['attention'])}, mean "
            "square over images and positions)"
        )
    if found["logits"]:
        parts.append(
            f"by its logits @hinton2015distilling (share {f.setting(found['logits'])}, temperature "
            f"{f.setting(found['temperature'])})"
        )
    return f.listed(parts) if parts else "though nothing of the teacher enters the loss"


def decay(study: SubstitutionStudy) -> str:
    """The weight decay, and of whom it is scaled."""
    runs = study.runs
    values = distinct(f.setting(run["optimiser"].get("weight_decay", 0.0)) for run in runs.values())
    scaled = [n for n, run in runs.items() if run.get("substituted_decay") == "scaled"]
    substitutes = [n for n, run in runs.items() if variants.layer(run) != DENSE]
    text = f"The weight decay is {f.listed(values, 'or')}"
    if not scaled:
        return f"{text}, the same for all weights."
    which = "all substitutes" if set(scaled) >= set(substitutes) else named(scaled)
    return (
        f"{text}; in {which}, that of the weights which stand for a convolution's is multiplied by the layer's share "
        "of its parameters."
    )


def rates(runs: Sequence[Run]) -> str:
    """Where the learning rates come from, and which they are."""
    values = distinct(rate(run) for run in runs)
    text = f"The learning {'rate is' if len(values) == 1 else 'rates are'} {f.listed(values, 'or')}"
    if not all(run["validation"] for run in runs):
        return f"{text}, set by the configuration and not searched for."
    students = any(run.get("teacher") for run in runs)
    return (
        f"{text}, as a search over the same grid for every network that learns alone chose by the loss on the "
        "validation images (`config/search/substitution.csv`)"
        + ("; students take the rate of the same network alone." if students else ".")
    )
