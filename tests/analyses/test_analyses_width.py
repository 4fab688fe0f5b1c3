"""The analyses of the width study, on made tables whose answers are known."""

import math

import made_tables
import numpy as np
import pandas as pd
import pytest
from made_tables import At, Value, one

from sidestep.analyses import (
    accuracy_correlation,
    counter_example,
    extrapolation,
    harder_dataset,
    normality_peak,
    trends,
    verdicts,
)
from sidestep.errors import UserError
from sidestep.statistics.size_rules import SIZE_RULES

ANALYSES = [
    accuracy_correlation,
    counter_example,
    extrapolation,
    harder_dataset,
    normality_peak,
    trends,
    verdicts,
]
WIDTHS = (16, 32, 64, 128, 256)


def steps(*values: float) -> Value:
    """One value a width, the same for all data sets and epochs, a little different for each seed."""
    return lambda at: values[WIDTHS.index(at.width)] + 1e-6 * at.seed


def saturating(easy: int, hard: int) -> Value:
    """Accuracy 0.9 from a width on, 0.8 below it."""
    return lambda at: 0.9 if at.width >= (easy if at.dataset == "mnist" else hard) else 0.8


def peaked(easy: int, hard: int) -> Value:
    """Largest at a width."""
    return lambda at: (
        1
        - 0.1 * abs(math.log2(at.width / (easy if at.dataset == "mnist" else hard)))
        + 0.001 * at.seed
    )


EVERYTHING = {
    ("accuracy", "train"): saturating(32, 64),
    ("accuracy", "test"): saturating(32, 128),
    ("accuracy", "noise"): lambda _: 1.0,
    ("accuracy_gap", ""): steps(0.1, 0.2, 0.3, 0.4, 0.5),
    ("loss_gap", ""): steps(0.5, 0.4, 0.3, 0.2, 0.1),
    ("sum_of_spread", "train"): lambda at: 3 + (2 + 0.1 * at.seed) * math.log2(at.width),
    ("sum_of_variance", "train"): lambda at: (2 + 0.1 * at.seed) * at.width**0.7,
    ("mean_spread", "train"): lambda at: (
        (2 if at.dataset == "mnist" else 3) + 0.01 * at.seed * at.width
    ),
    ("mean_spread", "noise"): lambda at: 1 + 0.01 * at.seed * at.width,
    ("normality_all", "train"): peaked(32, 128),
    ("normality_all", "noise"): peaked(128, 128),
    ("normality_living", "train"): steps(0.5, 0.6, 0.7, 0.8, 0.9),
    ("dead_share", "train"): steps(0.0, 0.01, 0.03, 0.04, 0.05),
    ("dead_share", "noise"): steps(0.0, 0.01, 0.02, 0.02, 0.02),
    ("two_gammas_share", "train"): lambda _: math.nan,
    ("exponential_normal_share", "train"): lambda at: 0.5 if at.width > 100 else math.nan,
    ("weight_entropy_rank", ""): steps(10, 18, 30, 30.1, 30.2),
    ("entropy_rank", "train"): steps(10, 18, 30, 40, 50),
    ("low_rank", "test"): steps(10, 18, 30, 30, 30),
}
POOLED = {("normality_all", "train"): peaked(64, 256)}


def made(**changes: object) -> made_tables.Tables:
    return made_tables.tables(EVERYTHING, pooled=POOLED, **changes)


def test_trends_find_the_curve_that_made_the_values() -> None:
    frame = trends.analyse(made())
    assert len(frame) == 8
    logarithm = one(frame, dataset="mnist", epoch=3, metric="sum_of_spread")
    assert logarithm["better"] == logarithm["outcome"] == "logarithmic"
    assert logarithm["agreeing"] == logarithm["seeds"] == 3 and logarithm["widths"] == 5
    assert logarithm["logarithmic_a"] == pytest.approx(3)
    assert logarithm["logarithmic_b"] == pytest.approx(2.1)
    assert logarithm["logarithmic_b_low"] < 2.1 < logarithm["logarithmic_b_high"]
    assert logarithm["logarithmic_r_squared"] == pytest.approx(1)
    assert logarithm["difference_low"] > 0
    power = one(frame, dataset="mnist", epoch=3, metric="sum_of_variance")
    assert power["better"] == power["outcome"] == "power law"
    assert power["power_a"] == pytest.approx(2.1) and power["power_b"] == pytest.approx(0.7)


def test_a_seed_that_diverged_at_a_width_is_left_out_of_the_trend() -> None:
    spread = EVERYTHING["sum_of_spread", "train"]

    def holed(at: At) -> float:
        return math.nan if (at.width, at.seed) == (64, 1) else spread(at)

    frame = trends.analyse(made_tables.tables({("sum_of_spread", "train"): holed}))
    row = one(frame, dataset="mnist", epoch=1, metric="sum_of_spread")
    assert row["seeds"] == 2 and row["widths"] == 5
    assert row["logarithmic_b"] == pytest.approx(2.1)  # seeds 0 and 2
    other = one(frame, dataset="mnist", epoch=1, metric="sum_of_variance")
    assert other["outcome"] == "not defined" and other["seeds"] == 0


def test_normality_peak() -> None:
    frame = normality_peak.analyse(made())
    row = one(frame, dataset="mnist", epoch=1, neurons="all", source="network")
    assert [row[name] for name in ("width", "low", "high", "share")] == [32, 32, 32, 1]
    assert (row["width_below"], row["width_above"], row["edge"]) == (16, 64, "")
    assert row["w"] == pytest.approx(1.001) and row["w_above"] == pytest.approx(0.901)
    assert row["w_low"] < 1.001 < row["w_high"] and row["n"] == 3
    pooled = one(frame, dataset="mnist", epoch=1, neurons="all", source="pooled")
    assert pooled["width"] == 64 and math.isnan(pooled["low"]) and pooled["n"] == 3
    rising = one(frame, dataset="mnist", epoch=1, neurons="living", source="network")
    assert rising["width"] == 256 and rising["edge"] == "largest"
    assert math.isnan(rising["width_above"])
    missing = one(frame, dataset="mnist", epoch=1, neurons="living", source="pooled")
    assert math.isnan(missing["width"]) and missing["edge"] == ""


def test_verdicts() -> None:
    frame = verdicts.analyse(made())
    easy = frame[(frame["dataset"] == "mnist") & (frame["epoch"] == 3)]

    def said(metric: str, rule: str, source: str = "network", **more: object) -> pd.Series:
        return one(easy, metric=metric, rule=rule, source=source, **more)

    test = said("accuracy", "margin", images="test")
    assert test["width"] == 32 and test["agreement"] == "" and test["octaves"] == 0
    assert (easy["test_width"] == 32).all() and (easy["train_width"] == 32).all()
    peak = said("normality_all", "argmax")
    assert (peak["width"], peak["low"], peak["high"], peak["never"]) == (32, 32, 32, 0)
    assert peak["agreement"] == "agrees" and peak["octaves"] == 0
    pooled = said("normality_all", "argmax", "pooled")
    assert pooled["width"] == 64 and pooled["agreement"] == "later" and pooled["octaves"] == 1
    assert math.isnan(pooled["low"]) and math.isnan(pooled["octaves_low"]) and pooled["n"] == 3
    rising = said("normality_living", "argmax")
    assert math.isinf(rising["width"]) and rising["agreement"] == "never" and rising["never"] == 1
    assert math.isinf(rising["octaves"])
    assert said("dead_share", "threshold")["width"] == 64
    assert said("weight_entropy_rank", "saturation")["width"] == 64
    assert said("weight_entropy_rank", "slack")["width"] == 64
    assert math.isinf(said("entropy_rank", "saturation")["width"])
    undefined = said("two_gammas_share", "threshold")
    assert math.isnan(undefined["width"]) and undefined["agreement"] == "not defined"
    assert undefined["n"] == undefined["defined"] == 0
    share = said("exponential_normal_share", "threshold")
    assert share["width"] == 128 and share["defined"] == 2  # passed over where it is not defined
    hard = frame[(frame["dataset"] == "fashion_mnist") & (frame["epoch"] == 3)]
    earlier = one(hard, metric="dead_share")
    assert earlier["agreement"] == "earlier" and earlier["octaves"] == -1
    assert (frame["sentence"].str.len() > 20).all()


def test_a_verdict_that_some_resamples_never_give() -> None:
    # Seed 0 crosses the threshold at 64, the others hardly move: the mean crosses at 128.
    def dead(at: At) -> float:
        return (0.03 if at.width < 128 else 0.09) * (at.seed == 0) if at.width >= 64 else 0.0

    values = EVERYTHING | {("dead_share", "train"): dead}
    row = one(
        verdicts.analyse(made_tables.tables(values)),
        dataset="mnist",
        epoch=1,
        metric="dead_share",
    )
    assert row["width"] == 128 and row["low"] == 64 and math.isinf(row["high"])
    assert row["never"] == pytest.approx((2 / 3) ** 3, abs=0.03)  # seed 0 is not drawn


def test_every_rule_has_a_sentence_and_a_verdict_of_its_own() -> None:
    assert len({(rule.metric, rule.rule) for rule in SIZE_RULES}) == len(SIZE_RULES)
    assert len({rule.sentence for rule in SIZE_RULES}) == len(SIZE_RULES)
    for rule in SIZE_RULES:
        assert rule.sentence.startswith("Large enough") and rule.sentence.endswith(".")


def test_correlation_with_accuracy_and_gaps() -> None:
    frame = accuracy_correlation.analyse(made())
    gap = one(frame, dataset="mnist", epoch=1, target="accuracy_gap", metric="entropy_rank")
    assert gap["correlation"] == pytest.approx(1) and gap["excludes_zero"] is True
    assert gap["over_width"] == pytest.approx(0) and gap["n"] == 3
    loss = one(frame, dataset="mnist", epoch=1, target="loss_gap", metric="entropy_rank")
    assert loss["correlation"] == pytest.approx(-1)
    part = frame[
        (frame["dataset"] == "mnist") & (frame["epoch"] == 1) & (frame["target"] == "loss_gap")
    ]
    tests = part[(part["metric"] != "width") & part["low"].notna()]
    assert (part["tested"] == len(tests)).all()
    assert (part["excluding"] == ((tests["low"] > 0) | (tests["high"] < 0)).sum()).all()
    assert part["by_chance"].iloc[0] == pytest.approx(0.05 * len(tests))
    undefined = one(part, metric="two_gammas_share")
    assert undefined["n"] == 0 and undefined["excludes_zero"] is None


def test_correlations_against_brute_force() -> None:
    generator = np.random.default_rng(0)
    drawn = generator.normal(size=(2, 5, 3))

    def value(which: int) -> Value:
        return lambda at: float(drawn[which, WIDTHS.index(at.width), at.seed])

    values = {("accuracy", "test"): value(0), ("normality_all", "train"): value(1)}
    row = one(
        accuracy_correlation.analyse(made_tables.tables(values)),
        dataset="mnist",
        epoch=1,
        target="test_accuracy",
        metric="normality_all",
    )

    def ranks(x: np.ndarray) -> np.ndarray:
        return np.array([(x < y).sum() for y in x], dtype=float)

    each = [
        np.corrcoef(ranks(drawn[0, :, seed]), ranks(drawn[1, :, seed]))[0, 1] for seed in range(3)
    ]
    width = [np.corrcoef(np.arange(5.0), ranks(drawn[0, :, seed]))[0, 1] for seed in range(3)]
    half = 4.302652729911275 * np.std(each, ddof=1) / math.sqrt(3)
    assert row["correlation"] == pytest.approx(np.mean(each))
    assert row["high"] - row["low"] == pytest.approx(2 * half)
    assert row["over_width"] == pytest.approx(np.mean(np.abs(each) - np.abs(width)))


def test_harder_dataset() -> None:
    frame = harder_dataset.analyse(made())
    frame = frame[frame["epoch"] == 3]
    plateau = one(frame, expectation="plateau later", images="test")
    assert plateau["estimate"] == plateau["low"] == plateau["high"] == 2
    assert plateau["outcome"] == "holds" and plateau["unit"] == "octaves" and plateau["n"] == 3
    assert one(frame, expectation="plateau later", images="train")["estimate"] == 1
    right = frame[frame["expectation"] == "distribution to the right"]
    assert list(right["width"].dropna()) == list(WIDTHS)
    assert (right["outcome"] == "holds").all() and np.allclose(right["estimate"], 1)
    peak = one(frame, metric="normality_all")
    assert peak["estimate"] == 2 and peak["outcome"] == "holds"
    assert one(frame, metric="dead_share")["outcome"] == "not separated"
    never = one(frame, metric="normality_living")
    assert math.isnan(never["estimate"]) and never["outcome"] == "not defined"
    reversed_ = harder_dataset.analyse(made(), easy="fashion_mnist", hard="mnist")
    row = one(reversed_, epoch=3, expectation="plateau later", images="test")
    assert row["estimate"] == -2 and row["outcome"] == "contradicted"


def test_harder_dataset_without_a_pair_is_not_defined() -> None:
    frame = harder_dataset.analyse(made(datasets=("mnist",)))
    assert len(frame) and (frame["outcome"] == "not defined").all()


def test_counter_example() -> None:
    frame = counter_example.analyse(made())
    assert (frame["epoch"] == 3).all()
    easy = frame[frame["dataset"] == "mnist"]
    value = one(easy, kind="value", metric="mean_spread", width=32)
    assert value["difference"] == pytest.approx(-1) and value["outcome"] == "changes"
    fixed = one(easy, kind="value", metric="weight_entropy_rank", width=32)
    assert fixed["outcome"] == "cannot change" and fixed["difference"] == 0
    assert fixed["real"] == fixed["noise"] and "weights alone" in fixed["reason"]
    rank = one(easy, kind="value", metric="low_rank", width=32)
    assert rank["outcome"] == "not defined" and "test images" in rank["reason"]
    verdict = one(easy, kind="verdict", metric="normality_all")
    assert (verdict["real"], verdict["noise"], verdict["difference"]) == (32, 128, 2)
    assert verdict["outcome"] == "changes"
    dead = one(easy, kind="verdict", metric="dead_share")
    assert dead["real"] == 64 and math.isinf(dead["noise"]) and dead["outcome"] == "changes"
    small = one(easy, kind="width", width=16)
    assert small["outcome"] == "counter-example" and small["difference"] == pytest.approx(0.1)
    assert one(easy, kind="width", width=32)["outcome"] == "large enough"
    summary = one(frame, kind="summary", dataset="fashion_mnist")
    assert (summary["width"], summary["n"], summary["outcome"]) == (64, 3, "exists")


def test_counter_example_needs_perfect_answers_on_the_noise() -> None:
    values = EVERYTHING | {("accuracy", "noise"): lambda at: 0.99 if at.width < 64 else 1.0}
    frame = counter_example.analyse(made_tables.tables(values, datasets=("mnist",)))
    assert one(frame, kind="width", width=16)["outcome"] == "not perfect"
    assert one(frame, kind="summary")["outcome"] == "none"


def test_counter_example_with_one_seed_is_only_possible() -> None:
    frame = counter_example.analyse(made(datasets=("mnist",), seeds=(0,)))
    assert one(frame, kind="width", width=16)["outcome"] == "possible"
    assert one(frame, kind="summary")["outcome"] == "possible"


def test_extrapolation() -> None:
    frame = extrapolation.analyse(made())
    row = one(frame, question="later epochs", dataset="mnist", metric="normality_all", epoch=1)
    assert (row["width"], row["target_width"], row["target_epoch"]) == (32, 32, 3)
    assert row["outcome"] == "agrees" and row["octaves"] == 0
    dead = one(
        frame, question="later epochs", dataset="fashion_mnist", metric="dead_share", epoch=1
    )
    assert dead["outcome"] == "earlier" and dead["octaves"] == -1
    other = frame[(frame["question"] == "other dataset") & (frame["epoch"] == 1)]
    assert one(other, metric="accuracy")["octaves"] == 2
    peak = one(other, metric="normality_all")
    assert peak["outcome"] == "same order" and (peak["width"], peak["target_width"]) == (32, 128)
    assert one(other, metric="dead_share")["outcome"] == "not separated"
    assert one(other, metric="normality_living")["outcome"] == "not defined"
    values = EVERYTHING | {("normality_all", "train"): peaked(128, 32)}
    opposite = extrapolation.analyse(made_tables.tables(values))
    row = one(opposite, question="other dataset", epoch=1, metric="normality_all")
    assert row["outcome"] == "opposite order"


@pytest.mark.parametrize("analysis", ANALYSES)
@pytest.mark.parametrize(
    "changes",
    [
        {"datasets": ("mnist",)},
        {"seeds": (5,)},
        {"widths": (16, 32)},
        {"widths": (16,)},
        {"epochs": (2,)},
    ],
)
def test_small_studies(analysis: object, changes: dict[str, object]) -> None:
    whole = analysis.analyse(made())  # type: ignore[attr-defined]
    frame = analysis.analyse(made(**changes))  # type: ignore[attr-defined]
    assert list(frame.columns) == list(whole.columns) and len(frame)


@pytest.mark.parametrize("analysis", ANALYSES)
def test_a_run_that_diverged_and_a_width_where_all_did(analysis: object) -> None:
    def holed(value: Value) -> Value:
        return lambda at: (
            math.nan if (at.width, at.seed) == (64, 1) or at.width == 256 else value(at)
        )

    values = {key: holed(value) for key, value in EVERYTHING.items()}
    whole = analysis.analyse(made())  # type: ignore[attr-defined]
    frame = analysis.analyse(made_tables.tables(values, pooled=POOLED))  # type: ignore[attr-defined]
    assert list(frame.columns) == list(whole.columns) and len(frame) == len(whole)


@pytest.mark.parametrize("analysis", ANALYSES)
def test_nothing_was_measured(analysis: object) -> None:
    whole = analysis.analyse(made())  # type: ignore[attr-defined]
    frame = analysis.analyse(made_tables.tables({("diverged", ""): lambda _: 1.0}))  # type: ignore[attr-defined]
    assert list(frame.columns) == list(whole.columns) and len(frame) == len(whole)


@pytest.mark.parametrize("analysis", ANALYSES)
def test_other_grids_are_refused(analysis: object) -> None:
    tables = made()
    for variant in tables.study.variants:
        variant.columns["depth"] = 1
    with pytest.raises(UserError, match="varies width, depth"):
        analysis.analyse(tables)  # type: ignore[attr-defined]
