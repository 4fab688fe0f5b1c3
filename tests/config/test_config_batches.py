"""Which runs one training job makes."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidestep import config
from sidestep.errors import UserError
from sidestep.study import ANY, Batch

STUDY = {
    "title": "x",
    "datasets": ["digits"],
    "seeds": [0, 1, 2],
    "run": {"network": {"name": "mlp", "width": 4}, "epochs": 1},
    "variants": {"plain": {}},
}


def resolved(**studies):
    made = {name: {**STUDY, **changes} for name, changes in studies.items()}
    return config.resolve({"size": "x", "studies": made})


NAMES = ["digits", "wine", "breast_cancer", "diabetes", "mnist"]


def runs(batch, study):
    """The data sets and seeds of a study's runs that a batch makes, of one variant."""
    datasets = study.datasets if batch.datasets == (ANY,) else batch.datasets
    return list(itertools.product(datasets, batch.seeds))


@given(
    seeds=st.lists(st.integers(0, 99), min_size=1, max_size=12, unique=True),
    datasets=st.lists(st.sampled_from(NAMES), min_size=1, unique=True),
    size=st.integers(1, 14),
    width=st.integers(1, 6),
)
def test_each_run_is_in_one_batch_of_consecutive_data_sets_and_seeds(seeds, datasets, size, width):
    given = {"seeds": seeds, "seeds_per_job": size, "datasets": datasets, "datasets_per_job": width}
    found = resolved(a=given)
    study = found.studies["a"]
    made = [run for batch in study.batches for run in runs(batch, study)]
    assert sorted(made) == sorted(itertools.product(datasets, seeds))
    for batch in study.batches:
        assert 1 <= len(batch.seeds) <= size and 1 <= len(batch.datasets) <= width
        assert is_part(batch.seeds, seeds)
        if batch.datasets != (ANY,):
            assert is_part(batch.datasets, datasets)
            assert all(study.together(name) == batch.datasets for name in batch.datasets)
        else:
            assert all(study.together(name) == (name,) for name in datasets)
    alone = all(len(runs(batch, study)) == len(datasets) for batch in study.batches)
    assert (found.one_by_one == ("a",)) == (alone and min(width, len(datasets)) == 1)


def is_part(part, whole):
    at = whole.index(part[0])
    return list(part) == whole[at : at + len(part)]


def test_without_the_keys_each_job_makes_one_run():
    found = resolved(a={"datasets": ["digits", "wine"]})
    assert found.studies["a"].batches == (any_of(0), any_of(1), any_of(2))
    assert found.one_by_one == ("a",)
    assert found.batches == {}


def any_of(*seeds):
    return Batch((ANY,), seeds)


def test_studies_with_the_same_batch_share_its_rule_and_no_study_has_two_for_a_run():
    three = ["digits", "wine", "mnist"]
    found = resolved(
        a={"seeds_per_job": 2},
        b={"seeds_per_job": 2, "seeds": [0, 1], "datasets": three},
        c={"seeds_per_job": 1},
        d={"seeds_per_job": 3, "datasets_per_job": 2},
        e={"seeds_per_job": 2, "seeds": [2]},
        f={"seeds_per_job": 3, "datasets_per_job": 2, "datasets": three},
        g={"datasets_per_job": 2, "datasets": three[:2], "seeds": [0]},
    )
    # A batch that is left with one seed or data set belongs to a study whose other jobs make several runs.
    assert found.batches == {
        any_of(0, 1): ("a", "b"),
        any_of(2): ("a",),
        any_of(0, 1, 2): ("d",),
        Batch(("digits", "wine"), (0, 1, 2)): ("f",),
        Batch(("mnist",), (0, 1, 2)): ("f",),
        Batch(("digits", "wine"), (0,)): ("g",),
    }
    assert found.one_by_one == ("c", "e")
    for name, study in found.every_study.items():
        made = [
            run
            for batch, names in found.batches.items()
            if name in names
            for run in runs(batch, study)
        ]
        expected = itertools.product(study.datasets, study.seeds)
        assert sorted(made) == ([] if name in found.one_by_one else sorted(expected))


def test_a_search_has_the_keys_of_its_study():
    search = {"grid": {"optimiser.lr": [0.1]}, "seeds": [7, 8, 9]}
    found = resolved(
        a={
            "seeds_per_job": 2,
            "datasets": ["digits", "wine"],
            "datasets_per_job": 2,
            "search": {
                **search,
                "datasets": ["digits", "wine"],
                "run": {"evaluate": ["validation"], "validation": 100},
            },
        }
    )
    both = ("digits", "wine")
    assert found.searches["a-search"].batches == (Batch(both, (7, 8)), Batch(both, (9,)))
    assert found.batches[Batch(both, (7, 8))] == ("a-search",)


@pytest.mark.parametrize(
    ("value", "words"), [(0, "is 0 but must be at least 1"), ("all", "must be of type integer")]
)
@pytest.mark.parametrize("key", ["seeds_per_job", "datasets_per_job"])
def test_none_or_a_word_is_refused(key, value, words):
    with pytest.raises(UserError, match=f"studies.a.{key}.*{words}"):
        resolved(a={key: value})
