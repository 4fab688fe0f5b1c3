"""Gates, prices and edits in a config: what is wrong is told in one sentence, before anything runs."""

import pytest

from sidestep import config, entries
from sidestep.errors import UserError

STUDY = {
    "title": "t",
    "datasets": ["digits"],
    "seeds": [0],
    "run": {"network": {"name": "mlp", "width": 8}, "epochs": 1},
}


def resolved(**variant):
    study = {**STUDY, "variants": {"v": variant}}
    return config.resolve({"size": "test", "studies": {"s": study}}).studies["s"]


@pytest.mark.parametrize(
    ("variant", "sentence"),
    [
        ({"gates": {"hidde": "open"}},
         "studies.s.run.gates has the stage 'hidde' (did you mean 'hidden'?"),
        ({"gates": {"output": "open"}},
         "studies.s.run.gates has the stage 'output'"),
        ({"gates": {"hidden": "flexibel"}},
         "gates.hidden.name is an unknown gate 'flexibel' (did you mean 'flexible'?"),
        ({"gates": {"hidden": "flexible"}},
         "gates.hidden lacks the key 'start', which gate 'flexible' needs"),
        ({"gates": {"hidden": {"name": "flexible", "start": -1}}},
         "gates.hidden.start is -1 but must be a number of at least 0"),
        ({"gates": {"hidden": {"name": "flexible", "start": 1, "slope": 0}}},
         "gates.hidden.slope is 0 but must be a number above 0"),
        ({"gates": {"hidden": {"name": "flexible", "start": 1, "price": -0.1}}},
         "gates.hidden.price is -0.1 but must be a number of at least 0"),
        ({"gates": {"hidden": {"name": "sparsified", "price": -1}}},
         "gates.hidden.price is -1 but must be a number of at least 0"),
        ({"gates": {"hidden": {"name": "sparsified", "form": "loose"}}},
         "gates.hidden.form is 'loose'"),
        ({"gates": {"hidden": "open"}, "strategy": {"name": "rounds", "rounds": 2, "edit": "by_wort"}},
         "strategy.edit.name is an unknown edit 'by_wort' (did you mean 'by_worth'?"),
        ({"gates": {"hidden": "open"}, "strategy": {"name": "rounds", "rounds": 2, "edit": "by_worth"}},
         "strategy.edit lacks the key 'price', which edit 'by_worth' needs"),
        ({"gates": ["hidden"]}, "gates"),
    ],
)  # fmt: skip
def test_faults_of_gates_and_edits_are_one_sentence(variant, sentence):
    with pytest.raises(UserError) as told:
        resolved(**variant)
    assert sentence in str(told.value) and len(str(told.value).splitlines()) == 1


def test_short_names_are_named_things_and_their_code_counts():
    strategy = {"name": "rounds", "edit": "remove_dead", "rounds": 2}
    study = resolved(gates={"hidden": "sparsified"}, strategy=strategy)
    run = study.run("digits", "v", 0)
    assert run["gates"] == {"hidden": {"name": "sparsified"}}
    assert run["strategy"]["edit"] == {"name": "remove_dead"}
    assert {"sidestep.gates.sparsified", "sidestep.edits.remove_dead"} <= entries.train(run)
    assert "sidestep.gates.sparsified" in entries.measure(study.measure_task("digits", "v"))


def test_a_run_without_gates_says_so():
    assert resolved().run("digits", "v", 0)["gates"] == {}
