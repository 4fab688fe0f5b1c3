"""Teachers in the configuration: what is refused, and what a student's run holds."""

import copy

import pytest

from sidestep import config
from sidestep.errors import UserError

STUDY = {
    "title": "x",
    "datasets": ["digits"],
    "seeds": [0, 1],
    "run": {"network": {"name": "mlp", "width": 4}, "epochs": 1},
    "variants": {"large": {"network": {"width": 8}}, "small": {"teacher": "large"}},
}
WIDE = {"name": "wide_resnet", "depth": 10, "width": 1}


def resolved(**changes):
    study = copy.deepcopy(STUDY)
    for key, value in changes.items():
        study[key] = {**study.get(key, {}), **value} if isinstance(value, dict) else value
    return config.resolve({"size": "x", "studies": {"s": study}})


def test_a_students_run_holds_its_teachers_run_of_the_same_data_set_and_seed():
    study = resolved().studies["s"]
    run = study.run("digits", "small", 1)
    assert run["teacher"] == study.run("digits", "large", 1)
    assert run["teacher"]["seed"] == 1 and run["teacher"]["teacher"] is None


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            {"variants": {"small": {"teacher": "larg"}}},
            "studies.s.variants.small.teacher is an unknown variant 'larg' (did you mean 'large'?",
        ),
        (
            {"variants": {"tiny": {"teacher": "small"}}},
            "studies.s.variants.tiny.teacher is 'small', which has a teacher itself",
        ),
        (
            {"variants": {"small": {"teacher": "large", "normalisation": "none"}}},
            "variants.small.normalisation is 'none' but that of its teacher 'large' is 'unit'",
        ),
        (
            {"variants": {"small": {"teacher": "large", "validation": 100}}},
            "variants.small.validation is 100 but that of its teacher 'large' is 5000",
        ),
        (
            {
                "run": {"evaluate": ["validation"]},
                "search": {"grid": {"optimiser.lr": [1]}, "seeds": [3]},
            },
            "studies.s.search has 'small', which has a teacher: list in 'variants' those without",
        ),
        ({"run": {"augmentations": None}}, "augmentations is None but must be"),
        ({"run": {"probes": None}}, "probes is None but must be"),
        (
            {"run": {"augmentations": ["random_crp"]}},
            "is an unknown augmentation 'random_crp' (did you mean 'random_crop'?",
        ),
        ({"run": {"network": "vgg12"}}, "is an unknown network 'vgg12' (did you mean 'vgg1"),
        (
            {"run": {"network": {**WIDE, "layer": "dense", "budget": 0}}},
            "network.budget is 0 but must be a number above 0",
        ),
        (
            {"run": {"network": {**WIDE, "layer": "hashd"}}},
            "is an unknown layer 'hashd' (did you mean 'hashed'?",
        ),
    ],
)
def test_faults_are_one_sentence(changes, sentence):
    if "network" in changes.get("run", {}):
        changes = {**changes, "variants": {"large": {}}}
    with pytest.raises(UserError) as caught:
        resolved(**changes)
    assert sentence in str(caught.value)


def test_a_search_over_the_networks_that_learn_alone_is_fine():
    search = {"grid": {"optimiser.lr": [0.1]}, "seeds": [3], "variants": ["large"]}
    found = resolved(run={"evaluate": ["validation"]}, search=search)
    assert [run["teacher"] for run in found.searches["s-search"].runs()] == [None]
