"""Numbers and text survive whatever the study is and whatever came out."""

import json

import made_strategies
import pytest
from made_results import SOURCE, made_numbers, made_study

import made_files
from sidestep import captions, layout, seals
from sidestep import numbers as gathering
from sidestep.errors import UserError
from sidestep.typeset import typeset_job

CASES = {
    "one data set": ({"datasets": ("digits",)}, {}),
    "two widths": ({"widths": (4, 8), "datasets": ("digits",)}, {}),
    "one width": ({"widths": (4,), "datasets": ("digits",)}, {}),
    "one seed": ({"seeds": (0,)}, {}),
    "no analyses": ({"analyses": ()}, {}),
    "refused mixtures": ({"datasets": ("mnist",)}, {"identifiable": False}),
    "a diverged run": (
        {"widths": (16, 64, 256), "seeds": (0, 1)},
        {"diverged": [("mnist", "width-16", 1)]},
    ),
    "a diverged variant": (
        {"widths": (16, 64, 256), "seeds": (0, 1)},
        {"diverged": [("mnist", "width-16", s) for s in (0, 1)]},
    ),
    "all diverged": (
        {"datasets": ("digits",), "widths": (4, 8), "seeds": (0, 1)},
        {"diverged": [("digits", f"width-{w}", s) for w in (4, 8) for s in (0, 1)]},
    ),
}


_FEW = {name: made_strategies.USUAL[name] for name in ("adam", "sub-model", "difference")}
STRATEGIES = {
    "usual": ({}, {}),
    "every sweep, two data sets": (
        {
            "runs": {**made_strategies.USUAL, **made_strategies.SWEPT},
            "datasets": ("mnist", "fashion_mnist"),
            "timed": ("mnist", "fashion_mnist"),
        },
        {"timed": ("mnist", "fashion_mnist")},
    ),
    "one seed": ({"runs": _FEW, "seeds": (0,)}, {}),
    "no analyses, no timing": (
        {"runs": _FEW, "analyses": (), "timed": ()},
        {"timed": (), "measured": False},
    ),
    "one variant": ({"runs": {"adam": made_strategies.END_TO_END}}, {}),
    "a diverged run": ({"runs": _FEW}, {"diverged": [("mnist", "adam", 1)]}),
    "all diverged": (
        {"runs": _FEW, "seeds": (0, 1)},
        {"diverged": [("mnist", name, seed) for name in _FEW for seed in (0, 1)]},
    ),
}


@pytest.fixture(scope="module")
def usual(tmp_path_factory):
    """The results folder of the usual case, with its numbers; not to be changed."""
    root = tmp_path_factory.mktemp("usual")
    made_numbers(root, made_study())
    return root


@pytest.mark.parametrize("name", CASES)
def test_the_paper_is_typeset_whatever_came_out(tmp_path, name):
    study, results = CASES[name]
    made_numbers(tmp_path, made_study(**study), **results)
    typeset_job(SOURCE, tmp_path, tmp_path / "paper.pdf")
    assert (tmp_path / "paper.pdf").read_bytes().startswith(b"%PDF")


@pytest.mark.parametrize("name", STRATEGIES)
def test_the_paper_on_strategies_is_typeset_whatever_came_out(tmp_path, name):
    study, results = STRATEGIES[name]
    made_numbers(tmp_path, made_strategies.made_study(**study), **results)
    typeset_job(SOURCE, tmp_path, tmp_path / "paper.pdf")
    assert (tmp_path / "paper.pdf").read_bytes().startswith(b"%PDF")


def test_the_paper_has_a_section_for_each_study(tmp_path):
    studies = made_study(datasets=("mnist",)), made_strategies.made_study(_FEW)
    numbers = made_numbers(tmp_path, *studies)
    assert numbers["sections"] == ["width", "layerwise"]
    assert "in the study `layerwise`, 3\u00a0variants" in numbers["size_note"]
    typeset_job(SOURCE, tmp_path, tmp_path / "paper.pdf")
    assert (tmp_path / "paper.pdf").read_bytes().startswith(b"%PDF")


def test_the_same_numbers_give_the_same_bytes(usual, tmp_path):
    for name in ("one", "two"):
        typeset_job(SOURCE, usual, tmp_path / f"{name}.pdf")
    assert (tmp_path / "one.pdf").read_bytes() == (tmp_path / "two.pdf").read_bytes()


def test_a_missing_number_is_one_sentence(tmp_path):
    numbers = made_numbers(tmp_path, made_study(datasets=("digits",), widths=(4, 8)))
    del numbers["width"]["setup"]["epochs"]
    seals.write(tmp_path / "numbers.json", numbers)
    with pytest.raises(UserError, match=r'typeset: .*does not contain key "epochs"') as caught:
        typeset_job(SOURCE, tmp_path, tmp_path / "paper.pdf")
    assert len(str(caught.value).splitlines()) == 1
    assert not (tmp_path / "paper.pdf").exists()


def test_a_missing_figure_is_one_sentence(tmp_path):
    study = made_study(datasets=("digits",), widths=(4, 8), figures=("dead_neurons",))
    made_numbers(tmp_path, study)
    with pytest.raises(UserError, match=r"dead_neurons\.svg") as caught:
        typeset_job(SOURCE, tmp_path, tmp_path / "paper.pdf")
    assert len(str(caught.value).splitlines()) == 1


def test_damaged_numbers_and_figures_are_refused(tmp_path):
    study = made_study(datasets=("digits",), widths=(4, 8), figures=("dead_neurons",))
    made_numbers(tmp_path, study)
    picture = layout.figure("width", "dead_neurons", "svg", tmp_path)
    picture.parent.mkdir(parents=True)
    picture.write_text("<svg/>")
    made_files.seal_table(picture)
    for path in (picture, tmp_path / "numbers.json"):
        path.write_bytes(path.read_bytes()[:-2])
        with pytest.raises(
            UserError, match=f"{path.name} is .*: delete .*{path.name} and run again"
        ):
            typeset_job(SOURCE, tmp_path, tmp_path / "paper.pdf")
    assert not (tmp_path / "paper.pdf").exists()


@pytest.mark.parametrize("how", ["damaged", "missing"])
def test_numbers_are_not_gathered_from_damaged_files(tmp_path, how):
    study = made_study(datasets=("digits",), widths=(4, 8))
    made_numbers(tmp_path, study)
    for path in (
        layout.provenance("width", tmp_path),
        layout.data("digits", tmp_path).with_suffix(".digest.json"),
        layout.timing("width", study.timing_datasets[0], tmp_path),
        layout.table("width", "", tmp_path),
        layout.table("width", "trends", tmp_path),
    ):
        whole = path.read_bytes()
        path.unlink()
        if how == "damaged":
            path.write_bytes(whole[: len(whole) // 2])
        with pytest.raises(UserError, match=f"{path} (is|was) .*(and run again|did not finish)$"):
            gathering.numbers_job("small", [study], tmp_path / "again.json", tmp_path)
        path.write_bytes(whole)
    assert not (tmp_path / "again.json").exists()


def test_a_missing_source_is_one_sentence(tmp_path):
    with pytest.raises(UserError, match="no such file"):
        typeset_job(tmp_path / "none.typ", tmp_path, tmp_path / "paper.pdf")


@pytest.mark.parametrize("figure", gathering.names("figures"))
def test_every_figure_has_a_caption(figure):
    assert captions.caption(figure).endswith(".")


def test_an_unknown_figure_has_no_caption():
    with pytest.raises(UserError, match="no figure 'nothing'"):
        captions.caption("nothing")


def test_findings_follow_the_tables(usual):
    numbers = json.loads((usual / "numbers.json").read_text())["width"]
    against, open_ = (" ".join(numbers["findings"][kind]) for kind in ("against", "open"))
    # The made sum of spread is a power law, and no made network has a majority of dead neurons.
    assert "like a power of the width" in against
    assert "not even the widest layer" in open_
    assert "transposed matrix" in against


def test_a_seed_that_diverged_is_told(tmp_path):
    study = made_study(widths=(16, 64), analyses=())
    numbers = made_numbers(tmp_path, study, diverged=[("mnist", "width-16", 1)])
    assert "1 diverged (`width/mnist/width-16/1`)" in numbers["reproducibility"]["runs_sentence"]
    first = numbers["width"]["scores"]["rows"][0]
    assert first[2].endswith("(2)")


def test_a_study_without_widths_is_refused(tmp_path):
    study = made_study(datasets=("digits",), widths=(4,), analyses=())
    made_numbers(tmp_path, study)
    table = tmp_path / "tables" / "width.csv"
    table.write_text(table.read_text().replace("width,seed", "depth,seed", 1))
    made_files.seal_table(table)
    with pytest.raises(UserError, match=r"no grid over 'network\.width'"):
        gathering.numbers_job("small", [study], tmp_path / "again.json", tmp_path)
