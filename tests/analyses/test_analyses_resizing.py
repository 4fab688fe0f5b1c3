"""What all analyses of sizes, starts and orders share, on a made study whose answers are known."""

import importlib
import inspect
import itertools
import math
import subprocess
import sys
from types import ModuleType

import made_resizing as study_of
import numpy as np
import pandas as pd
import pytest
from made_resizing import (
    DATASETS,
    FAST,
    METHODS,
    RUNS,
    SIZES,
    interval,
    made,
    paired,
)
from made_tables import one

from sidestep import importance, sizing
from sidestep.analyses import (
    final_sizes,
    harder_sizes,
    matched_accuracy,
    neuron_orders,
    order_stability,
    start_dependence,
)
from sidestep.analyses.shared import sizes as shared
from sidestep.tables import Tables

NAN = math.nan
ANALYSES = (
    *(final_sizes, start_dependence, matched_accuracy, harder_sizes, neuron_orders),
    order_stability,
)


@pytest.fixture(scope="module")
def tables() -> Tables:
    return made()


def test_the_made_study_is_what_it_says(tables: Tables) -> None:
    assert {name: sizing.method(run) for name, run in RUNS.items()} == METHODS
    assert sizing.matched(tables.study, "soft-high") == "soft-high-again"
    groups = [[v.name for v in group] for group in sizing.from_every_start(tables.study)]
    assert groups == [[f"{word}-low", f"{word}-high"] for word in ("soft", "sparse", "sorted")]


def test_measures_are_those_that_are_measured() -> None:
    assert shared.MEASURES == importance.MEASURES == study_of.MEASURES
    metric = importlib.import_module("sidestep.metrics.neuron_importance")
    assert neuron_orders.ORDERS == metric.ORDERS


def test_the_last_evaluation_counts_whatever_the_order_of_rows(tables: Tables) -> None:
    mixed = tables.main.sample(frac=1, random_state=3).reset_index(drop=True)
    shuffled = Tables(tables.study, _read={"": mixed})
    for module in ANALYSES:
        pd.testing.assert_frame_equal(module.analyse(tables), module.analyse(shuffled))


def test_diverged_runs_are_counted_and_left_out() -> None:
    lost = {("mnist", "soft-high", 2), ("mnist", "plain-large", 0)}
    tables = made(diverged=lost)
    row = one(final_sizes.analyse(tables), dataset="mnist", variant="soft-high")
    sizes = SIZES["mnist"]["soft-high"]
    assert (row["n"], row["diverged"]) == (2, 1)
    assert [row["size"], row["size_low"], row["size_high"]] == pytest.approx(interval(sizes[:2]))
    assert row["seconds"] == 10 + 50 + 0.5
    start = one(start_dependence.analyse(tables), dataset="mnist", method="flexible")
    found = [start["difference"], start["low"], start["high"]]
    assert start["pairs"] == 2
    assert found == pytest.approx(paired(sizes[:2], SIZES["mnist"]["soft-low"][:2]))
    plain = one(final_sizes.analyse(tables), dataset="mnist", variant="plain-large")
    assert (plain["n"], plain["size"]) == (2, 50)
    harder = one(harder_sizes.analyse(tables), variant="soft-high")
    assert harder["pairs"] == 2 and harder["easier_size"] == pytest.approx(np.mean(sizes[:2]))
    assert harder["harder_size"] == pytest.approx(np.mean(SIZES["fashion_mnist"]["soft-high"][:2]))
    orders = neuron_orders.analyse(tables)
    assert set(orders[orders["variant"] == "plain-large"]["n"]) == {2, 3}


def test_a_diverged_run_is_left_out_though_it_was_measured() -> None:
    # The rows that a metric would have written.
    rows = [
        ("mnist", "plain-large", "0", 4, "test", "area_kept_zeroing", NAN, 5.0),
        *(
            ("mnist", "plain-large", "0", epoch, "train", "importance_zeroing", index, index)
            for epoch in (1, 2, 4)
            for index in range(50)
        ),
    ]
    tables = made(diverged={("mnist", "plain-large", 0)}, more=rows)
    where = {"dataset": "mnist", "variant": "plain-large", "measure": "zeroing"}
    assert one(neuron_orders.analyse(tables), **where)["area"] < 1
    assert one(order_stability.analyse(tables), **where, epoch=2)["n"] == 2


@pytest.mark.parametrize("module", ANALYSES, ids=lambda module: module.__name__.split(".")[-1])
def test_analyses_give_their_columns_the_same_twice_and_for_nothing(module: ModuleType) -> None:
    first = module.analyse(made())
    pd.testing.assert_frame_equal(first, module.analyse(made()))
    assert not first.empty and list(first.columns) == module.COLUMNS
    assert not first.duplicated().any()
    lost = set(itertools.product(DATASETS, RUNS, (0, 1, 2)))
    empty = Tables(made(**FAST).study, _read={"": made(**FAST).main.iloc[:0]})
    for nothing in (made(diverged=lost), made(seeds=(1,)), empty):
        assert list(module.analyse(nothing).columns) == module.COLUMNS


def test_a_single_seed_has_no_interval() -> None:
    tables = made(seeds=(1,))
    row = one(final_sizes.analyse(tables), dataset="mnist", variant="soft-low")
    assert row["size"] == SIZES["mnist"]["soft-low"][1] and math.isnan(row["size_low"])
    start = one(start_dependence.analyse(tables), dataset="mnist", method="sparsified")
    assert (start["difference"], start["separates"]) == (23, 0)


def test_a_study_of_diverged_runs_has_sizes_of_none() -> None:
    lost = set(itertools.product(DATASETS, RUNS, (0, 1, 2)))
    table = final_sizes.analyse(made(diverged=lost))
    assert set(table["n"]) == {0} and set(table["diverged"]) == {3}
    assert table[["size", "accuracy", "objective", "parameters"]].isna().all(axis=None)
    starts = start_dependence.analyse(made(diverged=lost))
    assert set(starts["pairs"]) == {0} and starts["dependence"].isna().all()


@pytest.mark.parametrize("module", ANALYSES, ids=lambda module: module.__name__.split(".")[-1])
def test_every_column_is_described(module: ModuleType) -> None:
    text = inspect.getdoc(module.analyse) or ""
    for column in module.COLUMNS:
        assert f"`{column}`" in text, column


def test_no_analysis_imports_torch() -> None:
    names = ", ".join(module.__name__.split(".")[-1] for module in ANALYSES)
    code = f"import sys; from sidestep.analyses import {names}; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
