"""Every outcome has a sentence that is true of it: those of the section on one layer at a time."""

import dataclasses
import math

import made_results
import made_strategies as made
import pandas as pd
import pytest

from sidestep.paper import layerwise
from sidestep.paper.parts import (
    layerwise_abstract,
    layerwise_cost,
    layerwise_findings,
    layerwise_graph,
    layerwise_scores,
    layerwise_setup,
    layerwise_stages,
    layerwise_sweeps,
    layerwise_targets,
    layerwise_words,
)
from sidestep.paper.parts.layerwise_study import LayerwiseStudy
from sidestep.paper.parts.layerwise_targets import Reach
from sidestep.statistics.intervals import Interval
from sidestep.tables import Tables
from sidestep.things import complete

NAN = math.nan
UP = Interval(2.0, 0.1, 3, 1.0, 3.0)
DOWN = Interval(-2.0, 0.1, 3, -3.0, -1.0)
ACROSS = Interval(0.5, 0.1, 3, -1.0, 2.0)
SINGLE = Interval(2.0, NAN, 1, NAN, NAN)
NONE = Interval(NAN, NAN, 0, NAN, NAN)
GROUPS = layerwise_words.sorted_out(
    {"up": UP, "down": DOWN, "across": ACROSS, "single": SINGLE, "none": NONE}
)
EMPTY = layerwise_words.sorted_out({})


def made_tables(root, study=None, **more):
    study = made.made_study() if study is None else study
    made_results.made_results(root, study, **more)
    return Tables(study, root)


@pytest.fixture(scope="module")
def swept(tmp_path_factory):
    """A study with every sweep, on two data sets of which one was timed, with a run that diverged."""
    study = made.made_study({**made.USUAL, **made.SWEPT}, datasets=("mnist", "fashion_mnist"))
    return made_tables(
        tmp_path_factory.mktemp("swept"),
        study,
        diverged=[("mnist", "difference", 1)],
        quick=("similarity",),
        collapsed=("difference",),
    )


@pytest.fixture(scope="module")
def told(swept):
    return layerwise.numbers(swept)


def test_intervals_are_sorted_by_what_they_say():
    assert GROUPS == {
        "above": ["up"],
        "below": ["down"],
        "open": ["across"],
        "alone": ["single"],
        "missing": ["none"],
    }
    assert layerwise_words.compared(GROUPS, {"below": "lower", "above": "higher"}) == (
        "lower for `down`; higher for `up`"
    )
    assert layerwise_words.compared(EMPTY, {"below": "lower"}) == ""


def test_names_in_tables_are_no_markup():
    assert layerwise_words.plain("fine_tune") == "fine\\_tune"


def test_a_list_that_would_fill_the_paragraph_is_counted():
    assert layerwise_words.named(["a", "b"]) == "`a` and `b`"
    assert layerwise_words.named([str(i) for i in range(9)]) == "9\u00a0variants"


@pytest.mark.parametrize(
    ("strategy", "says"),
    [
        ({"name": "end_to_end"}, "end to end"),
        ({}, "in turn"),
        ({"order": "together", "shares": "back"}, "together"),
        ({"shares": "front"}, "in turn, front-loaded"),
        ({"shares": [0.7, 0.1, 0.1, 0.1]}, "in turn, steps 70 : 10 : 10 : 10"),
        ({"fine_tune": 0.25}, "in turn, then 25\u00a0% whole"),
        ({"ends": ["conv2"]}, "in turn, cut after conv2"),
        ({"freeze": False}, "in turn, not frozen"),
    ],
)
def test_strategies_in_words(strategy, says):
    thing = {"name": "blockwise", "signal": {"name": "sub_model"}, **strategy}
    run = {"strategy": complete("strategies", thing)} if "ends" not in strategy else None
    if strategy.get("name") == "end_to_end":
        run = {"strategy": {"name": "end_to_end"}}
    run = run or {"strategy": {**complete("strategies", {**thing, "ends": []}), **strategy}}
    assert layerwise_words.order_words(run, made.STAGES) == says


@pytest.mark.parametrize(
    ("after", "before", "says"),
    [
        (["a"], [], "where the older work read it before"),
        ([], ["b"], "As in the older work"),
        (["a"], ["b"], "but in `b` before it"),
        ([], [], ""),
    ],
)
def test_where_signals_read(after, before, says):
    assert says in layerwise_setup.reads(after, before)


def test_the_experiment_is_told_as_the_config_has_it():
    assert "all test images" in layerwise_setup.evaluations([1], [None])
    assert "10 times an epoch" in layerwise_setup.evaluations([10], [None])
    assert "the first 500 test images" in layerwise_setup.evaluations([1], [500])
    assert "all or the first 500" in layerwise_setup.evaluations([1], [500, None])
    assert "search" in layerwise_setup.rates([5000])
    assert "nothing can have chosen" in layerwise_setup.rates([5000, 0])
    assert "Fashion" not in layerwise_setup.normalisation(["MNIST"])
    assert layerwise_setup.dropout([0.4, 0.4]) == "40\u00a0%"
    assert layerwise_setup.dropout([]) == "none"
    assert "does not give" in layerwise_setup.baselines_sentence([], "`a`", False)
    assert "but every other" in layerwise_setup.baselines_sentence(["`b`"], "`a`", False)
    assert "are `a` and `b`" in layerwise_setup.baselines_sentence(["`a`", "`b`"], "`a`", True)


def test_signals_are_told_with_their_variants():
    assert "no term between classes" in layerwise_setup.difference({"equal": ["e"]})
    assert "no term" not in layerwise_setup.difference({"pairs": ["p"]})
    assert "mixed" not in layerwise_setup.similarity([0.0])
    assert "weight 0.01" in layerwise_setup.similarity([0.0, 0.01])
    text = layerwise_setup.divergence(["gaussian_full", "nearest_neighbours"])
    assert "@wang2009divergence" in text
    assert "covariances" in text


@pytest.mark.parametrize(
    ("groups", "says"),
    [
        ({**EMPTY, "above": ["b"]}, "separate it from every other"),
        ({**EMPTY, "above": ["b"], "open": ["c"]}, "do not separate it from `c`"),
        ({**EMPTY, "alone": ["b"]}, "no interval"),
        (EMPTY, "no other variant"),
    ],
)
def test_the_best_is_not_claimed_beyond_its_intervals(groups, says):
    mean = Interval(0.1, 0.0, 3, 0.09, 0.11)
    text = layerwise_scores.best("X", "loss", "a", mean, groups)
    assert says in text
    assert "0.100 [0.090, 0.110]" in text
    assert "no run finished" in layerwise_scores.best("X", "loss", "", NONE, EMPTY)


def test_final_losses_against_the_baseline():
    text = layerwise_scores.against_baseline("X", "`a`", GROUPS)
    assert "lower for `down`; higher for `up`; not separated for `across`" in text
    assert "nothing to compare" in layerwise_scores.against_baseline("X", "`a`", EMPTY)
    assert layerwise_scores.diverged_sentence("X", {}, 3) == "On X, no run diverged."
    assert "1 of 3 in `b`" in layerwise_scores.diverged_sentence("X", {"b": 1}, 3)
    assert "from 0.500 times (`a`) to 2.00 times (`b`)" in layerwise_scores.seconds_sentence(
        "X", "`c`", {"a": 0.5, "b": 2.0}
    )
    assert "takes 0.500 times" in layerwise_scores.seconds_sentence("X", "`c`", {"a": 0.5})
    assert "does not give" in layerwise_scores.seconds_sentence("X", "`c`", {})


def reach(variant, reached, outcome, time=2.0, seeds=3):
    return Reach(variant, seeds, reached, time, 1.0, 3.0, outcome)


def test_a_target_that_nobody_reaches():
    found = [reach("a", 0, "never"), reach("b", 0, "never")]
    text = layerwise_targets.target_sentence("X", "test loss 0.1", "a", found, True)
    assert text == "Test loss 0.1 on X is reached by no variant."


def test_a_target_is_told_with_who_never_reaches_it():
    found = [
        reach("a", 3, "lone"),
        reach("b", 3, "sooner", 1.5),
        reach("c", 3, "later", 4.0),
        reach("d", 1, "lone"),
        reach("e", 0, "never"),
        reach("f", 3, "even"),
    ]
    text = layerwise_targets.target_sentence("X", "test loss 0.1", "a", found, True)
    assert "by `b`, after 1.50 [1.00, 3.00] seconds" in text
    assert "in some seeds only by `d`; never by `e`" in text
    assert "sooner for `b`; later for `c`; not separated for `f`; without interval" in text


def test_a_target_that_the_baseline_never_reaches():
    found = [reach("a", 0, "never"), reach("b", 3, "first"), reach("c", 3, "first")]
    text = layerwise_targets.target_sentence("X", "test loss 0.1", "a", found, True)
    assert "by `b` and `c`" in text
    assert "`a` never does" in text
    untimed = layerwise_targets.target_sentence("X", "test loss 0.1", "b", found, False)
    assert "2 steps (seconds were not measured)" in untimed
    assert "Against" not in untimed


@pytest.mark.parametrize(
    ("said", "targets", "expected"),
    [
        ({"b": ["sooner", "even"]}, 2, [(False, "which is what the older work hoped for")]),
        ({"b": ["sooner", "later"]}, 2, [(False, "but others later or never")]),
        ({"b": ["first"]}, 0, [(False, "one that it never reaches")]),
        ({"b": ["later", "never"]}, 2, [(True, "later than it, or never")]),
        ({"b": ["even", "later"]}, 2, [(None, "neither shown to be sooner")]),
        ({"b": ["lone"]}, 1, [(None, "neither shown to be sooner")]),
        ({"b": []}, 0, []),
    ],
)
def test_speed_is_claimed_only_by_intervals(said, targets, expected):
    found = list(layerwise_findings.speed("X", "`a`", said, targets))
    assert [each.against for each in found] == [against for against, _ in expected]
    for each, (_, words) in zip(found, expected, strict=True):
        assert words in each.claim


def test_ends_are_sorted_into_for_and_against():
    found = {each.against: each.claim for each in layerwise_findings.ends("X", "`a`", GROUPS)}
    assert found[True] == "`up` ends with a higher test loss than `a`"
    assert found[False] == "`down` ends with a lower test loss than `a`"
    assert len(list(layerwise_findings.ends("X", "`a`", GROUPS))) == 4


@pytest.mark.parametrize(
    ("apart", "against", "says"),
    [
        (UP, True, "against what we expected"),
        (DOWN, False, "as we expected"),
        (ACROSS, None, "not separated"),
        (SINGLE, None, "cannot be held against"),
        (NONE, None, "cannot be held against"),
    ],
)
def test_our_cure_may_fail(apart, against, says):
    found = layerwise_findings.cure("X", "`a`", "`b`", apart, 0, 2)
    assert found.against is against
    assert says in found.claim
    assert "2 of the latter" in found.claim
    assert "latter" not in layerwise_findings.cure("X", "`a`", "`b`", apart, 0, 0).claim


def test_instability():
    assert layerwise_findings.unstable("X", ["a"], []).against is None
    assert layerwise_findings.unstable("X", ["a"], ["a"]).against is False


def test_bands():
    local = ["b", "c"]
    assert "At no moment" in layerwise_graph.bands("X", "`a`", [], [], local)
    text = layerwise_graph.bands("X", "`a`", ["b"], [], local)
    assert "every seed of `b` has a lower loss" in text
    assert "never so of `c`" in text
    assert "never" not in layerwise_graph.bands("X", "`a`", ["b", "c"], [], local)
    assert "does not give" in layerwise_graph.bands("X", "`a`", [], local, local)


def test_what_the_graph_shows():
    assert "lasts 3.0\u00a0seconds" in layerwise_graph.lasting("X", {"a": 3.0, "b": NAN})
    assert "shortest run is that of `a`" in layerwise_graph.lasting("X", {"a": 3.0, "b": 4.0})
    assert "comes to its end" in layerwise_graph.ending("X", "", [])
    assert "not separated" in layerwise_graph.ending("X", "a", ["b"])
    assert "after 50\u00a0% to 75\u00a0% of the runs" in layerwise_graph.top_learns(
        "X", {"a": 0.5, "b": 0.75}
    )
    assert "after 50\u00a0% of the run;" in layerwise_graph.top_learns("X", {"a": 0.5})
    assert "does not give" in layerwise_graph.top_learns("X", {})


def test_what_stages_hold():
    mean = Interval(0.9, 0.0, 3, 0.89, 0.91)
    text = layerwise_stages.held_sentence("X", "`s`", "`a`", mean, GROUPS)
    assert "90.00\u00a0% [89.00, 91.00] can be read off stage `s` of `a`" in text
    assert "more for `up`; less for `down`" in text


def test_collapse_is_counted():
    assert "does not give" in layerwise_stages.collapse("X", {}, {}, 0)
    assert "no stage of any variant" in layerwise_stages.collapse("X", {}, {}, 3)
    text = layerwise_stages.collapse("X", {"a": ["s"]}, {"b": ["s", "t"]}, 3)
    assert "point one way at the end in `a` (`s`)" in text
    assert "nearly gone at the end in `b` (`s` and `t`)" in text


def test_angles_are_held_against_a_right_angle():
    found = {
        "a": Interval(80.0, 1.0, 3, 78.0, 82.0),
        "b": Interval(91.0, 1.0, 3, 88.0, 94.0),
        "c": Interval(99.0, 1.0, 3, 98.0, 100.0),
    }
    text = layerwise_stages.angle_sentence("X", "`s`", found)
    assert "below a right angle for `a`; above a right angle for `c`; not separated" in text
    assert "smallest in `a`, 80 degrees" in text


def test_sweeps_in_words():
    groups = {"lower": ["“front”"], "higher": [], "open": ["“back”"], "alone": [], "lost": []}
    text = layerwise_sweeps.swept("X", "“equal”", groups, [("“front”", 0.1), ("“back”", 0.2)])
    assert "lower for “front”; not separated for “back”; the lowest mean is that of “front”" in text
    assert layerwise_sweeps.swept("X", "“equal”", groups, []).endswith("“back”.")
    assert layerwise_sweeps.diverging({}) == ""
    assert "`b` (2)" in layerwise_sweeps.diverging({"`b`": 2})
    assert layerwise_sweeps.unanswered({"shares": ["x"]}) == ""
    assert "how long to train" in layerwise_sweeps.unanswered({"shares": [], "ends": ["x"]})


def test_cost_in_words():
    text = layerwise_cost.spread("X", {("a", "p"): 0.1, ("b", "q"): 0.4})
    assert (
        "from 0.10 nanoseconds in phase `p` of `a` to 0.40 in phase `q` of `b`, 4.0 times" in text
    )
    assert "does not give" in layerwise_cost.spread("X", {("a", "p"): 0.1})
    text = layerwise_cost.speed("X", "`a`", "`b`", 2, 12.0, 6.0, 80.0)
    assert "the slowest of 2" in text
    assert "12.0 times the steps per second of `a`, 6.00 times with" in text
    assert "factor of 80.0" in text
    assert "spread" not in layerwise_cost.speed("X", "`a`", "`b`", 1, 12.0, NAN, NAN)


def test_the_abstract_names_the_winner_and_its_equals():
    assert "trained in blocks, which" in layerwise_abstract.ending("X", "b", ["a"], ["b"])
    assert layerwise_abstract.ending("X", "a", [], ["b"]).endswith("trained end to end.")
    assert "came to its end" in layerwise_abstract.ending("X", "", [], [])
    assert "does not give" in " ".join(layerwise_abstract.in_time([]))


def test_numbers_are_those_of_the_tables(swept, told):
    study = LayerwiseStudy(swept)
    frame = swept.main
    chosen = (frame["dataset"] == "mnist") & (frame["variant"] == "sub-model")
    chosen &= (frame["metric"] == "history_loss") & (frame["images"] == "test")
    last = frame[chosen & (frame["component"] == made.STEPS)]["value"]
    assert study.final("mnist", "sub-model", "loss").mean == pytest.approx(last.mean())
    assert study.lost("mnist", "difference") == 1
    assert study.final("mnist", "difference", "loss").n == 2
    assert told["setup"]["parameters"] == "3,274,634 parameters"
    # Three phases of 30 steps before the last, by hand from `made_strategies`.
    steps = [30 * (3e6 * work * 2.5e-12 + 1e-4) for work in (60, 750, 480, 1.5)]
    entries = [0.0, 0.02, 0.04, 0.06]
    whole = [a + b for a, b in zip(steps, entries, strict=True)]
    found = layerwise_graph._last_phase(study, "mnist")["sub-model"]
    assert found == pytest.approx(sum(whole[:3]) / sum(whole))
    assert study.seconds("mnist", "sub-model") == pytest.approx(sum(whole))


def test_diverged_and_missing_things_are_told(told):
    assert "1 of 3 in `difference`" in " ".join(told["diverged"])
    table = told["scores"][0]
    row = next(row for row in table["rows"] if row[0] == "difference")
    assert row[1].endswith("(2)")
    assert row[3] == "1"
    assert "No step was timed on Fashion-MNIST" in " ".join(told["seconds"])
    assert "Seconds" not in told["scores"][1]["head"]
    assert told["target_tables"][1]["unit"] == "Steps"
    assert any("never" in row for row in told["target_tables"][0]["rows"])
    assert "one way at the end in `difference`" in " ".join(told["geometry"])
    assert "every seed of `similarity`" in " ".join(told["graph"])
    assert told["unanswered"] == ""
    assert all(told["sweeps"].values())
    assert "cut-conv1" not in " ".join(told["cost"]["sentences"])


def test_a_study_of_one_seed_separates_nothing(tmp_path):
    told = layerwise.numbers(made_tables(tmp_path, made.made_study(seeds=(0,))))
    assert "no interval" in " ".join(told["finals"])
    assert told["findings"]["supporting"] == []
    assert not any("ends with" in sentence for sentence in told["findings"]["against"])


def test_a_study_without_analyses_says_so(tmp_path):
    study = made.made_study({"adam": made.END_TO_END}, analyses=(), timed=())
    told = layerwise.numbers(made_tables(tmp_path, study, timed=(), measured=False))
    for part in ("graph", "targets", "areas", "held", "geometry", "angles"):
        assert "does not give" in " ".join(told[part]), part
    assert "does not give" in told["unanswered"]
    assert told["target_tables"] == []
    assert all(not table["rows"] for table in told["probe_tables"])
    assert told["cost"]["rows"] == []


def test_a_study_in_which_everything_diverged(tmp_path):
    runs = {name: made.USUAL[name] for name in ("adam", "sub-model")}
    diverged = [("mnist", name, seed) for name in runs for seed in (0, 1)]
    study = made.made_study(runs, seeds=(0, 1))
    told = layerwise.numbers(made_tables(tmp_path, study, diverged=diverged))
    assert "no run finished" in " ".join(told["finals"])
    assert "came to its end" in " ".join(told["abstract"])


def test_a_long_table_of_phases_keeps_whole_variants(monkeypatch):
    frame = pd.DataFrame({"variant": ["a"] * 4 + ["b"] * 4, "phase": list("wxyzwxyz")})
    monkeypatch.setattr(layerwise_cost, "MOST_ROWS", 6)
    assert list(layerwise_cost._whole_variants(frame)["variant"]) == ["a"] * 4


def test_several_epochs_and_rates_are_named_together():
    study = made.made_study()
    first = study.variants[0]
    other = dataclasses.replace(first, run={**first.run, "epochs": 9})
    study = dataclasses.replace(study, variants=(other, *study.variants[1:]))
    found = layerwise_setup.setup.setup(study)
    assert found["epochs"] == "9\u00a0epochs or 6\u00a0epochs"
    assert found["learning_rate"] == "0.001 or 0.1"
