"""Every outcome has a sentence that is true of it: weights beyond the boundary of a layer that sizes itself."""

import math

import pytest
from made_sizes_study import study_of

from sidestep.paper.parts import resizing_boundary
from sidestep.statistics.intervals import Interval

NAN = math.nan


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


def test_weights_beyond_the_boundary_are_told_with_and_without_decay(told_sizes, told_all_sizes):
    few = " ".join(told_sizes["switched_off"])
    assert "without $L_2$" in few and "No flexible layer was trained with $L_2$" in few
    assert "below zero, outwards, for `flexible-low` (−1.0" in few
    assert "the proposition tells where training leads" in few
    against = " ".join(told_sizes["findings"]["against"])
    assert "the loss still pulls at the boundary of `flexible-low` and `flexible-high`" in against
    many = " ".join(told_all_sizes["switched_off"])
    assert "with an $L_2$ of $10^(-6)$, $10^(-4)$ or $10^(-3)$" in many
    assert "as good as gone in `free-low-l2-1e-6`" in many
    assert "No flexible layer" not in many


def test_boundaries_that_nothing_pulls_at_are_told(tmp_path):
    study = study_of(tmp_path, pull=0.0)
    assert "No interval tells it from zero" in " ".join(resizing_boundary.gradients(study))
    assert not list(resizing_boundary.against(study))
