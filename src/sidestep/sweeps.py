"""Variants of a study that differ in one setting alone, and those that figures of all variants draw."""

from dataclasses import dataclass
from typing import Any

from sidestep import declared, settings
from sidestep.files import canonical_json
from sidestep.study import Study, Variant
from sidestep.things import complete, describe, words
from sidestep.variants import Run, stages, strategy_of, written

# The optimiser with its schedule counts as one setting: each is chosen for the other.
OPTIMISER = "optimiser"
# Sweeps that have figures of their own: a study of many variants draws their reference elsewhere.
APART = ("shares", "fine_tune", "ends")
# Most variants of a study that is drawn whole: the baseline and seven colours.
FEW = 8


@dataclass(frozen=True)
class Member:
    """A variant of a sweep: the value of the swept setting as a label, and as a number if it is one."""

    variant: str
    label: str
    number: float | None


@dataclass(frozen=True)
class Sweep:
    """At least two variants that differ in one setting alone.

    Attributes:
        setting: of the strategy, or `optimiser`.
        members: rising where the values are numbers, else in the study's order.
        reference: the variant to which the others are compared: the study's baseline if it is a
            member, else the one with the default, else the first.
    """

    setting: str
    members: tuple[Member, ...]
    reference: str


def sweeps_of(study: Study) -> list[Sweep]:
    """Every group of two or more variants that differ in one setting of the strategy, or the optimiser.

    Each variant may have a learning rate of its own, found by the same search: it is no difference,
    unless two variants of a group differ in nothing else.
    """
    every = [setting for variant in study.variants for setting in strategy_of(variant.run)]
    names = [name for name in dict.fromkeys(every) if name != "name"]
    return [sweep for setting in (*names, OPTIMISER) for sweep in _sweeps(study, setting)]


def main_variants(study: Study) -> tuple[str, ...]:
    """The variants that figures of all variants draw, in the study's order.

    In a study of more than `FEW` those are left out that differ from one that is drawn only in a
    setting of `APART`, whose figures show them.
    """
    names = tuple(variant.name for variant in study.variants)
    if len(names) <= FEW:
        return names
    minor = {
        member.variant
        for sweep in sweeps_of(study)
        if sweep.setting in APART
        for member in sweep.members
        if member.variant not in (sweep.reference, study.baseline)
    }
    return tuple(name for name in names if name not in minor)


def looks_of(study: Study) -> dict[str, int]:
    """Variant → its place among the colours: the baseline has 0, then those of `main_variants`."""
    main = main_variants(study)
    others = [variant.name for variant in study.variants if variant.name not in main]
    names = [study.baseline, *(name for name in (*main, *others) if name != study.baseline)]
    return {name: look for look, name in enumerate(names)}


def _sweeps(study: Study, setting: str) -> list[Sweep]:
    found = []
    for group in _alike(list(study.variants), setting, with_rate=False):
        values = [canonical_json(_value(variant.run, setting)) for variant in group]
        split = setting != OPTIMISER and len(set(values)) < len(values)
        parts = _alike(group, setting, with_rate=True) if split else [group]
        found += [_sweep(study, part, setting) for part in parts if len(part) > 1]
    return found


def _alike(variants: list[Variant], setting: str, *, with_rate: bool) -> list[list[Variant]]:
    """Variants that take the setting, in groups that differ in nothing else."""
    groups: dict[str, list[Variant]] = {}
    for variant in variants:
        if setting == OPTIMISER or setting in strategy_of(variant.run):
            key = _rest(variant.run, setting, with_rate=with_rate)
            groups.setdefault(key, []).append(variant)
    return list(groups.values())


def _rest(run: Run, setting: str, *, with_rate: bool) -> str:
    """All that decides how a run trains but the setting, as a text that is the same for equal runs."""
    kept = written(run)
    if not with_rate:
        kept["optimiser"].pop("lr", None)
    if setting == OPTIMISER:
        del kept["optimiser"], kept["schedule"]
    kept["strategy"].pop(setting, None)
    return canonical_json(kept)


def _value(run: Run, setting: str) -> Any:
    if setting == OPTIMISER:
        return [complete("optimisers", run["optimiser"]), complete("schedules", run["schedule"])]
    return strategy_of(run)[setting]


def _sweep(study: Study, variants: list[Variant], setting: str) -> Sweep:
    members = [_member(variant, setting) for variant in variants]
    if all(member.number is not None for member in members):
        members.sort(key=lambda member: member.number or 0.0)
    names = [member.variant for member in members]
    usual = [variant.name for variant in variants if _is_default(variant.run, setting)]
    reference = study.baseline if study.baseline in names else [*usual, *names][0]
    return Sweep(setting, tuple(members), reference)


def _is_default(run: Run, setting: str) -> bool:
    if setting == OPTIMISER:
        return False
    given = {key: value for key, value in run["strategy"].items() if key != setting}
    default = setting in declared.defaults("strategies", run["strategy"]["name"])
    return default and _value(run, setting) == _value({**run, "strategy": given}, setting)


def _member(variant: Variant, setting: str) -> Member:
    run, value = variant.run, _value(variant.run, setting)
    number = None
    if setting == OPTIMISER:
        schedule = describe("schedules", run["schedule"])
        label = describe("optimisers", run["optimiser"])
        label += "" if schedule == "constant" else f", {schedule}"
    elif setting == "ends":
        whole = len(value) == len(stages(run)) - 1
        label = "after every stage" if whole and len(value) > 1 else f"after {', '.join(value)}"
        label = label if value else "no cut"
    elif isinstance(value, dict):
        known = settings.settings_of("strategies", run["strategy"]["name"])
        label = describe(settings.NESTED[known[setting].kind], value)
    else:
        label = words(value)
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        number = float(value) if is_number else None
    return Member(variant.name, label, number)
