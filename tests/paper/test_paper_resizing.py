"""Every outcome has a sentence that is true of it: those of the section on layers that size themselves."""

import json
import math

import made_sizes_study as made
import pytest
from made_results import SOURCE
from made_sizes_study import NONE, SPACE, UP, study_of

from made_files import seal_table
from sidestep import registry, sizing
from sidestep.paper.parts import (
    resizing_claims,
    resizing_findings,
    resizing_matched,
    resizing_setup,
    resizing_table,
    resizing_words,
)
from sidestep.paper.parts.resizing_study import ResizingStudy
from sidestep.typeset import typeset_job

FIGURES = (
    *("size_curves", "final_against_start", "size_against_price", "accuracy_against_size"),
    *("matched_differences", "gate_profiles", "neurons_kept", "order_agreement", "order_changes"),
    "late_losses",
)


# Words


def test_every_method_and_claim_has_words(all_sizes):
    for method in sizing.METHODS:
        assert method in resizing_words.NAMES and method in resizing_words.LINES
        assert method in resizing_words.SEVERAL
    rows = ResizingStudy(all_sizes).records("resizing_claims")
    assert {str(row.claim) for row in rows} == set(resizing_claims.CLAIMS)
    assert resizing_claims.claim("new_claim").says == "new claim"


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0"), (0.1, "0.1"), (0.01, "0.01"), (1e-5, "$10^(-5)$"), (3e-4, "$3 dot 10^(-4)$")],
)
def test_small_amounts_are_powers(value, text):
    assert resizing_words.amount(value) == text


def test_differences_are_spelled_only_where_they_are_few():
    apart = {f"v{index}": UP for index in range(12)}
    spelled = resizing_words.spelled
    assert spelled(apart, ["v1"], resizing_words.neurons) == f"v1 (5.0{SPACE}neurons [3.0, 7.0])"
    assert spelled(apart, list(apart)[:6], resizing_words.neurons) == "v0, v1, v2, v3, v4 and v5"
    assert spelled(apart, list(apart)[:9], resizing_words.neurons) == "9 of 12"
    assert spelled(apart, list(apart), resizing_words.neurons) == "all 12"
    assert spelled({"a": NONE}, ["a"], resizing_words.neurons) == "a"


# The table


def test_the_table_has_starts_prices_and_sizes(told_sizes):
    mnist, _ = told_sizes["table"]
    rows = {row[1]: dict(zip(mnist["head"], row, strict=True)) for row in mnist["rows"]}
    assert len(rows) == 8
    worth = rows["worth-high"]
    assert (worth["Method"], worth["Start"], worth["Price"]) == ("by worth", "60", "$10^(-4)$")
    assert worth["Final size"].startswith("24.1 ±") and worth["To baseline"].endswith("\\*")
    assert worth["To static"].startswith("0.0") and "±" in worth["To static"]
    still = rows["static"]
    assert still["Start"] == "60" and still["Price"] == still["To baseline"] == "–"
    assert rows["flexible-high-matched"]["Start"] == "–"


def test_variants_of_a_method_stand_together(told_all_sizes):
    heads = [row[0] for table in told_all_sizes["table"][:2] for row in table["rows"]]
    assert heads == sorted(heads, key=list(resizing_words.NAMES.values()).index)


def test_diverged_runs_are_told(told_all_sizes):
    row = next(
        row for table in told_all_sizes["table"] for row in table["rows"] if row[1] == "worth-low"
    )
    assert row[-1] == "2 (1 diverged)"
    assert "seeds diverged: 1 of 3 in `worth-low`" in " ".join(told_all_sizes["accuracies"])


def test_the_price_is_held_against_a_static_network_that_pays_it(usual_sizes, told_sizes):
    study = ResizingStudy(usual_sizes)
    apart = resizing_table.beside_static(study, "mnist")
    assert set(apart) == set(study.moving())
    # Loss and size by hand, of one seed.
    sums = study.objective("mnist", "worth-high", 1e-4)
    row = next(r for r in study.records("final_sizes", "mnist") if str(r.variant) == "worth-high")
    assert math.isclose(sum(sums.values()) / len(sums), row.objective)
    static = study.objective("mnist", "static", 0.5)
    losses = study.finals("mnist", "static", "loss")
    assert all(math.isclose(static[seed], losses[seed] + 30) for seed in losses)
    # The matched network is the best of the static ones where neurons are dear.
    best = study.objective("mnist", "flexible-high-matched", 1e-2)
    apart_by_hand = [
        study.objective("mnist", "sparsified-low", 1e-2)[seed] - best[seed] for seed in best
    ]
    assert math.isclose(apart["sparsified-low"].mean, sum(apart_by_hand) / 3)
    assert "lower for `sparsified-low`" in told_sizes["objectives"][0]
    assert "higher for `flexible-low`" in told_sizes["objectives"][0]


# Against static networks, and harder data


def test_matched_networks_are_compared_on_both_splits(told_sizes):
    first, best, *_ = told_sizes["matched"]
    assert "against a static network of the size that the layer has come to" in first
    assert "test accuracy is lower for `flexible-high` (−2.0" in first
    assert "training accuracy is lower" in first and "most accurate" in best
    assert "less accurate in 2 of 2" in " ".join(told_sizes["abstract"])


def test_better_layers_are_told(tmp_path):
    study = study_of(tmp_path, better={"flexible": 0.02})
    assert "test accuracy is higher for `flexible-high`" in next(resizing_matched.matched(study))
    assert "less accurate in none of 2" in next(resizing_matched.counted(study))


def test_sizes_on_harder_data_are_told_by_outcome(told_sizes):
    first, second = told_sizes["harder"]
    assert first.startswith("Fashion-MNIST is the harder one, by the accuracy of `static`")
    assert "larger for `sparsified-low`" in first and "smaller for `flexible-low`" in first
    assert second == "So all sparsified layers and layers sorted by worth are larger there."


def test_layers_that_are_smaller_on_harder_data_are_against_us(told_sizes, tmp_path):
    assert "harder data make" not in " ".join(told_sizes["findings"]["against"])
    study = study_of(tmp_path, worth_on_harder=0.5)
    (text,) = resizing_matched.against(study)
    assert "But `worth-low` (−" in text
    assert text.endswith("become smaller from MNIST to Fashion-MNIST.")
    against = resizing_findings.findings(study)["against"]
    assert sum("harder data" in each for each in against) == 1


# The experiment, published figures, what falls short


def test_the_experiment_is_described(told_sizes, told_all_sizes):
    setup = told_sizes["setup"]
    assert setup["decay"] == "There is no weight decay."
    assert setup["prices"] == "0.01, $10^(-3)$ or $10^(-4)$ nats a neuron"
    assert "3\u00a0rounds, 15\u00a0% of the steps after the last edit" in setup["rounds"][1]
    assert "the first 300 images of each split" in setup["shown"]
    assert "The slope $k$ is 1 a neuron" in setup["boundary"]
    assert len(setup["methods"]) == 5
    assert len(told_all_sizes["setup"]["methods"]) == len(sizing.METHODS)
    assert "nothing is paid for in" in told_all_sizes["setup"]["prices"]
    assert "Where a variant says so" in told_all_sizes["setup"]["decay"]
    assert "Weights decay by an $L_2$ of 0.1" in resizing_setup.decay([0.1, 0.1])
    assert "all images of a split" in resizing_setup.shown([None])
    assert "or of all images" in resizing_setup.shown([None, 10])


def test_each_of_our_values_stands_beside_one_published(told_sizes):
    (table,) = told_sizes["beside"]["tables"]
    keys = [(row[0], row[8], row[6]) for row in table["rows"]]
    assert len(keys) == len(set(keys)) > 0
    # Settings that are known are nearer than those that were not recorded.
    row = next(row for row in table["rows"] if row[6] == "size" and row[8] == "flexible-high")
    assert row[2:5] == ["250", "$10^(-3)$", "0"]
    assert "271\u00a0published figures" in told_sizes["beside"]["sentences"][0]
    assert (
        told_sizes["older"]
        == f"Its figures are of 1 to 30 runs each after up to 60{SPACE}epochs, without intervals."
    )


def test_what_falls_short_follows_what_was_run(told_sizes, told_all_sizes, tmp_path):
    few, many = " ".join(told_sizes["short_of"]), " ".join(told_all_sizes["short_of"])
    assert "two sizes only" in few and "two sizes only" not in many
    assert "No two methods pay the same price" in few and "No two methods" not in many
    assert "beside flexible layers only" in few
    alone = study_of(tmp_path, {"static": made.OPEN, "flexible-low": made.flexible(10)})
    text = " ".join(resizing_findings.short_of(alone))
    assert "No static network was built" in text and "sorted" not in text


# Whole papers

FEW = {name: made.USUAL[name] for name in ("static", "flexible-low", "flexible-high", "worth-low")}
CASES = {
    "usual": ({}, {}),
    "every method": ({"runs": made.ALL}, {"diverged": [("mnist", "worth-low", 1)]}),
    "one seed": ({"seeds": (0,)}, {}),
    "one data set": ({"datasets": ("mnist",)}, {}),
    "a data set without published figures": ({"datasets": ("digits",), "runs": FEW}, {}),
    "no analyses": ({"runs": FEW, "analyses": ()}, {}),
    "one variant": ({"runs": {"static": made.OPEN}}, {}),
    "no static layer": ({"runs": {"worth-low": made.by_worth(8), "worth-high": made.by_worth(60)}}, {}),
    "nothing separated": ({}, {"noise": 0.6}),
    "all seeds alike": ({}, {"noise": 0.0}),
    "a diverged variant": (
        {"seeds": (0, 1)},
        {"diverged": [("mnist", "flexible-high", seed) for seed in (0, 1)]},
    ),
    "all diverged": (
        {"seeds": (0, 1)},
        {"diverged": [(d, n, s) for d in ("mnist", "fashion_mnist") for n in made.USUAL for s in (0, 1)]},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_the_paper_on_sizes_is_typeset_whatever_came_out(tmp_path, name):
    study, results = CASES[name]
    numbers = made.made_numbers(tmp_path, made.made_study(**study), **results)
    typeset_job(SOURCE, tmp_path, tmp_path / "paper.pdf")
    assert (tmp_path / "paper.pdf").read_bytes().startswith(b"%PDF")
    text = json.dumps(numbers["resizing"], ensure_ascii=False)
    assert "nan" not in text and "not defined" not in text
    assert "``" not in text and "()" not in text and " ." not in text


def test_figures_stand_where_the_study_has_them(tmp_path):
    assert set(FIGURES) <= set(registry.names("figures"))
    study = made.made_study(FEW, figures=FIGURES)
    made.made_numbers(tmp_path, study)
    for number, name in enumerate(FIGURES):
        path = tmp_path / "figures" / study.name / f"{name}.svg"
        path.parent.mkdir(parents=True, exist_ok=True)
        width = 240 if number % 2 else 500
        path.write_text(
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}pt" height="90pt"></svg>'
        )
        seal_table(path)
    typeset_job(SOURCE, tmp_path, tmp_path / "paper.pdf")
    assert (tmp_path / "paper.pdf").read_bytes().startswith(b"%PDF")
