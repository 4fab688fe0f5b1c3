"""The rules, the saturation of accuracy and the rank correlation."""

import math
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sidestep.statistics.bootstrap import Array
from sidestep.statistics.intervals import mean_interval
from sidestep.statistics.rank_correlation import spearman, spearman_interval
from sidestep.statistics.saturation import saturation_width, within_margin_of_best
from sidestep.statistics.verdicts import (
    argmax_rule,
    saturation_rule,
    slack_rule,
    threshold_rule,
    verdict_interval,
)

NAN = math.nan
WIDTHS = np.array([16.0, 32.0, 64.0, 128.0, 256.0])


def curve(*values: float) -> Array:
    return np.array(values)


@pytest.mark.parametrize(
    ("values", "width"),
    [
        (curve(1, 2, 5, 3, 0), 64),
        (curve(9, 2, 5, 3, 0), 16),
        (curve(1, 2, 3, 4, 5), None),  # still rising
        (curve(1, 2, 3, 4, NAN), None),  # still rising where it is defined
        (curve(1, NAN, 3, 2, NAN), 64),
        (curve(1, 5, 5, 2, 0), 32),  # the first of equals
        (curve(NAN, NAN, NAN, NAN, NAN), None),
    ],
)
def test_argmax(values: Array, width: int | None) -> None:
    assert argmax_rule(WIDTHS, values) == width


@pytest.mark.parametrize(
    ("values", "width"),
    [
        (curve(0, 0.01, 0.03, 0.04, 0.5), 64),
        (curve(0.3, 0.01, 0.03, 0.04, 0.5), 64),  # the first crossing does not last
        (curve(0.3, 0.1, 0.03, 0.04, 0.5), 16),
        (curve(0, 0.01, 0.03, NAN, 0.5), 64),
        (curve(0, 0.01, NAN, 0.04, 0.5), 128),  # an undefined width cannot be the answer
        (curve(0, 0.1, 0.1, 0.1, 0.0), None),
        (curve(0, 0, 0, 0, 0.025), None),  # at the threshold is not above it
        (curve(NAN, NAN, NAN, NAN, NAN), None),
    ],
)
def test_threshold(values: Array, width: int | None) -> None:
    assert threshold_rule(WIDTHS, values) == width
    assert threshold_rule(WIDTHS, -values, threshold=-0.025, above=False) == width


@pytest.mark.parametrize(
    ("values", "width"),
    [
        (curve(10, 19.1, 20.5, 20, 20), 32),
        (curve(10, 20, 30, 20.5, 20), 128),  # passing by is not staying
        (curve(1, 2, 3, 4, 5), None),  # only the last is close to the last
        (curve(NAN, 5, 5, 5, NAN), 32),
        (curve(0, 0, 0, 0, 0), 16),
        (curve(NAN, NAN, NAN, NAN, NAN), None),
    ],
)
def test_saturation(values: Array, width: int | None) -> None:
    assert saturation_rule(WIDTHS, values) == width


@pytest.mark.parametrize(
    ("values", "width"),
    [
        (curve(10, 17, 31, 70, 70), 64),
        (curve(10, 17, 32, 65, 130), None),
        (curve(NAN, 17, NAN, 60, 130), 128),
        (curve(NAN, NAN, NAN, NAN, NAN), None),
    ],
)
def test_slack(values: Array, width: int | None) -> None:
    assert slack_rule(WIDTHS, values) == width


@settings(derandomize=True, deadline=None)
@given(st.lists(st.floats(-10, 10) | st.just(NAN), min_size=5, max_size=5))
def test_every_rule_answers_a_defined_width_or_none(values: list[float]) -> None:
    for rule in (argmax_rule, threshold_rule, saturation_rule, slack_rule):
        width = rule(WIDTHS, np.array(values))
        assert width is None or not math.isnan(values[WIDTHS.tolist().index(width)])


def test_verdict_interval() -> None:
    generator = np.random.default_rng(0)
    base = curve(0, 0.01, 0.03, 0.1, 0.5)[:, None]
    sure = verdict_interval(threshold_rule, WIDTHS, base + np.zeros((5, 4)))
    assert (sure.width, sure.low, sure.high, sure.never) == (64, 64, 64, 0)
    noisy = base + generator.normal(0, 0.02, (5, 4))
    one = verdict_interval(threshold_rule, WIDTHS, noisy, seed=1)
    assert one == verdict_interval(threshold_rule, WIDTHS, noisy, seed=1)
    assert one.low is not None and one.high is not None and one.width is not None
    assert one.low <= one.width <= one.high
    never = verdict_interval(partial(threshold_rule, threshold=9), WIDTHS, noisy)
    assert (never.width, never.low, never.high, never.never) == (None, None, None, 1)


def test_rules_check_shapes() -> None:
    with pytest.raises(ValueError, match="fit"):
        argmax_rule(WIDTHS, np.zeros(3))
    with pytest.raises(ValueError, match="ascend"):
        argmax_rule(WIDTHS[::-1], np.zeros(5))


def test_saturation_of_accuracy() -> None:
    accuracy = curve(0.9, 0.97, 0.9811, 0.982, 0.9815)
    assert within_margin_of_best(WIDTHS, accuracy) == 64
    assert within_margin_of_best(WIDTHS, accuracy, margin=0.0) == 128
    assert within_margin_of_best(WIDTHS, curve(0.9, 0.981, 0.982, 0.982, NAN)) == 32  # at margin
    assert within_margin_of_best(WIDTHS, np.full(5, NAN)) is None
    seeds = accuracy[:, None] + np.array([-0.0002, 0, 0.0002])
    found = saturation_width(WIDTHS, seeds)
    assert (found.width, found.low, found.high) == (64, 64, 64)
    noisy = seeds.copy()
    noisy[2] += [-0.002, 0.002, 0]  # at 64 the seeds disagree about the tenth of a point
    wide = saturation_width(WIDTHS, noisy, seed=2)
    assert wide == saturation_width(WIDTHS, noisy, seed=2)
    assert (wide.width, wide.low, wide.high) == (64, 64, 128)


def test_spearman() -> None:
    x = curve(1, 2, 3, 4, 5)
    assert spearman(x, x**3) == pytest.approx(1)
    assert spearman(x, -np.exp(x)) == pytest.approx(-1)
    # 1 − 6 Σd² / n(n² − 1) with d = 0, 1, 1, 0, 0
    assert spearman(x, curve(1, 3, 2, 4, 5)) == pytest.approx(1 - 6 * 2 / (5 * 24))
    assert spearman(curve(1, 2, NAN, 4, 5), curve(1, 3, 9, 4, 5)) == pytest.approx(1)
    assert math.isnan(spearman(x, np.ones(5)))
    assert math.isnan(spearman(x[:2], x[:2]))
    with pytest.raises(ValueError, match="length"):
        spearman(x, x[:3])


def test_spearman_interval() -> None:
    accuracies = np.stack([curve(1, 2, 3, 4, 5)] * 3, axis=1)
    metric = np.stack([curve(1, 2, 3, 4, 5), curve(1, 3, 2, 4, 5), np.ones(5)], axis=1)
    assert spearman_interval(accuracies, metric) == mean_interval(
        [spearman(accuracies[:, 0], metric[:, 0]), spearman(accuracies[:, 1], metric[:, 1])]
    )
    with pytest.raises(ValueError, match="shape"):
        spearman_interval(accuracies, metric[:, :2])
