"""The configuration: read, checked whole, and resolved into runs, without importing torch.

A config file declares studies; a study declares data sets, seeds and variants; each combination is one *run*, a plain
dict that describes a training job fully and whose canonical JSON is all that the job is given.
"""

import copy
import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import yaml

from sidestep import settings
from sidestep.errors import UserError
from sidestep.registry import PACKAGE, names, unknown

SCHEMA = PACKAGE.parents[1] / "workflow" / "schemas" / "config.schema.yaml"
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)[eE][+-]?\d+")
_NAMED = {
    "network": "networks",
    "strategy": "strategies",
    "optimiser": "optimisers",
    "schedule": "schedules",
}
_LISTED_IN_RUN = ("augmentations", "probes")
_LISTED = ("metrics", "group_metrics", "analyses", "figures")


@dataclass(frozen=True)
class Variant:
    """One named cell of a study: the values of the grid's columns and its settings."""

    name: str
    columns: dict[str, Any]
    run: dict[str, Any]


@dataclass(frozen=True)
class Study:
    """One question of the paper, all defaults filled in."""

    name: str
    title: str
    datasets: tuple[str, ...]
    seeds: tuple[int, ...]
    variants: tuple[Variant, ...]
    baseline: str
    timing_datasets: tuple[str, ...]
    timing_steps: int
    metrics: tuple[dict[str, Any], ...]
    group_metrics: tuple[dict[str, Any], ...]
    analyses: tuple[dict[str, Any], ...]
    figures: tuple[dict[str, Any], ...]

    @cached_property
    def _by_name(self) -> dict[str, Variant]:
        return {variant.name: variant for variant in self.variants}

    def variant(self, name: str) -> Variant:
        """The variant of that name."""
        return self._by_name[name]

    def run(self, dataset: str, variant: str, seed: int) -> dict[str, Any]:
        """The resolved configuration of one run, to be read and not changed."""
        place = {"study": self.name, "dataset": dataset, "variant": variant, "seed": seed}
        run = {**place, **self.variant(variant).run}
        teacher = run["teacher"]
        return {**run, "teacher": self.run(dataset, teacher, seed)} if teacher else run

    def runs(self) -> Iterator[dict[str, Any]]:
        """All runs, in the order of the config."""
        for dataset, variant, seed in itertools.product(self.datasets, self.variants, self.seeds):
            yield self.run(dataset, variant.name, seed)

    def measure_task(self, dataset: str, variant: str) -> dict[str, Any]:
        """The config of a measuring job: the runs of a variant, one per seed, and what to measure."""
        return {
            "metrics": list(self.metrics),
            "group_metrics": list(self.group_metrics),
            "runs": [self.run(dataset, variant, seed) for seed in self.seeds],
        }

    def timed_runs(self, dataset: str) -> dict[str, dict[str, Any]]:
        """One run of each variant, with the first seed: speed does not depend on it."""
        return {
            variant.name: self.run(dataset, variant.name, self.seeds[0])
            for variant in self.variants
        }

    @property
    def measured(self) -> bool:
        """Whether anything is measured on the finished networks."""
        return bool(self.metrics or self.group_metrics)

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the grid's columns."""
        return tuple(dict.fromkeys(key for variant in self.variants for key in variant.columns))

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "Study":
        """The study whose `dataclasses.asdict` was written as JSON."""
        tuples = {key: tuple(item) for key, item in value.items() if isinstance(item, list)}
        variants = tuple(Variant(**variant) for variant in value["variants"])
        return cls(**{**value, **tuples, "variants": variants})


@dataclass(frozen=True)
class Config:
    """A whole configuration, checked.

    Attributes:
        studies: the paper's, by name.
        searches: by name (`<study>-search`), the runs from which a study's settings are chosen; each
            is a study too, whose table of choices nothing but a person reads.
    """

    size: str
    data_folder: str
    timing_threads: int
    studies: dict[str, Study]
    searches: dict[str, Study]

    @cached_property
    def every_study(self) -> dict[str, Study]:
        """Studies and searches, by name."""
        return self.studies | self.searches


class _Loader(yaml.SafeLoader):
    """YAML's safe loader, but a key that is given twice is an error instead of a silent choice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key_node, _ in node.value:
            key = str(getattr(key_node, "value", ""))
            if key in seen:
                line = key_node.start_mark.line + 1
                raise UserError(f"the name '{key}' is given twice (second time in line {line})")
            seen.add(key)
        return super().construct_mapping(node, deep)


def read_file(path: Path) -> dict[str, Any]:
    """The mapping that a YAML file holds, unchecked otherwise.

    Raises:
        UserError: no such file, not YAML, no mapping, or a name given twice.
    """
    try:
        # The loader is a SafeLoader: it builds plain values only.
        value = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)
    except FileNotFoundError:
        raise UserError(f"{path}: there is no such config file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: cannot be read ({error})") from None
    except UserError as error:
        raise UserError(f"{path}: {error}") from None
    except (yaml.YAMLError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        place = f" (line {mark.line + 1}, column {mark.column + 1})" if mark else ""
        problem = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise UserError(f"{path}: is not valid YAML{place}: {problem}") from None
    if not isinstance(value, dict):
        raise UserError(f"{path}: must hold a mapping of keys but holds {type(value).__name__}")
    return value


def load(*paths: Path) -> Config:
    """Read, merge (as Snakemake's `--configfile` does) and check config files.

    Raises:
        UserError: naming every fault of the files at once.
    """
    merged: dict[str, Any] = {}
    for path in paths:
        merged = merge(merged, read_file(path))
    return resolve(merged, ", ".join(map(str, paths)))


def merge(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """`over` laid on `base`: mappings are merged key by key, everything else is replaced.

    A named thing (`{name: sgd, …}`) that changes its name replaces the old one whole: the settings of another
    optimiser would mean nothing.
    """
    if "name" in over and over["name"] != base.get("name"):
        return copy.deepcopy(over)
    merged = dict(base)
    for key, value in over.items():
        both = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = merge(merged[key], value) if both else copy.deepcopy(value)
    return merged


def ordered(value: Any, like: Any) -> Any:
    """The value with the keys of its mappings in the order that they have in `like`, the others last.

    Studies and variants appear in the paper in the order of the config. Snakemake puts the keys of
    a file that is laid over another one first.
    """
    if not (isinstance(value, dict) and isinstance(like, dict)):
        return value
    keys = [*(key for key in like if key in value), *(key for key in value if key not in like)]
    return {key: ordered(value[key], like.get(key)) for key in keys}


def resolve(raw: dict[str, Any], where: str = "config") -> Config:
    """Check a configuration whole and fill in its defaults.

    Args:
        raw: what the YAML files hold, merged.
        where: the files' names, which begin each sentence.

    Raises:
        UserError: one sentence per line, each naming the file and the key, what is wrong and what is allowed.
    """
    value = _numbers(raw)
    found = _schema_faults(value)
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


def _numbers(value: Any) -> Any:
    """YAML 1.1 reads `1e-3` as a text: take it for the number that it is."""
    if isinstance(value, dict):
        return {key: _numbers(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_numbers(item) for item in value]
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        return float(value)
    return value


@cache
def schema() -> dict[str, Any]:
    """The JSON schema of the configuration."""
    return dict(yaml.safe_load(SCHEMA.read_text(encoding="utf-8")))


def _schema_faults(value: Any) -> list[str]:
    from jsonschema import Draft202012Validator

    errors = Draft202012Validator(schema()).iter_errors(value)
    found = [
        _sentence(error)
        for error in sorted(errors, key=lambda e: [str(p) for p in e.absolute_path])
    ]
    return list(dict.fromkeys(found))


def _sentence(error: Any) -> str:
    """One sentence for one of jsonschema's errors: path, value, what is allowed, nearest name."""
    path = ".".join(str(part) for part in error.absolute_path) or "the file"
    value, limit = error.instance, error.validator_value
    short = repr(value) if len(repr(value)) <= 60 else repr(value)[:57] + "…"
    match error.validator:
        case "additionalProperties":
            known = list(error.schema.get("properties", {}))
            extra = [key for key in value if key not in known]
            return "; ".join(f"{path} has an unknown key {unknown(key, known)}" for key in extra)
        case "required":
            missing = [key for key in limit if key not in value]
            return f"{path} lacks the key{'s' * (len(missing) > 1)} " + ", ".join(
                f"'{k}'" for k in missing
            )
        case "enum":
            return f"{path} is {unknown(value, map(str, limit))}"
        case "type":
            allowed = " or ".join(limit) if isinstance(limit, list) else limit
            return f"{path} is {short} but must be of type {allowed}"
        case "minimum":
            return f"{path} is {short} but must be at least {limit}"
        case "minItems" | "minProperties" | "minLength":
            return f"{path} is empty but needs at least {limit} entr{'y' if limit == 1 else 'ies'}"
        case "uniqueItems":
            twice = [item for index, item in enumerate(value) if item in value[:index]]
            return f"{path} lists {twice[0]!r} twice"
        case "pattern":
            return f"{path} has the name {short}, which does not match {limit}"
        case "anyOf":
            return f"{path} is {short} but must be a name, or a mapping with a 'name'"
        case _:
            return f"{path}: {error.message}"


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
    )
    return search, list(dict.fromkeys(found))


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
        cells.append(
            ("_".join(f"{key}-{value}" for key, value in columns.items()), columns, change)
        )
    cells += [(name, {}, change) for name, change in (raw.get("variants") or {}).items()]
    if not cells:
        return [], [f"{where} is empty: it needs a 'grid' or 'variants'"]

    found: list[str] = []
    variants: list[Variant] = []
    for name, columns, change in cells:
        run = merge(base, _named(change))
        in_grid = "grid" if columns else f"variants.{name}"
        found += _run_faults(where, f"{where}.{in_grid}", run)
        if name in [variant.name for variant in variants]:
            found.append(f"{where} has two variants named '{name}'")
        run["records"] = sorted(
            {*run.get("records", []), *([run["epochs"]] if "epochs" in run else [])}
        )
        variants.append(Variant(name, columns, run))
    # A fault of what all variants share would be told once per variant.
    return variants, list(dict.fromkeys(found))


def _teacher_faults(where: str, variants: list[Variant]) -> list[str]:
    """Teachers that are no variants, or have teachers themselves; one job waits for one other."""
    by_name = {variant.name: variant for variant in variants}
    found = []
    for variant in variants:
        teacher = variant.run.get("teacher")
        if teacher is None:
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
            for key in ("normalisation", "validation", "train_images")
            if variant.run[key] != by_name[teacher].run[key]
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
    from jsonschema import Draft202012Validator

    validator = Draft202012Validator({**schema()["$defs"]["run"], "$defs": schema()["$defs"]})
    found = [
        f"{where}: {_sentence(error)}".replace(": the file ", " ")
        for error in validator.iter_errors(run)
    ]
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
    if "validation" in run["evaluate"] and not run["validation"]:
        found.append(f"{study}.run.evaluate has 'validation' but run.validation is 0")
    return found
