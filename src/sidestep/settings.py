"""Named types of settings, and the settings that a named thing takes, read without importing it.

The settings of a network, optimiser, metric … are the keyword-only parameters of its main function. They are read
from the source's syntax tree, because the workflow checks every setting before a job starts and must not import torch
for that. An annotation is one of the names in `CHECKS`, a `Literal` of words, or one of `NESTED`: a named thing of
another kind with settings of its own, such as the signal that a strategy teaches by.
"""

import ast
import math
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from sidestep import declared
from sidestep.registry import names, singular, unknown

Count = int  # a whole number of at least 1
Natural = int  # a whole number of at least 0
Positive = float  # a finite number above 0
NonNegative = float  # a finite number of at least 0
Fraction = float  # a number from 0 to 1
Fractions = tuple[float, ...]  # a list of numbers from 0 to 1
Positives = tuple[float, ...]  # a list of finite numbers above 0
Counts = tuple[int, ...]  # a list of whole numbers of at least 1
Shares = str | tuple[float, ...]  # a rule of `SHARES`, or shares that add up to 1
Stages = tuple[str, ...]  # names of stages of the run's network
Operations = tuple[str, ...]  # at least one name of an operation
SignalThing = dict[str, Any]  # a named signal with its settings
HeadThing = dict[str, Any]  # a named head with its settings
LayerThing = dict[str, Any]  # a named layer with its settings
EditThing = dict[str, Any]  # a named edit with its settings

NESTED = {
    "SignalThing": "signals",
    "HeadThing": "heads",
    "LayerThing": "layers",
    "EditThing": "edits",
}
# Lists of names of things that have no settings.
LISTS = {"Operations": "operations"}
# Required settings that the config may leave to whoever builds the thing: a budget sets a layer's size.
SUPPLIED = {("layers", "size")}
SHARES = ("equal", "parameters", "mult_adds", "front", "back")


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _real(value: object) -> bool:
    # A whole number may be larger than any float, which `math.isfinite` does not take.
    if not isinstance(value, int | float) or isinstance(value, bool):
        return False
    return -sys.float_info.max <= value <= sys.float_info.max


def _all(test: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, list | tuple) and bool(value) and all(map(test, value))


def _fraction(value: Any) -> bool:
    return _real(value) and 0 <= value <= 1


def _positive(value: Any) -> bool:
    return _real(value) and value > 0


def _count(value: Any) -> bool:
    return _whole(value) and value >= 1


def _shares(value: Any) -> bool:
    if isinstance(value, str):
        return value in SHARES
    whole = isinstance(value, list | tuple) and bool(value) and all(map(_fraction, value))
    return whole and math.isclose(math.fsum(value), 1.0, rel_tol=1e-9)


def _texts(value: Any) -> bool:
    texts = isinstance(value, list | tuple) and all(isinstance(item, str) for item in value)
    return texts and len(set(value)) == len(value)


CHECKS: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "Count": ("a whole number of at least 1", _count),
    "Natural": ("a whole number of at least 0", lambda v: _whole(v) and v >= 0),
    "Positive": ("a number above 0", _positive),
    "NonNegative": ("a number of at least 0", lambda v: _real(v) and v >= 0),
    "Fraction": ("a number from 0 to 1", _fraction),
    "Fractions": ("a list of numbers from 0 to 1", _all(_fraction)),
    "Positives": ("a list of numbers above 0", _all(_positive)),
    "Counts": ("a list of whole numbers of at least 1", _all(_count)),
    "Shares": (f"one of {', '.join(SHARES)}, or a list of numbers that add up to 1", _shares),
    "Stages": ("a list of different names of stages", _texts),
    "Operations": ("a list of different names of operations", _texts),
    "bool": ("true or false", lambda v: isinstance(v, bool)),
    "str": ("a text", lambda v: isinstance(v, str)),
}


@dataclass(frozen=True)
class Setting:
    """One keyword-only parameter: its annotation, and whether it must be given.

    Attributes:
        name: of the parameter.
        kind: its annotation.
        choices: words of a `Literal`.
        required: whether it has no default.
        default: of a list of names of things, which are then part of the run's code.
    """

    name: str
    kind: str
    choices: tuple[str, ...]
    required: bool
    default: tuple[str, ...] = ()

    def fault(self, value: object) -> str | None:
        """What is wrong with a value, or None; a nested thing is judged by `faults`."""
        if self.choices:
            return None if value in self.choices else f"is {unknown(value, self.choices)}"
        if self.kind in NESTED:
            return None
        expected, test = CHECKS[self.kind]
        if not test(value):
            return f"is {value!r} but must be {expected}"
        return _list_fault(LISTS[self.kind], value) if self.kind in LISTS else None


def _list_fault(kind: str, value: Any) -> str | None:
    """What is wrong with a list of different names of things of a kind, or None."""
    if not value:
        return f"is empty: no {kind} allowed, where one of {', '.join(names(kind))} is needed"
    strangers = [name for name in value if name not in names(kind)]
    if strangers:
        return f"has the unknown {singular(kind)} {unknown(strangers[0], names(kind))}"
    return None


@cache
def settings_of(kind: str, name: str) -> dict[str, Setting]:
    """The settings of one thing, by name, from its source.

    Raises:
        LookupError: the file has no main function, or an annotation is not known here.
    """
    found = declared.main(kind, name).args
    return {
        argument.arg: _setting(argument, default, f"{name}.py")
        for argument, default in zip(found.kwonlyargs, found.kw_defaults, strict=True)
    }


def _setting(argument: ast.arg, default: ast.expr | None, where: str) -> Setting:
    note, required = argument.annotation, default is None
    if isinstance(note, ast.Name) and note.id in LISTS and default is not None:
        return Setting(argument.arg, note.id, (), required, tuple(ast.literal_eval(default)))
    if isinstance(note, ast.Name) and (note.id in CHECKS or note.id in NESTED):
        return Setting(argument.arg, note.id, (), required)
    if isinstance(note, ast.Subscript) and ast.unparse(note.value) == "Literal":
        words = note.slice.elts if isinstance(note.slice, ast.Tuple) else [note.slice]
        choices = tuple(ast.literal_eval(word) for word in words)
        return Setting(argument.arg, "Literal", choices, required)
    raise LookupError(
        f"{where}: setting '{argument.arg}' has an annotation not in {sorted([*CHECKS, *NESTED])}"
    )


def faults(kind: str, value: Any, where: str) -> list[str]:
    """All faults of a named thing given as `{name: …, setting: value, …}`; one sentence each.

    Args:
        kind: the folder, such as `networks`.
        value: what stands in the config.
        where: the path of the key in the config, for the sentences.
    """
    if not isinstance(value, dict) or "name" not in value:
        return [f"{where} must be a mapping with a 'name' but is {value!r}"]
    name = value["name"]
    if name not in names(kind):
        return [f"{where}.name is an unknown {singular(kind)} {unknown(name, names(kind))}"]
    known = settings_of(kind, name)
    found = [
        f"{where} has an unknown key {unknown(key, ['name', *known])}"
        for key in value
        if key != "name" and key not in known
    ]
    found += [
        f"{where} lacks the key '{setting.name}', which {singular(kind)} '{name}' needs"
        for setting in known.values()
        if setting.required and setting.name not in value and (kind, setting.name) not in SUPPLIED
    ]
    for key, item in value.items():
        if key in known and known[key].kind in NESTED:
            found += faults(NESTED[known[key].kind], item, f"{where}.{key}")
        elif key in known and (fault := known[key].fault(item)):
            found.append(f"{where}.{key} {fault}")
    return found


def nested(kind: str, thing: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """The named things inside a named thing, at any depth, each with its kind; defaults of lists too."""
    found: list[tuple[str, dict[str, Any]]] = []
    for setting in settings_of(kind, thing["name"]).values():
        if setting.kind in NESTED and setting.name in thing:
            inner = NESTED[setting.kind]
            found += [(inner, thing[setting.name]), *nested(inner, thing[setting.name])]
        elif setting.kind in LISTS:
            listed = thing.get(setting.name, setting.default)
            found += [(LISTS[setting.kind], {"name": name}) for name in listed]
    return found


@cache
def nested_kinds(kind: str) -> dict[str, str]:
    """Names of the settings of some thing of the kind that are named things, with their kinds."""
    return {
        setting.name: NESTED[setting.kind]
        for name in names(kind)
        for setting in settings_of(kind, name).values()
        if setting.kind in NESTED
    }


@cache
def needs(analysis: str) -> tuple[str, ...]:
    """Other analyses whose tables an analysis reads: the constant `NEEDS` of its file; none without it."""
    return tuple(declared.constant("analyses", analysis, "NEEDS") or ())


@cache
def reads(analysis: str) -> tuple[str, ...]:
    """What an analysis reads of `table` (its study's), `runs` and `data`: the constant `READS` of its file.

    Without it, the table.
    """
    return tuple(declared.constant("analyses", analysis, "READS") or ("table",))


@cache
def stages_of(network: str) -> tuple[str, ...]:
    """Names of a network's stages, in order: the constant `STAGES` of its file.

    Raises:
        LookupError: the file has no such constant.
    """
    found = declared.constant("networks", network, "STAGES")
    if not found:
        raise LookupError(f"network '{network}' defines no STAGES")
    return tuple(found)


def stage_faults(strategy: dict[str, Any], network: str, where: str) -> list[str]:
    """Stages that a strategy names and the network lacks; both are otherwise without fault."""
    known = stages_of(network)
    return [
        f"{where}.{setting.name} has the stage {unknown(stage, known)}, which network "
        f"'{network}' lacks"
        for setting in settings_of("strategies", strategy["name"]).values()
        if setting.kind == "Stages"
        for stage in strategy.get(setting.name, ())
        if stage not in known
    ]


def gate_faults(gates: dict[str, Any], network: str, where: str) -> list[str]:
    """Gates of stages that the network lacks, or of its last one, whose outputs are the classes."""
    known = stages_of(network)[:-1]
    return [
        f"{where} has the stage {unknown(stage, known)}, which network '{network}' cannot gate"
        for stage in gates
        if stage not in known
    ]
