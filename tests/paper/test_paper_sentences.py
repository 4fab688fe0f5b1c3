"""Every outcome has a sentence that is true of it."""

import math

import pytest

from sidestep.paper import sentences as say
from sidestep.statistics.intervals import Interval

NAN = math.nan
ABOVE = Interval(2.0, 0.1, 3, 1.0, 3.0)
BELOW = Interval(-2.0, 0.1, 3, -3.0, -1.0)
ACROSS = Interval(0.5, 0.1, 3, -1.0, 2.0)
SINGLE = Interval(2.0, NAN, 1, NAN, NAN)
SAME = Interval(0.0, 0.0, 3, 0.0, 0.0)
NONE = Interval(NAN, NAN, 0, NAN, NAN)


@pytest.mark.parametrize(
    ("size", "says"),
    [("small", "small size"), ("paper", "full size"), ("middle_1", "the size “middle1”")],
)
def test_the_first_page_says_which_size_this_is(size, says):
    text = say.size_note(size, [say.Extent(8, 2, 3, [3])])
    assert says in text
    assert "no conclusion that its intervals do not carry" in " ".join(text.split())


@pytest.mark.parametrize(
    ("number", "validation", "says"),
    [
        (None, 0, "used whole"),
        (None, 50, "50\u00a0images of the training set are held out"),
        (30_000, 0, "learn from 30,000\u00a0images"),
    ],
)
def test_training_images_are_told(number, validation, says):
    assert says in say.training_images(number, validation)
    extent = say.Extent(8, 2, 3, [3], number)
    assert ("all" if number is None else "30,000") in say.size_note("small", [extent])


def test_diverged_runs_are_named():
    assert "none diverged" in say.runs(4, [])
    assert "1 diverged (`a/b`)" in say.runs(4, ["a/b"])
    assert "…" in say.runs(9, [str(i) for i in range(8)])


def test_studies_without_a_section_are_named():
    assert say.left_out([]) == ""
    assert "`other`" in say.left_out(["other"])


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
    assert says in say.changes("it", "1", "2", [("X", found)])


def test_data_sets_that_change_alike_are_named_together():
    text = say.changes("it", "1", "2", [("X", ABOVE), ("Y", BELOW), ("Z", ABOVE)])
    assert text.count("rises") == 1
    assert "on X" in text.split("falls")[0]
    assert "on Z" in text.split("falls")[0]


@pytest.mark.parametrize(
    ("outcome", "against"),
    [("power law", True), ("logarithmic", False), ("not separated", None), ("not defined", None)],
)
def test_growth_goes_against_the_journal_only_if_separated(outcome, against):
    found = say.curve("X", "the sum", outcome, 2, 3, True)
    assert found.against is against
    assert found.detail
    assert say.curve("X", "the sum", outcome, 2, 3, False).claim == ""


def test_data_sets_and_sums_with_the_same_curve_are_told_together():
    text = say.curve_detail(["X", "Y"], ["one sum", "another"], "power law", 3, 3)
    assert text == (
        "On X and Y, the power law describes one sum and another better, in 3 of 3\u00a0seeds each."
    )
    assert "each" not in say.curve_detail(["X"], ["one sum"], "logarithmic", 2, 3)


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
    assert say.dead_majority("X", "16", found).against is against


def test_findings_are_gathered_by_claim():
    found = [
        say.Finding(True, "it falls", "X", "."),
        say.Finding(True, "it falls", "Y", "."),
        say.Finding(True, "That it falls holds", "", "."),
        say.Finding(None, "it falls", "Z", "."),
        say.Finding(True, "", "X", "told elsewhere"),
    ]
    assert say.gathered(found, True) == ["On X and Y, it falls.", "That it falls holds."]
    assert say.gathered(found, False) == []


def test_peaks():
    peak = say.Peak("X", (64, 32, 64), (0.98, 0.97, 0.99), "largest", 32)
    text = say.peaks("all", [peak])
    assert "64 [32, 64] on X" in text
    assert "may lie beyond" in text
    assert "pooled: at 32" in text
    undefined = say.Peak("Y", (NAN, NAN, NAN), (NAN, NAN, NAN), "", NAN)
    assert "nowhere defined on Y" in say.peaks("all", [undefined])
    assert "not defined" in say.peaks("all", [])


@pytest.mark.parametrize(
    ("fitted", "networks", "says"),
    [(0, 0, "no network"), (0, 4, "not identifiable in any"), (4, 4, "in all"), (1, 4, "refused")],
)
def test_refusals(fitted, networks, says):
    assert says in say.refusals("two gammas", fitted, networks)


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
    assert says in say.preferred("first", "other", wins, losses)


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
    assert says in say.share_trend("X", "two gammas", shares)


@pytest.mark.parametrize(
    ("right", "wrong", "against"), [(0.01, 0.9, True), (0.89, 0.5, False), (NAN, NAN, None)]
)
def test_artefact(right, wrong, against):
    assert say.artefact("X", "16", "2", right, wrong, 0.9).against is against


def test_enough_components():
    assert "first 4 of 8" in say.enough_components("X", "test", "16", 4, "8")
    assert "no tried number" in say.enough_components("X", "test", "16", NAN, "8")


def test_saturation_at_the_widest_is_not_claimed():
    assert "not established" in say.saturation("X", 64, 32, 64, 64)
    assert "not established" not in say.saturation("X", 32, 16, 32, 64)
    assert "not defined" in say.saturation("X", NAN, NAN, NAN, 64)


def test_agreement():
    assert "no metric gives a verdict" in say.agreements("X", {}, NAN)
    text = say.agreements("X", {"never": 1, "agrees": 2}, 1.1)
    assert "of 3" in text
    assert "2 overlap with the saturation of the accuracy (drawing widths at random" in text
    assert "about 1)" in text
    assert "1 never" in text
    assert "random" not in say.agreements("X", {"agrees": 2}, NAN)
    assert "random" not in say.agreements("X", {"never": 2}, 1.0)
    assert "No verdict agrees" in say.agreeing_everywhere([], 2, False)
    assert "weak evidence" in say.agreeing_everywhere(["a"], 2, True)
    assert "weak evidence" not in say.agreeing_everywhere(["a"], 1, False)


@pytest.mark.parametrize("accuracy", ["agrees", "earlier", "later", "never", "not defined", ""])
def test_early_verdicts(accuracy):
    assert "1 of 3" in say.early_verdicts("X", "1", "3", 1, 3, accuracy)
    assert "no verdict is defined" in say.early_verdicts("X", "1", "3", 0, 0, accuracy)


def test_verdicts_that_are_early_everywhere():
    assert "No verdict does so" in say.early_everywhere([], 2)
    assert "Those of a and b" in say.early_everywhere(["a", "b"], 2)
    assert "on the only data set" in say.early_everywhere(["a"], 1)


def test_order_of_datasets():
    assert "needs two" in say.order_of_datasets([], [], 0)
    assert "none orders them" in " ".join(say.order_of_datasets([], [], 4).split())
    text = say.order_of_datasets(["a"], ["b"], 2)
    assert "a order the two data sets as the accuracy does" in text
    assert "b order them the other way round" in text
    assert "other 2" in text


def test_overfitting():
    assert "no correlation" in say.overfitting("X", [])
    nothing = say.Following("the gap", 0, 0, 0.0, [])
    assert "no correlation" in say.overfitting("X", [nothing])
    some = say.Following("the gap", 3, 9, 0.45, [])
    assert "none follows" in say.overfitting("X", [some])
    knowing = say.Following("the gap", 3, 9, 0.45, ["a"])
    assert "only a follow" in say.overfitting("X", [knowing])
    assert "no metric follows" in say.overfitting_in_short([])
    assert "Only a follow" in say.overfitting_in_short(["a"])


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
@pytest.mark.parametrize("name", say.EXPECTATIONS)
def test_expectations(name, outcome, against):
    details = {"holds": 1, "contradicted": 2, "not separated": 0, "not defined": 0}
    found = say.expectation(name, "easy", "hard", outcome, "1 [0, 2]", details)
    assert found.against is against
    assert "of 3" in found.detail
    assert "(" not in say.expectation(name, "easy", "hard", outcome, "", None).detail


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
    assert says in say.counter_example("X", outcome, 16, 2)


def test_what_changes_on_the_noise():
    assert "was computed on both" in say.changed_values("X", 0, 0, [])
    text = say.changed_values("X", 18, 20, ["a"])
    assert "18 of 20" in text
    assert "1.0 by chance" in text
    assert "a at no width" in text
    assert "each at some width" in say.changed_values("X", 20, 20, [])
    assert say.fixed_values([]) == ""
    assert "(a and b) is the same" in say.fixed_values(["a", "b"])
    assert "no verdict is defined" in say.changed_verdicts("X", [], [], 0)
    assert "none of the" in say.changed_verdicts("X", [], [], 3)
    text = say.changed_verdicts("X", ["a"], ["b", "c"], 5)
    assert "1 moves to smaller widths (a)" in text
    assert "2 move to larger widths or to none at all (b and c)" in text
    assert "larger" not in say.changed_verdicts("X", ["a"], [], 5)


def test_what_is_right_on_the_images_and_on_the_noise():
    assert "does not give" in say.right_on_both([])
    text = say.right_on_both([("X", ["a", "b"]), ("Y", ["b"]), ("Z", [])])
    assert "on X, a and b; on Y, b; on Z, none; on every data set, none." in text
    assert "on every data set" not in say.right_on_both([("X", ["a"])])


def test_published():
    assert "no figure" in say.published(0, 0, 0, 0)
    assert "none can be held" in say.published(0, 0, 5, 1)
    assert "None of the 5" in say.published(0, 0, 5, 0)
    assert "2 of these lie inside" in say.published(3, 2, 0, 0)


def test_cost():
    assert "does not give" in say.cost("16", "16", 1.0, 1.0)
    assert "no step was timed" in say.cost("16", "64", 4.0, NAN)
    assert "2.00 times the seconds" in say.cost("16", "64", 4.0, 2.0)


def test_the_abstract_says_where_nothing_is_defined():
    assert "not defined" in say.in_short("X", "0.1 point", NAN, NAN, NAN, 256, 0, 0, NAN)
    text = say.in_short("X", "0.1 point", 64, 32, 128, 256, 3, 9, 2.9)
    assert "3 name a width that overlaps" in text
    assert "at random would give about 3" in text
    assert "wider layers" not in text
    assert "random" not in say.in_short("X", "0.1 point", 64, NAN, NAN, 256, 3, 9, NAN)
    assert "wider layers" in say.in_short("X", "0.1 point", 64, 32, 128, 128, 0, 0, NAN)
