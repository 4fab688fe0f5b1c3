"""The methods, settings and published runs of the study of decoupled blocks, in words."""

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import pandas as pd

from sidestep.paper.parts import formats as f
from sidestep.paper.parts.study import each_row

# Methods as `family` names them.
END_TO_END, DGL, SEQUENTIAL, CDNI, DNI = "end_to_end", "dgl", "sequential", "cdni", "dni"
RANDOM, SHIFTED = "random_features", "_shifted"
RECONSTRUCTION, MIXED = "reconstruction", "reconstruction_and_classes"
METHODS = {
    END_TO_END: "end to end",
    DGL: "DGL",
    SEQUENTIAL: "sequential",
    CDNI: "cDNI",
    DNI: "DNI",
    RECONSTRUCTION: "reconstruction",
    MIXED: "reconstruction and classes",
    RANDOM: "random features",
}
# Rows that a table can have on one page.
MOST_ROWS = 45
# What Typst would read as markup within a word or at its edges.
_MARKUP = str.maketrans({character: f"\\{character}" for character in "\\_*#@$<>[]`~"})


def method_words(method: str) -> str:
    """A method as a reader knows it: `dgl` → `DGL`."""
    known = METHODS.get(method.removesuffix(SHIFTED))
    text = known if known is not None else plain(method.removesuffix(SHIFTED).replace("_", " "))
    return text + ", shifted" * method.endswith(SHIFTED)


def plain(text: str) -> str:
    """A name or description of the configuration, in which nothing is markup."""
    return text.translate(_MARKUP)


def text(value: Any) -> str:
    """A cell of a table of text; empty where there is none."""
    return "" if value is None or (isinstance(value, float) and math.isnan(value)) else str(value)


def pages(table: f.Table, most: int = MOST_ROWS) -> list[f.Table]:
    """A table in parts that each fit on a page; none for one without rows."""
    rows = table["rows"]
    parts = math.ceil(len(rows) / most)
    # Parts of equal length, so that none is left with a row or two.
    size = math.ceil(len(rows) / parts) if parts else 1
    return [
        {**table, "rows": rows[begin : begin + size], "part": f.count(number)}
        for number, begin in enumerate(range(0, len(rows), size), start=1)
    ]


def groups(frame: pd.DataFrame, columns: Sequence[str]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Rows that agree in the columns, in the order in which they come."""
    if frame.empty:
        return
    for keys, cell in frame.groupby(list(columns), sort=False, dropna=False):
        yield tuple(text(key) for key in keys), list(each_row(cell))


def few(items: Sequence[str], noun: str, most: int = 8, last: str = "and") -> str:
    """The items, or only how many they are where they would fill the paragraph."""
    return f.listed(items, last) if len(items) <= most else f.plural(len(items), noun)


def distinct(items: Iterable[str]) -> list[str]:
    """Each once, in the order in which they come."""
    return list(dict.fromkeys(items))
