"""Every outcome has a sentence that is true of it: those of the section on the width."""

import math

import pytest

from sidestep.paper.parts import (
    width_abstract,
    width_components,
    width_cost,
    width_counter_example,
    width_extrapolation,
    width_growth,
    width_harder,
    width_mixtures,
    width_normality,
    width_overfitting,
    width_published,
    width_scores,
    width_verdicts,
)
from sidestep.statistics.intervals import Interval

NAN = math.nan
ABOVE = Interval(2.0, 0.1, 3, 1.0, 3.0)
BELOW = Interval(-2.0, 0.1, 3, -3.0, -1.0)
ACROSS = Interval(0.5, 0.1, 3, -1.0, 2.0)
SINGLE = Interval(2.0, NAN, 1, NAN, NAN)
SAME = Interval(0.0, 0.0, 3, 0.0, 0.0)
NONE = Interval(NAN, NAN, 0, NAN, NAN)


@pytest.mark.parametrize(
    ("found", "says"),
    [
        (ABOVE, "rises on X"),
        (BELOW, "falls on X"),
        (ACROSS, "changes by less than its interval on X"),
        (SAME, "stays exactly the same on X"),
        (SINGLE, "without interval on X"),
        (NONE, "does not have a defined change on X"),
    ],
)
def test_a_change_is_claimed_only_where_the_interval_excludes_zero(found, says):
    assert says in width_scores.change("it", "1", "2", [("X", found)])


def test_data_sets_that_change_alike_are_named_together():
    text = width_scores.change("it", "1", "2", [("X", ABOVE), ("Y", BELOW), ("Z", ABOVE)])
    assert text.count("rises") == 1
    assert "on X" in text.split("falls")[0]
    assert "on Z" in text.split("falls")[0]


@pytest.mark.parametrize(
    ("outcome", "against"),
    [("power law", True), ("logarithmic", False), ("not separated", None), ("not defined", None)],
)
def test_growth_goes_against_the_journal_only_if_separated(outcome, against):
    found = width_growth.curve("X", "the sum", outcome, 2, 3, True)
    assert found.against is against
    assert found.detail
    assert width_growth.curve("X", "the sum", outcome, 2, 3, False).claim == ""


def test_data_sets_and_sums_with_the_same_curve_are_told_together():
    text = width_growth.curve_detail(["X", "Y"], ["one sum", "another"], "power law", 3, 3)
    assert text == (
        "On X and Y, the power law describes one sum and another better, in 3 of 3\u00a0seeds each."
    )
    assert "each" not in width_growth.curve_detail(["X"], ["one sum"], "logarithmic", 2, 3)


@pytest.mark.parametrize(
    ("found", "against"),
    [
        (Interval(0.1, 0.1, 3, 0.0, 0.2), None),
        (Interval(0.8, 0.1, 3, 0.7, 0.9), False),
        (Interval(0.5, 0.1, 3, 0.2, 0.8), None),
        (Interval(0.1, NAN, 1, NAN, NAN), None),
        (NONE, None),
    ],
)
def test_dead_majority(found, against):
    assert width_growth.dead_majority("X", "16", found).against is against


def test_peaks():
    peak = width_normality.Peak("X", (64, 32, 64), (0.98, 0.97, 0.99), "largest", 32)
    text = width_normality.peaks("all", [peak])
    assert "64 [32, 64] on X" in text
    assert "may lie beyond" in text
    assert "pooled: at 32" in text
    undefined = width_normality.Peak("Y", (NAN, NAN, NAN), (NAN, NAN, NAN), "", NAN)
    assert "nowhere defined on Y" in width_normality.peaks("all", [undefined])
    assert "not defined" in width_normality.peaks("all", [])


@pytest.mark.parametrize(
    ("fitted", "networks", "says"),
    [(0, 0, "no network"), (0, 4, "not identifiable in any"), (4, 4, "in all"), (1, 4, "refused")],
)
def test_refusals(fitted, networks, says):
    assert says in width_mixtures.refusals("two gammas", fitted, networks)


@pytest.mark.parametrize(
    ("wins", "losses", "says"),
    [
        (0, 0, "cannot be compared"),
        (2, 2, "equally often"),
        (3, 1, "first in 3"),
        (1, 3, "other in 3"),
    ],
)
def test_preference(wins, losses, says):
    assert says in width_mixtures.preferred("first", "other", wins, losses)


@pytest.mark.parametrize(
    ("shares", "says"),
    [
        ([], "too few widths"),
        ([(8, 0.1), (16, 0.2)], "rising"),
        ([(8, 0.2), (16, 0.1)], "falling"),
        ([(8, 0.2), (16, 0.1), (32, 0.3)], "not monotonically"),
    ],
)
def test_shares(shares, says):
    assert says in width_mixtures.share_trend("X", "two gammas", shares)


@pytest.mark.parametrize(
    ("right", "wrong", "against"), [(0.01, 0.9, True), (0.89, 0.5, False), (NAN, NAN, None)]
)
def test_artefact(right, wrong, against):
    assert width_components.artefact("X", "16", "2", right, wrong, 0.9).against is against


def test_enough_components():
    assert "first 4 of 8" in width_components.enough_components("X", "test", "16", 4, "8")
    assert "no tried number" in width_components.enough_components("X", "test", "16", NAN, "8")


def test_saturation_at_the_widest_is_not_claimed():
    assert "not established" in width_verdicts.saturation("X", 64, 32, 64, 64)
    assert "not established" not in width_verdicts.saturation("X", 32, 16, 32, 64)
    assert "not defined" in width_verdicts.saturation("X", NAN, NAN, NAN, 64)


def test_agreement():
    assert "no metric gives a verdict" in width_verdicts.agreements("X", {}, NAN)
    text = width_verdicts.agreements("X", {"never": 1, "agrees": 2}, 1.1)
    assert "of 3" in text
    assert "2 overlap with the saturation of the accuracy (drawing widths at random" in text
    assert "about 1)" in text
    assert "1 never" in text
    assert "random" not in width_verdicts.agreements("X", {"agrees": 2}, NAN)
    assert "random" not in width_verdicts.agreements("X", {"never": 2}, 1.0)
    assert "No verdict agrees" in width_verdicts.agreeing_everywhere([], 2, False)
    assert "weak evidence" in width_verdicts.agreeing_everywhere(["a"], 2, True)
    assert "weak evidence" not in width_verdicts.agreeing_everywhere(["a"], 1, False)


@pytest.mark.parametrize("accuracy", ["agrees", "earlier", "later", "never", "not defined", ""])
def test_early_verdicts(accuracy):
    assert "1 of 3" in width_extrapolation.early_verdicts("X", "1", "3", 1, 3, accuracy)
    assert "no verdict is defined" in width_extrapolation.early_verdicts(
        "X", "1", "3", 0, 0, accuracy
    )


def test_verdicts_that_are_early_everywhere():
    assert "No verdict does so" in width_extrapolation.early_everywhere([], 2)
    assert "Those of a and b" in width_extrapolation.early_everywhere(["a", "b"], 2)
    assert "on the only data set" in width_extrapolation.early_everywhere(["a"], 1)


def test_order_of_datasets():
    assert "needs two" in width_extrapolation.order_of_datasets([], [], 0)
    assert "none orders them" in " ".join(width_extrapolation.order_of_datasets([], [], 4).split())
    text = width_extrapolation.order_of_datasets(["a"], ["b"], 2)
    assert "a order the two data sets as the accuracy does" in text
    assert "b order them the other way round" in text
    assert "other 2" in text


def test_overfitting():
    assert "no correlation" in width_overfitting.gaps_followed("X", [])
    nothing = width_overfitting.Following("the gap", 0, 0, 0.0, [])
    assert "no correlation" in width_overfitting.gaps_followed("X", [nothing])
    some = width_overfitting.Following("the gap", 3, 9, 0.45, [])
    assert "none follows" in width_overfitting.gaps_followed("X", [some])
    knowing = width_overfitting.Following("the gap", 3, 9, 0.45, ["a"])
    assert "only a follow" in width_overfitting.gaps_followed("X", [knowing])
    assert "no metric follows" in width_overfitting.followed_in_short([])
    assert "Only a follow" in width_overfitting.followed_in_short(["a"])


@pytest.mark.parametrize(
    ("outcome", "against"),
    [
        ("holds", False),
        ("contradicted", True),
        ("mixed", None),
        ("not separated", None),
        ("not defined", None),
    ],
)
@pytest.mark.parametrize("name", width_harder.EXPECTATIONS)
def test_expectations(name, outcome, against):
    details = {"holds": 1, "contradicted": 2, "not separated": 0, "not defined": 0}
    found = width_harder.expectation(name, "easy", "hard", outcome, "1 [0, 2]", details)
    assert found.against is against
    assert "of 3" in found.detail
    assert "(" not in width_harder.expectation(name, "easy", "hard", outcome, "", None).detail


@pytest.mark.parametrize(
    ("outcome", "says"),
    [
        ("exists", "too small for the images"),
        ("possible", "may be"),
        ("none", "no width is"),
        ("", "was not run"),
    ],
)
def test_counter_example(outcome, says):
    assert says in width_counter_example.counter_example("X", outcome, 16, 2)


def test_what_changes_on_the_noise():
    assert "was computed on both" in width_counter_example.changed_values("X", 0, 0, [])
    text = width_counter_example.changed_values("X", 18, 20, ["a"])
    assert "18 of 20" in text
    assert "1.0 by chance" in text
    assert "a at no width" in text
    assert "each at some width" in width_counter_example.changed_values("X", 20, 20, [])
    assert width_counter_example.fixed_values([]) == ""
    assert "(a and b) is the same" in width_counter_example.fixed_values(["a", "b"])
    assert "no verdict is defined" in width_counter_example.changed_verdicts("X", [], [], 0)
    assert "none of the" in width_counter_example.changed_verdicts("X", [], [], 3)
    text = width_counter_example.changed_verdicts("X", ["a"], ["b", "c"], 5)
    assert "1 moves to smaller widths (a)" in text
    assert "2 move to larger widths or to none at all (b and c)" in text
    assert "larger" not in width_counter_example.changed_verdicts("X", ["a"], [], 5)


def test_what_is_right_on_the_images_and_on_the_noise():
    assert "does not give" in width_counter_example.right_on_both([])
    text = width_counter_example.right_on_both([("X", ["a", "b"]), ("Y", ["b"]), ("Z", [])])
    assert "on X, a and b; on Y, b; on Z, none; on every data set, none." in text
    assert "on every data set" not in width_counter_example.right_on_both([("X", ["a"])])


def test_published():
    assert "no figure" in width_published.comparison(0, 0, 0, 0)
    assert "none can be held" in width_published.comparison(0, 0, 5, 1)
    assert "None of the 5" in width_published.comparison(0, 0, 5, 0)
    assert "2 of these lie inside" in width_published.comparison(3, 2, 0, 0)


def test_cost():
    assert "does not give" in width_cost.cost_of_widest("16", "16", 1.0, 1.0)
    assert "no step was timed" in width_cost.cost_of_widest("16", "64", 4.0, NAN)
    assert "2.00 times the seconds" in width_cost.cost_of_widest("16", "64", 4.0, 2.0)


def test_the_abstract_says_where_nothing_is_defined():
    assert "not defined" in width_abstract.saturation_in_short(
        "X", "0.1 point", NAN, NAN, NAN, 256, 0, 0, NAN
    )
    text = width_abstract.saturation_in_short("X", "0.1 point", 64, 32, 128, 256, 3, 9, 2.9)
    assert "3 name a width that overlaps" in text
    assert "at random would give about 3" in text
    assert "wider layers" not in text
    assert "random" not in width_abstract.saturation_in_short(
        "X", "0.1 point", 64, NAN, NAN, 256, 3, 9, NAN
    )
    assert "wider layers" in width_abstract.saturation_in_short(
        "X", "0.1 point", 64, 32, 128, 128, 0, 0, NAN
    )
