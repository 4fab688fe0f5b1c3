"""The configuration: checked whole and resolved into studies and runs, without importing torch."""

import copy
import itertools
import re
from pathlib import Path
from typing import Any

from sidestep import config_schema, settings
from sidestep.config_files import merge, numbers, read_file
from sidestep.config_schema import schema
from sidestep.errors import UserError
from sidestep.registry import names, unknown
from sidestep.study import Config, Study, Variant

_NAMED = {
    "network": "networks",
    "strategy": "strategies",
    "optimiser": "optimisers",
    "schedule": "schedules",
}
# A variant's folder is named after it; most file systems take names of up to 255 bytes.
_FOLDER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,199}")
_LISTED_IN_RUN = ("augmentations", "probes")
_LISTED = ("metrics", "group_metrics", "analyses", "figures")


def load(*paths: Path) -> Config:
    """Read, merge (as Snakemake's `--configfile` does) and check config files.

    Raises:
        UserError: naming every fault of the files at once.
    """
    merged: dict[str, Any] = {}
    for path in paths:
        merged = merge(merged, read_file(path))
    return resolve(merged, ", ".join(map(str, paths)))


def resolve(raw: dict[str, Any], where: str = "config") -> Config:
    """Check a configuration whole and fill in its defaults.

    Args:
        raw: what the YAML files hold, merged.
        where: the files' names, which begin each sentence.

    Raises:
        UserError: one sentence per line, each naming the file and the key, what is wrong and what is allowed.
    """
    value = numbers(raw)
    found = config_schema.faults(value)
    studies: dict[str, Study] = {}
    searches: dict[str, Study] = {}
    if not found:
        for name, study in value["studies"].items():
            resolved, wrong = _study(name, study)
            found += wrong
            if resolved:
                studies[name] = resolved
            if resolved and "search" in study:
                search, wrong = _search(resolved, study["search"])
                found += wrong
                searches[search.name] = search
    if found:
        raise UserError("\n".join(f"{where}: {fault}" for fault in found))
    return Config(
        value["size"],
        value.get("data_folder", ""),
        value.get("timing_threads", 1),
        studies,
        searches,
    )


def _study(name: str, raw: dict[str, Any]) -> tuple[Study | None, list[str]]:
    """The resolved study, and all its faults; the former is None if there are any."""
    where = f"studies.{name}"
    found = [
        f"{where}.datasets has an unknown dataset {unknown(dataset, names('datasets'))}"
        for dataset in raw["datasets"]
        if dataset not in names("datasets")
    ]
    listed = {key: tuple(_thing(item) for item in raw.get(key, [])) for key in _LISTED}
    if not any(thing["name"] == "summary" for thing in listed["analyses"]):
        listed["analyses"] = ({"name": "summary"}, *listed["analyses"])
    for key in _LISTED:
        for index, thing in enumerate(listed[key]):
            found += settings.faults(key, thing, f"{where}.{key}[{index}]")
        twice = [
            t["name"]
            for i, t in enumerate(listed[key])
            if t["name"] in [u["name"] for u in listed[key][:i]]
        ]
        found += [f"{where}.{key} lists '{thing}' twice" for thing in twice]
    if not found:
        there = [thing["name"] for thing in listed["analyses"]]
        found += [
            f"{where}.analyses has '{name}', which reads the table of '{other}': list that too"
            for name in there
            for other in settings.needs(name)
            if other not in there
        ]

    variants, wrong = _variants(where, raw)
    found += wrong
    known = [variant.name for variant in variants]
    found += _teacher_faults(where, variants)
    baseline = raw.get("baseline", known[0] if known else "")
    if known and baseline not in known:
        found.append(f"{where}.baseline is an unknown variant {unknown(baseline, known)}")
    timing = raw.get("timing", {})
    timed = timing.get("datasets", raw["datasets"][:1])
    found += [
        f"{where}.timing.datasets has {unknown(dataset, raw['datasets'])}, which is not a dataset of the study"
        for dataset in timed
        if dataset not in raw["datasets"]
    ]
    if found:
        return None, found
    study = Study(
        name=name,
        title=raw["title"],
        datasets=tuple(raw["datasets"]),
        seeds=tuple(raw["seeds"]),
        variants=tuple(variants),
        baseline=baseline,
        timing_datasets=tuple(timed),
        timing_steps=timing.get("steps", 40),
        seeds_per_job=raw.get("seeds_per_job", 1),
        datasets_per_job=raw.get("datasets_per_job", 1),
        **listed,
    )
    return study, []


SEARCH = "-search"


def _search(study: Study, raw: dict[str, Any]) -> tuple[Study, list[str]]:
    """The runs of a search, every chosen variant with every setting of the grid, and all faults."""
    where = f"studies.{study.name}.search"
    found = [
        f"{where}.{key} has {unknown(name, known)}, which is not one of the study"
        for key, known in (
            ("datasets", study.datasets),
            ("variants", [variant.name for variant in study.variants]),
        )
        for name in raw.get(key, ())
        if name not in known
    ]
    variants = []
    for variant in study.variants:
        if variant.name not in raw.get("variants", [variant.name]):
            continue
        if variant.run["teacher"]:
            found.append(
                f"{where} has '{variant.name}', which has a teacher: list in 'variants' those without"
            )
            continue
        for values in itertools.product(*raw["grid"].values()):
            run, columns = merge(variant.run, _named(raw.get("run", {}))), {"of": variant.name}
            for path, value in zip(raw["grid"], values, strict=True):
                run = merge(run, _nested(path, value))
                columns[path.rpartition(".")[2]] = value
            run["records"] = [run["epochs"]]
            found += _run_faults(where, where, run)
            if "validation" not in run["evaluate"]:
                found.append(
                    f"{where}.run.evaluate lacks 'validation', by which settings are chosen"
                )
            name = "_".join(f"{k}-{v}" if k != "of" else str(v) for k, v in columns.items())
            if not _FOLDER.fullmatch(name):
                found.append(_no_folder(f"{where}.grid", name))
            variants.append(Variant(name, columns, run))
    search = Study(
        name=study.name + SEARCH,
        title=f"Search for the settings of {study.name}",
        datasets=tuple(raw.get("datasets", study.datasets[:1])),
        seeds=tuple(raw["seeds"]),
        variants=tuple(variants),
        baseline=variants[0].name if variants else "",
        timing_datasets=(),
        timing_steps=0,
        metrics=(),
        group_metrics=(),
        analyses=({"name": "choice"},),
        figures=(),
        seeds_per_job=study.seeds_per_job,
        datasets_per_job=study.datasets_per_job,
    )
    return search, list(dict.fromkeys(found))


def _no_folder(where: str, name: str) -> str:
    """The sentence about a variant's name that no folder of its results can have."""
    short = repr(name) if len(repr(name)) <= 60 else repr(name)[:57] + "…"
    return (
        f"{where} gives a variant the name {short}, which does not match {_FOLDER.pattern}: name it "
        "in 'variants'"
    )


def _thing(value: Any) -> dict[str, Any]:
    return {"name": value} if isinstance(value, str) else value


def _variants(where: str, raw: dict[str, Any]) -> tuple[list[Variant], list[str]]:
    defaults = {
        key: copy.deepcopy(spec["default"])
        for key, spec in schema()["$defs"]["run"]["properties"].items()
        if "default" in spec
    }
    base = merge(defaults, _named(raw["run"]))
    cells: list[tuple[str, dict[str, Any], dict[str, Any]]] = []
    for values in itertools.product(*raw["grid"].values()) if "grid" in raw else ():
        columns = {
            path.rpartition(".")[2]: value for path, value in zip(raw["grid"], values, strict=True)
        }
        change: dict[str, Any] = {}
        for path, value in zip(raw["grid"], values, strict=True):
            change = merge(change, _nested(path, value))
        name = "_".join(f"{key}-{value}" for key, value in columns.items())
        if not _FOLDER.fullmatch(name):
            return [], [_no_folder(f"{where}.grid", name)]
        cells.append((name, columns, change))
    cells += [(name, {}, change) for name, change in (raw.get("variants") or {}).items()]
    if not cells:
        return [], [f"{where} is empty: it needs a 'grid' or 'variants'"]

    found: list[str] = []
    variants: list[Variant] = []
    known: set[str] = set()
    for name, columns, change in cells:
        run = merge(base, _named(change))
        in_grid = "grid" if columns else f"variants.{name}"
        wrong = _run_faults(where, f"{where}.{in_grid}", run)
        found += wrong
        if name in known:
            found.append(f"{where} has two variants named '{name}'")
        known.add(name)
        if not wrong:
            run["records"] = sorted({*run["records"], run["epochs"]})
        variants.append(Variant(name, columns, run))
    # A fault of what all variants share would be told once per variant.
    return variants, list(dict.fromkeys(found))


def _teacher_faults(where: str, variants: list[Variant]) -> list[str]:
    """Teachers that are no variants, or have teachers themselves; one job waits for one other."""
    by_name = {variant.name: variant for variant in variants}
    found = []
    for variant in variants:
        teacher = variant.run.get("teacher")
        if not isinstance(teacher, str):
            # None, or what the schema refuses.
            continue
        if teacher not in by_name:
            found.append(
                f"{where}.variants.{variant.name}.teacher is an unknown variant {unknown(teacher, by_name)}"
            )
            continue
        if by_name[teacher].run.get("teacher"):
            found.append(
                f"{where}.variants.{variant.name}.teacher is '{teacher}', which has a teacher itself: "
                "name a variant without one"
            )
        # It would see other pixels, or have learned from images that are held out here.
        found += [
            f"{where}.variants.{variant.name}.{key} is {variant.run[key]!r} but that of its teacher "
            f"'{teacher}' is {by_name[teacher].run[key]!r}: they must be the same"
            for key in ("normalisation", "validation", "train_images", "subset", "resample")
            # A key is missing only where the schema has told why.
            if key in variant.run
            and key in by_name[teacher].run
            and variant.run[key] != by_name[teacher].run[key]
        ]
    return found


def _named(run: dict[str, Any]) -> dict[str, Any]:
    """`network: mlp` is short for `network: {name: mlp}`, and so it is for things inside things."""
    named = dict(run)
    for key, kind in _NAMED.items():
        if key in run:
            named[key] = _named_thing(kind, run[key])
    for key in _LISTED_IN_RUN:
        if isinstance(run.get(key), list):
            named[key] = [_thing(item) for item in run[key]]
    if isinstance(run.get("gates"), dict):
        named["gates"] = {
            stage: _named_thing("gates", item) for stage, item in run["gates"].items()
        }
    return named


def _named_thing(kind: str, value: Any) -> dict[str, Any]:
    thing = _thing(value)
    inside = {
        key: _named_thing(inner, thing[key])
        for key, inner in settings.nested_kinds(kind).items()
        if isinstance(thing, dict) and key in thing
    }
    return {**thing, **inside} if inside else thing


def _nested(path: str, value: Any) -> dict[str, Any]:
    head, _, rest = path.partition(".")
    return {head: _nested(rest, value) if rest else value}


def _run_faults(study: str, where: str, run: dict[str, Any]) -> list[str]:
    found = [f"{where}: {text}".replace(": the file ", " ") for text in config_schema.of_run(run)]
    found += [
        f"{study}.run lacks the key '{key}'" for key in ("network", "epochs") if key not in run
    ]
    if found:
        return found
    for key, kind in _NAMED.items():
        found += settings.faults(kind, run[key], f"{study}.run.{key}")
    for key in _LISTED_IN_RUN:
        for index, thing in enumerate(run[key]):
            found += settings.faults(key, thing, f"{study}.run.{key}[{index}]")
    for stage, thing in run["gates"].items():
        found += settings.faults("gates", thing, f"{study}.run.gates.{stage}")
    if not found:
        strategy, network = run["strategy"], run["network"]["name"]
        found += settings.stage_faults(strategy, network, f"{study}.run.strategy")
        found += settings.gate_faults(run["gates"], network, f"{study}.run.gates")
    late = [epoch for epoch in run["records"] if epoch > run["epochs"]]
    if late:
        found.append(
            f"{study}.run.records has {late[0]}, which is after the last epoch {run['epochs']}"
        )
    found += [
        f"{study}.run.{key} has 'validation' but run.validation is 0"
        for key in ("evaluate", "outputs")
        if "validation" in run[key] and not run["validation"]
    ]
    return found
