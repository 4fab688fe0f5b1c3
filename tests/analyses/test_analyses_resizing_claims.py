"""Claims and published figures of the resizing study, on small made tables worked out by hand."""

import dataclasses
import inspect
import math
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import made_resizing_more as more
import numpy as np
import pandas as pd
import pytest
from made_resizing import DECAY, PRICE, flexible, run, sparsified
from made_resizing_more import RUNS, SIZES, changed, interval, study, with_losses
from made_tables import one

from sidestep import sizing
from sidestep.analyses import late_loss, published_resizing, resizing_claims, switched_off
from sidestep.analyses.shared import published
from sidestep.errors import UserError
from sidestep.registry import PACKAGE
from sidestep.study import Variant

NAN = math.nan
TABLES = (late_loss, switched_off, resizing_claims, published_resizing)
INITIAL = 0.5 / math.sqrt(50)
CALM = (2.0, 1.0, 0.5, 0.3, 0.2, 0.1, 0.05, 0.02, 0.01)
# Three jumps: by a factor of four, of two and a little, and to five times; twofold is none.
NOISY = (2.0, 1.0, 0.5, 0.1, 0.4, 0.2, 0.05, 0.101, 0.505)
JUMPED = (4, 7, 8)


def test_the_made_study_has_every_method() -> None:
    assert {sizing.method(its) for its in RUNS.values()} == set(sizing.METHODS) - {
        "flexible_trainable_slope",
        "sparsified_absolute",
    }


def late(*, diverged: bool = False) -> pd.DataFrame:
    runs = {name: RUNS[name] for name in ("plain-large", "plain-max", "plain-small")}
    runs["plain-undecayed"] = run(50, decay=0.0)
    sizes = {"plain-undecayed": (50, 50, 50)}
    accuracies = {"plain-undecayed": (0.9, 0.9, 0.9)}
    lost = [("mnist", "plain-large", 2)] if diverged else []
    losses = {
        ("plain-large", 0): NOISY,
        ("plain-large", 1): CALM,
        ("plain-large", 2): (*CALM[:4], NAN) if diverged else CALM,
    }
    return late_loss.analyse(with_losses(study(runs, sizes, accuracies, diverged=lost), losses))


def test_late_losses_over_seeds() -> None:
    table = late()
    # One network of another width is not compared, and one of another decay belongs to the group.
    names = {"plain-large": "adam", "plain-max": "adamax", "plain-undecayed": "adam"}
    assert list(table["variant"].unique()) == list(names)
    for name, rule in names.items():
        assert set(table[table["variant"] == name]["optimiser"].str.split(" ").str[0]) == {rule}
    assert table["optimiser"].nunique() == 3
    its = table[(table["dataset"] == "mnist") & (table["variant"] == "plain-large")]
    assert list(its["epoch"]) == [0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5, 4]
    assert list(its["least"]) == pytest.approx(np.minimum(NOISY, CALM))
    assert list(its["median"]) == pytest.approx(CALM)
    assert list(its["most"]) == pytest.approx(np.maximum(NOISY, CALM))
    assert list(its["jumps"]) == [int(place in JUMPED) for place in range(9)]
    assert set(its["n"]) == {3}


def test_late_losses_of_runs_that_stop() -> None:
    table = late(diverged=True)
    its = table[(table["dataset"] == "mnist") & (table["variant"] == "plain-large")]
    assert list(its["n"]) == [3, 3, 3, 3, 2, 2, 2, 2, 2]
    assert list(its["jumps"]) == [0, 0, 0, 0, 2, 0, 0, 1, 1]
    assert list(its["epoch"])[-1] == 4
    assert list(its["most"])[4] == 0.4


def test_optimisers_are_compared_only_if_two_rules_are() -> None:
    two = {"plain-large": run(50), "plain-light": run(50, decay=0.0)}
    values = dict.fromkeys(two, (0.9, 0.8))
    assert late_loss.analyse(study(two, dict.fromkeys(two, (50, 50)), values)).empty


def test_weights_of_neurons_that_are_switched_off() -> None:
    tables = study()
    frame = tables.main
    # Weights that differ between seeds, alike inside and outside.
    factor = np.where(frame["metric"] == "gate_outgoing", 1.0, NAN)
    factor = pd.Series(factor, index=frame.index) * (1 + frame["seed"].replace("", "0").astype(int))
    tables = changed(tables, (frame["value"] * factor).fillna(frame["value"]))
    table = switched_off.analyse(tables)
    flexible_ones = [n for n, its in RUNS.items() if sizing.method(its).startswith("flexible")]
    assert list(table[table["dataset"] == "mnist"]["variant"]) == flexible_ones
    for name, off in (("soft-low", 0.01), ("soft-light", 1.0)):
        row = one(table, dataset="mnist", variant=name)
        assert row["n"] == 3 and row["initial"] == pytest.approx(INITIAL)
        assert row["inside"] == pytest.approx(6 * INITIAL)
        assert row["outside"] == pytest.approx(2 * off * INITIAL)
        assert [row["ratio"], row["ratio_low"], row["ratio_high"]] == pytest.approx([off / 3] * 3)
        shares = [row["outside_share"], row["share_low"], row["share_high"]]
        assert shares == pytest.approx(interval(off * np.array([1, 2, 3])))
    assert list(one(table, dataset="mnist", variant="soft-low")[["decay", "price"]]) == [
        DECAY,
        PRICE,
    ]


def test_neurons_are_neither_used_nor_off_in_the_grey_zone() -> None:
    tables = study({"soft-low": RUNS["soft-low"]})
    frame = tables.main
    scales = frame[frame["metric"] == "gate_scale"]
    grey = scales[(scales["value"] > 0.01) & (scales["value"] < 0.99)]
    keys = ["dataset", "seed", "component"]
    inside = frame.merge(grey[keys], on=keys, how="left", indicator=True)["_merge"] == "both"
    inside &= frame["metric"] == "gate_outgoing"
    assert inside.any()
    for spoilt in (tables, changed(tables, frame["value"].where(~inside, 1e6))):
        row = one(switched_off.analyse(spoilt), dataset="mnist")
        assert row["inside"] == pytest.approx(3 * INITIAL)
        assert row["outside"] == pytest.approx(0.01 * INITIAL)


def test_a_layer_that_is_all_used_has_nothing_switched_off() -> None:
    runs = {"soft-low": RUNS["soft-low"]}
    row = one(switched_off.analyse(study(runs, {"soft-low": (90.0, 91.0, 92.0)})), dataset="mnist")
    assert row["n"] == 0 and row[["inside", "outside", "ratio", "outside_share"]].isna().all()
    lost = with_losses(study(runs), {("soft-low", 1): (*CALM[:8], math.inf)})
    assert one(switched_off.analyse(lost), dataset="mnist")["n"] == 2
    mixed = study(runs, {"soft-low": (20.0, 91.0, 21.0)})
    assert one(switched_off.analyse(mixed), dataset="mnist")["n"] == 2


def of(name: str, *, at: float = 1.0) -> Any:
    """Sizes of a variant a share of the way from where it starts to its last ones."""
    begin = sizing.start(RUNS[name])
    return begin + at * (np.array(SIZES[name]) - begin)


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


def figure(**changes: Any) -> dict[str, Any]:
    given = {
        "source": "someone", "dataset": "mnist", "method": "flexible", "start": 5, "price": PRICE,
        "decay": DECAY, "epochs": 4, "neurons": 50, "slope": 1, "pretrained": 0,
        "quantity": "size", "value": 21.0, "seeds": 7, "how": "read by eye", "note": "",
    }  # fmt: skip
    return given | changes


@pytest.fixture
def compare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    def against(*figures: dict[str, Any], **given: Any) -> pd.DataFrame:
        path = tmp_path / "published_resizing.csv"
        pd.DataFrame(figures).to_csv(path, index=False)
        monkeypatch.setattr(published_resizing, "PATH", path)
        return published_resizing.analyse(study(**given))

    return against


SPARSE = {"method": "sparsified", "start": 50, "slope": None}


@pytest.mark.parametrize(
    ("changes", "variant", "outcome", "differs_in"),
    [
        ({}, "soft-low", "agrees", ""),
        ({"value": 30.0}, "soft-low", "differs", ""),
        ({"start": 6}, "soft-low", "agrees", ""),
        ({"start": 7}, "soft-low", "other settings", "start"),
        ({"start": 18}, "soft-middle", "other settings", "start"),
        ({"start": 45}, "soft-high", "other settings", "start"),
        ({"decay": 0}, "soft-light", "differs", ""),
        ({"decay": 0, "price": 0}, "unpriced", "differs", ""),
        # Of a price that nobody has the nearest in decades; a price is farther from none.
        ({"price": 1e-4}, "soft-low", "other settings", "price"),
        ({"price": 1e-5}, "soft-low", "other settings", "price"),
        ({"price": 1e-8}, "unpriced-decayed", "other settings", "price"),
        ({"price": PRICE * 1.005}, "soft-low", "agrees", ""),
        # The same decay counts more than the same start, one that is the same more than none.
        ({"decay": 0, "start": 40}, "soft-light", "other settings", "start"),
        ({"decay": 0.001, "start": 40}, "soft-high", "other settings", "decay"),
        ({"decay": 0.001, "start": 30, "price": 0}, "unpriced-decayed", "other settings",
         "decay;start"),
        ({"neurons": 500}, "soft-low", "other settings", "neurons"),
        ({"slope": 0.4}, "soft-low", "other settings", "slope"),
        ({"pretrained": 5}, "soft-low", "other settings", "pretrained"),
        ({"epochs": 60}, "soft-low", "other settings", "epochs"),
        # Not recorded: neither the same nor known to differ.
        ({"price": None}, "soft-low", "other settings", ""),
        ({"start": None}, "soft-low", "other settings", ""),
        ({"decay": None}, "soft-low", "other settings", ""),
        ({"method": "flexible_trainable_slope"}, "", "not run", ""),
        ({"method": "flexible_random_slope", "slope": None, "price": 0, "decay": 0}, "blurred",
         "differs", ""),
        ({"method": "flexible_pretrained", "price": 0, "decay": 0, "pretrained": 2, "epochs": 2,
          "value": 13.0}, "later", "agrees", ""),
        ({"method": "flexible_pretrained", "price": 0, "decay": 0, "pretrained": 2}, "later",
         "other settings", "epochs"),
        (SPARSE, "sparse-high", "differs", ""),
        (SPARSE | {"price": 1e-4}, "sparse-cheap", "differs", ""),
    ],
)  # fmt: skip
def test_outcomes_of_published_figures(
    compare: Any, changes: dict[str, Any], variant: str, outcome: str, differs_in: str
) -> None:
    (row,) = compare(figure(**changes)).to_dict("records")
    assert (row["variant"], row["outcome"], row["differs_in"]) == (variant, outcome, differs_in)


def test_numbers_beside_published_sizes(compare: Any) -> None:
    (row,) = compare(figure()).to_dict("records")
    mean, low, high = interval(SIZES["soft-low"])
    assert [row["ours"], row["low"], row["high"]] == pytest.approx([mean, low, high])
    assert row["difference"] == pytest.approx(mean - 21) and row["n"] == 3
    # On the way: after half the epochs, and nearest to a time that was not evaluated.
    half = interval(of("soft-low", at=0.5))
    found = compare(figure(epochs=2), figure(epochs=1.9), figure(epochs=0.5))
    assert list(found["ours"])[:2] == pytest.approx([half[0]] * 2)
    assert list(found["differs_in"]) == ["", "epochs", ""]
    # A pretrained one's epochs count from where its size begins to move.
    (late_row,) = compare(
        figure(method="flexible_pretrained", price=0, decay=0, pretrained=2, epochs=1)
    ).to_dict("records")
    begin = 45 + 0.75 * (np.array(SIZES["later"]) - 45)
    assert late_row["ours"] == pytest.approx(np.mean(begin)) and late_row["differs_in"] == ""


def test_numbers_beside_published_accuracies(compare: Any) -> None:
    accuracies = {
        "soft-low": (0.960, 0.962, 0.961),
        "soft-low-again": (0.965, 0.966, 0.967),
        "plain-small": (0.98, 0.97, 0.99),
    }
    quantities = ("test_accuracy", "train_accuracy", "matched_difference", "best_difference")
    figures = [figure(quantity=q, value=0.0) for q in (*quantities, "train_best_difference")]
    found = compare(*figures, accuracies=accuracies)
    its = {name: np.array(values) for name, values in accuracies.items()}
    expected = (
        its["soft-low"],
        1 - (1 - its["soft-low"]) / 2,
        its["soft-low"] - its["soft-low-again"],
        its["soft-low"] - its["plain-small"],
        (its["soft-low"] - its["plain-small"]) / 2,
    )
    for (_, row), values in zip(found.iterrows(), expected, strict=True):
        assert [row["ours"], row["low"], row["high"]] == pytest.approx(interval(values))
    # A variant without a matched one has no difference from it.
    (row,) = compare(figure(quantity="matched_difference", start=40)).to_dict("records")
    assert (row["variant"], row["outcome"], row["n"]) == ("soft-high", "not run", 0)
    assert compare(figure(quantity="best_difference", epochs=3))["differs_in"].item() == "epochs"


def test_settings_that_our_runs_may_have_otherwise(compare: Any) -> None:
    def differs_in(**changes: Any) -> str:
        found = compare(figure(), runs={"soft-low": {**RUNS["soft-low"], **changes}})
        return str(found["differs_in"].item())

    assert differs_in() == ""
    assert differs_in(batch_size=64) == "batch_size"
    assert differs_in(validation=5000) == differs_in(train_images=20_000) == "train_images"
    assert differs_in(schedule={"name": "cosine"}) == "optimiser"
    slower = {"name": "adam", "lr": 1e-4, "weight_decay": DECAY}
    assert differs_in(optimiser=slower) == "optimiser"
    gate = {**RUNS["soft-low"]["gates"]["hidden"], "lr": 0.1}
    assert differs_in(gates={"hidden": gate}) == "optimiser"
    random = {"slope_is": "random", "zone_to": 30.0}
    found = compare(
        figure(method="flexible_random_slope", slope=None),
        runs={"blurred": flexible(5.0, gate=random)},
    )
    assert found["differs_in"].item() == "slope"
    found = compare(
        figure(method="sparsified", start=1000, neurons=1000, slope=None),
        runs={"sparse-high": sparsified(50)},
    )
    assert found["differs_in"].item() == "start;neurons"


def test_networks_of_more_layers_are_not_compared() -> None:
    cnn = {**flexible(5.0), "network": {"name": "mnist_cnn"}}
    cnn["gates"] = {"dense": cnn["gates"]["hidden"]}
    assert sizing.method(cnn) == "flexible"
    made = study({"soft-low": RUNS["soft-low"]}).study
    both = (Variant("cnn", {}, cnn), *made.variants)
    found, _ = published_resizing._nearest(figure(), dataclasses.replace(made, variants=both[:1]))
    assert found is None
    found, _ = published_resizing._nearest(
        figure(start=400), dataclasses.replace(made, variants=both)
    )
    assert found is not None and found.name == "soft-low"


def test_seeds_and_data_sets_that_are_missing(compare: Any) -> None:
    single = {name: its[:1] for name, its in SIZES.items()}
    assert compare(figure(), sizes=single)["outcome"].item() == "no interval"
    lost = [("mnist", "soft-low", seed) for seed in range(3)]
    (row,) = compare(figure(), diverged=lost).to_dict("records")
    assert (row["outcome"], row["variant"], row["n"]) == ("not run", "soft-low", 0)
    found = compare(figure(), figure(dataset="fashion_mnist"), datasets=("mnist",))
    assert list(found["dataset"]) == ["mnist"]


def test_no_file_and_a_lacking_column(tmp_path: Path) -> None:
    path = tmp_path / "published_resizing.csv"
    with pytest.raises(UserError, match="no such file"):
        published_resizing.read(path)
    path.write_text("source,dataset\n")
    with pytest.raises(UserError, match="lacks the column method"):
        published_resizing.read(path)


@pytest.mark.parametrize(
    ("n", "low", "high", "comparable", "outcome"),
    [
        (0, NAN, NAN, True, "not run"),
        (3, 0.0, 1.0, False, "other settings"),
        (1, NAN, NAN, True, "no interval"),
        (3, 0.0, 1.0, True, "agrees"),
        (3, 0.6, 1.0, True, "differs"),
        (3, 0.0, 0.4, True, "differs"),
    ],
)
def test_what_is_said_of_a_published_value(
    n: int, low: float, high: float, comparable: bool, outcome: str
) -> None:
    assert published.outcome({"n": n, "low": low, "high": high}, 0.5, comparable=comparable) == (
        outcome
    )


def test_the_projects_own_file_is_sound() -> None:
    frame = published_resizing.read(published_resizing.PATH)
    known = (PACKAGE.parents[1] / "paper" / "references.bib").read_text(encoding="utf-8")
    sources = set(re.findall(r"^@\w+\{([^,]+),", known, flags=re.MULTILINE))
    assert set(frame["source"]) <= sources
    assert set(frame["dataset"]) == {"mnist", "fashion_mnist"}
    assert set(frame["method"]) <= set(sizing.METHODS)
    assert set(frame["how"]) == {"exact", "read by eye"}
    assert not frame.duplicated().any()
    sizes = frame[frame["quantity"] == "size"]["value"]
    assert sizes.between(5, 1000).all()
    shares = frame[frame["quantity"].isin(["test_accuracy", "train_accuracy"])]["value"]
    assert shares.between(0.8, 1).all()
    differences = frame[frame["quantity"].str.endswith("difference")]["value"]
    assert differences.abs().max() < 0.05
    assert len(sizes) + len(shares) + len(differences) == len(frame)
    sparse = frame["method"] == "sparsified"
    assert (frame[sparse]["start"] == frame[sparse]["neurons"]).all()
    assert frame[sparse]["slope"].isna().all() and (frame[~sparse]["neurons"] == 500).all()
    # Before the fix every run truly started at 1.
    early = frame["note"].str.startswith("before the fix")
    assert (frame[early]["start"] == 1).all() and (frame[~early]["start"] != 1).all()
    pretrained = frame["method"] == "flexible_pretrained"
    assert set(frame[pretrained]["pretrained"]) == {5, 10}
    assert (frame[~pretrained]["pretrained"] == 0).all()


@pytest.mark.parametrize(
    ("where", "value"),
    [
        ({"method": "sparsified", "start": 1000, "price": 0.001, "epochs": 10, "quantity": "size"},
         150.2),
        ({"method": "sparsified", "start": 1000, "price": 1e-7, "epochs": 60, "quantity": "size"},
         785.43),
        ({"method": "sparsified", "start": 1000, "price": 0.1, "epochs": 3,
          "quantity": "test_accuracy"}, 0.9218),
        ({"method": "sparsified", "start": 500, "price": 0.001, "quantity": "size"}, 105),
        ({"method": "flexible", "start": 450, "decay": 0.001}, 476),
        ({"method": "flexible", "start": 475, "decay": 0}, 509),
        ({"method": "flexible_random_slope", "epochs": 30, "dataset": "mnist"}, 136),
        ({"method": "flexible_pretrained", "pretrained": 5, "epochs": 60, "dataset": "mnist"}, 115),
        ({"quantity": "best_difference", "start": 250, "price": 0.001,
          "dataset": "fashion_mnist"}, -0.0128),
        ({"quantity": "train_best_difference", "price": 0.00316228, "dataset": "mnist"}, -0.0106),
    ],
)  # fmt: skip
def test_published_figures_as_in_their_source(where: dict[str, Any], value: float) -> None:
    frame = published_resizing.read(published_resizing.PATH)
    assert one(frame, **where)["value"] == pytest.approx(value)


def test_the_projects_own_file_beside_a_study() -> None:
    table = published_resizing.analyse(study())
    assert len(table) == len(published_resizing.read(published_resizing.PATH))
    # Our made layers have 50 neurons.
    assert set(table["outcome"]) == {"other settings"}
    assert table["differs_in"].str.contains("neurons").all() and table["ours"].notna().all()


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
