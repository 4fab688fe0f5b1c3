"""Graphs of operations in a config: what is wrong is told in one sentence, before anything runs."""

from pathlib import Path

import pytest

from sidestep import config, entries, registry, settings
from sidestep.errors import UserError
from sidestep.evolution import populations

ROOT = Path(__file__).parents[2]

STUDY = {"title": "t", "datasets": ["digits"], "seeds": [0], "run": {"epochs": 1}}


def resolved(network, **more):
    variant = {"network": {"name": "evolving", **network}, **more}
    study = {**STUDY, "variants": {"v": variant}}
    return config.resolve({"size": "test", "studies": {"s": study}}).studies["s"]


def evolve(**edit):
    return {"name": "rounds", "rounds": 2, "edit": {"name": "evolve", **edit}}


@pytest.mark.parametrize(
    ("network", "more", "sentence"),
    [
        ({"operations": ["add", "multipy"]}, {},
         "network.operations has the unknown operation 'multipy' (did you mean 'multiply'? known: add,"),
        ({"operations": []}, {},
         "network.operations is empty: no operations allowed, where one of add, gated_product,"),
        ({"operations": ["add", "add"]}, {}, "must be a list of different names of operations"),
        ({"operations": "add"}, {}, "is 'add' but must be a list of different names of operations"),
        ({"operations": [["add"]]}, {}, "must be a list of different names of operations"),
        ({"size": -1}, {}, "network.size is -1 but must be a whole number of at least 0"),
        ({"constants": 1.5}, {}, "network.constants is 1.5 but must be a number from 0 to 1"),
        ({}, {"strategy": evolve(adds=0)}, "strategy.edit.adds is 0 but must be a whole number of at"),
        ({}, {"strategy": evolve(prunes=-1)}, "strategy.edit.prunes is -1 but must be"),
        ({}, {"strategy": evolve(candidates=0)}, "strategy.edit.candidates is 0 but must be"),
        ({}, {"strategy": evolve(by="norms")}, "strategy.edit.by is 'norms' (did you mean 'norm'?"),
        ({}, {"strategy": evolve(add=1)}, "strategy.edit has an unknown key 'add' (did you mean"),
        ({}, {"gates": {"output": "open"}}, "gates has the stage 'output'"),
    ],
)  # fmt: skip
def test_faults_of_graphs_and_their_edits_are_one_sentence(network, more, sentence):
    with pytest.raises(UserError) as told:
        resolved(network, **more)
    assert sentence in str(told.value) and len(str(told.value).splitlines()) == 1


def test_an_analysis_that_reads_anothers_table_asks_for_it():
    study = {**STUDY, "variants": {"v": {"network": {"name": "evolving"}}}}
    with pytest.raises(UserError, match="'equal_score', which reads the table of 'boosting'"):
        config.resolve({"size": "x", "studies": {"s": {**study, "analyses": ["equal_score"]}}})
    both = {**study, "analyses": ["equal_score", "boosting"]}
    found = config.resolve({"size": "x", "studies": {"s": both}}).studies["s"]
    assert settings.needs("equal_score") == ("boosting",) and settings.needs("boosting") == ()
    code = entries.analyse(found, "equal_score")
    assert {"sidestep.datasets.digits", "sidestep.operations.add"} <= code


@pytest.mark.parametrize(
    ("network", "expected"),
    [
        ({}, {"add", "multiply"}),
        ({"operations": ["sine"], "size": 4}, {"sine"}),
        ({"operations": list(registry.names("operations"))}, set(registry.names("operations"))),
    ],
)
def test_the_operations_named_or_those_by_default_are_code_of_the_run(network, expected):
    run = resolved(network, strategy=evolve()).run("digits", "v", 0)
    prefix = "sidestep.operations."
    code = entries.train(run)
    assert {name.removeprefix(prefix) for name in code if name.startswith(prefix)} == expected
    assert {"sidestep.networks.evolving", "sidestep.edits.evolve"} <= code
    assert entries.timing([run]) >= {prefix + name for name in expected}


def test_the_stages_are_read_without_importing_anything():
    assert settings.stages_of("evolving") == ("graph", "output")
    operations = settings.settings_of("networks", "evolving")["operations"]
    assert operations.default == ("add", "multiply") and not operations.required


@pytest.mark.parametrize("size", ["sweeps", "paper"])
def test_the_larger_sizes_have_a_population_and_a_control_of_equal_size(size):
    study = config.load(ROOT / "config.yaml", ROOT / "config" / f"{size}.yaml").studies["evolution"]
    groups = [[variant.name for variant in group] for group in populations(study)]
    assert ["judged", "judged-2", "judged-3"] in groups
    run, strategy = study.variant("random").run, study.variant("evolved").run["strategy"]
    edit, generations = strategy["edit"], strategy["rounds"] - 1
    # The first generation has nothing to prune, and the last edit only prunes.
    left = edit["adds"] + (generations - 1) * (edit["adds"] - edit["prunes"]) - edit["prunes"]
    assert abs(run["network"]["size"] - left) <= 0.05 * left
    assert study.variant("mlp").run["network"]["operations"] == run["network"]["size"]
