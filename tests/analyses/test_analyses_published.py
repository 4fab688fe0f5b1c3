"""Published figures beside ours."""

import math
from pathlib import Path

import made_tables
import pandas as pd
import pytest
from made_tables import one

from sidestep.analyses import published
from sidestep.errors import UserError

VALUES = {
    ("accuracy", "train"): lambda at: (0.9 if at.width > 16 else 0.8) + 0.01 * at.seed,
    ("dead_neurons", "train"): lambda at: float(at.seed),
}
POOLED = {("normality_all", "train"): lambda at: 0.9 if at.width == 32 else 0.8}
CURVES = {("explained_variance", "train", 2.0): lambda at: 100.0 + at.seed}


def row(quantity: str, value: float, width: object = 32, epochs: int = 3, **more: object) -> dict:
    given = {
        "source": "someone",
        "study": "width",
        "dataset": "mnist",
        "width": width,
        "epochs": epochs,
        "quantity": quantity,
        "component": None,
        "value": value,
        "images": "train",
        "how": "exact",
        "note": "",
    }
    return given | more


@pytest.fixture
def compare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def run(*rows: dict, **changes: object) -> pd.DataFrame:
        path = tmp_path / "published.csv"
        pd.DataFrame(rows).to_csv(path, index=False)
        monkeypatch.setattr(published, "PATH", path)
        tables = made_tables.tables(
            VALUES,
            pooled=POOLED,
            components=CURVES,
            **changes,  # type: ignore[arg-type]
        )
        return published.analyse(tables)

    return run


@pytest.mark.parametrize(
    ("figure", "outcome"),
    [
        (row("dead_neurons", 1.5), "agrees"),
        (row("dead_neurons", 9.0), "differs"),
        (row("dead_neurons", 1.5, epochs=30), "different epochs"),
        (row("dead_neurons", 1.5, width=40), "different width"),
        (row("dead_neurons", 1.5, width=40, epochs=2), "different width and epochs"),
        (row("normality_all", 0.9), "no interval"),
        (row("two_gammas_share", 0.9), "not defined"),
        (row("explained_variance", 101, component=2), "agrees"),
        (row("explained_variance", 101, component=3), "not defined"),
        (row("normality_all_peak", 32, width=None), "no interval"),
        (row("accuracy_saturation", 32, width=None), "agrees"),
        (row("accuracy_saturation", 16, width=None), "differs"),
        (row("unheard_of", 16), "not defined"),
    ],
)
def test_outcomes(compare, figure: dict, outcome: str) -> None:
    assert list(compare(figure)["outcome"]) == [outcome]


def test_numbers(compare) -> None:
    frame = compare(
        row("dead_neurons", 1.5, width=40, epochs=30),
        row("normality_all", 0.95),
        row("dead_neurons", 1.5, dataset="cifar10"),
        row("dead_neurons", 1.5, study="resizing"),
    )
    assert len(frame) == 2
    near = one(frame, quantity="dead_neurons")
    assert (near["our_width"], near["our_epochs"], near["our_source"]) == (32, 3, "network")
    assert near["mean"] == 1 and near["difference"] == pytest.approx(-0.5) and near["n"] == 3
    assert near["high"] - near["mean"] == pytest.approx(4.302652729911275 / math.sqrt(3))
    pooled = one(frame, quantity="normality_all")
    assert pooled["our_source"] == "pooled" and pooled["difference"] == pytest.approx(-0.05)


def test_one_seed_has_no_interval(compare) -> None:
    assert list(compare(row("dead_neurons", 0.0), seeds=(4,))["outcome"]) == ["no interval"]


def test_nothing_published_of_this_study(compare) -> None:
    frame = compare(row("dead_neurons", 1.0, study="other"))
    assert len(frame) == 0 and list(frame.columns) == [*published.PUBLISHED, *published.OURS]


def test_no_file_and_a_lacking_column(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such file"):
        published.read(tmp_path / "published.csv")
    (tmp_path / "published.csv").write_text("source,study\n")
    with pytest.raises(UserError, match="lacks the column dataset"):
        published.read(tmp_path / "published.csv")


def test_the_projects_own_file_is_sound() -> None:
    frame = published.read(published.PATH)
    assert frame["how"].isin(["exact", "calculated", "eye", "text"]).all()
    assert (
        frame[["source", "study", "dataset", "epochs", "quantity", "value"]]
        .notna()
        .to_numpy()
        .all()
    )
    key = ["source", "study", "dataset", "width", "epochs", "quantity", "component", "images"]
    assert not frame.duplicated(key).any()
