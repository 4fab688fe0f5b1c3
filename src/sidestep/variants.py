"""What the variants of a study are, told by their settings and never by their names.

A setting that a variant does not give has the default in the source of the thing that takes it.
"""

from typing import Any

from sidestep import declared, settings
from sidestep.files import canonical_json
from sidestep.study import Study, Variant
from sidestep.things import complete, describe

Run = dict[str, Any]

# Names of the phases that strategies make besides one for each block, in which all stages learn.
WHOLE = ("all", "together", "fine_tune")
NETWORK, OWN_HEAD, SIGNAL = "network", "own head", "signal"
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
    strategy = strategy_of(run)
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
    augmentations = _augmentations(run)
    if augmentations:
        words = [describe("augmentations", thing) for thing in augmentations]
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
        kept = written(variant.run)
        for path in paths:
            *outer, last = path.split(".")
            inner = kept
            for key in outer:
                inner = inner[key]
            inner.pop(last, None)
        groups.setdefault(canonical_json(kept), []).append(variant)
    return [group for group in groups.values() if len(group) > 1]


def written(run: Run) -> Run:
    """All that decides how a run trains, written in one way, with all defaults."""
    kept = {key: value for key, value in (USUAL | run).items() if key not in _WATCHED}
    for key, kind in (
        ("network", "networks"),
        ("optimiser", "optimisers"),
        ("schedule", "schedules"),
    ):
        kept[key] = complete(kind, run[key])
    kept["strategy"] = strategy_of(run)
    kept["augmentations"] = [complete("augmentations", thing) for thing in kept["augmentations"]]
    return kept


def strategy_of(run: Run) -> dict[str, Any]:
    """The strategy with its defaults, written in one way: settings without effect have the default."""
    found = complete("strategies", run["strategy"])
    if "ends" in found:
        known = stages(run)
        ends = found["ends"] or known
        found["ends"] = [stage for stage in known[:-1] if stage in ends]
    if found.get("order") == "together":
        defaults = declared.defaults("strategies", found["name"])
        found |= {key: defaults[key] for key in ("shares", "cache")}
    return found


def _in_nats(signal: str) -> bool:
    """Whether a signal's loss is a cross-entropy of the labels: its file says `IN_NATS = True`."""
    return declared.constant("signals", signal, "IN_NATS") is True
