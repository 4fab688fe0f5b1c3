"""Every outcome has a sentence that is true of it: those of the section on graphs that evolve."""

import json
import math

import made_evolution_study as made
import pytest
from made_results import SOURCE

from made_files import seal_table
from sidestep import entries, fingerprint, registry
from sidestep.evolution import ALL_CLASSES, CONTROL
from sidestep.paper import evolution
from sidestep.paper.parts import (
    evolution_claims,
    evolution_contrasts,
    evolution_cost,
    evolution_findings,
    evolution_generations,
    evolution_graph,
    evolution_population,
    evolution_scores,
    evolution_setup,
    evolution_study,
    evolution_words,
)
from sidestep.paper.parts.evolution_study import EvolutionStudy
from sidestep.statistics.intervals import Interval, corrected_interval
from sidestep.typeset import typeset_job

NAN = math.nan
UP, DOWN = Interval(0.05, 0.01, 3, 0.03, 0.07), Interval(-0.05, 0.01, 3, -0.07, -0.03)
ACROSS, SINGLE = Interval(0.01, 0.01, 3, -0.01, 0.03), Interval(0.05, NAN, 1, NAN, NAN)
FIGURES = (
    *("score_against_parameters", "score_against_training_seconds", "score_differences"),
    *("size_over_generations", "importance_over_generations", "generalisation_by_variant"),
    *("final_graph", "cost_at_equal_score", "population_scores"),
)
SPACE = "\u00a0"
EQUAL = dict.fromkeys(made.SCORES, 0.85)


@pytest.fixture(scope="module")
def usual(tmp_path_factory):
    """Seven variants on three data sets, of which one has numbers."""
    return EvolutionStudy(made.made_results(tmp_path_factory.mktemp("usual"), made.made_study()))


@pytest.fixture(scope="module")
def told(usual):
    return evolution.numbers(usual.tables)


def study_of(
    root, runs=made.USUAL, datasets=("digits", "wine", "diabetes"), seeds=(0, 1, 2), **more
):
    """A study's tables as the section reads them; `more` is that of `Made`."""
    study = made.made_study(runs, datasets, seeds)
    return EvolutionStudy(made.made_results(root, study, **more))


# Variants and values


def test_variants_are_told_by_their_settings(usual):
    roles = {name: usual.role(name) for name in usual.runs}
    assert roles == {
        "random": CONTROL, "linear": "linear", "mlp": "mlp", "evolved": "post", "judged": "judged",
        "judged-2": "judged", "judged-3": "judged",
    }  # fmt: skip
    assert usual.evolving == ["evolved", "judged"] and usual.best_rule == "judged"
    assert usual.one(CONTROL) == "random" and usual.one("other") == ""


def test_roles_do_not_depend_on_names(tmp_path):
    runs = {
        "a": made.evolving(2, **made.JUDGED), "b": made.evolving(candidates=4), "c": made.graph(3),
        "d": made.evolving(1, **made.JUDGED), "e": {"network": {"name": "mlp", "width": 3}},
    }  # fmt: skip
    study = made.made_study(runs, ("wine",), analyses=())
    tables = made.made_results(tmp_path, study, scores=dict.fromkeys(runs, 0.8))
    found = EvolutionStudy(tables)
    assert [found.role(name) for name in "abcde"] == [
        *("judged", "evolved", CONTROL, "judged", "other"),
    ]
    # The member of the least number stands for a population.
    assert found.first == ["b", "c", "d", "e"]


def test_a_run_that_diverged_has_no_values(tmp_path):
    study = study_of(tmp_path, diverged=[("wine", "judged", 1)])
    assert set(study.finals("wine", "judged", "test")) == {0, 2}
    assert set(study.value("wine", "judged", "seconds_train")) == {0, 2}
    assert study.lost("wine", "judged") == 1 and study.lost("wine", "mlp") == 0
    assert "seeds diverged: 1 of 3 in `judged`" in " ".join(evolution_scores.sentences(study))
    table = evolution_scores.scores(study)["tables"][0]
    row = next(row for row in table["rows"] if row[:2] == ["Wine", "judged"])
    assert row[-1] == "2 (1 diverged)"


def test_gaps_are_corrected_as_the_contrasts_are(usual):
    assert usual.overlap("digits") == pytest.approx(made.OVERLAP)
    values = {0: 1.0, 1: 2.0, 2: 4.0}
    by_hand = corrected_interval([1.0, 2.0, 4.0], made.OVERLAP)
    found = usual.apart("digits", {**values, 7: 9.0}, dict.fromkeys(values, 0.0))
    assert (found.mean, found.low) == pytest.approx((by_hand.mean, by_hand.low))
    assert usual.overlap("nowhere") == 0


def test_ratios_are_geometric():
    found = evolution_study.ratio({0: 2.0, 1: 8.0, 2: 5.0}, {0: 1.0, 1: 1.0, 3: 1.0})
    assert (
        found.mean == pytest.approx(4.0)
        and found.n == 2
        and found.low * found.high == pytest.approx(16)
    )
    assert math.isnan(evolution_study.ratio({}, {}).mean)


# Words


@pytest.mark.parametrize(
    ("found", "says"),
    [
        (UP, f"higher on Wine (5.00{SPACE}points [3.00, 7.00])"),
        (DOWN, f"lower on Wine (−5.00{SPACE}points [−7.00, −3.00])"),
        (ACROSS, "not separated on Wine"),
        (SINGLE, f"known without interval on Wine (5.00{SPACE}points (no interval))"),
    ],
)
def test_each_side_has_its_words(found, says):
    assert evolution_words.by_side({"wine": found}, {"wine": "accuracy"}) == says


def test_numbers_are_not_told_in_points():
    text = evolution_words.by_side({"diabetes": UP}, {"diabetes": "r2"})
    assert text == f"higher on Diabetes (0.050{SPACE}of $R^2$ [0.030, 0.070])"
    assert evolution_words.score("r2")(0.5) == "0.500"


def test_places_are_listed_once():
    assert evolution_words.places(["digits", ALL_CLASSES, "wine"]) == (
        "on Digits and Wine and in the mean over classes"
    )
    assert evolution_words.places([ALL_CLASSES]) == "in the mean over classes"
    assert evolution_words.place("unheard_of") == "unheard_of"


def test_ranges_name_their_ends():
    between = evolution_words.between
    assert between({"wine": 2.0, "digits": 1.0}, str) == "1.0 (Digits) to 2.0 (Wine)"
    assert between({"wine": 2.0, "digits": 2.0}, str) == "2.0"


# The experiment


def test_the_experiment_is_described(told, tmp_path):
    setup = told["setup"]
    assert "Wine @aeberhard1992wine: 13 inputs, 3 classes;".replace(
        " inputs", f"{SPACE}inputs"
    ).replace("3 classes", f"3{SPACE}classes") in " ".join(setup["datasets"])
    assert f"20{SPACE}% of them for validation" in setup["datasets"][0]
    assert "@efron2004least" in setup["datasets"][2] and "a number" in setup["datasets"][2]
    lines = " ".join(setup["models"])
    assert "(24 operations)" in lines and "further members of a population" in lines
    evolved, judged = setup["generations"]
    assert "up to 1 out and up to 4 in at each, each as drawn" in evolved
    assert f"each the best of 8{SPACE}candidates" in judged
    assert setup["splits"].startswith("Each seed draws") and setup["runs"] == f"63{SPACE}runs"
    study = made.made_study(made.STILL, ("digits",), validation=100, subset=500, resample=False)
    alone = EvolutionStudy(made.made_results(tmp_path, study))
    assert "500 rows to learn from, 100 of them" in evolution_setup.dataset_line(alone, "digits")
    assert "share the same" in evolution_setup.splits(alone)
    assert not list(evolution_setup.generations(alone))


def test_components_are_told(tmp_path):
    study = made.made_study({"mlp": made.MLP}, ("mnist_components",), analyses=())
    found = EvolutionStudy(made.made_results(tmp_path, study))
    line = evolution_setup.dataset_line(found, "mnist_components")
    assert f"20{SPACE}inputs, principal components of the training part" in line
    assert evolution_setup.operations(found) == ""


def test_data_sets_are_described_without_loading_what_no_import_names(usual):
    """A job refuses results of modules that its fingerprint does not cover."""
    code = fingerprint.closure(entries.numbers(["evolution"], []))
    assert {f"sidestep.datasets.{name}" for name in made.INPUTS} <= set(code)
    assert evolution_setup.dataset_line(usual, "fashion_mnist") == "Fashion-MNIST."


# Scores and contrasts


def test_the_table_has_all_models_but_further_members(told):
    (table,) = told["scores"]["tables"]
    names = [row[1] for row in table["rows"] if row[0] == "Digits"]
    assert names == [
        *(
            "random",
            "linear",
            "mlp",
            "evolved",
            "judged",
            "boosted trees",
            "the exact linear model",
        ),
    ]
    rows = {tuple(row[:2]): dict(zip(table["head"], row, strict=True)) for row in table["rows"]}
    assert (
        rows["Digits", "judged"]["Test"].startswith("9") and "±" in rows["Digits", "judged"]["Test"]
    )
    assert rows["Diabetes", "judged"]["Test"].startswith("0.9")
    assert rows["Digits", "boosted trees"]["Parameters"] == "300 nodes"
    assert rows["Digits", "mlp"]["Operations"] == "–"
    assert "the highest mean is that of `judged`" in told["scores"]["sentences"][0]


def test_a_linear_model_that_lags_is_against_us(tmp_path, told):
    study = study_of(tmp_path, exact=0.05)
    (text,) = evolution_scores.own_fit_is_worse(study)
    assert f"on Digits (−5.00{SPACE}points [−5.00, −5.00])" in text and "weak opponent" in text
    assert text in evolution_findings.findings(study)["against"]
    assert not any("weak opponent" in each for each in told["findings"]["against"])
    assert "@pedregosa2011scikit" in told["scores"]["exact"][0]


def test_contrasts_name_the_one_beside(told):
    first = told["contrasts"]["sentences"][0]
    assert first.startswith(
        "Beside the control `random`, the score of `evolved` is higher on Digits ("
    )
    assert "in the mean over classes" in first
    last = told["contrasts"]["sentences"][-1]
    assert last.startswith("Beside `evolved`, the score of `judged` is higher")
    trees = next(
        s for s in told["contrasts"]["sentences"] if "boosted trees" in s and "`evolved`" in s
    )
    assert "is lower on Digits" in trees


def test_the_table_of_contrasts_has_both_intervals(told):
    rows = [row for table in told["contrasts"]["tables"] for row in table["rows"]]
    assert len(rows) == 9 * 4
    row = dict(zip(told["contrasts"]["tables"][0]["head"], rows[0], strict=True))
    assert row["Score"].endswith("\\*") and row["Score is"] == "higher"
    wide, narrow = (
        [float(bound) for bound in row[name].split("[")[1].split("]")[0].split(", ")]
        for name in ("Score", "Uncorrected")
    )
    assert wide[0] < narrow[0] < narrow[1] < wide[1]


def test_what_evolving_wins_is_borne_out(told):
    supporting, against = (" ".join(told["findings"][kind]) for kind in ("supporting", "against"))
    assert "`judged` scores higher than the control `random` on Digits (" in supporting
    assert "`evolved` scores lower than boosted trees on Digits (" in against
    assert "shown to score higher" not in against


def test_what_evolving_loses_is_told_first(tmp_path):
    study = study_of(tmp_path, scores={"evolved": 0.7, "judged": 0.6})
    against = evolution_findings.findings(study)["against"]
    assert against[0].startswith(
        "On no data set is `evolved` shown to score higher than the control"
    )
    assert "`evolved` scores lower than the control `random` on Digits (−1" in " ".join(against)
    assert "`judged` scores lower than `evolved`" in " ".join(against)
    assert (
        "The post holds that its results are similar to those of usual networks; not so"
        in " ".join(against)
    )
    (one, *_) = evolution_contrasts.counted(study, (CONTROL,))
    assert f"higher on none of 3{SPACE}data sets and lower on 3" in one


def test_what_is_not_separated_stays_open(tmp_path):
    study = study_of(tmp_path, scores=EQUAL, noise=0.05)
    found = evolution_findings.findings(study)
    assert "On no data set is `judged` shown" in " ".join(found["against"])
    text = " ".join(found["open"])
    assert (
        "Whether `evolved` scores higher than the control `random` on Digits, Wine and Diabetes"
        in text
    )
    assert "Of the post's claims, that " in text
    assert all(
        "scores" not in each.split("(")[0] or "As the post" in each for each in found["supporting"]
    )


def test_of_a_single_seed_nothing_is_concluded(tmp_path):
    study = study_of(tmp_path, seeds=(4,))
    assert "known without interval" in " ".join(evolution_contrasts.sentences(study))
    assert not list(evolution_contrasts.counted(study, (CONTROL, "mlp")))
    assert not list(evolution_contrasts.unshown(study))
    outcomes = {
        each.outcome
        for claim, _, cells in evolution_claims.found(study)
        for each in cells.values()
        if claim.unit
        != "parameters when its score reaches the perceptron's mean, over the perceptron's"
    }
    assert outcomes == {"open"}


# Generations, cost, populations, formulas


def test_generations_are_told(told, usual):
    (table,) = told["generations"]["tables"]
    row = dict(zip(table["head"], table["rows"][0], strict=True))
    assert row["Operations"] == "24.0 [23.0, 25.0]" and row["Importance %"] == "50"
    assert row["First score"] == "0.00" and row["Phases"] == "9"
    assert told["generations"]["sentences"][0] == (
        f"`evolved` ends with 24.0 operations, which hold 50{SPACE}% of the importance of all columns."
    )
    assert evolution_generations.ends(usual, "digits", "linear", "operations") is None
    assert evolution_generations.heard(usual, "digits", "linear") is None


def test_costs_are_ratios_to_models_beside(told):
    text = told["cost"]["sentences"][0]
    assert (
        text.startswith("Of the seconds of the perceptron `mlp`, `evolved` takes 2.9")
        or "3.0" in text
    )
    assert "times to train" in text and "for one row" in text
    (table,) = told["cost"]["ratios"]
    row = dict(zip(table["head"], table["rows"][0], strict=True))
    assert row["Over"] == "mlp" and 2.8 < float(row["Training"].split()[0]) < 3.2
    models = told["cost"]["tables"][0]["rows"]
    assert [row[1] for row in models if row[0] == "Wine"][-1] == "boosted trees"


def test_reaching_a_score_is_counted(told, tmp_path):
    text = " ".join(told["equal_score"]["sentences"])
    assert (
        f"`judged` reaches the mean score of `mlp` in 9 of 9{SPACE}runs, then with 0.50 times"
        in text
    )
    assert f"`judged` reaches the mean score of boosted trees in 9 of 9{SPACE}runs." in text
    rows = [row for table in told["equal_score"]["tables"] for row in table["rows"]]
    assert {row[3] for row in rows if row[1] == "mlp"} == {"mlp", "evolved", "judged"}
    never = study_of(tmp_path, reached=False)
    assert f"in none of 9{SPACE}runs." in " ".join(evolution_cost.reached(never))
    row = next(
        row for row in evolution_cost.equal_score(never)["tables"][0]["rows"] if row[3] == "judged"
    )
    assert row[4] == "0 of 3" and row[5:] == ["–"] * 4
    claims = evolution_claims.claims(never)["tables"][0]["rows"]
    assert any("never (0 of 3) (d)" in cell for row in claims for cell in row)


def test_populations_are_told_by_outcome(told, tmp_path):
    first, second = told["population"]["sentences"]
    assert (
        "of the one of least validation loss is not separated on Digits, Wine and Diabetes" in first
    )
    assert first.startswith("Of 3 members of `judged`")
    assert "of their averaged predictions is higher on Digits (2.0" in second
    (table,) = told["population"]["tables"]
    assert {row[2] for row in table["rows"]} == {"2", "3"}
    worse = study_of(tmp_path, gain=-0.02)
    assert "lower on Digits" in " ".join(evolution_population.sentences(worse))


def test_without_members_no_population_is_told(tmp_path):
    study = study_of(tmp_path, made.ALONE)
    found = evolution_population.population(study)
    assert found["tables"] == [] and found["sentences"][0].startswith("What was run")
    assert "Each variant has one member" in " ".join(evolution_findings.short_of(study))
    claims = {claim.says for claim, _, _ in evolution_claims.found(study)}
    assert "runs of the algorithm are easy to ensemble" not in claims


def test_the_graph_of_fewest_inputs_is_written_out(told):
    found = told["graph"]
    assert found["place"] == "`judged` on Diabetes, seed 0"
    assert [row[0] for row in found["table"]["rows"]] == ["z1", "z2", "z3"]
    row = dict(zip(found["table"]["head"], found["table"]["rows"][0], strict=True))
    assert row["Formula"] == "od\\_0/x × 0 − \\#1"
    assert row["Share %"] == "45.5" and row["Leaf"] == "no"
    text = " ".join(found["sentences"])
    assert f"has 3{SPACE}operations on 3{SPACE}inputs, of which 2 are read" in text
    assert f"hold 91{SPACE}% of the importance" in text


@pytest.mark.parametrize(
    ("reads", "found"), [("0;12", [0, 12]), (3, [3]), (3.0, [3]), (NAN, []), ("", [])]
)
def test_operands_survive_their_file(reads, found):
    assert evolution_graph._indices(reads) == found


def test_what_falls_short_follows_what_was_run(told, tmp_path):
    few = " ".join(told["short_of"])
    assert f"The data have 10 to 64{SPACE}inputs" in few and "corrected for that" in few
    assert "was run" not in few and "were fitted" not in few and "one member" not in few
    study = made.made_study(
        {"judged": made.USUAL["judged"]}, ("wine",), analyses=(), resample=False
    )
    text = " ".join(evolution_findings.short_of(EvolutionStudy(made.made_results(tmp_path, study))))
    assert f"The data have 13{SPACE}inputs;" in text and "corrected for that" not in text
    assert "No graph that never evolved was run" in text and "No perceptron" in text
    assert "No boosted trees were fitted" in text and "one member" in text


# Claims


def outcomes_of(study, says):
    return {
        variant: {name: each.outcome for name, each in cells.items()}
        for claim, variant, cells in evolution_claims.found(study)
        if claim.says.startswith(says)
    }


def test_claims_follow_the_runs(usual, tmp_path):
    assert set(outcomes_of(usual, "evolving finds")["judged"].values()) == {"agrees"}
    assert set(outcomes_of(usual, "its training is")["judged"].values()) == {"agrees"}
    assert set(outcomes_of(usual, "its forward pass")["evolved"].values()) == {"agrees"}
    assert set(outcomes_of(usual, "it is susceptible")["judged"].values()) == {"agrees"}
    assert set(outcomes_of(usual, "runs of the algorithm")["judged"].values()) == {"agrees"}
    assert set(outcomes_of(usual, "it needs less")["judged"].values()) == {"agrees"}
    assert set(outcomes_of(usual, "its results")["judged"].values()) == {"agrees"}
    other = study_of(
        tmp_path, slow=0.5, ahead=-0.05, gain=-0.02, scores={"judged": 0.6, "evolved": 0.6}
    )
    for says in ("evolving finds", "its training is", "its forward pass", "it is susceptible"):
        assert set(outcomes_of(other, says)["judged"].values()) == {"disagrees"}, says
    for says in ("runs of the algorithm", "its results"):
        assert set(outcomes_of(other, says)["judged"].values()) == {"disagrees"}, says


def test_the_table_of_claims_has_a_column_a_data_set(told):
    parts = told["claims"]["tables"]
    head = parts[0]["head"]
    assert head[4:-1] == ["Digits", "Wine", "Diabetes"]
    rows = [row for part in parts for row in part["rows"]]
    first, second = rows[:2]
    assert first[1:3] == ["pro", "score, less that of the control"] and second[1:3] == ["", ""]
    assert first[4].endswith("(a)") and first[-1].startswith("agrees 3: ")
    # Of numbers a difference is of R², not in points.
    assert abs(float(first[4].split()[0])) > 1 > abs(float(first[6].split()[0]))
    assert told["claims"]["margin"] == f"1{SPACE}point, or 0.01 of $R^2$"
    assert told["claims"]["sentences"][0].startswith(
        "Of the post's claims for and against, held against"
    )


@pytest.mark.parametrize(
    ("found", "none", "outcome"),
    [
        (UP, 0.0, "agrees"),
        (DOWN, 0.0, "disagrees"),
        (ACROSS, 0.0, "open"),
        (ACROSS, -0.02, "agrees"),
        (SINGLE, 0.0, "open"),
    ],
)
def test_a_claim_is_open_unless_its_interval_is_on_one_side(found, none, outcome):
    assert evolution_claims._outcome(found, none) == outcome


# Whole papers

ONE = ("wine",)
CASES = {
    "usual": ({}, {}),
    "one seed": ({"seeds": (0,)}, {}),
    "one data set": ({"datasets": ONE}, {}),
    "numbers alone": ({"datasets": ("diabetes",)}, {}),
    "five data sets": (
        {"datasets": ("digits", "breast_cancer", "wine", "diabetes", "mnist_components"), "seeds": (0, 1, 2, 3, 4)},
        {},
    ),
    "no members": ({"runs": made.ALONE}, {}),
    "nothing evolves": ({"runs": made.STILL}, {}),
    "no control": ({"runs": {name: made.USUAL[name] for name in ("judged", "mlp")}, "datasets": ONE}, {}),
    "no perceptron": ({"runs": {name: made.USUAL[name] for name in ("random", "evolved")}, "datasets": ONE}, {}),
    "one variant": ({"runs": {"judged": made.USUAL["judged"]}, "datasets": ONE}, {}),
    "no analyses": ({"analyses": (), "datasets": ONE}, {}),
    "the same split": ({"resample": False, "datasets": ONE}, {}),
    "nothing separated": ({"datasets": ONE}, {"noise": 0.1, "scores": EQUAL}),
    "all seeds alike": ({"datasets": ONE}, {"noise": 0.0}),
    "scores are never reached": ({"datasets": ONE}, {"reached": False}),
    "a diverged run": ({}, {"diverged": [("wine", "judged", 1)]}),
    "a diverged variant": (
        {"datasets": ("wine", "diabetes")},
        {"diverged": [("wine", "judged", seed) for seed in range(3)]},
    ),
    "all diverged": (
        {"datasets": ONE},
        {"diverged": [("wine", name, seed) for name in made.USUAL for seed in range(3)]},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_the_paper_on_evolution_is_typeset_whatever_came_out(tmp_path, name):
    study, results = CASES[name]
    numbers = made.made_numbers(tmp_path, made.made_study(**study), **results)
    typeset_job(SOURCE, tmp_path, tmp_path / "paper.pdf")
    assert (tmp_path / "paper.pdf").read_bytes().startswith(b"%PDF")
    text = json.dumps(numbers["evolution"], ensure_ascii=False)
    assert "nan" not in text and "not defined" not in text and "∞" not in text
    for wrong in ("``", "()", " .", "  "):
        assert wrong not in text, text[max(text.find(wrong) - 80, 0) : text.find(wrong) + 20]


def test_figures_stand_where_the_study_has_them(tmp_path):
    known = [name for name in FIGURES if name in registry.names("figures")]
    assert known
    study = made.made_study(made.ALONE, made.NUMBERS, figures=known)
    made.made_numbers(tmp_path, study)
    for number, name in enumerate(known):
        path = tmp_path / "figures" / study.name / f"{name}.svg"
        path.parent.mkdir(parents=True, exist_ok=True)
        width = 240 if number % 2 else 500
        path.write_text(
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}pt" height="90pt"></svg>'
        )
        seal_table(path)
    typeset_job(SOURCE, tmp_path, tmp_path / "paper.pdf")
    assert (tmp_path / "paper.pdf").read_bytes().startswith(b"%PDF")
    section = (SOURCE.parent / "sections" / "evolution.typ").read_text(encoding="utf-8")
    assert all(f'picture(study, "{name}")' in section for name in FIGURES)
