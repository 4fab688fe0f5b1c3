"""Every outcome has a sentence that is true of it: those that any section may say."""

import pytest

from sidestep.paper.parts import sentences as say


@pytest.mark.parametrize(
    ("size", "says"),
    [("small", "small size"), ("paper", "full size"), ("middle_1", "the size “middle1”")],
)
def test_the_first_page_says_which_size_this_is(size, says):
    text = say.size_note(size, [say.Extent(8, 2, 3, [3])])
    assert says in text
    assert "no conclusion that its intervals do not carry" in " ".join(text.split())


@pytest.mark.parametrize(
    ("number", "validation", "says"),
    [
        (None, 0, "used whole"),
        (None, 50, "50\u00a0images of the training set are held out"),
        (30_000, 0, "learn from 30,000\u00a0images"),
    ],
)
def test_training_images_are_told(number, validation, says):
    assert says in say.training_images(number, validation)
    extent = say.Extent(8, 2, 3, [3], number)
    assert ("all" if number is None else "30,000") in say.size_note("small", [extent])


def test_a_subset_is_told_on_the_first_page():
    text = say.size_note("small", [say.Extent(8, 2, 3, [3], subset=600)])
    assert "all training images but those of validation, cut to 600 where there are more" in text


def test_several_studies_are_named_on_the_first_page():
    extents = [say.Extent(8, 2, 3, [3], name="one"), say.Extent(4, 1, 3, [6], name="two")]
    text = say.size_note("small", extents)
    assert "in the study `one`, 8" in text
    assert "in the study `two`, 4" in text
    assert "`one`" not in say.size_note("small", extents[:1])


def test_diverged_runs_are_named():
    assert "none diverged" in say.runs(4, [])
    assert "1 diverged (`a/b`)" in say.runs(4, ["a/b"])
    assert "…" in say.runs(9, [str(i) for i in range(8)])


def test_studies_without_a_section_are_named():
    assert say.left_out([]) == ""
    assert "`other`" in say.left_out(["other"])


def test_findings_are_gathered_by_claim():
    found = [
        say.Finding(True, "it falls", "X", "."),
        say.Finding(True, "it falls", "Y", "."),
        say.Finding(True, "That it falls holds", "", "."),
        say.Finding(None, "it falls", "Z", "."),
        say.Finding(True, "", "X", "told elsewhere"),
    ]
    assert say.gathered(found, True) == ["On X and Y, it falls.", "That it falls holds."]
    assert say.gathered(found, False) == []
