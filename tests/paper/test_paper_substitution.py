"""Every outcome has a sentence that is true of it: those of the section on substitutes of convolutions."""

import json
import math
from types import SimpleNamespace

import made_substitutes as made
import pandas as pd
import pytest
from made_results import SOURCE

from made_files import seal_table
from sidestep import layout, registry
from sidestep.paper import substitution
from sidestep.paper.parts import (
    substitution_findings,
    substitution_fronts,
    substitution_noise,
    substitution_setup,
    substitution_study,
    substitution_table,
    substitution_words,
)
from sidestep.paper.parts.substitution_findings import Comparison
from sidestep.paper.parts.substitution_study import SubstitutionStudy
from sidestep.statistics.intervals import Interval
from sidestep.typeset import typeset_job

NAN = math.nan
UP, DOWN = Interval(0.05, 0.01, 3, 0.03, 0.07), Interval(-0.05, 0.01, 3, -0.07, -0.03)
ACROSS = Interval(0.01, 0.01, 3, -0.01, 0.03)
SINGLE, NONE = Interval(0.05, NAN, 1, NAN, NAN), Interval(NAN, NAN, 0, NAN, NAN)
FIGURES = (
    *("pareto_fronts", "teacher_effect", "decay_effect", "speedups", "matrix_fits", "seed_noise"),
    *("curves_by_epoch", "generalisation_gap"),
)


def pair(apart=UP, speed=NAN, variant="a", decided=True, place="X", which="narrower"):
    return Comparison(place, variant, "thin", which, apart, speed, decided)


@pytest.fixture(scope="module")
def usual(tmp_path_factory):
    """A study of one budget, alone and taught."""
    return made.made_results(tmp_path_factory.mktemp("usual"), made.made_study())


@pytest.fixture(scope="module")
def told(usual):
    return substitution.numbers(usual)


@pytest.fixture(scope="module")
def more(tmp_path_factory):
    """A study of several budgets and bases, with scaled weight decay and a variant twice, one run diverged."""
    study = made.made_study({**made.USUAL, **made.MORE})
    root = tmp_path_factory.mktemp("more")
    return made.made_results(root, study, diverged=[("cifar10", "hashed-tenth", 1)])


@pytest.fixture(scope="module")
def told_more(more):
    return substitution.numbers(more)


@pytest.mark.parametrize("name", made.ANALYSES)
def test_made_tables_have_the_columns_of_the_analyses(more, name):
    columns = pd.read_csv(layout.table("substitution", name, more.root)).columns
    found = getattr(registry.load("analyses", name), "COLUMNS", None)
    assert found is None or set(columns) <= {"study", *found}


# Substitutes against smaller dense networks


@pytest.mark.parametrize(
    ("apart", "says"),
    [
        (UP, "better in 1, worse in none and not separated in none"),
        (DOWN, "better in none, worse in 1"),
        (ACROSS, "not separated in 1"),
        (SINGLE, "None of 1\u00a0comparison has an interval"),
        (NONE, "None of 1\u00a0comparison has an interval"),
    ],
)
def test_comparisons_are_counted(apart, says):
    found = " ".join(substitution_findings.counts([pair(apart)]))
    assert says in found and "Nothing was timed" in found


def test_comparisons_without_interval_are_told_beside_those_with_one():
    found = list(substitution_findings.counts([pair(UP), pair(NONE)]))
    assert (
        "Of 1\u00a0comparison that has an interval" in found[0] and "1 more have none" in found[0]
    )
    assert "does not give" in next(substitution_findings.counts([]))


@pytest.mark.parametrize(
    ("speed", "decided", "counted", "both"),
    [
        (1.2, True, "faster in 1 of 1 and slower in none", "faster as well"),
        (0.8, True, "faster in none of 1 and slower in 1", "No substitute is both"),
        (1.2, False, "faster in none of 1 and slower in none", "No substitute is both"),
    ],
)
def test_times_are_counted_beyond_quartiles(speed, decided, counted, both):
    found = list(substitution_findings.counts([pair(UP, speed, decided=decided)]))
    assert counted in found[1] and both in found[2]


@pytest.mark.parametrize(
    ("speed", "decided", "says"),
    [
        (1.25, True, "faster with `a` (0.800 times the seconds)"),
        (0.5, True, "slower with `a` (2.00 times the seconds)"),
        (1.01, False, "not told apart by its quartiles with `a`"),
        (1.0, True, "not told apart"),
        (NAN, True, "does not give times of inference"),
    ],
)
def test_times_of_inference_are_compared(speed, decided, says):
    (text,) = substitution_findings.measured([pair(UP, speed, decided=decided)])
    assert says in text


def test_many_times_are_a_range():
    every = [pair(UP, 0.5 - index / 100, variant=f"v{index}") for index in range(5)]
    (text,) = substitution_findings.measured(every)
    assert "(2.00 to 2.17 times the seconds)" in text


def test_each_side_is_contradicted_by_its_interval():
    (premise,) = substitution_findings.premise([pair(DOWN), pair(UP, variant="b")])
    assert premise.endswith(
        "But on X, `a` (−5.00\u00a0points [−7.00, −3.00]) ends below the narrower one, `thin`."
    )
    (guess,) = substitution_findings.guess([pair(DOWN), pair(UP, variant="b")])
    assert "`b` (5.00\u00a0points [3.00, 7.00]) ends above the narrower one" in guess
    for one in (ACROSS, SINGLE, NONE):
        assert not list(substitution_findings.premise([pair(one)]))
        assert not list(substitution_findings.guess([pair(one)]))
    (quick,) = substitution_findings.faster([pair(ACROSS, 1.5), pair(UP, 0.5, variant="b")])
    assert "on X, `a` takes less time" in quick and "`b`" not in quick


def test_a_place_is_named_once():
    pairs = [pair(DOWN), pair(DOWN, which="shallower"), pair(DOWN, place="Y")]
    (text,) = substitution_findings.premise(pairs)
    assert text.count("on X") == 1 and text.count("on Y") == 1


def test_what_stays_open_is_told():
    found = list(substitution_findings.unseparated([pair(ACROSS), pair(SINGLE, variant="b")]))
    assert found == [
        "On X, the comparison with the narrower dense network `thin` does not separate `a` from it and "
        "leaves `b` without interval."
    ]
    (text,) = substitution_findings.verdicts([pair(UP), pair(NONE, variant="b")])
    assert "better for `a`; without a common seed for `b`" in text


def test_made_results_contradict_both_sides(told):
    against = " ".join(told["findings"]["against"])
    assert "`low-rank` (−4.31" in against and "ends below the narrower one, `narrower`" in against
    assert "We guessed that a dense network made smaller does as well. But" in against
    assert "it lowers the accuracy of `low-rank`" in against
    assert "`separable-hashed` and `separable-hashed-taught` count fewer" in against
    assert "a teacher helps" in " ".join(told["findings"]["supporting"])
    assert "does not separate" in " ".join(told["findings"]["open"])
    assert "12\u00a0comparisons" in told["abstract"][0]


def test_scaled_decay_is_held_against_what_was_published(told_more):
    assert "harms hashed weights; but on" in " ".join(told_more["findings"]["against"])
    assert "higher for `hashed`" in told_more["decays"][0]


def test_budgets_without_a_smaller_dense_network_are_told(told_more):
    text = " ".join(told_more["findings"]["open"])
    assert "at 20\u00a0% of the network without a teacher, no dense network" in text
    assert "20,000 parameters" in text


def test_times_lie_apart_only_beyond_quartiles(usual):
    study = SubstitutionStudy(usual)
    row = study.row("cifar10", "hashed")
    assert substitution_findings.decided(study, row, "narrower")
    assert not substitution_findings.decided(study, row, "hashed-taught")
    assert substitution_findings.decided(study, row, "nothing")


# The table


def test_the_table_has_every_variant_with_its_costs(told):
    (table,) = told["table"]
    rows = {row[0]: row for row in table["rows"]}
    assert len(rows) == 11 and table["timed"] and not table["several"]
    assert rows["dense"][2:6] == ["77,850", "100.0", "10.0\u00a0M", "311\u00a0k"]
    assert rows["dense"][8:10] == ["–", "–"]
    assert rows["narrower"][8] == "itself" and rows["narrower"][9].endswith("\\*")
    assert rows["low-rank-taught"][1] == "low rank, taught"
    assert rows["low-rank-taught"][10:] == ["0.240", "36.0"]


def test_budgets_head_the_rows_where_there_are_several(told_more):
    (table,) = told_more["table"]
    assert table["head"][0] == "Budget" and table["several"]
    assert table["rows"][0][0] == "none"
    row = next(row for row in table["rows"] if row[1] == "hashed-tenth")
    assert row[0] == "10\u00a0% of a convolution" and row[8] == "2 (1 diverged)"
    assert "1 of 3 in `hashed-tenth`" in " ".join(told_more["accuracies"])


def test_indices_make_files_larger(told):
    assert "`hashed` and `hashed-taught` take more than the dense network, because" in " ".join(
        told["costs"]
    )
    text = substitution_table.stored("X", "dense", {"a": 1.5, "b": 0.1}, ["b"])
    assert "`a` takes more" in text and "index" not in text
    assert "more" not in substitution_table.stored("X", "dense", {"a": 0.5}, ["a"])


def test_a_study_that_is_not_timed_says_so(tmp_path):
    study = made.made_study(timed=())
    told = substitution.numbers(made.made_results(tmp_path, study, timed=()))
    assert "ms per image" not in told["table"][0]["head"]
    assert "Nothing was timed" in " ".join(told["findings"]["counts"])
    assert "nothing was timed" in " ".join(told["speed"]["sentences"])


# Fronts and speed


def test_fronts_are_named(told):
    assert told["fronts"][0].startswith(
        "On CIFAR-10 without a teacher, the fronts are, against parameters `dense`"
    )
    assert "1 against seconds of inference" in told["fronts"][0]
    nothing = SimpleNamespace(
        variant="a", layer="hashed", front_parameters=NAN, front_mult_adds=0, front_seconds=NAN, front_bytes=0
    )  # fmt: skip
    assert "does not give a front" in substitution_fronts.front("X", [nothing])


def speed(variant, layer, counted, real, low=NAN, high=NAN):
    return SimpleNamespace(
        variant=variant, layer=layer, taught=0, counted=counted, real_forward=real, real_forward_low=low,
        real_forward_high=high, real_step=real, slower=int(counted > 1 > real),
    )  # fmt: skip


def test_slow_layers_are_named_with_their_reason():
    rows = [
        speed("a", "low_rank", 8.0, 0.5, 0.4, 0.6),
        speed("b", "low_rank", 9.0, 0.9, 0.8, 1.1),
        speed("c", "tucker", 9.0, 0.5),
        speed("d", "new_layer", 2.0, 0.7, 0.6, 0.8),
        speed("e", "cp", 2.0, 1.7, 1.6, 1.8),
    ]
    low, tucker, new = substitution_fronts.slow_layers("", rows)
    assert "counted 8.00 to 9.00 times as fast, measured 0.500 to 0.900 times" in low
    assert "no change for `b`; a depthwise convolution" in low and "bound by memory" in low
    assert "assembled from its factors" in tucker and "the reason is not known" in new


def test_speed_up_is_counted_and_measured():
    rows = [speed("a", "low_rank", 8.0, 0.5), speed("b", "hashed", 1.0, 0.5)]
    first, step, same = substitution_fronts.speedups("X", "dense", rows)
    assert "1\u00a0variant counts fewer" in first and "1 of them is slower" in first
    assert "of 0.500" in step
    assert "`b` (2.00 times its seconds): a gather" in same
    quick = list(substitution_fronts.speedups("X", "dense", [speed("a", "low_rank", 8.0, 2.0)]))
    assert "None of them is slower" in quick[0]
    assert "no variant counts fewer" in next(substitution_fronts.speedups("X", "dense", rows[1:]))


def test_every_layer_has_words():
    for name in (*registry.names("layers"), "narrower", "shallower"):
        if name == "dense":
            continue
        assert name in substitution_words.NAMES and name in substitution_words.LINES
        assert name in substitution_words.REASONS


# Random matrices and seeds


def test_fits_are_ordered_and_checked(told):
    half, most, check = told["fits"]
    assert "nearest to half of a matrix's 64 entries" in half
    assert half.index("hashed") < half.index("low rank") < half.index("ACDC")
    assert "ACDC (40.00" in most and "hashed" not in most
    assert "at most 1.00\u00a0points above" in check


def test_the_noise_of_seeds_is_told(told_more):
    text = " ".join(told_more["noise"])
    assert "at the median of the variants" in text and "differ by more than" in text
    assert "`hashed` and `hashed-again` are the same but for their names, and differ by" in text
    assert "does not give two seeds" in substitution_noise.spread("X", {}, 1)
    assert ", from" not in substitution_noise.spread("X", {"a": 0.01}, 3)


@pytest.mark.parametrize(
    ("difference", "low", "high", "says"),
    [
        (0.0, 0.0, 0.0, "end the same"),
        (0.0, NAN, NAN, "end the same"),
        (0.01, NAN, NAN, "differ by 1.00\u00a0points (no interval)"),
        (NAN, NAN, NAN, "no seed in common"),
    ],
)
def test_variants_that_are_the_same(difference, low, high, says):
    row = SimpleNamespace(variant="a", other="b", difference=difference, low=low, high=high)
    assert says in substitution_noise.same("X", row)


# Published


def test_published_figures_stand_beside_ours(told):
    (table,) = told["beside"]["tables"]
    assert [row[0] for row in table["rows"]] == ["@deficientefficient2018"] * 2
    assert table["rows"][0][6] == "70.20" and table["rows"][0][-2] == "other settings"
    # What always differs stands in a sentence.
    assert table["rows"][0][-1] == "–"
    assert "always differ in network, training images and epochs" in told["beside"]["sentences"][1]
    assert "2\u00a0published figures have no counterpart" in told["beside"]["not_run"]
    assert "up to 200\u00a0epochs" in told["older"]


# The experiment


def test_budgets_name_their_base(told_more, told):
    text = told_more["setup"]["budgets"]
    assert "30\u00a0% or 10\u00a0% of the parameters of each convolution that is replaced" in text
    assert "20\u00a0% of the parameters of the whole dense network" in text
    assert "20,000 parameters of the whole network" in text
    assert "the budget is 30\u00a0% of" in told["setup"]["budgets"]
    row = SimpleNamespace(budget=1.0, base="layer")
    assert substitution_study.budget_of(row) == ""
    row = SimpleNamespace(budget=0.05, base="separable")
    assert substitution_study.budget_of(row) == "5\u00a0% of a separable convolution"


def test_teacher_and_decay_are_described(told, told_more):
    assert "at group1, group2 and group3 (weight 1000" in told["setup"]["teacher"]
    assert "the same for all weights" in told["setup"]["decay"]
    assert "in `hashed-decay`" in told_more["setup"]["decay"]
    assert "Cutout @devries2017improved" in told["setup"]["inputs"]
    assert "6 in all" in told["setup"]["replaced"]


def test_logits_of_the_teacher_are_told():
    means = substitution_setup._means
    strategy = {"name": "distilled", "attention": 0.0, "logits": 0.9}
    assert "by its logits @hinton2015distilling (share 0.9, temperature 4)" in means(strategy)
    assert "every stage" in means({"name": "distilled"})
    assert "nothing" in means({"name": "distilled", "attention": 0.0})
    assert "`end_to_end`" in means({"name": "end_to_end"})


def test_other_networks_are_named():
    assert substitution_setup.networks([{"name": "vgg11"}]) == "networks `vgg11`"
    assert substitution_setup.replaced([{"name": "vgg11"}]) == ""


# Whole papers

FEW = {name: made.USUAL[name] for name in ("dense", "narrower", "hashed", "low-rank")}
CASES = {
    "usual": ({}, {}),
    "more": ({"runs": {**made.USUAL, **made.MORE}}, {}),
    "one seed": ({"runs": FEW, "seeds": (0,)}, {}),
    "no analyses, no timing": ({"runs": FEW, "analyses": (), "timed": ()}, {"timed": ()}),
    "one variant": ({"runs": {"dense": {}}}, {}),
    "no smaller dense network": ({"runs": {n: made.USUAL[n] for n in ("dense", "hashed")}}, {}),
    "no substitute": ({"runs": {n: made.USUAL[n] for n in ("dense", "narrower")}}, {}),
    "nothing published": ({"runs": FEW}, {"published": False}),
    "two data sets": ({"runs": FEW, "datasets": ("cifar10", "digits")}, {}),
    "every layer": (
        {"runs": {"dense": {}, **{made.variant(n): made.layer(n) for n in made.LAYERS if n != "dense"}}},
        {},
    ),
    "a diverged variant": (
        {"runs": FEW, "seeds": (0, 1)},
        {"diverged": [("cifar10", "hashed", seed) for seed in (0, 1)]},
    ),
    "all diverged": (
        {"runs": FEW, "seeds": (0, 1)},
        {"diverged": [("cifar10", name, seed) for name in FEW for seed in (0, 1)]},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_the_paper_on_substitutes_is_typeset_whatever_came_out(tmp_path, name):
    study, results = CASES[name]
    numbers = made.made_numbers(tmp_path, made.made_study(**study), **results)
    typeset_job(SOURCE, tmp_path, tmp_path / "paper.pdf")
    assert (tmp_path / "paper.pdf").read_bytes().startswith(b"%PDF")
    text = json.dumps(numbers["substitution"], ensure_ascii=False)
    assert "nan" not in text
    assert "``" not in text


def test_figures_stand_where_the_study_has_them(tmp_path):
    names = [name for name in FIGURES if name in registry.names("figures")]
    study = made.made_study(FEW, figures=names)
    made.made_numbers(tmp_path, study)
    for number, name in enumerate(names):
        path = tmp_path / "figures" / study.name / f"{name}.svg"
        path.parent.mkdir(parents=True, exist_ok=True)
        width = 240 if number % 2 else 500
        path.write_text(
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}pt" height="90pt"></svg>'
        )
        seal_table(path)
    typeset_job(SOURCE, tmp_path, tmp_path / "paper.pdf")
    assert (tmp_path / "paper.pdf").read_bytes().startswith(b"%PDF")


@pytest.mark.parametrize(
    ("validation", "teacher", "expected"),
    [(0, None, "not searched for"), (500, None, "search"), (500, "a", "students")],
)
def test_where_learning_rates_come_from_follows_whether_something_was_held_out(
    validation, teacher, expected
):
    run = {"validation": validation, "teacher": teacher, "optimiser": {"name": "sgd", "lr": 0.1}}
    text = substitution_setup.rates([run, run])
    assert text.startswith("The learning rate is 0.1, ") and expected in text
    assert ("config/search" in text) == (validation > 0)
    assert ("students" in text) == bool(teacher)
