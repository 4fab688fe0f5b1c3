"""The config reference names every key of the schema with its description and default."""

import json
from pathlib import Path

import pytest

from sidestep.config_schema import schema

TEXT = (Path(__file__).parents[2] / "config" / "README.md").read_text()
DEFINITIONS = schema()["$defs"]
KEYS = {
    **schema()["properties"],
    **DEFINITIONS["study"]["properties"],
    **DEFINITIONS["study"]["properties"]["timing"]["properties"],
    **DEFINITIONS["study"]["properties"]["search"]["properties"],
    **DEFINITIONS["run"]["properties"],
}


@pytest.mark.parametrize("key", sorted(KEYS))
def test_the_reference_has_the_key_with_its_meaning_and_default(key):
    spec = KEYS[key]
    rows = [line for line in TEXT.splitlines() if line.startswith(f"| `{key}` |")]
    assert any(spec["description"].strip() in row for row in rows)
    if "default" in spec and spec["default"] != "":
        default = spec["default"]
        shown = default if isinstance(default, str) else json.dumps(default)
        assert any(f"`{shown}`" in row for row in rows)
