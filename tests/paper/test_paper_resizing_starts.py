"""Every outcome has a sentence that is true of it: what layers that size themselves keep of their starts."""

import math
from types import SimpleNamespace

import pytest
from made_sizes_study import ACROSS, DOWN, NONE, SINGLE, SPACE, UP, study_of

from sidestep.paper.parts import (
    resizing_findings,
    resizing_starts,
    resizing_study,
)

NAN = math.nan


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


def test_a_start_that_is_kept_is_told_first(told_sizes):
    (first, *_) = told_sizes["findings"]["against"]
    assert "We expected that layers sorted by worth forget where they start" in first
    assert f"still differ by 5.3{SPACE}neurons [4.9, 5.7] on MNIST" in first
    # The claim of equality within a margin, which this start keeps, is not told as if it were forgotten.
    assert "come to nearly one size" in " ".join(told_sizes["findings"]["supporting"])
    assert f"10.2{SPACE}% for layers sorted by worth" in told_sizes["starts"]["left"][0]
    assert "less of the start is left" in " ".join(told_sizes["starts"]["left"])
    assert "in 2 of 2" in told_sizes["abstract"][1]
    assert told_sizes["abstract"][0].startswith(f"Of 6{SPACE}comparisons")


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


def test_several_groups_of_a_method_have_one_sentence(told_all_sizes):
    against, accuracy = told_all_sizes["findings"]["against"][:2]
    assert "Nor are layers sorted by worth as accurate from every start" in accuracy
    assert "at $10^(-3)$" in against and "at $10^(-5)$" in against
    assert "least, " in told_all_sizes["starts"]["left"][0]
    assert len(told_all_sizes["starts"]["tables"][0]["rows"]) == 20
    assert told_all_sizes["starts"]["sentences"][0].count("all 10") == 1
