"""Config files: read, merged as Snakemake merges them, and put in order; nothing is checked but the YAML itself."""

import copy
import re
from pathlib import Path
from typing import Any

import yaml

from sidestep.errors import UserError

# No config of ours comes near; a file that holds itself, or a bomb of references, does.
MOST_ENTRIES = 1_000_000
MOST_LEVELS = 50

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)[eE][+-]?\d+")


class _Loader(yaml.SafeLoader):
    """YAML's safe loader, but a key that is given twice is an error instead of a silent choice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key_node, _ in node.value if isinstance(node, yaml.MappingNode) else ():
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
    # A tag that does not fit its value (`!!bool x`), or a thousand brackets, raise almost anything.
    except Exception as error:
        mark = getattr(error, "problem_mark", None)
        place = f" (line {mark.line + 1}, column {mark.column + 1})" if mark else ""
        problem = getattr(error, "problem", None) or repr(error).splitlines()[0]
        raise UserError(f"{path}: is not valid YAML{place}: {problem}") from None
    if not isinstance(value, dict):
        raise UserError(f"{path}: must hold a mapping of keys but holds {type(value).__name__}")
    _check_size(value, path)
    return value


def _check_size(value: Any, path: Path) -> None:
    """Refuse what would never be read to its end: values that hold themselves, and bombs of references.

    Raises:
        UserError: as described.
    """
    waiting, count = [(value, 0)], 0
    while waiting:
        item, level = waiting.pop()
        count += 1
        if level > MOST_LEVELS:
            raise UserError(f"{path}: is nested more than {MOST_LEVELS} levels deep")
        if count > MOST_ENTRIES:
            raise UserError(f"{path}: holds more than {MOST_ENTRIES} entries")
        if isinstance(item, dict | list):
            inner = item.values() if isinstance(item, dict) else item
            waiting += [(one, level + 1) for one in inner]


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


def numbers(value: Any) -> Any:
    """YAML 1.1 reads `1e-3` as a text: take it for the number that it is."""
    if isinstance(value, dict):
        return {key: numbers(item) for key, item in value.items()}
    if isinstance(value, list):
        return [numbers(item) for item in value]
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        return float(value)
    return value
