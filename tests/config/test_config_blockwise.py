"""Strategies with things inside, stages by name, and searches: what is accepted and what is refused."""

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidestep import config, entries, fingerprint
from sidestep.errors import UserError
from sidestep.settings import CHECKS, SHARES

ROOT = Path(__file__).parents[2]
TABLES = sorted((ROOT / "config" / "search").glob("*.csv"))


def study(strategy, **more):
    raw = {
        "title": "A title",
        "datasets": ["digits"],
        "seeds": [0, 1],
        "run": {"network": "mnist_cnn", "epochs": 2, "strategy": strategy},
        "variants": {"one": {}},
        **more,
    }
    return {"size": "test", "studies": {"blocks": raw}}


def refusal(raw):
    with pytest.raises(UserError) as caught:
        config.resolve(raw, "my.yaml")
    return str(caught.value)


BLOCKS = {"name": "blockwise", "signal": "sub_model"}


def test_a_thing_inside_a_thing_may_be_its_name_alone():
    (run, _) = config.resolve(study(BLOCKS)).studies["blocks"].runs()
    assert run["strategy"]["signal"] == {"name": "sub_model"}


def test_a_variant_may_change_the_signal_or_its_settings():
    variants = {
        "plain": {},
        "loss": {"strategy": {"signal": {"loss": "all"}}},
        "other": {"strategy": {"signal": "sub_model"}},
    }
    raw = study({**BLOCKS, "signal": "maximum_difference"}, variants=variants)
    found = config.resolve(raw).studies["blocks"]
    assert [v.run["strategy"]["signal"] for v in found.variants] == [
        {"name": "maximum_difference"},
        {"name": "maximum_difference", "loss": "all"},
        {"name": "sub_model"},
    ]


def test_the_signal_is_part_of_the_code_that_a_run_depends_on():
    run = next(config.resolve(study(BLOCKS)).studies["blocks"].runs())
    assert "sidestep.signals.sub_model" in fingerprint.closure(entries.train(run))


@pytest.mark.parametrize(
    ("strategy", "sentence"),
    [
        (
            {"signal": "sub_modle"},
            "signal.name is an unknown signal 'sub_modle' (did you mean 'sub",
        ),
        ({"signal": {"name": "sub_model", "depth": 2}}, "signal has an unknown key 'depth'"),
        ({"signal": {"loss": "all"}}, "signal must be a mapping with a 'name'"),
        ({"ends": ["conv3"]}, "ends has the stage 'conv3' (did you mean 'conv"),
        ({"ends": "conv1"}, "must be a list of different names of stages"),
        ({"shares": [0.5, 0.4]}, "must be one of equal, parameters, mult_adds, front, back, or a"),
        ({"shares": "eqal"}, "must be one of equal"),
        ({"order": "turns"}, "order is 'turns'"),
        ({"fine_tune": 1.5}, "must be a number from 0 to 1"),
    ],
)
def test_a_strategy_that_means_nothing_is_refused_in_one_sentence(strategy, sentence):
    said = refusal(study({**BLOCKS, **strategy}))
    assert sentence in said and "studies.blocks.run.strategy" in said
    assert len(said.splitlines()) == 1


def test_a_strategy_without_its_signal_is_refused():
    assert "lacks the key 'signal'" in refusal(study("blockwise"))


SEARCH = {
    "grid": {"optimiser.lr": [0.1, 0.01]},
    "seeds": [7],
    "run": {"evaluate": ["validation"], "validation": 100},
}


def test_a_search_is_every_variant_with_every_setting_on_its_own_seeds():
    raw = study(BLOCKS, variants={"one": {}, "two": {"epochs": 3}}, search=SEARCH)
    resolved = config.resolve(raw)
    found = resolved.searches["blocks-search"]
    assert list(resolved.studies) == ["blocks"]
    assert [v.name for v in found.variants] == [
        "one_lr-0.1",
        "one_lr-0.01",
        "two_lr-0.1",
        "two_lr-0.01",
    ]
    assert found.columns == ("of", "lr") and not found.measured
    runs = list(found.runs())
    assert [run["optimiser"]["lr"] for run in runs] == [0.1, 0.01] * 2
    assert {run["seed"] for run in runs} == {7}
    assert [run["epochs"] for run in runs] == [2, 2, 3, 3] == [run["records"][0] for run in runs]


@pytest.mark.parametrize(
    ("search", "sentence"),
    [
        ({"variants": ["thre"]}, "search.variants has 'thre'"),
        ({"datasets": ["mnist"]}, "search.datasets has 'mnist'"),
        ({"run": {"evaluate": ["test"]}}, "lacks 'validation', by which settings are chosen"),
        ({"grid": {"optimiser.rate": [1]}}, "unknown key 'rate'"),
        ({"grid": {}}, "is empty but needs at least 1 entry"),
    ],
)
def test_a_search_that_means_nothing_is_refused(search, sentence):
    assert sentence in refusal(study(BLOCKS, search={**SEARCH, **search}))


@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.stem)
def test_the_configs_settings_are_the_winners_of_the_committed_search(path):
    resolved = config.load(ROOT / "config.yaml")
    found, search = resolved.studies[path.stem], resolved.searches[f"{path.stem}-search"]
    with path.open() as file:
        rows = list(csv.DictReader(file))
    winners = {row["of"]: float(row["lr"]) for row in rows if row["chosen"] == "1"}
    assert {name: found.variant(name).run["optimiser"]["lr"] for name in winners} == winners
    # The same budget for each: as many settings, as many seeds.
    assert {(v.columns["of"], str(v.columns["lr"])) for v in search.variants} == {
        (row["of"], row["lr"]) for row in rows
    }
    assert set(winners) == {variant.columns["of"] for variant in search.variants}


def test_every_search_has_its_committed_table():
    resolved = config.load(ROOT / "config.yaml")
    assert {f"{path.stem}-search" for path in TABLES} == set(resolved.searches)


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=6))
def test_shares_are_accepted_exactly_if_they_add_up_to_one(parts):
    _, accepts = CHECKS["Shares"]
    total = sum(parts)
    if total:
        assert accepts([part / total for part in parts])
        assert not accepts([part / total * 0.99 for part in parts])
    assert not accepts([])
    assert all(accepts(rule) for rule in SHARES)
