"""Every outcome has a sentence that is true of it: orders of neurons."""

import math
from types import SimpleNamespace

from made_sizes_study import SPACE, study_of

from sidestep.paper.parts import resizing_orders

NAN = math.nan


def test_orders_are_told_by_falling_agreement(told_sizes):
    agreement, kept, chance = told_sizes["orders"][:3]
    assert agreement.index("gradient times activation") < agreement.index("Fisher")
    assert agreement.index("Fisher") < agreement.index("incoming")
    assert "it is less for" in kept and "Each of these orders is better than chance" in chance
    assert (
        "(epochs 1 to 2)" in told_sizes["stability"][0]
        and "(epochs 2 to 4)" in told_sizes["stability"][0]
    )


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
