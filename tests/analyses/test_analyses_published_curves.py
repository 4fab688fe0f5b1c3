"""Figures that older works published of blocks, beside ours."""

import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from made_blocks import ENDS, FAMILY, MLP, NAN, Curves, blocks, ends, interval, made, run
from made_tables import one

from sidestep import config_schema, registry, variants
from sidestep.analyses import (
    published_curves,
)
from sidestep.errors import UserError
from sidestep.registry import PACKAGE


def figure(**changes: Any) -> dict[str, Any]:
    given = {
        "source": "someone", "run": "theirs", "method": "end_to_end", "network": "basic_cnn",
        "augmented": 0, "dataset": "cifar10", "head": "", "channels": 128, "train_images": 50000,
        "batch_size": 256, "learning_rate": 3e-5, "optimiser": "adam",
        "normalisation": "symmetric", "epoch": 2, "split": "test", "quantity": "accuracy",
        "value": 0.62, "how": "exact",
    }  # fmt: skip
    return given | changes


@pytest.fixture
def compare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    def against(
        *figures: dict[str, Any], runs: Any = FAMILY, values: Curves = ENDS
    ) -> pd.DataFrame:
        path = tmp_path / "published_curves.csv"
        pd.DataFrame(figures).to_csv(path, index=False)
        monkeypatch.setattr(published_curves, "PATH", path)
        return published_curves.analyse(made(runs, values))

    return against


@pytest.mark.parametrize(
    ("changes", "outcome", "differs_in"),
    [
        ({}, "agrees", ""),
        ({"value": 0.9}, "differs", ""),
        ({"epoch": 2.0, "learning_rate": 0.00003}, "agrees", ""),
        ({"epoch": 200}, "other settings", "epoch"),
        ({"batch_size": 64, "learning_rate": 0.1, "optimiser": "sgd"}, "other settings",
         "batch_size;learning_rate;optimiser"),
        ({"channels": 64, "train_images": 45000, "normalisation": "unit", "epoch": 7},
         "other settings", "channels;train_images;normalisation;epoch"),
        # Not recorded: neither the same nor known to differ.
        ({"optimiser": None, "learning_rate": None}, "other settings", ""),
        ({"how": "exact; best test epoch"}, "other settings", "epoch"),
        ({"how": "exact; mean of 50 epochs"}, "agrees", ""),
        ({"split": "train", "value": 0.72}, "other settings", "epoch"),
        ({"method": "cdni"}, "not run", ""),
        ({"augmented": 1}, "not run", ""),
        ({"network": "vgg16"}, "not run", ""),
        ({"split": "validation"}, "not run", ""),
        ({"method": "sequential", "head": "mlp", "value": 0.515}, "agrees", ""),
    ],
)  # fmt: skip
def test_outcomes_of_published_figures(
    compare: Any, changes: dict[str, Any], outcome: str, differs_in: str
) -> None:
    (row,) = compare(figure(**changes)).to_dict("records")
    assert (row["outcome"], row["differs_in"]) == (outcome, differs_in)


def test_numbers_beside_published_ones(compare: Any) -> None:
    frame = compare(figure(epoch=1), figure(dataset="mnist"), figure(epoch=40))
    assert list(frame.columns) == published_curves.COLUMNS and len(frame) == 2
    row = one(frame, epoch=1)
    assert (row["variant"], row["our_epoch"], row["n"], row["augmented"]) == ("backprop", 1, 3, 0)
    mean, low, high = interval([0.30, 0.31, 0.335])
    assert [row["mean"], row["low"], row["high"]] == pytest.approx([mean, low, high])
    assert row["difference"] == pytest.approx(mean - 0.62)
    assert one(frame, epoch=40)["our_epoch"] == 2
    none = compare(figure(network="vgg16")).iloc[0]
    assert none["variant"] == "" and none["n"] == 0
    assert none[["our_epoch", "mean", "difference"]].isna().all()


def test_one_seed_has_no_interval_and_none_no_value(compare: Any) -> None:
    one_seed = {key: curve for key, curve in ENDS.items() if key[1] == 0}
    assert list(compare(figure(), values=one_seed)["outcome"]) == ["no interval"]
    lost = ends(**dict.fromkeys(FAMILY, (NAN, NAN)))
    (row,) = compare(figure(), values=lost).to_dict("records")
    assert (row["outcome"], row["variant"], row["n"]) == ("not run", "backprop", 0)


def test_of_several_variants_the_nearest_is_compared(compare: Any) -> None:
    runs = {
        "rate": run(optimiser={"name": "adam", "lr": 0.1}),
        "backprop": run(),
        "linear": blocks({**MLP, "head": {"name": "linear"}}),
        "mlp": blocks(MLP),
        "mlp-fewer": blocks(MLP, train_images=1000),
        "mlp-wide": blocks({**MLP, "head": {"name": "mlp", "width": 512}}),
    }
    values = ends(**dict.fromkeys(runs, (0.5, 0.6)))
    found = compare(
        figure(),
        figure(method="dgl", head="mlp"),
        figure(method="dgl", head="unheard of"),
        figure(method="dgl", train_images=1000),
        # The settings of a head count where all else is equal.
        figure(method="dgl", head="mlp (width 512)"),
        figure(method="dgl", head="mlp (width 512)", batch_size=64),
        runs=runs,
        values=values,
    )
    expected = ["backprop", "mlp", "linear", "mlp-fewer", "mlp-wide", "mlp"]
    assert list(found["variant"]) == expected


def test_images_set_apart_are_no_training_images(compare: Any) -> None:
    runs = {"backprop": run(validation=5000)}
    found = compare(
        figure(), figure(train_images=45000), runs=runs, values=ends(backprop=(0.6, 0.64))
    )
    assert list(found["differs_in"]) == ["train_images", ""]


def test_no_file_and_a_lacking_column(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such file"):
        published_curves.read(tmp_path / "published_curves.csv")
    (tmp_path / "published_curves.csv").write_text("source,run\n")
    with pytest.raises(UserError, match="lacks the column method"):
        published_curves.read(tmp_path / "published_curves.csv")


def test_the_projects_own_file_is_sound() -> None:
    frame = published_curves.read(published_curves.PATH)
    known = (PACKAGE.parents[1] / "paper" / "references.bib").read_text(encoding="utf-8")
    sources = set(re.findall(r"^@\w+\{([^,]+),", known, flags=re.MULTILINE))
    assert set(frame["source"]) <= sources
    assert set(frame["method"]) <= set(variants.METHODS)
    assert set(frame["network"]) <= set(registry.names("networks"))
    assert set(frame["dataset"]) <= set(published_curves.TRAIN_IMAGES)
    assert set(frame["split"]) == {"train", "test"} and frame["augmented"].isin([0, 1]).all()
    assert set(frame["optimiser"]) <= {*registry.names("optimisers"), ""}
    known_words = config_schema.schema()["$defs"]["run"]["properties"]["normalisation"]["enum"]
    assert set(frame["normalisation"]) <= set(known_words)
    pattern = r"(exact|log|eye)(; (best test epoch|mean of \d+ epochs))?"
    assert frame["how"].str.fullmatch(pattern).all()
    accuracy = frame[frame["quantity"] == "accuracy"]
    assert accuracy["value"].between(0.2, 1).all() and set(frame["quantity"]) == {
        "accuracy",
        "loss",
    }
    assert not frame.duplicated(["source", "run", "epoch", "split", "quantity", "how"]).any()
    # One run has one description.
    columns = ["method", "network", "augmented", "head", *published_curves.SETTINGS]
    described = frame[["source", "run", *columns]].drop_duplicates()
    assert not described.duplicated(["source", "run"]).any()
    assert (frame["epoch"] >= 1).all() and len(frame) < 4000


@pytest.mark.parametrize(
    ("label", "epoch", "quantity", "how", "value"),
    [
        ("iteration 1, Regular", 1, "accuracy", "exact", 0.5453),
        ("iteration 1, cDNI", 320, "accuracy", "exact; best test epoch", 0.7376),
        ("iteration 1, DNI", 1500, "accuracy", "exact; mean of 50 epochs", 0.5801),
        ("iteration 3, VGG11c 0.5*DGL+0.5*SSL", 1, "accuracy", "exact", 0.4852),
        ("iteration 3, VGG11c lastBlock", 1000, "accuracy", "exact", 0.7259),
        # Its log counts from 0; the others' from 1.
        ("dgl", 1, "accuracy", "log", 0.3911),
        ("dgl", 2, "accuracy", "log", 0.4448),
        ("dgl", 1500, "accuracy", "log", 0.8505),
        ("dgl", 1001, "loss", "log", 0.1018),
        ("cdni", 1, "accuracy", "log", 0.2573),
        ("backprop", 1701, "accuracy", "log; best test epoch", 0.8572),
    ],
)
def test_published_figures_as_in_their_sources(
    label: str, epoch: int, quantity: str, how: str, value: float
) -> None:
    frame = published_curves.read(published_curves.PATH)
    split = "train" if quantity == "loss" else "test"
    row = one(frame, run=label, epoch=epoch, quantity=quantity, how=how, split=split)
    assert row["value"] == pytest.approx(value)


def test_a_training_accuracy_that_was_not_logged_is_no_zero() -> None:
    frame = published_curves.read(published_curves.PATH)
    found = frame[(frame["split"] == "train") & (frame["quantity"] == "accuracy")]
    assert set(found["run"]) == {"dgl"} and (found["value"] > 0.2).all()
