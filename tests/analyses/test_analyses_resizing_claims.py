"""Claims of the resizing study, on small made tables worked out by hand."""

import inspect
from types import ModuleType
from typing import Any

import made_resizing_more as more
import numpy as np
import pandas as pd
import pytest
from made_resizing import interval
from made_resizing_more import CALM, NOISY, RUNS, SIZES, changed, of, study, with_losses
from made_tables import one

from sidestep import sizing
from sidestep.analyses import late_loss, published_resizing, resizing_claims, switched_off

TABLES = (late_loss, switched_off, resizing_claims, published_resizing)


def test_the_made_study_has_every_method() -> None:
    assert {sizing.method(its) for its in RUNS.values()} == set(sizing.METHODS) - {
        "flexible_trainable_slope",
        "sparsified_absolute",
    }


CASES: list[tuple[str, dict[str, tuple[float, ...]], str, str, str, Any]] = [
    # claim, other sizes, outcome, variant, other, values whose interval it is
    ("size_independent_of_start", {}, "agrees", "soft-high", "soft-low", (1.5, -1.0, 1.5)),
    ("size_independent_of_start", {"soft-high": (39.0, 41.0, 40.0)}, "disagrees",
     "soft-high", "soft-low", (18.5, 19.0, 18.5)),
    # Different from 0, but within the margin; then neither within nor beyond it.
    ("size_independent_of_start", {"soft-high": (23.5, 25.0, 24.6)}, "agrees",
     "soft-high", "soft-low", (3.0, 3.0, 3.1)),
    ("size_independent_of_start", {"soft-high": (29.5, 35.0, 30.5)}, "open",
     "soft-high", "soft-low", (9.0, 13.0, 9.0)),
    ("decay_empties_switched_off", {}, "agrees", "soft-low", "", (0.01, 0.01, 0.01)),
    ("no_decay_is_larger", {}, "agrees", "soft-light", "soft-low", (9.5, 11.0, 9.5)),
    ("no_decay_is_larger", {"soft-light": (10.0, 11.0, 11.0)}, "disagrees",
     "soft-light", "soft-low", (-10.5, -11.0, -10.5)),
    ("no_decay_is_larger", {"soft-light": (20.0, 23.0, 21.0)}, "open",
     "soft-light", "soft-low", (-0.5, 1.0, -0.5)),
    ("grows_without_price", {}, "agrees", "unpriced", "", of("unpriced") - 5),
    ("grows_without_price", {"unpriced": (3.0, 2.0, 2.5)}, "disagrees", "unpriced", "",
     (-2.0, -3.0, -2.5)),
    ("random_slope_slower", {}, "agrees", "blurred", "unpriced", of("blurred") - of("unpriced")),
    ("random_slope_slower", {"blurred": (45.0, 46.0, 50.0)}, "disagrees", "blurred", "unpriced",
     (10.0, 10.0, 11.0)),
    ("drawn_boundary_still", {}, "agrees", "coin", "", (0.0, 0.0, 0.0)),
    ("drawn_boundary_still", {"coin": (21.0, 15.0, 22.0)}, "open", "coin", "", (1.0, 5.0, 2.0)),
    ("drawn_boundary_still", {"coin": (21.9, 18.0, 22.0)}, "disagrees", "coin", "",
     (1.9, 2.0, 2.0)),
    # Half-way, since the other has had twice the epochs at the end.
    ("pretrained_is_smaller", {}, "agrees", "later", "unpriced",
     of("later") - of("unpriced", at=0.5)),
    ("pretrained_is_smaller", {"later": (30.0, 30.5, 33.0)}, "disagrees", "later", "unpriced",
     (10.0, 10.0, 11.0)),
    ("boundary_price_diverges", {}, "agrees", "unbounded", "", of("unbounded") - 0.5),
    ("boundary_price_diverges", {"unbounded": (3.0, 3.1, 3.2)}, "disagrees", "unbounded", "",
     (2.5, 2.6, 2.7)),
    ("sparsified_start_matters", {}, "agrees", "sparse-high", "sparse-low", (22, 23, 21)),
    ("sparsified_start_matters", {"sparse-high": (11, 11, 10)}, "disagrees",
     "sparse-high", "sparse-low", (2, 1, 2)),
    ("worth_independent_of_start", {}, "agrees", "sorted-high", "sorted-low", (1, -1, 1)),
    ("mixture_independent_of_start", {}, "disagrees", "mixed-high", "mixed-low", (27, 29, 27)),
    ("two_phase_larger", {}, "agrees", "in-turn", "soft-low", of("in-turn") - of("soft-low")),
    ("two_phase_larger", {"in-turn": (20.0, 23.0, 20.5)}, "open", "in-turn", "soft-low",
     (-0.5, 1.0, -1.0)),
    ("size_only_moves", {}, "agrees", "alone", "", (5.5, 6.5, 4.5)),
    ("size_only_moves", {"alone": (20.5, 20.6, 20.4)}, "disagrees", "alone", "", (0.0, 0.1, -0.1)),
]  # fmt: skip


@pytest.mark.parametrize(
    ("claim", "sizes", "outcome", "variant", "other", "values"),
    CASES,
    ids=[f"{case[0]}-{case[2]}" for case in CASES],
)
def test_claims_on_sizes(
    claim: str,
    sizes: dict[str, tuple[float, ...]],
    outcome: str,
    variant: str,
    other: str,
    values: Any,
) -> None:
    row = one(resizing_claims.analyse(study(sizes=sizes)), dataset="mnist", claim=claim)
    assert (row["variant"], row["other"], row["n"]) == (variant, other, 3)
    assert [row["value"], row["low"], row["high"]] == pytest.approx(interval(values), abs=1e-9)
    assert row["outcome"] == outcome
    unit = "share of initial" if claim == "decay_empties_switched_off" else "neurons"
    assert row["unit"] == unit


def test_weights_that_decay_has_not_emptied() -> None:
    tables = study()
    frame = tables.main
    tenfold = frame["value"].where(frame["metric"] != "gate_outgoing", 50 * frame["value"])
    row = one(
        resizing_claims.analyse(changed(tables, tenfold)),
        dataset="mnist",
        claim="decay_empties_switched_off",
    )
    assert row["outcome"] == "disagrees" and row["value"] == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("claim", "accuracies", "outcome", "variant", "other", "values"),
    [
        ("accuracy_independent_of_start", {"soft-high": (0.960, 0.963, 0.961)}, "agrees",
         "soft-high", "soft-low", (0.0, 0.1, 0.0)),
        ("accuracy_independent_of_start", {"soft-high": (0.970, 0.973, 0.971)}, "disagrees",
         "soft-high", "soft-low", (1.0, 1.1, 1.0)),
        ("accuracy_independent_of_start", {"soft-high": (0.962, 0.968, 0.963)}, "open",
         "soft-high", "soft-low", (0.2, 0.6, 0.2)),
        ("flexible_equals_static", {"soft-low-again": (0.961, 0.963, 0.963)}, "agrees",
         "soft-low", "soft-low-again", (-0.1, -0.1, -0.2)),
        ("flexible_equals_static", {"soft-low-again": (0.971, 0.973, 0.973)}, "disagrees",
         "soft-low", "soft-low-again", (-1.1, -1.1, -1.2)),
        # The lowest price beside as many neurons as it starts with.
        ("sparsified_generalises_better",
         {"sparse-cheap": (0.98, 0.98, 0.982), "plain-large": (0.97, 0.97, 0.97)}, "agrees",
         "sparse-cheap", "plain-large", (1.0, 1.0, 1.2)),
        ("sparsified_generalises_better",
         {"sparse-cheap": (0.96, 0.96, 0.958), "plain-large": (0.97, 0.97, 0.97)}, "disagrees",
         "sparse-cheap", "plain-large", (-1.0, -1.0, -1.2)),
        ("sparsified_generalises_better",
         {"sparse-cheap": (0.96, 0.96, 0.98), "plain-large": (0.97, 0.97, 0.97)}, "open",
         "sparse-cheap", "plain-large", (-1.0, -1.0, 1.0)),
    ],
)  # fmt: skip
def test_claims_on_accuracies(
    claim: str,
    accuracies: dict[str, tuple[float, ...]],
    outcome: str,
    variant: str,
    other: str,
    values: tuple[float, ...],
) -> None:
    soft = {"soft-low": (0.960, 0.962, 0.961)}
    tables = study(accuracies=soft | accuracies)
    row = one(resizing_claims.analyse(tables), dataset="mnist", claim=claim)
    assert (row["variant"], row["other"], row["unit"]) == (variant, other, "points")
    assert [row["value"], row["low"], row["high"]] == pytest.approx(interval(values), abs=1e-9)
    assert row["outcome"] == outcome


@pytest.mark.parametrize(
    ("claim", "changes", "outcome", "values"),
    [
        ("random_slope_worse", {"blurred": 0.5}, "agrees", (0.49, 0.492, 0.494)),
        ("random_slope_worse", {"unpriced": 0.5}, "disagrees", (-0.49, -0.492, -0.494)),
        ("pretrained_same_loss", {"later": 0.198}, "agrees", (-0.002, 0.0, 0.002)),
        ("pretrained_same_loss", {"later": 0.5}, "disagrees", (0.3, 0.302, 0.304)),
        ("pretrained_same_loss", {"later": 0.21}, "open", (0.01, 0.012, 0.014)),
    ],
)
def test_claims_on_losses(
    claim: str, changes: dict[str, float], outcome: str, values: tuple[float, ...]
) -> None:
    losses: dict[tuple[str, int], tuple[float, ...]] = {}
    for seed in range(3):
        # A loss that is another at every evaluation but the last cannot be taken for that.
        for name in ("unpriced", "blurred", "later"):
            losses[name, seed] = CALM
    for name, last in changes.items():
        for seed in range(3):
            losses[name, seed] = (*CALM[:8], last + 0.002 * seed)
    found = resizing_claims.analyse(with_losses(study(), losses))
    row = one(found, dataset="mnist", claim=claim)
    # After as many epochs the other's loss is the fifth, 0.2.
    assert row["value"] == pytest.approx(np.mean(values)) and row["unit"] == "nats"
    assert [row["low"], row["high"]] == pytest.approx(interval(values)[1:])
    assert row["outcome"] == outcome


def jumping(adam: Any, adamax: Any, epochs: int = 4) -> pd.DataFrame:
    runs = {name: {**RUNS[name], "epochs": epochs} for name in ("plain-large", "plain-max")}
    losses = {("plain-large", seed): its for seed, its in enumerate(adam)}
    losses |= {("plain-max", seed): its for seed, its in enumerate(adamax)}
    return resizing_claims.analyse(with_losses(study(runs), losses))


def test_noise_of_late_losses() -> None:
    more_noise = (*NOISY[:6], 0.5, 0.1, 0.4)
    found = jumping([NOISY, NOISY, more_noise], [CALM, CALM, CALM])
    noisy = one(found, dataset="mnist", claim="late_loss_noisy_adam")
    # Of three jumps two are in the second half.
    assert (noisy["value"], noisy["outcome"], noisy["variant"]) == (2, "agrees", "plain-large")
    calmer = one(found, dataset="mnist", claim="adamax_calmer")
    assert (calmer["value"], calmer["outcome"], calmer["n"]) == (-2, "agrees", 3)
    assert (calmer["variant"], calmer["other"]) == ("plain-max", "plain-large")
    found = jumping([CALM, CALM, NOISY], [NOISY, NOISY, NOISY])
    assert one(found, dataset="mnist", claim="late_loss_noisy_adam")["outcome"] == "open"
    assert one(found, dataset="mnist", claim="adamax_calmer")["outcome"] == "open"
    found = jumping([CALM, CALM, CALM], [NOISY, NOISY, NOISY])
    assert one(found, dataset="mnist", claim="adamax_calmer")["outcome"] == "disagrees"


@pytest.mark.parametrize(("epochs", "outcome"), [(30, "open"), (31, "disagrees")])
def test_no_noise_says_nothing_before_the_journal_saw_any(epochs: int, outcome: str) -> None:
    found = jumping([CALM] * 3, [CALM] * 3, epochs)
    row = one(found, dataset="mnist", claim="late_loss_noisy_adam")
    assert (row["value"], row["outcome"]) == (0, outcome)


@pytest.mark.parametrize(
    ("claim", "variant", "sizes", "difference"),
    [
        ("fashion_smaller_flexible", "soft-low, soft-middle, soft-high", (20.5, 22.0, 21.5), -6),
        ("fashion_larger_sparsified", "sparse-low, sparse-high", (9, 10, 8), 7),
        ("worth_larger_on_harder", "sorted-low, sorted-high", (16, 17, 17), 9),
    ],
)
def test_claims_on_two_data_sets(
    claim: str, variant: str, sizes: tuple[float, ...], difference: float
) -> None:
    row = one(resizing_claims.analyse(study()), claim=claim)
    assert (row["dataset"], row["variant"], row["n"]) == ("both", variant, len(sizes))
    assert (row["value"], row["outcome"]) == (pytest.approx(difference), "agrees")
    alone = one(resizing_claims.analyse(study(datasets=("mnist",))), claim=claim)
    assert (alone["dataset"], alone["outcome"], alone["n"]) == ("both", "not run", 0)


def test_claims_on_two_data_sets_are_of_the_mean_over_the_starts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(more, "HARDER", {**more.HARDER, "sparse-high": -3})
    row = one(resizing_claims.analyse(study()), claim="fashion_larger_sparsified")
    assert row["value"] == pytest.approx((7 - 3) / 2)


def test_claims_on_two_data_sets_the_other_way_round(monkeypatch: pytest.MonkeyPatch) -> None:
    reverse = {name: -shift for name, shift in more.HARDER.items()}
    monkeypatch.setattr(more, "HARDER", reverse)
    table = resizing_claims.analyse(study(sizes={"sparse-low": (19, 20, 18)}))
    assert list(table[table["dataset"] == "both"]["outcome"]) == ["disagrees"] * 3


def test_one_seed_decides_nothing() -> None:
    single = {name: its[:1] for name, its in SIZES.items()}
    table = resizing_claims.analyse(study(sizes=single))
    assert set(table["outcome"]) == {"open"} and set(table["n"]) == {1}


def test_claims_without_variants_and_those_whose_runs_diverged() -> None:
    few = {name: RUNS[name] for name in ("plain-small", "soft-low", "soft-high")}
    table = resizing_claims.analyse(study(few))
    run_ones = set(table[table["outcome"] != "not run"]["claim"])
    assert run_ones == {
        "size_independent_of_start",
        "accuracy_independent_of_start",
        "decay_empties_switched_off",
        "fashion_smaller_flexible",
    }
    others = table[table["outcome"] == "not run"]
    assert (others["variant"] == "").all() and others["value"].isna().all()
    lost = [("mnist", "soft-high", seed) for seed in range(3)]
    table = resizing_claims.analyse(study(few, diverged=lost))
    row = one(table, dataset="mnist", claim="size_independent_of_start")
    assert (row["outcome"], row["n"], row["variant"]) == ("open", 0, "soft-high")
    part = resizing_claims.analyse(study(few, diverged=lost[:1]))
    assert one(part, dataset="mnist", claim="size_independent_of_start")["n"] == 2


def test_every_claim_is_told_and_in_order() -> None:
    table = resizing_claims.analyse(study())
    assert list(table["claim"].unique()) == list(resizing_claims.ORDER)
    both = {*resizing_claims.CLAIMS_OF_BOTH}
    for claim, its in table.groupby("claim"):
        expected = ["both"] if claim in both else ["mnist", "fashion_mnist"]
        assert list(its["dataset"]) == expected
        assert f"`{claim}`" in str(resizing_claims.analyse.__doc__)
    assert {*resizing_claims.CLAIMS, *both} == {*resizing_claims.ORDER}


def test_the_sparsified_layer_is_held_against_a_static_one_of_its_optimiser() -> None:
    runs = {name: RUNS[name] for name in ("plain-small", "plain-max", "sparse-high")}
    row = one(
        resizing_claims.analyse(study(runs)),
        dataset="mnist",
        claim="sparsified_generalises_better",
    )
    assert row["other"] == "plain-small"


@pytest.mark.parametrize("module", TABLES, ids=lambda module: module.__name__.split(".")[-1])
def test_analyses_give_their_columns_the_same_twice_and_for_nothing(module: ModuleType) -> None:
    tables = study()
    before = tables.main.copy()
    first = module.analyse(tables)
    pd.testing.assert_frame_equal(first, module.analyse(study()))
    pd.testing.assert_frame_equal(before, tables.main)
    assert not first.empty and list(first.columns) == module.COLUMNS
    alone = {"plain-small": RUNS["plain-small"]}
    for nothing in (study(alone), study(alone, datasets=("mnist",))):
        empty = module.analyse(nothing)
        assert list(empty.columns) == module.COLUMNS
        if "outcome" in empty:
            assert set(empty["outcome"]) <= {"not run"}
        else:
            assert empty.empty


@pytest.mark.parametrize("module", TABLES, ids=lambda module: module.__name__.split(".")[-1])
def test_every_column_is_told_of(module: ModuleType) -> None:
    told = str(inspect.getdoc(module.analyse))
    for column in module.COLUMNS:
        assert f"`{column}`" in told, column
