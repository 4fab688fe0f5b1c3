"""What the variants of a study are, told by their settings and never by their names.

A setting that a variant does not give has the default in the source of the thing that takes it, read
without importing it: what draws and analyses needs no torch.
"""

import ast
from dataclasses import dataclass
from functools import cache
from typing import Any

from sidestep import settings
from sidestep.files import canonical_json
from sidestep.registry import PACKAGE, arguments
from sidestep.study import Study, Variant

Run = dict[str, Any]

# Names of the phases that strategies make besides one for each block, in which all stages learn.
WHOLE = ("all", "together", "fine_tune")
NETWORK, OWN_HEAD, SIGNAL = "network", "own head", "signal"
# The optimiser with its schedule counts as one setting: each is chosen for the other.
OPTIMISER = "optimiser"
# Sweeps that have figures of their own: a study of many variants draws their reference elsewhere.
APART = ("shares", "fine_tune", "ends")
# Most variants of a study that is drawn whole: the baseline and seven colours.
FEW = 8
# What a run is if it does not say so; every resolved run does.
USUAL: Run = {
    "normalisation": "unit",
    "augmentations": [],
    "precision": "float32",
    "teacher": None,
    "substituted_decay": "full",
}
# The layer that a network has where nothing stands in the place of its convolutions.
DENSE = "dense"
# The usual augmentation of small photographs, which is called `augmented` without more words.
AUGMENTED = ("random_crop", "horizontal_flip")
# What `method` tells apart; any other strategy has its own name.
METHODS = (
    *("end_to_end", "dgl", "sequential", "dni", "cdni", "random_features", "reconstruction"),
    *("reconstruction_shifted", "reconstruction_and_classes"),
    *("reconstruction_and_classes_shifted", "blockwise"),
)
END_TO_END = "end_to_end"
# What a run is watched by, which leaves its training alone.
_WATCHED = ("probes", "records", "evaluate", "evaluations")


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


def complete(kind: str, thing: dict[str, Any]) -> dict[str, Any]:
    """A named thing with the defaults of all settings that it does not give, nested ones too.

    Args:
        kind: the folder, such as `signals`.
        thing: `{name: …, setting: value, …}`, without fault.
    """
    found = {**_defaults(kind, thing["name"]), **arguments(thing)}
    for name, setting in settings.settings_of(kind, thing["name"]).items():
        if setting.kind in settings.NESTED and name in found:
            found[name] = complete(settings.NESTED[setting.kind], found[name])
    return {"name": thing["name"], **found}


def stages(run: Run) -> tuple[str, ...]:
    """The stages of a run's network, from the input on."""
    return settings.stages_of(run["network"]["name"])


def stages_of(study: Study) -> tuple[str, ...]:
    """The stages of all networks of a study, each once."""
    every = (stage for variant in study.variants for stage in stages(variant.run))
    return tuple(dict.fromkeys(every))


def in_order(run: Run, phases: list[str]) -> list[str]:
    """Names of a run's phases in the order in which they are trained, whatever order they come in.

    Blocks are trained from the input on, the whole network at last.
    """
    known = [*stages(run), *WHOLE]
    return sorted(phases, key=lambda name: known.index(name) if name in known else len(known))


def block_first(run: Run, phase: str) -> bool:
    """Whether the phase trains a block while the network's last stage is still untrained."""
    return phase in stages(run)[:-1]


def reads(run: Run, phase: str) -> str:
    """What the training loss of a phase's batches is.

    `network` is the cross-entropy of the network's output; `own head` that of a classifier on the
    trained block, in nats too; `signal` has a unit of its own, or adds up several objectives.
    """
    if phase in ("all", "fine_tune", stages(run)[-1]):
        return NETWORK
    signal = run["strategy"].get("signal")
    own = block_first(run, phase) and signal is not None and _in_nats(signal["name"])
    return OWN_HEAD if own else SIGNAL


def method(run: Run) -> str:
    """By which method of the decoupled family a run learns, one of `METHODS` or its strategy's name.

    `end_to_end`; blocks that each learn alone from a classifier of their own, together (`dgl`) or in
    turn (`sequential`); from synthetic gradients without labels (`dni`) or with (`cdni`); from
    `reconstruction` of the image, `_and_classes`, of the image `_shifted`; or not at all
    (`random_features`). Blocks that learn from anything else, teach the stages below them, or are
    tuned as a whole at last are `blockwise`.
    """
    strategy = _strategy(run)
    signal = strategy.get("signal")
    if strategy["name"] != "blockwise" or signal is None:
        return str(strategy["name"])
    if strategy["fine_tune"] > 0 or not strategy["freeze"]:
        return "blockwise"
    match signal["name"]:
        case "auxiliary_classifier" | "sub_model":
            return "dgl" if strategy["order"] == "together" else "sequential"
        case "synthetic_gradient":
            return "dni" if signal["context"] == "none" else "cdni"
        case "reconstruction":
            classes = "_and_classes" if signal["prediction"] > 0 else ""
            return f"reconstruction{classes}{'_shifted' if signal['shift'] == 'rising' else ''}"
        case "nothing":
            return "random_features"
        case _:
            return "blockwise"


def head(run: Run) -> str:
    """What blocks learn from, in words: the head of an auxiliary classifier, or the signal; or nothing."""
    signal = run["strategy"].get("signal")
    if signal is None:
        return ""
    if signal["name"] == "auxiliary_classifier":
        return describe("heads", signal["head"])
    return describe("signals", signal)


def setting(run: Run) -> str:
    """The network and what is done to images, in words; variants of equal setting may be compared.

    The network with its settings that differ from the default; `augmented` if its images are cropped
    and flipped as usual, else what is done to them; the normalisation if it is not `unit`.
    """
    parts = [describe("networks", run["network"])]
    things = _augmentations(run)
    if things:
        words = [describe("augmentations", thing) for thing in things]
        parts.append("augmented")
        if sorted(words) != sorted(AUGMENTED):
            parts[-1] += f" by {' and '.join(words)}"
    if normalisation(run) != USUAL["normalisation"]:
        parts.append(f"normalisation {normalisation(run)}")
    return ", ".join(parts)


def normalisation(run: Run) -> str:
    """That of a run's images."""
    return str((USUAL | run)["normalisation"])


def augmented_by(run: Run) -> tuple[str, ...]:
    """Names of what is done to the images of a run's training steps."""
    return tuple(str(thing["name"]) for thing in _augmentations(run))


def layer(run: Run) -> str:
    """What makes a run's network smaller than the dense one.

    The name of the layer in the place of convolutions; `narrower` or `shallower` if the network is dense
    and meets a budget so; else `dense`, also of networks whose convolutions nothing can replace.
    """
    found = complete("networks", run["network"])
    match = str(found.get("match", "none"))
    return str(found.get("layer", {"name": DENSE})["name"]) if match == "none" else match


def taught(run: Run) -> bool:
    """Whether a teacher teaches a run too."""
    return (USUAL | run)["teacher"] is not None


def _augmentations(run: Run) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [*(USUAL | run)["augmentations"]]
    return found


def by_setting(study: Study) -> dict[str, list[Variant]]:
    """Each `setting` of a study → its variants, in the study's order."""
    found: dict[str, list[Variant]] = {}
    for variant in study.variants:
        found.setdefault(setting(variant.run), []).append(variant)
    return found


def references(study: Study) -> dict[str, str]:
    """Variant → the one of its setting to which it is compared.

    That is the study's baseline, else the setting's first that learns end to end, else none (empty).
    """
    found: dict[str, str] = {}
    for group in by_setting(study).values():
        names = [variant.name for variant in group]
        whole = [variant.name for variant in group if method(variant.run) == END_TO_END]
        reference = study.baseline if study.baseline in names else [*whole, ""][0]
        found |= dict.fromkeys(names, reference)
    return {variant.name: found[variant.name] for variant in study.variants}


def differing_in(study: Study, *paths: str) -> list[list[Variant]]:
    """Every group of two or more variants whose training differs in these settings alone.

    Args:
        study: the study.
        paths: of settings of a run, such as `normalisation` or `optimiser.lr`.
    """
    groups: dict[str, list[Variant]] = {}
    for variant in study.variants:
        kept = _written(variant.run)
        for path in paths:
            *outer, last = path.split(".")
            inner = kept
            for key in outer:
                inner = inner[key]
            inner.pop(last, None)
        groups.setdefault(canonical_json(kept), []).append(variant)
    return [group for group in groups.values() if len(group) > 1]


def looks(study: Study) -> dict[str, int]:
    """Variant → its place among the colours: the baseline has 0, then those of `main_variants`."""
    main = main_variants(study)
    others = [variant.name for variant in study.variants if variant.name not in main]
    names = [study.baseline, *(name for name in (*main, *others) if name != study.baseline)]
    return {name: look for look, name in enumerate(names)}


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
        for sweep in sweeps(study)
        if sweep.setting in APART
        for member in sweep.members
        if member.variant not in (sweep.reference, study.baseline)
    }
    return tuple(name for name in names if name not in minor)


def sweeps(study: Study) -> list[Sweep]:
    """Every group of two or more variants that differ in one setting of the strategy, or the optimiser.

    Each variant may have a learning rate of its own, found by the same search: it is no difference,
    unless two variants of a group differ in nothing else.
    """
    every = [setting for variant in study.variants for setting in _strategy(variant.run)]
    names = [name for name in dict.fromkeys(every) if name != "name"]
    return [sweep for setting in (*names, OPTIMISER) for sweep in _sweeps(study, setting)]


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
        if setting == OPTIMISER or setting in _strategy(variant.run):
            key = _rest(variant.run, setting, with_rate=with_rate)
            groups.setdefault(key, []).append(variant)
    return list(groups.values())


def _rest(run: Run, setting: str, *, with_rate: bool) -> str:
    """All that decides how a run trains but the setting, as a text that is the same for equal runs."""
    kept = _written(run)
    if not with_rate:
        kept["optimiser"].pop("lr", None)
    if setting == OPTIMISER:
        del kept["optimiser"], kept["schedule"]
    kept["strategy"].pop(setting, None)
    return canonical_json(kept)


def _written(run: Run) -> Run:
    """All that decides how a run trains, written in one way, with all defaults."""
    kept = {key: value for key, value in (USUAL | run).items() if key not in _WATCHED}
    for key, kind in (
        ("network", "networks"),
        ("optimiser", "optimisers"),
        ("schedule", "schedules"),
    ):
        kept[key] = complete(kind, run[key])
    kept["strategy"] = _strategy(run)
    kept["augmentations"] = [complete("augmentations", thing) for thing in kept["augmentations"]]
    return kept


def _strategy(run: Run) -> dict[str, Any]:
    """The strategy with its defaults, written in one way: settings without effect have the default."""
    found = complete("strategies", run["strategy"])
    if "ends" in found:
        known = stages(run)
        ends = found["ends"] or known
        found["ends"] = [stage for stage in known[:-1] if stage in ends]
    if found.get("order") == "together":
        defaults = _defaults("strategies", found["name"])
        found |= {key: defaults[key] for key in ("shares", "cache")}
    return found


def _value(run: Run, setting: str) -> Any:
    if setting == OPTIMISER:
        return [complete("optimisers", run["optimiser"]), complete("schedules", run["schedule"])]
    return _strategy(run)[setting]


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
    default = setting in _defaults("strategies", run["strategy"]["name"])
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
        label = _words(value)
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        number = float(value) if is_number else None
    return Member(variant.name, label, number)


def _words(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return " : ".join(map(_words, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def describe(kind: str, thing: dict[str, Any]) -> str:
    """A named thing in words: its name, and the settings that differ from their defaults, in one order."""
    usual = _defaults(kind, thing["name"])
    differing = []
    for key, setting in settings.settings_of(kind, thing["name"]).items():
        value: Any = thing.get(key, usual.get(key))
        if canonical_json(value) != canonical_json(usual.get(key)):
            nested = setting.kind in settings.NESTED
            words = describe(settings.NESTED[setting.kind], value) if nested else _words(value)
            differing.append(f"{key} {words}")
    return str(thing["name"]) + (f" ({', '.join(differing)})" if differing else "")


@cache
def _function(kind: str, name: str) -> ast.FunctionDef:
    tree = _tree(kind, name)
    main = settings.MAIN[kind]
    return next(n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == main)


@cache
def _tree(kind: str, name: str) -> ast.Module:
    return ast.parse((PACKAGE / kind / f"{name}.py").read_text(encoding="utf-8"))


@cache
def _defaults(kind: str, name: str) -> dict[str, Any]:
    """The settings of a thing that have a default, with it."""
    found = _function(kind, name).args
    return {
        argument.arg: ast.literal_eval(default)
        for argument, default in zip(found.kwonlyargs, found.kw_defaults, strict=True)
        if default is not None
    }


@cache
def _in_nats(signal: str) -> bool:
    """Whether a signal's loss is a cross-entropy of the labels: its file says `IN_NATS = True`."""
    return any(ast.unparse(node) == "IN_NATS = True" for node in _tree("signals", signal).body)
