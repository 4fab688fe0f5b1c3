"""Every outcome has a sentence that is true of it: those of the section on layers that size themselves."""

import json
import math
from types import SimpleNamespace

import made_sizes_study as made
import pytest
from made_results import SOURCE

from made_files import seal_table
from sidestep import registry, sizing
from sidestep.paper import resizing
from sidestep.paper.parts import (
    resizing_boundary,
    resizing_claims,
    resizing_findings,
    resizing_matched,
    resizing_orders,
    resizing_setup,
    resizing_starts,
    resizing_study,
    resizing_table,
    resizing_words,
)
from sidestep.paper.parts.resizing_study import ResizingStudy
from sidestep.statistics.intervals import Interval
from sidestep.typeset import typeset_job

NAN = math.nan
UP, DOWN = Interval(5.0, 1.0, 3, 3.0, 7.0), Interval(-5.0, 1.0, 3, -7.0, -3.0)
ACROSS = Interval(1.0, 1.0, 3, -1.0, 3.0)
SINGLE, NONE = Interval(5.0, NAN, 1, NAN, NAN), Interval(NAN, NAN, 0, NAN, NAN)
FIGURES = (
    *("size_curves", "final_against_start", "size_against_price", "accuracy_against_size"),
    *("matched_differences", "gate_profiles", "neurons_kept", "order_agreement", "order_changes"),
    "late_losses",
)
SPACE = "\u00a0"


@pytest.fixture(scope="module")
def usual(tmp_path_factory):
    """The small size: three methods from two starts each, one matched layer."""
    return made.made_results(tmp_path_factory.mktemp("usual"), made.made_study())


@pytest.fixture(scope="module")
def told(usual):
    return resizing.numbers(usual)


@pytest.fixture(scope="module")
def every(tmp_path_factory):
    """With its sweeps: every method, one run diverged."""
    root = tmp_path_factory.mktemp("every")
    lost = [("mnist", "worth-low", 1)]
    return made.made_results(root, made.made_study(made.ALL), diverged=lost)


@pytest.fixture(scope="module")
def told_every(every):
    return resizing.numbers(every)


def study_of(root, runs=made.USUAL, **more):
    """A study's tables as the section reads them; `more` is that of `Made`."""
    return ResizingStudy(made.made_results(root, made.made_study(runs), **more))


# Words


def test_every_method_and_claim_has_words(every):
    for method in sizing.METHODS:
        assert method in resizing_words.NAMES and method in resizing_words.LINES
        assert method in resizing_words.SEVERAL
    rows = ResizingStudy(every).records("resizing_claims")
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


# Starts


def group(apart, share=0.1, method="by_worth", price=1e-4, decay=0.0, **more):
    row = {
        "method": method, "price": price, "decay": decay, "pairs": apart.n, "low_variant": "low",
        "high_variant": "high", "low_start": 8.0, "high_start": 60.0, "low_size": 19.0, "high_size": 24.0,
        "difference": apart.mean, "low": apart.low, "high": apart.high, "dependence": share,
        "dependence_low": share, "dependence_high": share, "members": 2,
    }  # fmt: skip
    return SimpleNamespace(**{**row, **more})


@pytest.mark.parametrize(
    ("apart", "says", "not_says"),
    [
        (UP, "do not come to a size that does not depend on the start", "holds zero"),
        (DOWN, "do not come to a size that does not depend on the start", "holds zero"),
        (ACROSS, "The interval holds zero: a dependence on the start is not shown", "do not come"),
        (SINGLE, "Of a single seed nothing can be said", "interval"),
    ],
)
def test_the_verdict_on_sorting_by_worth_is_that_of_its_interval(apart, says, not_says):
    verdict = resizing_starts._verdict(resizing_starts.sorted_out({"a": apart}))
    text = " ".join(verdict)
    assert says in text and not_says not in text
    assert "a difference of 5.0" in resizing_starts._ends("a", group(UP))
    assert "no seed that finished" in resizing_starts._ends("a", group(NONE, NAN))


def test_verdicts_that_differ_name_whose_they_are():
    found = resizing_starts.sorted_out({"a": UP, "b": ACROSS, "c": NONE})
    first, second = resizing_starts._verdict(found)
    assert first.startswith("For a the interval leaves") and second.startswith("For b the interval")
    assert not list(resizing_starts._verdict(resizing_starts.sorted_out({"c": NONE})))


def test_groups_are_named_as_shortly_as_they_can_be():
    names = resizing_study.group_names
    assert names([group(UP), group(UP, method="flexible")]) == [
        "layers sorted by worth",
        "flexible layers",
    ]
    assert names([group(UP), group(UP, price=0.0)]) == [
        f"layers sorted by worth ($10^(-4)${SPACE}nats)",
        "layers sorted by worth (no price)",
    ]
    assert names([group(UP, decay=0.1), group(UP)])[0] == "layers sorted by worth ($L_2$ of 0.1)"
    twice = names([group(UP), group(UP, low_variant="least")])
    assert twice[1] == "layers sorted by worth (from `least` to `high`)"


def test_a_start_that_is_kept_is_told_first(told):
    (first, *_) = told["findings"]["against"]
    assert "We expected that layers sorted by worth forget where they start" in first
    assert f"still differ by 5.3{SPACE}neurons [4.9, 5.7] on MNIST" in first
    # The claim of equality within a margin, which this start keeps, is not told as if it were forgotten.
    assert "come to nearly one size" in " ".join(told["findings"]["supporting"])
    assert f"10.2{SPACE}% for layers sorted by worth" in told["starts"]["left"][0]
    assert "less of the start is left" in " ".join(told["starts"]["left"])
    assert "in 2 of 2" in told["abstract"][1]
    assert told["abstract"][0].startswith(f"Of 6{SPACE}comparisons")


def test_a_start_that_is_forgotten_is_told(tmp_path):
    study = study_of(tmp_path, kept={"by_worth": 0.0}, noise=0.03)
    assert not list(resizing_starts.against(study))
    assert "The interval holds zero" in " ".join(resizing_starts.worth(study))
    assert "the interval holds zero in all of 2" in next(resizing_starts.worth_counted(study))


def test_a_worth_that_keeps_more_than_a_boundary_is_told(tmp_path):
    study = study_of(tmp_path, kept={"by_worth": 0.95})
    assert "more of the start is left" in " ".join(resizing_starts.beside_flexible(study))
    assert "by_worth" not in " ".join(resizing_starts.left(study))
    # Beyond the margin the claim disagrees, which the sentence on starts says already.
    against = resizing_findings.findings(study)["against"]
    assert sum("sorted by worth forget where they start" in text for text in against) == 1
    assert not any("come to nearly one size" in text for text in against)


def test_several_groups_of_a_method_have_one_sentence(told_every):
    against, accuracy = told_every["findings"]["against"][:2]
    assert "Nor are layers sorted by worth as accurate from every start" in accuracy
    assert "at $10^(-3)$" in against and "at $10^(-5)$" in against
    assert "least, " in told_every["starts"]["left"][0]
    assert len(told_every["starts"]["tables"][0]["rows"]) == 20
    assert told_every["starts"]["sentences"][0].count("all 10") == 1


# The table


def test_the_table_has_starts_prices_and_sizes(told):
    mnist, _ = told["table"]
    rows = {row[1]: dict(zip(mnist["head"], row, strict=True)) for row in mnist["rows"]}
    assert len(rows) == 8
    worth = rows["worth-high"]
    assert (worth["Method"], worth["Start"], worth["Price"]) == ("by worth", "60", "$10^(-4)$")
    assert worth["Final size"].startswith("24.1 ±") and worth["To baseline"].endswith("\\*")
    assert worth["To static"].startswith("0.0") and "±" in worth["To static"]
    still = rows["static"]
    assert still["Start"] == "60" and still["Price"] == still["To baseline"] == "–"
    assert rows["flexible-high-matched"]["Start"] == "–"


def test_variants_of_a_method_stand_together(told_every):
    heads = [row[0] for table in told_every["table"][:2] for row in table["rows"]]
    assert heads == sorted(heads, key=list(resizing_words.NAMES.values()).index)


def test_diverged_runs_are_told(told_every):
    row = next(
        row for table in told_every["table"] for row in table["rows"] if row[1] == "worth-low"
    )
    assert row[-1] == "2 (1 diverged)"
    assert "seeds diverged: 1 of 3 in `worth-low`" in " ".join(told_every["accuracies"])


def test_the_price_is_held_against_a_static_network_that_pays_it(usual, told):
    study = ResizingStudy(usual)
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
    assert "lower for `sparsified-low`" in told["objectives"][0]
    assert "higher for `flexible-low`" in told["objectives"][0]


# Against static networks, and harder data


def test_matched_networks_are_compared_on_both_splits(told):
    first, best, *_ = told["matched"]
    assert "against a static network of the size that the layer has come to" in first
    assert "test accuracy is lower for `flexible-high` (−2.0" in first
    assert "training accuracy is lower" in first and "most accurate" in best
    assert "less accurate in 2 of 2" in " ".join(told["abstract"])


def test_better_layers_are_told(tmp_path):
    study = study_of(tmp_path, better={"flexible": 0.02})
    assert "test accuracy is higher for `flexible-high`" in next(resizing_matched.matched(study))
    assert "less accurate in none of 2" in next(resizing_matched.counted(study))


def test_sizes_on_harder_data_are_told_by_outcome(told):
    first, second = told["harder"]
    assert first.startswith("Fashion-MNIST is the harder one, by the accuracy of `static`")
    assert "larger for `sparsified-low`" in first and "smaller for `flexible-low`" in first
    assert second == "So all sparsified layers and layers sorted by worth are larger there."


def test_layers_that_are_smaller_on_harder_data_are_against_us(told, tmp_path):
    assert "harder data make" not in " ".join(told["findings"]["against"])
    study = study_of(tmp_path, worth_on_harder=0.5)
    (text,) = resizing_matched.against(study)
    assert "But `worth-low` (−" in text
    assert text.endswith("become smaller from MNIST to Fashion-MNIST.")
    against = resizing_findings.findings(study)["against"]
    assert sum("harder data" in each for each in against) == 1


# The boundary


@pytest.mark.parametrize(
    ("share", "says"),
    [
        (Interval(0.05, 0.0, 3, 0.01, 0.09), "gone"),
        (Interval(0.5, 0.0, 3, 0.2, 0.8), "less"),
        (Interval(1.0, 0.0, 3, 0.95, 1.05), "kept"),
        (Interval(2.0, 0.0, 3, 1.5, 2.5), "grown"),
        (Interval(1.0, 0.0, 3, 0.5, 1.5), "open"),
        (Interval(0.05, NAN, 1, NAN, NAN), "gone"),
    ],
)
def test_weights_beyond_the_boundary_are_sorted(share, says):
    found = resizing_boundary.sorted_out({"a": share})
    assert [key for key, names in found.items() if names] == [says]


def test_weights_beyond_the_boundary_are_told_with_and_without_decay(told, told_every):
    few = " ".join(told["switched_off"])
    assert "without $L_2$" in few and "No flexible layer was trained with $L_2$" in few
    assert "below zero, outwards, for `flexible-low` (−1.0" in few
    assert "the proposition tells where training leads" in few
    against = " ".join(told["findings"]["against"])
    assert "the loss still pulls at the boundary of `flexible-low` and `flexible-high`" in against
    many = " ".join(told_every["switched_off"])
    assert "with an $L_2$ of $10^(-6)$, $10^(-4)$ or $10^(-3)$" in many
    assert "as good as gone in `free-low-l2-1e-6`" in many
    assert "No flexible layer" not in many


def test_boundaries_that_nothing_pulls_at_are_told(tmp_path):
    study = study_of(tmp_path, pull=0.0)
    assert "No interval tells it from zero" in " ".join(resizing_boundary.gradients(study))
    assert not list(resizing_boundary.against(study))


# Orders


def test_orders_are_told_by_falling_agreement(told):
    agreement, kept, chance = told["orders"][:3]
    assert agreement.index("gradient times activation") < agreement.index("Fisher")
    assert agreement.index("Fisher") < agreement.index("incoming")
    assert "it is less for" in kept and "Each of these orders is better than chance" in chance
    assert "(epochs 1 to 2)" in told["stability"][0] and "(epochs 2 to 4)" in told["stability"][0]


def test_what_keeps_more_than_the_exact_order_is_against_us(tmp_path):
    study = study_of(tmp_path, exact=-0.7)
    (text,) = resizing_orders.against(study)
    assert "We expected that the exact order keeps most" in text
    assert (
        "more is kept on MNIST by" in text
        and "; on Fashion-MNIST by" in text
        and "chance (" in text
    )
    told = " ".join(resizing_orders.orders(study))
    assert "more for" in told and "Worse than chance by their interval: the exact increase." in told


def test_orders_beside_chance_have_a_sentence_for_every_outcome():
    def row(measure, low, high):
        return SimpleNamespace(
            measure=measure, area=0.5, area_low=0.4, area_high=0.6, n=3, below_exact=NAN,
            below_low=NAN, below_high=NAN, above_random=(low + high) / 2, above_low=low,
            above_high=high,
        )  # fmt: skip

    def said(*rows):
        return " ".join(resizing_orders._kept("X", rows))

    assert "Each of these" in said(row("zeroing", 0.1, 0.2), row("fisher", 0.1, 0.2))
    assert "No order is told" in said(row("zeroing", -0.1, 0.2), row("fisher", -0.1, 0.2))
    mixed = said(row("zeroing", -0.2, -0.1), row("fisher", -0.1, 0.2), row("spread", 0.1, 0.2))
    assert "Worse than chance by their interval: the exact increase." in mixed
    assert "Not told from chance by their interval: Fisher" in mixed
    assert "activation" not in mixed


def test_an_order_that_is_not_stable_is_against_us():
    row = SimpleNamespace(
        variant="a", measure="zeroing", epoch=2, epochs_apart=1, n=3, distance=30.0,
        distance_low=20.0, distance_high=40.0,
    )  # fmt: skip
    study = SimpleNamespace(
        datasets=["mnist"], baseline="a", runs={"a": {}},
        records=lambda name, _: [row] if name == "order_stability" else [],
    )  # fmt: skip
    (text,) = resizing_orders.against(study)
    assert f"two unrelated orders, a third, on MNIST (30.0{SPACE}% [20.0, 40.0])" in text
    row.distance_high = 33.0
    assert not list(resizing_orders.against(study))


# Claims


def claim_row(outcome, key="size_independent_of_start", dataset="mnist", unit="neurons"):
    return SimpleNamespace(
        claim=key, dataset=dataset, variant="a", other="b", value=5.0, low=3.0, high=7.0, n=3,
        unit=unit, outcome=outcome,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("key", "of", "outcome", "says"),
    [
        ("size_independent_of_start", "the journal", "agrees", "As the journal has it, a flexible"),
        ("size_independent_of_start", "the journal", "disagrees", "Not so on MNIST (5.0"),
        ("two_phase_larger", "we", "agrees", "As we expected, in two phases"),
        ("two_phase_larger", "we", "disagrees", "We expected that in two phases"),
        ("sparsified_start_matters", "the journal asks", "agrees", "It is so on MNIST"),
        ("sparsified_start_matters", "the journal asks", "disagrees", "within the margin, on"),
    ],
)
def test_each_outcome_of_a_claim_has_its_sentence(key, of, outcome, says):
    study = SimpleNamespace(records=lambda _: [claim_row(outcome, key)])
    (text,) = resizing_claims.told(study, of, outcome)
    assert says in text
    for other in {"agrees", "disagrees"} - {outcome}:
        assert not list(resizing_claims.told(study, of, other))
    assert not list(resizing_claims.told(study, of, outcome, leave={key}))


def test_what_stays_open_is_told_by_whose_it_is():
    rows = [
        claim_row("open"),
        claim_row("open", dataset="fashion_mnist"),
        claim_row("open", "sparsified_start_matters"),
        claim_row("agrees", "two_phase_larger"),
        claim_row("open", "worth_larger_on_harder", dataset="both"),
    ]
    journal, ours = resizing_claims.left_open(SimpleNamespace(records=lambda _: rows))
    assert (
        "whether a flexible layer comes to one size whatever its start (MNIST and Fash" in journal
    )
    assert "; whether the start matters to the size of a sparsified layer (MNIST)." in journal
    assert (
        ours == "Of what we expected: whether layers sorted by worth become larger on harder data."
    )
    assert not list(resizing_claims.left_open(SimpleNamespace(records=lambda _: rows[3:4])))


@pytest.mark.parametrize(
    ("unit", "says"),
    [
        ("neurons", f"5.0{SPACE}neurons [3.0, 7.0]"),
        ("points", f"5.00{SPACE}points [3.00, 7.00]"),
        ("nats", f"5.0000{SPACE}nats [3.0000, 7.0000]"),
        ("share of initial", f"500.0{SPACE}% [300.0, 700.0]"),
        ("jumps a run", f"5.00{SPACE}jumps [3.00, 7.00]"),
    ],
)
def test_values_of_claims_have_their_unit(unit, says):
    assert resizing_claims.found(claim_row("open", unit=unit)) == says


def test_claims_that_were_not_run_are_told_and_not_tabled(told, told_every):
    claims = told["claims"]
    assert f"14{SPACE}claims would need variants" in claims["not_run"]
    assert all(row[-2] != "not run" for table in claims["tables"] for row in table["rows"])
    assert told_every["claims"]["not_run"] == ""
    assert sum(len(table["rows"]) for table in told_every["claims"]["tables"]) == 43


def test_a_reason_is_given_once(told):
    rows = [row for row in told["claims"]["tables"][0]["rows"] if row[0].startswith("A flexible")]
    assert "(@resizing-why)" in rows[0][-1] and rows[1][-1] == "as above"


def test_claims_are_counted_by_whose_they_are(told):
    first, second = told["claims"]["sentences"]
    assert first.startswith(f"Of the journal's claims, held against 10{SPACE}results, 2 are borne")
    assert second.startswith(f"Of our own, held against 3{SPACE}results")


# The experiment, published figures, what falls short


def test_the_experiment_is_described(told, told_every):
    setup = told["setup"]
    assert setup["decay"] == "There is no weight decay."
    assert setup["prices"] == "0.01, $10^(-3)$ or $10^(-4)$ nats a neuron"
    assert "3\u00a0rounds, 15\u00a0% of the steps after the last edit" in setup["rounds"][1]
    assert "the first 300 images of each split" in setup["shown"]
    assert "The slope $k$ is 1 a neuron" in setup["boundary"]
    assert len(setup["methods"]) == 5
    assert len(told_every["setup"]["methods"]) == len(sizing.METHODS)
    assert "nothing is paid for in" in told_every["setup"]["prices"]
    assert "Where a variant says so" in told_every["setup"]["decay"]
    assert "Weights decay by an $L_2$ of 0.1" in resizing_setup.decay([0.1, 0.1])
    assert "all images of a split" in resizing_setup.shown([None])
    assert "or of all images" in resizing_setup.shown([None, 10])


def test_each_of_our_values_stands_beside_one_published(told):
    (table,) = told["beside"]["tables"]
    keys = [(row[0], row[8], row[6]) for row in table["rows"]]
    assert len(keys) == len(set(keys)) > 0
    # Settings that are known are nearer than those that were not recorded.
    row = next(row for row in table["rows"] if row[6] == "size" and row[8] == "flexible-high")
    assert row[2:5] == ["250", "$10^(-3)$", "0"]
    assert "271\u00a0published figures" in told["beside"]["sentences"][0]
    assert (
        told["older"]
        == f"Its figures are of 1 to 30 runs each after up to 60{SPACE}epochs, without intervals."
    )


def test_what_falls_short_follows_what_was_run(told, told_every, tmp_path):
    few, many = " ".join(told["short_of"]), " ".join(told_every["short_of"])
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
