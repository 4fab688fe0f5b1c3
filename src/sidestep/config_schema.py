"""The schema of the configuration, and its faults as one sentence each."""

import math
from collections.abc import Iterator
from functools import cache
from typing import Any

import yaml

from sidestep.registry import PACKAGE, unknown

SCHEMA = PACKAGE.parents[1] / "workflow" / "schemas" / "config.schema.yaml"


@cache
def schema() -> dict[str, Any]:
    """The JSON schema of the configuration."""
    return dict(yaml.safe_load(SCHEMA.read_text(encoding="utf-8")))


def faults(value: Any) -> list[str]:
    """What the schema does not allow, one sentence each, in order of the keys."""
    from jsonschema import Draft202012Validator

    if strange := list(_strange(value, "")):
        return strange
    errors = Draft202012Validator(schema()).iter_errors(value)
    found = [
        sentence(error) for error in sorted(errors, key=lambda e: [str(p) for p in e.absolute_path])
    ]
    return list(dict.fromkeys(found))


def of_run(run: dict[str, Any]) -> list[str]:
    """What the schema does not allow in a variant's run, one sentence each.

    The schema says what each key may hold, and nothing of two keys together. So what was found right
    in one variant is not looked at in the next: thousands of them differ in a setting or two.
    """
    fresh = {key: value for key, value in run.items() if (key, repr(value)) not in _RIGHT}
    found = [sentence(error) for error in _of_runs().iter_errors(fresh)]
    if not found:
        _RIGHT.update((key, repr(value)) for key, value in fresh.items())
    return found


_RIGHT: set[tuple[str, str]] = set()


@cache
def _of_runs() -> Any:
    from jsonschema import Draft202012Validator

    return Draft202012Validator({**schema()["$defs"]["run"], "$defs": schema()["$defs"]})


def _strange(value: Any, path: str) -> Iterator[str]:
    """What YAML allows and JSON does not, one sentence each: a schema says nothing of it."""
    where = path or "the file"
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                yield f"{where} has the key {key!r}, which is no text: put it in quotes"
            elif not key.isprintable():
                yield f"{where} has the key {key!r}, in which there is a character that is not printed"
            else:
                yield from _strange(item, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _strange(item, f"{path}.{index}")
    elif isinstance(value, float) and not math.isfinite(value):
        yield f"{where} is {value} but must be a finite number"
    elif isinstance(value, str) and "\0" in value:
        yield f"{where} is {value!r}, in which there is a null character"


def sentence(error: Any) -> str:
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
