"""Named things of the config with all their settings, and in words."""

from typing import Any

from sidestep import declared, settings
from sidestep.files import canonical_json
from sidestep.registry import arguments


def complete(kind: str, thing: dict[str, Any]) -> dict[str, Any]:
    """A named thing with the defaults of all settings that it does not give, nested ones too.

    Args:
        kind: the folder, such as `signals`.
        thing: `{name: …, setting: value, …}`, without fault.
    """
    found = {**declared.defaults(kind, thing["name"]), **arguments(thing)}
    for name, setting in settings.settings_of(kind, thing["name"]).items():
        if setting.kind in settings.NESTED and name in found:
            found[name] = complete(settings.NESTED[setting.kind], found[name])
    return {"name": thing["name"], **found}


def describe(kind: str, thing: dict[str, Any]) -> str:
    """A named thing in words: its name, and the settings that differ from their defaults, in one order."""
    usual = declared.defaults(kind, thing["name"])
    differing = []
    for key, setting in settings.settings_of(kind, thing["name"]).items():
        value: Any = thing.get(key, usual.get(key))
        if canonical_json(value) != canonical_json(usual.get(key)):
            nested = setting.kind in settings.NESTED
            said = describe(settings.NESTED[setting.kind], value) if nested else words(value)
            differing.append(f"{key} {said}")
    return str(thing["name"]) + (f" ({', '.join(differing)})" if differing else "")


def words(value: Any) -> str:
    """The value of a setting as readers see it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return " : ".join(map(words, value))
    return f"{value:g}" if isinstance(value, float) else str(value)
