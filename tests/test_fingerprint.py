"""Fingerprints: what makes a job stale and what does not."""

import ast
import subprocess
import sys
import textwrap

import pytest

from sidestep import entries, fingerprint


def text(source):
    return fingerprint._text(ast.parse(textwrap.dedent(source)))


BASE = '''
    """Module."""
    import math

    def area(radius: float, *, unit: str = "m") -> float:
        """Area of a disc."""
        return math.pi * radius**2  # in square units
    '''


@pytest.mark.parametrize(
    "edited",
    [
        BASE.replace("# in square units", "# another comment"),
        BASE.replace("Area of a disc.", "The area."),
        BASE.replace('"""Module."""', ""),
        BASE.replace("math.pi * radius**2", "(math.pi\n                * radius ** 2)"),
    ],
)
def test_comments_docstrings_and_layout_do_not_count(edited):
    assert text(edited) == text(BASE)


@pytest.mark.parametrize(
    ("old", "new"),
    [("**2", "**3"), ('"m"', '"cm"'), ("radius: float", "radius: int"), ("math", "cmath")],
)
def test_everything_else_counts(old, new):
    assert text(BASE.replace(old, new)) != text(BASE)


def test_a_string_that_is_no_docstring_counts():
    assert text("x = 1\n'note'") != text("x = 1\n'other'")


def test_the_closure_follows_imports_and_leaves_the_rest_out(run):
    modules = fingerprint.closure(entries.train(run))
    assert "sidestep.strategies.end_to_end" in modules
    assert "sidestep.optimisers.adam" in modules
    assert "sidestep.training.loop" in modules
    assert "sidestep.optimisers.sgd" not in modules
    assert "sidestep.data.sources" not in modules
    assert not any(name.startswith("sidestep.figures") for name in modules)
    assert not set(modules) & fingerprint.FRAME


def test_another_optimiser_is_another_fingerprint(run):
    other = {**run, "optimiser": {"name": "sgd", "lr": 0.1}}
    assert fingerprint.of(entries.train(run)) != fingerprint.of(entries.train(other))
    again = {**run, "optimiser": {"name": "adam", "lr": 0.5}}
    assert fingerprint.of(entries.train(run)) == fingerprint.of(entries.train(again))


def test_a_new_process_gives_the_same_fingerprint(run):
    code = f"from sidestep import entries, fingerprint; print(fingerprint.of(entries.train({run})))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == fingerprint.of(entries.train(run))


def test_a_module_that_no_import_leads_to_is_caught(run, monkeypatch):
    before = fingerprint.check_at_start("", entries.train(run))
    monkeypatch.setitem(sys.modules, "sidestep.hidden_helper", object())
    with pytest.raises(RuntimeError, match="hidden_helper"):
        fingerprint.check_at_end(entries.train(run), before)


def test_what_is_remembered_follows_from_the_bytes_and_a_damaged_file_of_it_is_ignored(tmp_path):
    memory = fingerprint.Remembered()
    facts = fingerprint._facts("sidestep.contract")
    memory.facts, memory.new = {"key": facts}, True
    path = tmp_path / "sources.json"
    memory.save(path)
    again = fingerprint.Remembered()
    again.load(path)
    assert again.facts == {"key": (facts[0], facts[1])}
    for text in ("{", "[]", '{"version": "old", "facts": {"key": ["x", []]}}'):
        path.write_text(text)
        other = fingerprint.Remembered()
        other.load(path)
        assert other.facts == {}
