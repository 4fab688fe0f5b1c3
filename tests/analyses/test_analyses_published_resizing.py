"""Published figures of layers that size themselves, beside a small made study."""

import dataclasses
import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from made_resizing import DECAY, PRICE, flexible, interval, sparsified
from made_resizing_more import RUNS, SIZES, of, study
from made_tables import one

from sidestep import sizing
from sidestep.analyses import published_resizing
from sidestep.analyses.shared import published
from sidestep.errors import UserError
from sidestep.registry import PACKAGE
from sidestep.study import Variant

NAN = math.nan


def figure(**changes: Any) -> dict[str, Any]:
    given = {
        "source": "someone", "dataset": "mnist", "method": "flexible", "start": 5, "price": PRICE,
        "decay": DECAY, "epochs": 4, "neurons": 50, "slope": 1, "pretrained": 0,
        "quantity": "size", "value": 21.0, "seeds": 7, "how": "read by eye", "note": "",
    }  # fmt: skip
    return given | changes


@pytest.fixture
def compare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    def against(*figures: dict[str, Any], **given: Any) -> pd.DataFrame:
        path = tmp_path / "published_resizing.csv"
        pd.DataFrame(figures).to_csv(path, index=False)
        monkeypatch.setattr(published_resizing, "PATH", path)
        return published_resizing.analyse(study(**given))

    return against


SPARSE = {"method": "sparsified", "start": 50, "slope": None}


@pytest.mark.parametrize(
    ("changes", "variant", "outcome", "differs_in"),
    [
        ({}, "soft-low", "agrees", ""),
        ({"value": 30.0}, "soft-low", "differs", ""),
        ({"start": 6}, "soft-low", "agrees", ""),
        ({"start": 7}, "soft-low", "other settings", "start"),
        ({"start": 18}, "soft-middle", "other settings", "start"),
        ({"start": 45}, "soft-high", "other settings", "start"),
        ({"decay": 0}, "soft-light", "differs", ""),
        ({"decay": 0, "price": 0}, "unpriced", "differs", ""),
        # Of a price that nobody has the nearest in decades; a price is farther from none.
        ({"price": 1e-4}, "soft-low", "other settings", "price"),
        ({"price": 1e-5}, "soft-low", "other settings", "price"),
        ({"price": 1e-8}, "unpriced-decayed", "other settings", "price"),
        ({"price": PRICE * 1.005}, "soft-low", "agrees", ""),
        # The same decay counts more than the same start, one that is the same more than none.
        ({"decay": 0, "start": 40}, "soft-light", "other settings", "start"),
        ({"decay": 0.001, "start": 40}, "soft-high", "other settings", "decay"),
        ({"decay": 0.001, "start": 30, "price": 0}, "unpriced-decayed", "other settings",
         "decay;start"),
        ({"neurons": 500}, "soft-low", "other settings", "neurons"),
        ({"slope": 0.4}, "soft-low", "other settings", "slope"),
        ({"pretrained": 5}, "soft-low", "other settings", "pretrained"),
        ({"epochs": 60}, "soft-low", "other settings", "epochs"),
        # Not recorded: neither the same nor known to differ.
        ({"price": None}, "soft-low", "other settings", ""),
        ({"start": None}, "soft-low", "other settings", ""),
        ({"decay": None}, "soft-low", "other settings", ""),
        ({"method": "flexible_trainable_slope"}, "", "not run", ""),
        ({"method": "flexible_random_slope", "slope": None, "price": 0, "decay": 0}, "blurred",
         "differs", ""),
        ({"method": "flexible_pretrained", "price": 0, "decay": 0, "pretrained": 2, "epochs": 2,
          "value": 13.0}, "later", "agrees", ""),
        ({"method": "flexible_pretrained", "price": 0, "decay": 0, "pretrained": 2}, "later",
         "other settings", "epochs"),
        (SPARSE, "sparse-high", "differs", ""),
        (SPARSE | {"price": 1e-4}, "sparse-cheap", "differs", ""),
    ],
)  # fmt: skip
def test_outcomes_of_published_figures(
    compare: Any, changes: dict[str, Any], variant: str, outcome: str, differs_in: str
) -> None:
    (row,) = compare(figure(**changes)).to_dict("records")
    assert (row["variant"], row["outcome"], row["differs_in"]) == (variant, outcome, differs_in)


def test_numbers_beside_published_sizes(compare: Any) -> None:
    (row,) = compare(figure()).to_dict("records")
    mean, low, high = interval(SIZES["soft-low"])
    assert [row["ours"], row["low"], row["high"]] == pytest.approx([mean, low, high])
    assert row["difference"] == pytest.approx(mean - 21) and row["n"] == 3
    # On the way: after half the epochs, and nearest to a time that was not evaluated.
    half = interval(of("soft-low", at=0.5))
    found = compare(figure(epochs=2), figure(epochs=1.9), figure(epochs=0.5))
    assert list(found["ours"])[:2] == pytest.approx([half[0]] * 2)
    assert list(found["differs_in"]) == ["", "epochs", ""]
    # A pretrained one's epochs count from where its size begins to move.
    (late_row,) = compare(
        figure(method="flexible_pretrained", price=0, decay=0, pretrained=2, epochs=1)
    ).to_dict("records")
    begin = 45 + 0.75 * (np.array(SIZES["later"]) - 45)
    assert late_row["ours"] == pytest.approx(np.mean(begin)) and late_row["differs_in"] == ""


def test_numbers_beside_published_accuracies(compare: Any) -> None:
    accuracies = {
        "soft-low": (0.960, 0.962, 0.961),
        "soft-low-again": (0.965, 0.966, 0.967),
        "plain-small": (0.98, 0.97, 0.99),
    }
    quantities = ("test_accuracy", "train_accuracy", "matched_difference", "best_difference")
    figures = [figure(quantity=q, value=0.0) for q in (*quantities, "train_best_difference")]
    found = compare(*figures, accuracies=accuracies)
    its = {name: np.array(values) for name, values in accuracies.items()}
    expected = (
        its["soft-low"],
        1 - (1 - its["soft-low"]) / 2,
        its["soft-low"] - its["soft-low-again"],
        its["soft-low"] - its["plain-small"],
        (its["soft-low"] - its["plain-small"]) / 2,
    )
    for (_, row), values in zip(found.iterrows(), expected, strict=True):
        assert [row["ours"], row["low"], row["high"]] == pytest.approx(interval(values))
    # A variant without a matched one has no difference from it.
    (row,) = compare(figure(quantity="matched_difference", start=40)).to_dict("records")
    assert (row["variant"], row["outcome"], row["n"]) == ("soft-high", "not run", 0)
    assert compare(figure(quantity="best_difference", epochs=3))["differs_in"].item() == "epochs"


def test_settings_that_our_runs_may_have_otherwise(compare: Any) -> None:
    def differs_in(**changes: Any) -> str:
        found = compare(figure(), runs={"soft-low": {**RUNS["soft-low"], **changes}})
        return str(found["differs_in"].item())

    assert differs_in() == ""
    assert differs_in(batch_size=64) == "batch_size"
    assert differs_in(validation=5000) == differs_in(train_images=20_000) == "train_images"
    assert differs_in(schedule={"name": "cosine"}) == "optimiser"
    slower = {"name": "adam", "lr": 1e-4, "weight_decay": DECAY}
    assert differs_in(optimiser=slower) == "optimiser"
    gate = {**RUNS["soft-low"]["gates"]["hidden"], "lr": 0.1}
    assert differs_in(gates={"hidden": gate}) == "optimiser"
    random = {"slope_is": "random", "zone_to": 30.0}
    found = compare(
        figure(method="flexible_random_slope", slope=None),
        runs={"blurred": flexible(5.0, gate=random)},
    )
    assert found["differs_in"].item() == "slope"
    found = compare(
        figure(method="sparsified", start=1000, neurons=1000, slope=None),
        runs={"sparse-high": sparsified(50)},
    )
    assert found["differs_in"].item() == "start;neurons"


def test_networks_of_more_layers_are_not_compared() -> None:
    cnn = {**flexible(5.0), "network": {"name": "mnist_cnn"}}
    cnn["gates"] = {"dense": cnn["gates"]["hidden"]}
    assert sizing.method(cnn) == "flexible"
    made = study({"soft-low": RUNS["soft-low"]}).study
    both = (Variant("cnn", {}, cnn), *made.variants)
    found, _ = published_resizing._nearest(figure(), dataclasses.replace(made, variants=both[:1]))
    assert found is None
    found, _ = published_resizing._nearest(
        figure(start=400), dataclasses.replace(made, variants=both)
    )
    assert found is not None and found.name == "soft-low"


def test_seeds_and_data_sets_that_are_missing(compare: Any) -> None:
    single = {name: its[:1] for name, its in SIZES.items()}
    assert compare(figure(), sizes=single)["outcome"].item() == "no interval"
    lost = [("mnist", "soft-low", seed) for seed in range(3)]
    (row,) = compare(figure(), diverged=lost).to_dict("records")
    assert (row["outcome"], row["variant"], row["n"]) == ("not run", "soft-low", 0)
    found = compare(figure(), figure(dataset="fashion_mnist"), datasets=("mnist",))
    assert list(found["dataset"]) == ["mnist"]


def test_no_file_and_a_lacking_column(tmp_path: Path) -> None:
    path = tmp_path / "published_resizing.csv"
    with pytest.raises(UserError, match="no such file"):
        published_resizing.read(path)
    path.write_text("source,dataset\n")
    with pytest.raises(UserError, match="lacks the column method"):
        published_resizing.read(path)


@pytest.mark.parametrize(
    ("n", "low", "high", "comparable", "outcome"),
    [
        (0, NAN, NAN, True, "not run"),
        (3, 0.0, 1.0, False, "other settings"),
        (1, NAN, NAN, True, "no interval"),
        (3, 0.0, 1.0, True, "agrees"),
        (3, 0.6, 1.0, True, "differs"),
        (3, 0.0, 0.4, True, "differs"),
    ],
)
def test_what_is_said_of_a_published_value(
    n: int, low: float, high: float, comparable: bool, outcome: str
) -> None:
    assert published.outcome({"n": n, "low": low, "high": high}, 0.5, comparable=comparable) == (
        outcome
    )


def test_the_projects_own_file_is_sound() -> None:
    frame = published_resizing.read(published_resizing.PATH)
    known = (PACKAGE.parents[1] / "paper" / "references.bib").read_text(encoding="utf-8")
    sources = set(re.findall(r"^@\w+\{([^,]+),", known, flags=re.MULTILINE))
    assert set(frame["source"]) <= sources
    assert set(frame["dataset"]) == {"mnist", "fashion_mnist"}
    assert set(frame["method"]) <= set(sizing.METHODS)
    assert set(frame["how"]) == {"exact", "read by eye"}
    assert not frame.duplicated().any()
    sizes = frame[frame["quantity"] == "size"]["value"]
    assert sizes.between(5, 1000).all()
    shares = frame[frame["quantity"].isin(["test_accuracy", "train_accuracy"])]["value"]
    assert shares.between(0.8, 1).all()
    differences = frame[frame["quantity"].str.endswith("difference")]["value"]
    assert differences.abs().max() < 0.05
    assert len(sizes) + len(shares) + len(differences) == len(frame)
    sparse = frame["method"] == "sparsified"
    assert (frame[sparse]["start"] == frame[sparse]["neurons"]).all()
    assert frame[sparse]["slope"].isna().all() and (frame[~sparse]["neurons"] == 500).all()
    # Before the fix every run truly started at 1.
    early = frame["note"].str.startswith("before the fix")
    assert (frame[early]["start"] == 1).all() and (frame[~early]["start"] != 1).all()
    pretrained = frame["method"] == "flexible_pretrained"
    assert set(frame[pretrained]["pretrained"]) == {5, 10}
    assert (frame[~pretrained]["pretrained"] == 0).all()


@pytest.mark.parametrize(
    ("where", "value"),
    [
        ({"method": "sparsified", "start": 1000, "price": 0.001, "epochs": 10, "quantity": "size"},
         150.2),
        ({"method": "sparsified", "start": 1000, "price": 1e-7, "epochs": 60, "quantity": "size"},
         785.43),
        ({"method": "sparsified", "start": 1000, "price": 0.1, "epochs": 3,
          "quantity": "test_accuracy"}, 0.9218),
        ({"method": "sparsified", "start": 500, "price": 0.001, "quantity": "size"}, 105),
        ({"method": "flexible", "start": 450, "decay": 0.001}, 476),
        ({"method": "flexible", "start": 475, "decay": 0}, 509),
        ({"method": "flexible_random_slope", "epochs": 30, "dataset": "mnist"}, 136),
        ({"method": "flexible_pretrained", "pretrained": 5, "epochs": 60, "dataset": "mnist"}, 115),
        ({"quantity": "best_difference", "start": 250, "price": 0.001,
          "dataset": "fashion_mnist"}, -0.0128),
        ({"quantity": "train_best_difference", "price": 0.00316228, "dataset": "mnist"}, -0.0106),
    ],
)  # fmt: skip
def test_published_figures_as_in_their_source(where: dict[str, Any], value: float) -> None:
    frame = published_resizing.read(published_resizing.PATH)
    assert one(frame, **where)["value"] == pytest.approx(value)


def test_the_projects_own_file_beside_a_study() -> None:
    table = published_resizing.analyse(study())
    assert len(table) == len(published_resizing.read(published_resizing.PATH))
    # Our made layers have 50 neurons.
    assert set(table["outcome"]) == {"other settings"}
    assert table["differs_in"].str.contains("neurons").all() and table["ours"].notna().all()
