"""The analyses of the substitution study that compare variants, on small made tables worked out by hand."""

import inspect
import math
import subprocess
import sys
from types import ModuleType

import numpy as np
import pandas as pd
import pytest
from made_budgets import BATCH, COSTS, NAN, RUNS, VALUES, Run, interval, made, run, taught
from made_tables import one

from sidestep import variants
from sidestep.analyses import (
    decay,
    matrix_fit,
    pareto,
    published_substitution,
    repeats,
    speedup,
    teaching,
)

TABLES = (decay, pareto, published_substitution, repeats, speedup, teaching)


@pytest.mark.parametrize(
    ("described", "layer", "is_taught"),
    [
        (run(), "dense", False),
        (run("hashed", 0.1), "hashed", False),
        (run(budget=0.1, match="narrower"), "narrower", False),
        (taught(budget=0.1, match="shallower"), "shallower", True),
        (taught("low_rank", 0.1), "low_rank", True),
        ({"network": {"name": "wide_resnet", "depth": 10, "width": 1,
                      "layer": {"name": "acdc", "size": 3}}}, "acdc", False),
        # Of before the new keys, and of networks without them.
        ({"network": {"name": "basic_cnn"}}, "dense", False),
    ],
)  # fmt: skip
def test_layers_and_teachers_are_told_from_settings(
    described: Run, layer: str, is_taught: bool
) -> None:
    assert variants.layer(described) == layer
    assert variants.taught(described) is is_taught


def test_runs_of_before_teachers_are_the_same_runs() -> None:
    old = {key: v for key, v in run().items() if key not in ("teacher", "substituted_decay")}
    assert variants.written(old) == variants.written(run())


def test_teaching_pairs_variants_that_differ_in_the_teacher_alone() -> None:
    table = teaching.analyse(made())
    assert list(zip(table["alone"], table["taught"], strict=True)) == [
        ("narrower", "narrower-taught"), ("hashed", "hashed-taught"),
    ]  # fmt: skip
    assert set(table["teacher"]) == {"dense"} and list(table["layer"]) == ["narrower", "hashed"]
    row = one(table, layer="hashed")
    mean, low, high = interval([0.02, 0.01, 0.0])
    assert [row["difference"], row["low"], row["high"]] == pytest.approx([mean, low, high])
    assert [row["loss_difference"], row["loss_low"], row["loss_high"]] == pytest.approx(
        [-mean, -high, -low]
    )
    assert (row["pairs"], row["separates"]) == (3, 0)
    assert row["accuracy_taught"] - row["accuracy_alone"] == pytest.approx(mean)


def test_means_beside_a_difference_are_of_its_pairs() -> None:
    """A seed that diverged on one side is in neither mean, so that the difference is that of the means."""
    values = VALUES | {"hashed-taught": (0.95, NAN, 0.95), "hashed-decay": (NAN, 0.92, 0.97)}
    tables = made(values=values)
    row = one(teaching.analyse(tables), layer="hashed")
    assert (row["pairs"], row["accuracy_alone"]) == (2, pytest.approx((0.93 + 0.95) / 2))
    assert row["accuracy_taught"] - row["accuracy_alone"] == pytest.approx(row["difference"])
    row = decay.analyse(tables).iloc[0]
    assert (row["pairs"], row["accuracy_full"]) == (2, pytest.approx((0.93 + 0.95) / 2))
    assert row["accuracy_scaled"] - row["accuracy_full"] == pytest.approx(row["difference"])


def test_decay_pairs_variants_that_differ_in_it_alone() -> None:
    row = decay.analyse(made()).iloc[0]
    assert (row["full"], row["scaled"], row["layer"], row["taught"]) == (
        "hashed", "hashed-decay", "hashed", 0,
    )  # fmt: skip
    assert [row["difference"], row["low"], row["high"]] == pytest.approx(
        interval([0.01, -0.01, 0.02])
    )
    assert row["accuracy_scaled"] == pytest.approx(np.mean(VALUES["hashed-decay"]))
    assert (row["pairs"], row["separates"], len(decay.analyse(made()))) == (3, 0, 1)


def test_speedups_counted_and_real() -> None:
    table = speedup.analyse(made())
    row = one(table, variant="low_rank")
    assert (row["counted"], row["slower"]) == (40, 1)
    assert row["real_forward"] == pytest.approx(1.28 / 1.92)
    assert row["real_forward_low"] == pytest.approx(0.9 * 1.28 / (1.2 * 1.92))
    assert row["real_forward_high"] == pytest.approx(1.2 * 1.28 / (0.9 * 1.92))
    assert row["real_step"] == pytest.approx(4 / 6)
    itself = one(table, variant="dense")
    assert set(itself[["counted", "real_forward", "real_forward_low", "real_step"]]) == {1.0}
    # As much work in more time is slower, but no surprise.
    assert one(table, variant="hashed")["slower"] == 0
    assert one(table, variant="narrower")["slower"] == 0


def test_seconds_are_of_an_image() -> None:
    runs = {"dense": run(), "small-batch": run("hashed", 0.1, batch_size=BATCH // 2)}
    values = dict.fromkeys(runs, VALUES["dense"])
    costs = {"dense": COSTS["dense"], "small-batch": COSTS["dense"]}
    table = speedup.analyse(made(runs, values, costs=costs))
    assert one(table, variant="small-batch")["real_forward"] == pytest.approx(0.5)


def test_repeats_have_spreads_and_pairs_of_equal_runs() -> None:
    runs = {**RUNS, "again": run("hashed", 0.1), "written": run("low_rank", 0.1)}
    del runs["written"]["network"]["match"]
    values = VALUES | {"again": (0.92, 0.93, 0.95), "written": (0.7, 0.7, 0.7)}
    table = repeats.analyse(made(runs, values))
    assert len(table) == len(runs) + 2
    single, pairs = table[table["other"] == ""], table[table["other"] != ""]
    row = one(single, variant="hashed")
    assert row["sd"] == pytest.approx(np.std(VALUES["hashed"], ddof=1))
    assert (row["range"], row["n"]) == (pytest.approx(0.02), 3) and math.isnan(row["difference"])
    again = one(pairs, variant="hashed", other="again")
    assert [again["difference"], again["low"], again["high"]] == pytest.approx(
        interval([0.01, 0.0, 0.0])
    )
    assert one(pairs, other="written")["pairs"] == 2


@pytest.mark.parametrize("module", TABLES, ids=lambda module: module.__name__.split(".")[-1])
def test_analyses_give_their_columns_the_same_twice_and_for_nothing(module: ModuleType) -> None:
    runs, values = RUNS | {"again": run()}, VALUES | {"again": VALUES["dense"]}
    first = module.analyse(made(runs, values))
    pd.testing.assert_frame_equal(first, module.analyse(made(runs, values)))
    assert not first.empty and list(first.columns) == module.COLUMNS
    alone = {"dense": run()}
    for nothing in (
        made(alone, {"dense": (NAN, NAN)}),
        made(alone, {}),
        made(alone, {"dense": (0.5,)}, timed=False, datasets=("digits",)),
    ):
        table = module.analyse(nothing)
        assert list(table.columns) == module.COLUMNS
        numbers = table.select_dtypes(np.number).to_numpy(dtype=float)
        assert not np.isinf(numbers).any()


@pytest.mark.parametrize("module", [*TABLES, matrix_fit], ids=lambda m: m.__name__.split(".")[-1])
def test_every_column_is_described(module: ModuleType) -> None:
    text = inspect.getdoc(module.analyse) or ""
    words = {f"{word}_" for word in pareto.REFERENCES} if module is pareto else set()
    for column in module.COLUMNS:
        parts = {column, *(column.removeprefix(word[:-1]) for word in words if word in column)}
        assert any(f"`{part}`" in text for part in parts), column


def test_only_matrix_fit_imports_torch() -> None:
    names = ", ".join(module.__name__.split(".")[-1] for module in TABLES)
    code = f"import sys; from sidestep.analyses import {names}; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
