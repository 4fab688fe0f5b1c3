"""What the study of layers that size themselves trains: networks, methods, prices, rounds."""

from collections.abc import Iterator, Sequence
from typing import Any

from sidestep import sizing, things
from sidestep.paper.parts import formats as f
from sidestep.paper.parts import setup
from sidestep.paper.parts.decoupled_words import distinct
from sidestep.paper.parts.layerwise_words import code, named, optimiser_words, rate
from sidestep.paper.parts.resizing_study import ResizingStudy
from sidestep.paper.parts.resizing_words import LINES, NAMES, amount, capital

Run = dict[str, Any]


def resizing_setup(study: ResizingStudy) -> dict[str, Any]:
    """The words and numbers of the paragraphs on the experiment."""
    runs = list(study.runs.values())
    return {
        **setup.setup(study.study),
        "methods": list(methods(study)),
        "prices": prices(study),
        "decay": decay([sizing.decay(v.run) for v in study.study.variants]),
        "boundary": boundary(study),
        "rounds": list(rounds(study)),
        "shown": shown([run.get("evaluation_images") for run in runs]),
        "optimiser": f.listed(distinct(optimiser_words(run) for run in runs), "or"),
        "learning_rate": f.listed(distinct(rate(run) for run in runs), "or"),
        "variants": f.count(len(runs)),
    }


def methods(study: ResizingStudy) -> Iterator[str]:
    """A line on each method that some variant has, with its variants."""
    for method, names in study.by_method().items():
        line = LINES.get(method, f"the method {code(method)}")
        yield f"_{capital(NAMES.get(method, method))}_ ({named(names)}): {line}."


def prices(study: ResizingStudy) -> str:
    """What a neuron costs, by those who pay for it."""
    found = sorted({sizing.price(v.run) for v in study.study.variants}, reverse=True)
    paid = [amount(price) for price in found if price]
    free = [name for name in study.moving() if not sizing.price(study.study.variant(name).run)]
    if not paid:
        return "no neuron is paid for"
    text = f"{f.listed(paid, 'or')} nats a neuron"
    return text + (f"; nothing is paid for in {named(free)}" if free else "")


def decay(values: Sequence[float]) -> str:
    """The L2 of the weights, coupled with the gradient."""
    some = distinct(amount(value) for value in sorted(set(values)) if value)
    if not some:
        return "There is no weight decay."
    which = "Where a variant says so, weights" if 0 in values else "Weights"
    return (
        f"{which} decay by an $L_2$ of {f.listed(some, 'or')}, added to the gradient; parameters of a "
        "gate never do."
    )


def boundary(study: ResizingStudy) -> str:
    """The rate at which boundaries are trained, and the slopes; empty without flexible layers."""
    gates = [sizing.gate(v.run) for v in study.study.variants]
    flexible = [gate for gate in gates if gate.get("name") == "flexible"]
    if not flexible:
        return ""
    rates = f.listed(distinct(f.setting(gate["lr"]) for gate in flexible), "or")
    slopes = f.listed(
        distinct(f.setting(gate["slope"]) for gate in flexible if gate["slope_is"] != "random"),
        "or",
    )
    return (
        f"The rate of a boundary is {rates}, as in the journal: the update rule moves it by about that many neurons a "
        f"step, whatever the size of its gradient. The slope $k$ is {slopes} a neuron."
    )


def rounds(study: ResizingStudy) -> Iterator[str]:
    """In how many rounds neurons go and come, and how many at once."""
    found: dict[str, list[str]] = {}
    for variant in study.study.variants:
        if sizing.edit(variant.run):
            found.setdefault(_rounds(variant.run), []).append(variant.name)
    for text, names in found.items():
        yield f"{capital(named(names))}: {text}."


def _rounds(run: Run) -> str:
    strategy, edit = things.complete("strategies", run["strategy"]), sizing.edit(run)
    parts = [f.plural(int(strategy["rounds"]), "round")]
    if strategy.get("settle"):
        parts.append(f"{f.percent(strategy['settle'], 0)} of the steps after the last edit")
    if "most" in edit:
        parts.append(f"at most {f.percent(edit['most'], 0)} of the layer leave at once")
    if "tried" in edit:
        parts.append(f"new ones are {f.percent(edit['tried'], 0)} of those that stay")
    if "images" in edit:
        parts.append(f"judged on the first {f.count(edit['images'])} training images")
    return ", ".join(parts)


def shown(numbers: Sequence[int | None]) -> str:
    """On how many images of each split a network is evaluated."""
    known = sorted({number for number in numbers if number is not None})
    every = "all images of a split"
    if not known:
        return f"Losses and accuracies are those of {every}."
    first = (
        f"the first {f.listed([f.count(number) for number in known], 'or')} images of each split"
    )
    rest = f" or of {every}" if None in numbers else ""
    return f"Losses and accuracies are those of {first}{rest}."
