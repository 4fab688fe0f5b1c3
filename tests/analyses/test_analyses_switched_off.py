"""Weights of neurons that a boundary has switched off, on a small made study of layers that size themselves."""

import math

import numpy as np
import pandas as pd
import pytest
from made_resizing import DECAY, PRICE, interval
from made_resizing_more import CALM, RUNS, changed, study, with_losses
from made_tables import one

from sidestep import sizing
from sidestep.analyses import switched_off

NAN = math.nan
INITIAL = 0.5 / math.sqrt(50)


def test_weights_of_neurons_that_are_switched_off() -> None:
    tables = study()
    frame = tables.main
    # Weights that differ between seeds, alike inside and outside.
    factor = np.where(frame["metric"] == "gate_outgoing", 1.0, NAN)
    factor = pd.Series(factor, index=frame.index) * (1 + frame["seed"].replace("", "0").astype(int))
    tables = changed(tables, (frame["value"] * factor).fillna(frame["value"]))
    table = switched_off.analyse(tables)
    flexible_ones = [n for n, its in RUNS.items() if sizing.method(its).startswith("flexible")]
    assert list(table[table["dataset"] == "mnist"]["variant"]) == flexible_ones
    for name, off in (("soft-low", 0.01), ("soft-light", 1.0)):
        row = one(table, dataset="mnist", variant=name)
        assert row["n"] == 3 and row["initial"] == pytest.approx(INITIAL)
        assert row["inside"] == pytest.approx(6 * INITIAL)
        assert row["outside"] == pytest.approx(2 * off * INITIAL)
        assert [row["ratio"], row["ratio_low"], row["ratio_high"]] == pytest.approx([off / 3] * 3)
        shares = [row["outside_share"], row["share_low"], row["share_high"]]
        assert shares == pytest.approx(interval(off * np.array([1, 2, 3])))
    assert list(one(table, dataset="mnist", variant="soft-low")[["decay", "price"]]) == [
        DECAY,
        PRICE,
    ]


def test_neurons_are_neither_used_nor_off_in_the_grey_zone() -> None:
    tables = study({"soft-low": RUNS["soft-low"]})
    frame = tables.main
    scales = frame[frame["metric"] == "gate_scale"]
    grey = scales[(scales["value"] > 0.01) & (scales["value"] < 0.99)]
    keys = ["dataset", "seed", "component"]
    inside = frame.merge(grey[keys], on=keys, how="left", indicator=True)["_merge"] == "both"
    inside &= frame["metric"] == "gate_outgoing"
    assert inside.any()
    for spoilt in (tables, changed(tables, frame["value"].where(~inside, 1e6))):
        row = one(switched_off.analyse(spoilt), dataset="mnist")
        assert row["inside"] == pytest.approx(3 * INITIAL)
        assert row["outside"] == pytest.approx(0.01 * INITIAL)


def test_a_layer_that_is_all_used_has_nothing_switched_off() -> None:
    runs = {"soft-low": RUNS["soft-low"]}
    row = one(switched_off.analyse(study(runs, {"soft-low": (90.0, 91.0, 92.0)})), dataset="mnist")
    assert row["n"] == 0 and row[["inside", "outside", "ratio", "outside_share"]].isna().all()
    lost = with_losses(study(runs), {("soft-low", 1): (*CALM[:8], math.inf)})
    assert one(switched_off.analyse(lost), dataset="mnist")["n"] == 2
    mixed = study(runs, {"soft-low": (20.0, 91.0, 21.0)})
    assert one(switched_off.analyse(mixed), dataset="mnist")["n"] == 2
