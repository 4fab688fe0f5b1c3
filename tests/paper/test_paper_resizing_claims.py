"""Every outcome has a sentence that is true of it: claims on layers that size themselves."""

from types import SimpleNamespace

import pytest
from made_sizes_study import SPACE

from sidestep.paper.parts import resizing_claims


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


def test_claims_that_were_not_run_are_told_and_not_tabled(told_sizes, told_all_sizes):
    claims = told_sizes["claims"]
    assert f"14{SPACE}claims would need variants" in claims["not_run"]
    assert all(row[-2] != "not run" for table in claims["tables"] for row in table["rows"])
    assert told_all_sizes["claims"]["not_run"] == ""
    assert sum(len(table["rows"]) for table in told_all_sizes["claims"]["tables"]) == 43


def test_a_reason_is_given_once(told_sizes):
    rows = [
        row for row in told_sizes["claims"]["tables"][0]["rows"] if row[0].startswith("A flexible")
    ]
    assert "(@resizing-why)" in rows[0][-1] and rows[1][-1] == "as above"


def test_claims_are_counted_by_whose_they_are(told_sizes):
    first, second = told_sizes["claims"]["sentences"]
    assert first.startswith(f"Of the journal's claims, held against 10{SPACE}results, 2 are borne")
    assert second.startswith(f"Of our own, held against 3{SPACE}results")
