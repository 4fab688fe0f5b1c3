"""Every outcome has a sentence that is true of it: those of the section on decoupled blocks."""

import json
import math
from types import SimpleNamespace

import made_decoupled_family as made
import pytest
from made_results import SOURCE

from made_files import seal_table
from sidestep.paper import decoupled
from sidestep.paper.parts import (
    beside,
    decoupled_curves,
    decoupled_family,
    decoupled_findings,
    decoupled_published,
    decoupled_setup,
    decoupled_sweeps,
    decoupled_words,
)
from sidestep.paper.parts.decoupled_findings import README, Claim, verdict
from sidestep.paper.parts.decoupled_study import DecoupledStudy, _labels
from sidestep.paper.parts.layerwise_words import sorted_out
from sidestep.statistics.intervals import Interval
from sidestep.typeset import typeset_job

NAN = math.nan
UP, DOWN = Interval(0.05, 0.01, 3, 0.03, 0.07), Interval(-0.05, 0.01, 3, -0.07, -0.03)
ACROSS = Interval(0.01, 0.01, 3, -0.01, 0.03)
SINGLE, NONE = Interval(0.05, NAN, 1, NAN, NAN), Interval(NAN, NAN, 0, NAN, NAN)
BEST = "exact; best test epoch"


def pair(better, worse, found=UP, **more):
    """A row of `order`, with the methods as names unless told."""
    return SimpleNamespace(
        better=better,
        worse=worse,
        better_method=more.get("better_method", better),
        worse_method=more.get("worse_method", worse),
        pairs=found.n,
        difference=found.mean,
        low=found.low,
        high=found.high,
        separates=int(found.low > 0 or found.high < 0),
    )


@pytest.fixture(scope="module")
def swept(tmp_path_factory):
    """A study with every sweep, several networks and a run that diverged."""
    root = tmp_path_factory.mktemp("swept")
    study = made.made_study({**made.USUAL, **made.SWEPT})
    return made.made_results(root, study, diverged=[("cifar10", "dni", 1)])


@pytest.fixture(scope="module")
def told(swept):
    return decoupled.numbers(swept)


@pytest.fixture(scope="module")
def usual(tmp_path_factory):
    return made.made_results(tmp_path_factory.mktemp("usual"), made.made_study())


# Claims and the order


@pytest.mark.parametrize(
    ("found", "equal", "against"),
    [(UP, False, False), (UP, True, True), (ACROSS, False, None), (SINGLE, False, None)],
)
def test_a_claim_is_judged_by_its_interval(found, equal, against):
    claim = Claim("dgl", "cdni", equal, README)
    assert verdict(claim, "X", pair("dgl", "cdni", found)).against is against


def test_the_other_way_round_contradicts():
    said = verdict(Claim("dgl", "cdni", False, README), "X", pair("cdni", "dgl"))
    assert said.against is True
    (sentence,) = decoupled_findings.contradicted([said])
    assert sentence == (
        "On X, the older work has DGL above cDNI; but `cdni` ends above `dgl` by 5.00\u00a0points [3.00, 7.00]."
    )
    assert list(decoupled_findings.borne_out([said])) == []


def test_claims_without_an_interval_stay_open():
    said = verdict(Claim("dgl", "cdni", False, README), "X", pair("dgl", "cdni", SINGLE))
    (sentence,) = decoupled_findings.left_open([said])
    assert sentence == "On X, the older work has DGL above cDNI (no interval)."


def test_agreement_counts_what_intervals_carry():
    ranked = Claim("dgl", "cdni", False, README)
    equal = Claim("end_to_end", "dgl", True, README)
    said = [
        verdict(ranked, "X", pair("dgl", "cdni")),
        verdict(ranked, "X", pair("cdni", "dgl")),
        verdict(ranked, "X", pair("dgl", "cdni", ACROSS)),
        verdict(equal, "X", pair("end_to_end", "dgl", ACROSS)),
    ]
    text = decoupled_findings.agreement(said)
    assert "Of 3\u00a0pairs" in text and "bear out 1, contradict 1 and leave 1 open" in text
    assert "does not make them equal" in text
    apart = verdict(equal, "X", pair("end_to_end", "dgl"))
    assert "about equal are separated" in decoupled_findings.agreement([apart])
    assert "does not give" in decoupled_findings.agreement([])
    assert "1 is separated" in decoupled_findings._equals(3, 1)


def test_the_order_names_pairs_that_separate_and_those_that_do_not():
    rows = [pair("a", "b"), pair("a", "c"), pair("b", "c", ACROSS), pair("a", "d", SINGLE)]
    assert decoupled_findings.ordered("X", rows) == (
        "On X, the intervals separate 2 of 3\u00a0pairs of variants: `a` ends above `b` and `c`. "
        "They do not separate `b` from `c`. 1\u00a0pair of variants has no interval."
    )
    assert "all 2\u00a0pairs" in decoupled_findings.ordered("X", rows[:2])
    assert "does not separate `b` and `c`" in decoupled_findings.ordered("X", rows[2:3])
    assert "no interval that could" in decoupled_findings.ordered("X", rows[3:])
    assert "no two variants" in decoupled_findings.ordered("X", [pair("a", "b", NONE)])
    assert "none of 2" in decoupled_findings.ordered("X", [rows[2], rows[2]])


def test_the_leader_is_told_with_what_its_intervals_say():
    rows = [pair("a", "b"), pair("a", "c", ACROSS), pair("c", "b")]
    text = decoupled_findings.leader("X", rows)
    assert "`a` has the highest" in text
    assert "from `b`, and not separated from `c`" in text
    assert "no interval supports" in decoupled_findings.leader("X", [pair("a", "b", SINGLE)])


def test_the_size_is_told_against_the_published_one():
    text = decoupled_findings.size([4], [2000], 1500.0, True)
    assert "4 epochs on 2,000 training images" in text
    assert "up to 1,500\u00a0epochs and more images" in text and "has to confirm" in text
    early = decoupled_findings.size([100], [None], 1500.0, False)
    assert "need not be" in early and "full size" not in early
    assert decoupled_findings.size([1500], [None], 1500.0, False).endswith("published runs.")
    assert "published" not in decoupled_findings.size([1], [None, 5], NAN, False)


def test_made_orders_are_found(told):
    assert "`backprop` ends above `cdni`" in " ".join(told["findings"]["order"])
    assert "as the older work has it" in " ".join(told["findings"]["supporting"])
    assert "DGL and sequential about equal; but `dgl`" in " ".join(told["findings"]["against"])
    assert "the older work has end to end and DGL" in " ".join(told["findings"]["open"])


def test_another_order_is_told_as_such(tmp_path):
    ends = {**made.ENDS, "cdni": 0.7, "random_features": 0.72}
    tables = made.made_results(tmp_path, made.made_study(), ends=ends)
    found = decoupled.numbers(tables)["findings"]
    against = " ".join(found["against"])
    assert "the older work has end to end above cDNI; but `cdni` ends above `backprop`" in against
    assert "we expect DGL above random features; but `random` ends above `dgl`" in against
    assert "contradict 2" in found["agreement"]


# The family


def test_the_family_has_its_costs_and_differences(usual):
    told = decoupled.numbers(usual)
    (table,) = told["family"]
    assert table["head"][:4] == ["Variant", "Method", "Accuracy %", "n"]
    rows = {row[0]: row for row in table["rows"]}
    assert rows["backprop"][4] == "reference"
    assert rows["dni"][4].startswith("−") and rows["dni"][4].endswith("\\*")
    assert not rows["dgl"][4].endswith("*")
    costs = ["0.520", "13.0", "1.30", "500", "400\u00a0M", "65.0\u00a0k", "240\u00a0k"]
    assert rows["dgl"][5:] == costs
    assert "3.69 times those of the network" in " ".join(told["costs"])


def test_diverged_seeds_are_told(told):
    assert "1 of 3 in `dni`" in " ".join(told["accuracies"])
    row = next(row for row in told["family"][0]["rows"] if row[1] == "dni")
    assert row[4] == "2 (1 diverged)"


def test_settings_are_told_apart_briefly(told, swept):
    study = DecoupledStudy(swept)
    assert study.place("cifar10", study.settings["dgl"]) == "CIFAR-10 with basic\\_cnn"
    assert study.label(study.settings["plain"]).endswith("normalisation none")
    assert "no variant is trained end to end" in " ".join(told["accuracies"])
    assert study.reference("alone") == ""
    assert study.reference("vgg11-dgl") == "vgg11"
    same = ["a (x 1)", "a"]
    assert _labels(same, "a (x 1)") == {"a (x 1)": "a (x 1)", "a": "a"}


def test_a_study_that_is_not_timed_says_so(tmp_path):
    study = made.made_study(timed=())
    told = decoupled.numbers(made.made_results(tmp_path, study, timed=()))
    assert "no step was timed" in " ".join(told["costs"])
    assert "Seconds" not in told["family"][0]["head"]


def test_long_tables_are_cut_into_pages():
    table = {"head": ["a"], "rows": [[str(index)] for index in range(100)]}
    parts = decoupled_words.pages(table)
    assert [len(part["rows"]) for part in parts] == [34, 34, 32]
    assert [part["part"] for part in parts] == ["1", "2", "3"]
    assert decoupled_words.pages({"head": [], "rows": []}) == []


@pytest.mark.parametrize(("lost", "says"), [({}, "no run diverged"), ({"a": 2}, "2 of 3 in `a`")])
def test_divergence_in_words(lost, says):
    assert says in decoupled_family.diverged("X", lost, 3)


# Curves


def test_over_fitting_is_compared(usual):
    text = " ".join(decoupled.numbers(usual)["overfitting"])
    assert "3.00\u00a0points" in text and "is borne out by `cdni` and `dni`" in text


@pytest.mark.parametrize(
    ("gap", "fit", "says"),
    [
        (DOWN, DOWN, "is borne out by `dni`"),
        (UP, DOWN, "does not hold of `dni`"),
        (ACROSS, DOWN, "is not decided"),
        (SINGLE, SINGLE, "is not decided"),
    ],
)
def test_the_claim_on_under_fitting_follows_the_intervals(gap, fit, says):
    text = decoupled_curves.claim("X", ["dni"], sorted_out({"dni": gap}), sorted_out({"dni": fit}))
    assert says in text


@pytest.mark.parametrize(
    ("found", "says"),
    [
        (UP, "ends above b"),
        (DOWN, "ends below b, whose blocks learn in turn, by 5.00"),
        (ACROSS, "is not separated from b"),
        (SINGLE, "with one pair of seeds"),
        (NONE, "no seed"),
    ],
)
def test_at_the_same_time_against_in_turn(found, says):
    assert says in decoupled_curves.whole_network("X", "a", "b", found)


def test_own_heads_are_compared(told):
    text = " ".join(told["orders"])
    assert "more accurate in `dgl` are those of `block1`, `block2` and `classifier`" in text
    lone = decoupled_curves.own_heads("X", "a", "b", {"block1": SINGLE, "block2": NONE})
    assert "without interval is that of `block1`" in lone
    assert "does not give" in decoupled_curves.own_heads("X", "a", "b", {"block1": NONE})


# What larger sizes add


def test_sweeps_are_told_and_what_is_left_out(told, usual):
    sweeps = told["sweeps"]
    assert sweeps["left_out"] == ""
    assert all(sweeps[key] for key in decoupled_sweeps.LEFT_OUT)
    assert "against `plain`" in " ".join(sweeps["data"])
    assert "`reconstruction` (reconstruction) ends above `random`" in " ".join(
        sweeps["reconstruction"]
    )
    small = decoupled.numbers(usual)["sweeps"]["left_out"]
    assert "normalisation and augmentation" in small and "`config/sweeps.yaml`" in small
    assert "have it." in decoupled_sweeps.left_out(["x"])


@pytest.mark.parametrize(
    ("found", "helps", "says"),
    [
        (UP, True, "helps, by 5.00\u00a0points [3.00, 7.00], as the older work noticed"),
        (UP, False, "helps, by 5.00\u00a0points [3.00, 7.00], against what the older work"),
        (DOWN, False, "harms, by −5.00\u00a0points [−7.00, −3.00], as the older work"),
        (ACROSS, True, "leaves open whether it helps"),
        (SINGLE, False, "leaves open whether it harms"),
        (NONE, True, "cannot be judged"),
    ],
)
def test_a_higher_rate_helps_or_harms(found, helps, says):
    assert says in decoupled_sweeps.claimed("On X", ("1", "2"), found, helps=helps)


@pytest.mark.parametrize(
    ("whole", "says"), [(2, "higher than"), (1, "equal to"), (0, "lower than")]
)
def test_best_rates_are_compared(whole, says):
    assert says in decoupled_sweeps.best_rates("X", whole, 1)


# Published


def figure(epoch, outcome="other settings", how="exact", **more):
    found = {
        "source": "thesis2021decoupled", "run": "iteration_1", "method": "dgl", "epoch": epoch,
        "value": 0.7, "how": how, "variant": "dgl", "our_epoch": min(epoch, 4), "mean": 0.6,
        "low": 0.5, "high": 0.7, "n": 3, "outcome": outcome, "differs_in": "channels;train_images",
    }  # fmt: skip
    return SimpleNamespace(**{**found, **more})


def test_a_published_run_is_shown_at_three_epochs():
    rows = [figure(1), figure(4), figure(9), figure(1500), figure(466, how=BEST)]
    rows.append(figure(1500, how="exact; mean of 50 epochs"))
    assert [row.epoch for row in decoupled_published._three(rows)] == [4, 1500, 466]
    cells = decoupled_published._row("k", "iteration_1", rows[4])
    assert cells[:5] == ["@k", "iteration\\_1", "DGL", "466", "70.00 (best epoch)"]
    assert cells[-1] == "channels and training images"


@pytest.mark.parametrize(
    ("outcomes", "says"),
    [
        ({"agrees": 2, "differs": 1}, "Of 3\u00a0published values (accuracies and losses, by epoch), 2 lie inside"),
        ({"other settings": 3}, "None can be held against ours"),
        ({"not run": 1, "odd": 1}, "1 came out in some other way"),
    ],
)  # fmt: skip
def test_outcomes_are_counted(outcomes, says):
    assert says in beside.counted(
        outcomes, "published value", what="accuracies and losses, by epoch"
    )


def test_published_runs_stand_beside_ours(told):
    (table,) = told["beside"]["tables"]
    assert {row[-2] for row in table["rows"]} == {"other settings"}
    assert "always differ in channels" in " ".join(told["beside"]["sentences"])
    assert "no counterpart" in told["beside"]["not_run"]


# The experiment


def test_networks_and_strategies_are_described(told):
    setup = told["setup"]
    assert "16 channels" in setup["networks"] and "VGG11 @simonyan2015very" in setup["networks"]
    text = " ".join(setup["strategies"])
    for words in ("Decoupled greedy learning", "bootstrapped", "N sqrt(D)", "control", "displaced"):
        assert words in text
    assert "but where the rate is what is varied" in setup["rates"]
    assert decoupled_setup.networks([{"name": "mlp", "width": 3}], []) == "`mlp`"


def test_blocks_in_words():
    strategy = {"name": "blockwise", "signal": {"name": "nothing"}}
    run = {"network": {"name": "vgg11"}, "strategy": strategy}
    assert decoupled_setup.blocks(run) == "every stage"
    strategy["ends"] = ["conv1", "conv3"]
    assert decoupled_setup.blocks(run) == "conv1 and conv3"
    strategy["ends"] = ["conv1", "conv2", "conv3", "conv4"]
    assert decoupled_setup.blocks(run) == "every stage up to conv4"


def test_a_longer_sequential_run_and_the_published_scale_are_told(tmp_path):
    raw = {"name": "synthetic_gradient", "scale": "raw"}
    runs = {
        "backprop": made.WHOLE,
        "dgl": {},
        "long": {"strategy": {"order": "in_turn"}, "epochs": 12},
        "raw": {"strategy": {"ends": [], "signal": raw}},
        "labelled": made.USUAL["cdni"],
    }
    study = made.made_study(runs, analyses=())
    text = " ".join(decoupled.numbers(made.made_results(tmp_path, study))["setup"]["strategies"])
    assert "but more in `long`" in text and "as published: `raw`" in text


# Whole papers

FEW = {name: made.USUAL[name] for name in ("backprop", "dgl", "dni")}
CASES = {
    "usual": ({}, {}),
    "swept": ({"runs": {**made.USUAL, **made.SWEPT}}, {}),
    "one seed": ({"runs": FEW, "seeds": (0,)}, {}),
    "no analyses, no timing": ({"runs": FEW, "analyses": (), "timed": ()}, {"timed": ()}),
    "one variant": ({"runs": {"backprop": made.WHOLE}}, {}),
    "no end-to-end variant": ({"runs": {"dgl": {}, "dni": made.USUAL["dni"]}}, {}),
    "nothing published": ({"runs": FEW, "datasets": ("digits",), "timed": ()}, {"timed": ()}),
    "two data sets": ({"runs": made.USUAL, "datasets": ("cifar10", "digits")}, {}),
    "nothing probed": ({"evaluate": ["test"], "probes": []}, {"probed": False, "trained": False}),
    "a diverged variant": (
        {"runs": FEW, "seeds": (0, 1)},
        {"diverged": [("cifar10", "dni", seed) for seed in (0, 1)]},
    ),
    "all diverged": (
        {"runs": FEW, "seeds": (0, 1)},
        {"diverged": [("cifar10", name, seed) for name in FEW for seed in (0, 1)]},
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_the_paper_on_decoupled_blocks_is_typeset_whatever_came_out(tmp_path, name):
    study, results = CASES[name]
    numbers = made.made_numbers(tmp_path, made.made_study(**study), **results)
    typeset_job(SOURCE, tmp_path, tmp_path / "paper.pdf")
    assert (tmp_path / "paper.pdf").read_bytes().startswith(b"%PDF")
    text = json.dumps(numbers["decoupled"], ensure_ascii=False)
    assert "nan" not in text
    assert "``" not in text


def test_figures_stand_where_the_study_has_them(tmp_path):
    names = (
        *("curves_by_epoch", "curves_by_seconds", "generalisation_gap", "own_heads"),
        *("cost_per_step", "accuracy_against_cost", "equal_seconds"),
    )
    study = made.made_study(figures=names)
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
