"""The words of a study of evolving graphs, and what its variants are: told by their settings, never by their names."""

from typing import Any

from sidestep import sizing
from sidestep.files import canonical_json
from sidestep.study import Study, Variant

Run = dict[str, Any]

# Roles, in the order in which the text and the figures have them.
LINEAR, MLP, CONTROL, EVOLVED, JUDGED, OTHER = (
    *("linear", "mlp", "never_evolved", "evolved", "judged", "other"),
)
# What is no variant but compared with them, and what checks the linear one: methods of the analysis `boosting`.
BOOSTING, EXACT_LINEAR = "boosting", "exact_linear"
# The data set of means over all data sets of classes.
ALL_CLASSES = "all classes"
ACCURACY, R2 = "accuracy", "r2"


def is_graph(run: Run) -> bool:
    """Whether a run's network begins with a graph of operations."""
    return bool(run["network"]["name"] == "evolving")


def evolves(run: Run) -> bool:
    """Whether the graph changes while it is trained."""
    return is_graph(run) and sizing.edit(run).get("name") == "evolve"


def is_judged(run: Run) -> bool:
    """Whether new operations are kept by what they gain on the validation part."""
    return evolves(run) and sizing.edit(run).get("judge") == "validation"


def role(run: Run) -> str:
    """What a variant is to the question.

    `linear`; `mlp`, with as many parameters as a graph; `never_evolved`, a random graph that never evolves;
    `evolved`; `judged`, which evolves and is judged by the validation part; or `other`.
    """
    if is_graph(run):
        return JUDGED if is_judged(run) else EVOLVED if evolves(run) else CONTROL
    return {"linear": LINEAR, "equal_mlp": MLP}.get(str(run["network"]["name"]), OTHER)


def populations(study: Study) -> list[list[Variant]]:
    """Every variant once, in groups that differ in their `member` alone, which rises; most have one.

    The groups are in the study's order of their first members.
    """
    groups: dict[str, list[Variant]] = {}
    for variant in study.variants:
        rest = {key: value for key, value in variant.run.items() if key != "member"}
        groups.setdefault(canonical_json(rest), []).append(variant)
    # Equal runs under two names are no two members.
    found = []
    for group in groups.values():
        by_member = {int(v.run.get("member", 0)): v for v in reversed(group)}
        found.append([by_member[member] for member in sorted(by_member)])
    order = {variant.name: place for place, variant in enumerate(study.variants)}
    return sorted(found, key=lambda group: order[group[0].name])


def firsts(study: Study, *roles: str) -> list[Variant]:
    """Variants of these roles (of all, if none is named) but for further members of a population."""
    each = (group[0] for group in populations(study))
    return [variant for variant in each if not roles or role(variant.run) in roles]
