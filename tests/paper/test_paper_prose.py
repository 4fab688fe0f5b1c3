"""No number is typed into the paper's text: all come from `numbers.json`."""

import re
from pathlib import Path

import pytest

PAPER = Path(__file__).parents[2] / "paper"
SECTIONS = sorted(PAPER.glob("sections/*.typ"))
# Names that hold a digit.
ALLOWED = re.compile(r"SHA-256|CIFAR-10")


def prose(source: str) -> str:
    """The text that a reader sees: Typst markup without comments, code, formulas, citations and labels."""
    kept: list[str] = []
    _markup(re.sub(r"(?<!:)//[^\n]*", "", source), 0, kept, "")
    return "".join(kept)


def _markup(source: str, at: int, kept: list[str], end: str) -> int:
    while at < len(source):
        character = source[at]
        if character == end:
            return at + 1
        if character == "$":
            at = source.index("$", at + 1) + 1
        elif character == "`":
            at = source.index("`", at + 1) + 1
        elif character in "@<" and (found := re.match(r"[@<][\w-]+>?", source[at:])):
            at += found.end()
        elif character == "#":
            at = _code(source, at + 1, kept)
        elif character == "[":
            kept.append("[")
            at = _markup(source, at + 1, kept, "]")
        else:
            kept.append(character)
            at += 1
    return at


def _code(source: str, at: int, kept: list[str]) -> int:
    """One code expression: a statement up to the end of its line, or a call with its arguments."""
    statement = re.match(r"(let|set|show|import|include|for|if|else)\b", source[at:])
    if not statement:
        name = re.match(r"[\w.-]+", source[at:])
        at += name.end() if name else 0
    while at < len(source):
        character = source[at]
        if character in "({":
            at = _group(source, at + 1, kept, {"(": ")", "{": "}"}[character])
        elif character == "[":
            at = _markup(source, at + 1, kept, "]")
        elif character == '"' and statement:
            at = _text(source, at, kept)
        elif statement and (character != "\n" or source.startswith("else", at + 1)):
            at += 1
        elif character == "." and (method := re.match(r"\.[a-z][\w-]*(?=[(\[])", source[at:])):
            at += method.end()
        else:
            return at
    return at


def _group(source: str, at: int, kept: list[str], end: str) -> int:
    while source[at] != end:
        character = source[at]
        if character in "({":
            at = _group(source, at + 1, kept, {"(": ")", "{": "}"}[character])
        elif character == "[":
            at = _markup(source, at + 1, kept, "]")
        elif character == '"':
            at = _text(source, at, kept)
        else:
            at += 1
    return at + 1


def _text(source: str, at: int, kept: list[str]) -> int:
    """A string: one with a space is text for a reader, one without is a name."""
    end = source.index('"', at + 1)
    if " " in source[at:end]:
        kept.append(source[at + 1 : end])
    return end + 1


def typed(source: str) -> list[str]:
    """Numbers in the prose of a Typst source."""
    return re.findall(r"\S*\d\S*", ALLOWED.sub("", prose(source)))


@pytest.mark.parametrize("path", [PAPER / "paper.typ", *SECTIONS], ids=lambda path: path.name)
def test_no_number_is_typed(path):
    assert typed(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "source",
    [
        "Accuracy is 97 %.",
        '#n("x") of 12',
        "#if a [it is 5] else [it is 6]",
        "#figure(table(), caption: [of 3 seeds])",
        '#ruled(("the 4 seeds",))',
        "#list(..x.map(y => [in 7 rows]))",
        "- *Bold 8* and _slanted_",
    ],
)
def test_a_typed_number_is_found(source):
    assert typed(source)


@pytest.mark.parametrize(
    "source",
    [
        '#n("width-16", "a") in $x^2$ and `code 3` // comment 4',
        "As @shapiro1965analysis has it <label-2>.",
        "#set text(8.4pt)\n#let x = 3\nText.",
        '#table(columns: 2, left: 3, "width-16")[text]',
    ],
)
def test_what_a_reader_does_not_see_is_left_out(source):
    assert typed(source) == []


def test_no_section_names_a_number_that_is_spelled_out():
    words = r"\b(seven|eight|nine|ten|eleven|twelve|thirty|hundred|thousand|million)\b"
    for path in [PAPER / "paper.typ", *SECTIONS]:
        assert not re.findall(words, prose(path.read_text(encoding="utf-8"))), path.name
