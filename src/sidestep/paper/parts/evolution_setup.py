"""What the study of graphs that evolve trains: data, models, generations, update rules."""

from collections.abc import Iterator
from typing import Any

from sidestep import things
from sidestep.evolution import CONTROL
from sidestep.paper.parts import formats as f
from sidestep.paper.parts.decoupled_words import distinct
from sidestep.paper.parts.evolution_data import DATASETS, inputs_of
from sidestep.paper.parts.evolution_study import EvolutionStudy
from sidestep.paper.parts.evolution_words import LINES, place
from sidestep.paper.parts.layerwise_words import named, optimiser_words, rate
from sidestep.paper.parts.resizing_words import capital

Run = dict[str, Any]


def evolution_setup(study: EvolutionStudy) -> dict[str, Any]:
    """The words and numbers of the paragraphs on the experiment."""
    runs = list(study.runs.values())
    return {
        "datasets": [dataset_line(study, name) for name in study.datasets],
        "models": list(models(study)),
        "generations": list(generations(study)),
        "operations": operations(study),
        "splits": splits(study),
        "seeds": f.plural(len(study.study.seeds), "seed"),
        "runs": f.plural(len(runs) * len(study.datasets) * len(study.study.seeds), "run"),
        "epochs": f.listed(distinct(f.plural(run["epochs"], "epoch") for run in runs), "or"),
        "batch_size": f.listed(distinct(f.count(run["batch_size"]) for run in runs), "or"),
        "optimiser": f.listed(distinct(optimiser_words(run) for run in runs), "or"),
        "learning_rate": f.listed(distinct(rate(run) for run in runs), "or"),
        "decay": decay(runs),
        "iterations": iterations(study),
    }


def iterations(study: EvolutionStudy) -> str:
    """How many iterations boosting has."""
    asked = [thing for thing in study.study.analyses if thing["name"] == "boosting"]
    thing = things.complete("analyses", (asked or [{"name": "boosting"}])[0])
    return f.plural(int(thing["iterations"]), "iteration")


def dataset_line(study: EvolutionStudy, dataset: str) -> str:
    """A data set: its source, inputs, target and rows."""
    known, inputs = DATASETS.get(dataset), inputs_of(dataset)
    if known is None or inputs is None:
        return f"{place(dataset)}."
    run = study.study.run(dataset, study.baseline, study.study.seeds[0])
    train, validation = known.sizes["train"], run["validation"]
    if run.get("subset"):
        train = min(train, int(run["subset"]))
    held = f.percent(validation, 0) if 0 < validation < 1 else f.count(validation)
    target = f.plural(known.classes, "class", "classes") if known.classes else "a number"
    return (
        f"{place(dataset)} @{known.citation}: {f.plural(inputs, 'input')}"
        f"{', principal components of the training part' if known.components else ''}, {target}; "
        f"{f.count(train)} rows to learn from"
        f"{f', {held} of them for validation,' if validation else ''} and {f.count(known.sizes['test'])} to test on."
    )


def models(study: EvolutionStudy) -> Iterator[str]:
    """A line on each role that some variant has, with its variants."""
    for role, line in LINES.items():
        if names := study.of_role(role):
            yield f"{capital(named(names))}: {line}{_sized(study, role, names)}."
    others = [name for name in study.runs if name not in study.first]
    if others:
        yield (
            f"{capital(named(others))}: further members of a population, which share a seed's data with their first "
            "member and differ in all that is random."
        )


def _sized(study: EvolutionStudy, role: str, names: list[str]) -> str:
    """Of controls, how many operations they have."""
    if role != CONTROL:
        return ""
    sizes = distinct(
        f.count(things.complete("networks", study.runs[name]["network"])["size"]) for name in names
    )
    return f" ({f.listed(sizes, 'or')} operations)"


def generations(study: EvolutionStudy) -> Iterator[str]:
    """In how many rounds graphs evolve, and how, by those of which it is said."""
    found: dict[str, list[str]] = {}
    for name in study.evolving:
        found.setdefault(_generations(study, name), []).append(name)
    for text, names in found.items():
        yield f"{capital(named(names))}: {text}."


def _generations(study: EvolutionStudy, name: str) -> str:
    strategy = things.complete("strategies", study.runs[name]["strategy"])
    edit = study.edit(name)
    start = int(things.complete("networks", study.runs[name]["network"])["size"])
    parts = [
        "from no operations" if not start else f"from {f.plural(start, 'operation')}",
        f.plural(int(strategy["rounds"]), "round"),
    ]
    if strategy.get("settle"):
        parts.append(f"{f.percent(strategy['settle'], 0)} of the steps after the last edit")
    parts.append(f"{_few(edit['prunes'])} out and {_few(edit['adds'])} in at each")
    drawn = int(edit["candidates"])
    parts.append(
        f"each the best of {f.plural(drawn, 'candidate')}" if drawn > 1 else "each as drawn"
    )
    if edit["by"] == "loss":
        parts.append("that out without which the training loss is least")
    parts.append(f"measured on the first {f.count(edit['images'])} rows of a part")
    return ", ".join(parts)


def _few(number: int) -> str:
    return f"up to {f.count(number)}" if number else "none"


def operations(study: EvolutionStudy) -> str:
    """The kinds of operations that graphs may have, and how often one has a constant."""
    graphs = [
        things.complete("networks", run["network"])
        for run in study.runs.values()
        if run["network"]["name"] == "evolving"
    ]
    if not graphs:
        return ""
    kinds = distinct(str(kind) for graph in graphs for kind in graph["operations"])
    shares = distinct(f.percent(graph["constants"], 0) for graph in graphs)
    words = f.listed([kind.replace("_", " ") for kind in kinds])
    return (
        f"The kinds are {words}; in {f.listed(shares, 'or')} of those drawn that take two operands, one of these "
        "is a constant."
    )


def splits(study: EvolutionStudy) -> str:
    """Whether every seed draws its own split."""
    if any(run.get("resample") for run in study.runs.values()):
        return (
            "Each seed draws training, validation and test rows anew from all of them, "
            "the same ones for every model."
        )
    return "All seeds share the same training and test rows."


def decay(runs: list[Run]) -> str:
    """The weight decay."""
    values = sorted({float(run["optimiser"].get("weight_decay", 0.0)) for run in runs})
    if values == [0.0]:
        return "There is no weight decay."
    return f"The weight decay is {f.listed([f.setting(value) for value in values], 'or')}; constants never decay."
