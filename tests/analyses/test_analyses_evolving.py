"""What holds for every analysis of graphs that evolve."""

import inspect
import itertools
from pathlib import Path
from types import ModuleType

import pandas as pd
import pytest
from made_evolving import (
    RUNS,
    fits,
    made,
)

from sidestep.analyses import (
    boosting,
    equal_score,
    evolution_contrasts,
    final_graphs,
    final_scores,
    generations,
    population,
)
from sidestep.tables import Tables

MODULES = (
    *(final_scores, evolution_contrasts, boosting, generations, final_graphs, equal_score),
    population,
)


def analysed(module: ModuleType, tables: Tables) -> pd.DataFrame:
    tables._read["boosting"] = fits(tables.study.datasets, tables.study.seeds)
    if module is boosting:
        return boosting.analyse(tables, repeats=1)
    table: pd.DataFrame = module.analyse(tables)
    return table


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__.split(".")[-1])
def test_every_column_is_described(module: ModuleType) -> None:
    text = inspect.getdoc(module.analyse) or ""
    for column in module.COLUMNS:
        assert f"`{column}`" in text, column


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__.split(".")[-1])
def test_columns_are_the_same_for_nothing(module: ModuleType, tmp_path: Path) -> None:
    lost = set(itertools.product(("diabetes",), RUNS, (0,)))
    for number, tables in enumerate(
        (
            made(tmp_path / "0", datasets=("diabetes",), seeds=(0,), diverged=lost),
            made(tmp_path / "1", datasets=("diabetes",), seeds=()),
        )
    ):
        table = analysed(module, tables)
        assert list(table.columns) == module.COLUMNS, number


@pytest.mark.parametrize(
    "module",
    [final_scores, evolution_contrasts, generations, equal_score],
    ids=lambda module: module.__name__.split(".")[-1],
)
def test_tables_are_the_same_twice(module: ModuleType, tmp_path: Path) -> None:
    tables = made(tmp_path)
    first = analysed(module, tables)
    pd.testing.assert_frame_equal(first, analysed(module, tables))
    assert not first.empty and not first.duplicated().any()
    assert list(first.columns) == module.COLUMNS
