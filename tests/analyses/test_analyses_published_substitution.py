"""Published figures of substituted layers, beside a small made study."""

import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from made_budgets import DENSE, NAN, RUNS, VALUES, interval, made, run
from made_tables import one

from sidestep import registry
from sidestep.analyses import published_substitution
from sidestep.errors import UserError
from sidestep.registry import PACKAGE


def figure(**changes: Any) -> dict[str, Any]:
    given = {
        "source": "someone", "network": "WRN-28-10", "layer": "hashed", "setting": "0.1",
        "parameters": 3911898, "mult_adds": 5e9, "error": 0.06, "teacher": 0, "cutout": 1,
        "decay": "full", "epochs": 200, "how": "log", "note": "",
    }  # fmt: skip
    return given | changes


@pytest.fixture
def compare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    def against(*figures: dict[str, Any], **study: Any) -> pd.DataFrame:
        path = tmp_path / "published_substitution.csv"
        dense = figure(layer="dense", parameters=DENSE, error=0.04)
        pd.DataFrame([dense, *figures]).to_csv(path, index=False)
        monkeypatch.setattr(published_substitution, "PATH", path)
        return published_substitution.analyse(made(**study)).iloc[1:]

    return against


@pytest.mark.parametrize(
    ("changes", "variant", "outcome", "differs_in"),
    [
        ({}, "hashed", "agrees", ""),
        ({"error": 0.5}, "hashed", "differs", ""),
        ({"decay": "scaled"}, "hashed-decay", "agrees", ""),
        ({"teacher": 1}, "hashed-taught", "agrees", ""),
        ({"epochs": 90, "cutout": 0}, "hashed", "other settings", "epochs;cutout"),
        ({"parameters": 1e6}, "hashed", "other settings", "parameters"),
        ({"network": "WRN-16-10"}, "hashed", "other settings", "network"),
        # Not recorded: neither the same nor known to differ.
        ({"cutout": None}, "hashed", "other settings", ""),
        ({"decay": None}, "hashed", "other settings", ""),
        ({"parameters": None}, "hashed", "other settings", ""),
        ({"network": "DARTS"}, "", "not run", ""),
        ({"layer": "tucker"}, "", "not run", ""),
        ({"layer": "low_rank", "teacher": 1}, "", "not run", ""),
        # A dense network has no weights whose decay could be scaled.
        ({"layer": "dense", "parameters": DENSE, "error": 0.04, "decay": None}, "dense", "agrees",
         ""),
    ],
)  # fmt: skip
def test_outcomes_of_published_figures(
    compare: Any, changes: dict[str, Any], variant: str, outcome: str, differs_in: str
) -> None:
    (row,) = compare(figure(**changes)).to_dict("records")
    assert (row["variant"], row["outcome"], row["differs_in"]) == (variant, outcome, differs_in)


def test_numbers_beside_published_ones(compare: Any) -> None:
    row = compare(figure()).iloc[0]
    mean, low, high = interval(VALUES["hashed"])
    assert [row["accuracy"], row["low"], row["high"]] == pytest.approx([mean, low, high])
    assert row["difference"] == pytest.approx(mean - 0.94)
    assert (row["n"], row["our_parameters"], row["dataset"]) == (3, 3.9e6, "cifar10")
    none = compare(figure(layer="cp")).iloc[0]
    assert none[["accuracy", "difference", "our_parameters"]].isna().all() and none["n"] == 0


def test_of_several_variants_the_nearest_share_is_compared(compare: Any) -> None:
    runs = {"dense": run(), "large": run("hashed", 0.5), "small": run("hashed", 0.1)}
    values = dict.fromkeys(runs, (0.9, 0.92))
    # A small network of its own: the shares count, not the numbers.
    costs = {"dense": (1000.0,), "large": (500.0,), "small": (107.0,)}
    costs = {name: (*size, 1.0, 1.0, 1.0, 1.0) for name, size in costs.items()}
    given = {"runs": runs, "values": values, "costs": costs}
    found = compare(figure(), figure(parameters=2e7), figure(parameters=4e5), **given)
    assert list(found["variant"]) == ["small", "large", "small"]


def test_seeds_and_images_that_are_missing(compare: Any) -> None:
    one_seed = {name: its[:1] for name, its in VALUES.items()}
    assert list(compare(figure(), values=one_seed)["outcome"]) == ["no interval"]
    lost = VALUES | {"hashed": (NAN,) * 3}
    (row,) = compare(figure(), values=lost).to_dict("records")
    assert (row["outcome"], row["variant"], row["n"]) == ("not run", "hashed", 0)
    fewer = {**RUNS, "hashed": run("hashed", 0.1, validation=5000)}
    assert list(compare(figure(), runs=fewer)["differs_in"]) == ["train_images"]
    assert compare(figure(), datasets=("digits",)).empty


def test_no_file_and_a_lacking_column(tmp_path: Path) -> None:
    path = tmp_path / "published_substitution.csv"
    with pytest.raises(UserError, match="no such file"):
        published_substitution.read(path)
    path.write_text("source,network\n")
    with pytest.raises(UserError, match="lacks the column layer"):
        published_substitution.read(path)


def test_the_projects_own_file_is_sound() -> None:
    frame = published_substitution.read(published_substitution.PATH)
    known = (PACKAGE.parents[1] / "paper" / "references.bib").read_text(encoding="utf-8")
    sources = set(re.findall(r"^@\w+\{([^,]+),", known, flags=re.MULTILINE))
    assert set(frame["source"]) <= sources
    assert set(frame["layer"]) <= set(registry.names("layers"))
    assert frame["network"].str.fullmatch(r"WRN-\d+-\d+|DARTS").all()
    assert frame["teacher"].isin([0, 1]).all() and frame["cutout"].dropna().isin([0, 1]).all()
    assert set(frame["how"]) <= {"exact", "log", "eye", "text"}
    assert frame["error"].between(0.02, 0.31).all()
    assert frame["parameters"].dropna().between(3e5, 4e7).all()
    # Of each network there is a dense one, of which others are a share.
    assert set(frame["network"]) == set(published_substitution._dense(frame))
    assert not frame.duplicated().any()
    parts = {"full", "scaled", ""}
    other = frame[~frame["decay"].isin(parts)]
    assert set(other["layer"]) == {"acdc"} and other["decay"].str.startswith("8.8e-6 of ").all()


@pytest.mark.parametrize(
    ("layer", "setting", "taught", "decay", "parameters", "error"),
    [
        ("tensor_train", "0.7", 1, "scaled", 2413390, 0.0360),
        ("low_rank", "0.03", 1, "scaled", 601162, 0.0573),
        ("separable_hashed", "0.05", 1, "scaled", 568426, 0.0485),
        ("tucker", "0.24", 1, "scaled", 655095, 0.0538),
        ("acdc", "15", 1, "scaled", 609258, 0.0522),
        ("shuffle", "7", 1, "scaled", 719994, 0.0488),
        ("shuffle", "32", 1, "full", 378000, 0.1002),
        ("hashed", "HashedDecimate, before the fix", 1, "full", 1498842, 0.0747),
        ("tensor_train", "0.26, 3 dimensions", 1, "full", 664226, 0.0805),
    ],
)
def test_published_figures_as_in_their_sources(
    layer: str, setting: str, taught: int, decay: str, parameters: int, error: float
) -> None:
    frame = published_substitution.read(published_substitution.PATH)
    row = one(frame, layer=layer, setting=setting, teacher=taught, decay=decay, network="WRN-28-10")
    assert row["parameters"] == parameters and row["error"] == pytest.approx(error)


def test_the_projects_own_file_beside_a_study() -> None:
    table = published_substitution.analyse(made())
    assert set(table["outcome"]) <= {
        "agrees", "differs", "no interval", "other settings", "not run",
    }  # fmt: skip
    assert (table[table["network"] == "DARTS"]["outcome"] == "not run").all()
