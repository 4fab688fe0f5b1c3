"""Which seeds one training job trains."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidestep import config
from sidestep.errors import UserError

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


@given(
    seeds=st.lists(st.integers(0, 99), min_size=1, max_size=12, unique=True),
    size=st.integers(1, 14),
)
def test_batches_are_consecutive_seeds_all_of_them_once_in_order(seeds, size):
    study = resolved(a={"seeds": seeds, "seeds_per_job": size}).studies["a"]
    assert [seed for batch in study.batches for seed in batch] == seeds
    assert all(len(batch) == size for batch in study.batches[:-1])
    assert 1 <= len(study.batches[-1]) <= size


def test_without_the_key_each_job_trains_one_seed():
    found = resolved(a={})
    assert found.studies["a"].batches == ((0,), (1,), (2,))
    assert found.one_by_one == ("a",)
    assert found.batches == {}


def test_studies_with_the_same_batch_share_its_rule_and_no_study_has_two_for_a_seed():
    found = resolved(
        a={"seeds_per_job": 2},
        b={"seeds_per_job": 2, "seeds": [0, 1]},
        c={"seeds_per_job": 1},
        d={"seeds_per_job": 3},
        e={"seeds_per_job": 2, "seeds": [2]},
    )
    # A batch that is left with one seed belongs to a study whose other jobs train several.
    assert found.batches == {(0, 1): ("a", "b"), (2,): ("a",), (0, 1, 2): ("d",)}
    assert found.one_by_one == ("c", "e")
    for name, study in found.every_study.items():
        shared = [seed for batch, names in found.batches.items() if name in names for seed in batch]
        assert sorted(shared) == ([] if name in found.one_by_one else sorted(study.seeds))


def test_a_search_has_the_key_of_its_study():
    search = {"grid": {"optimiser.lr": [0.1]}, "seeds": [7, 8, 9]}
    found = resolved(
        a={
            "seeds_per_job": 2,
            "search": {**search, "run": {"evaluate": ["validation"], "validation": 100}},
        }
    )
    assert found.searches["a-search"].batches == ((7, 8), (9,))
    assert found.batches[7, 8] == ("a-search",)


@pytest.mark.parametrize(
    ("value", "words"), [(0, "is 0 but must be at least 1"), ("all", "must be of type integer")]
)
def test_no_seed_or_a_word_is_refused(value, words):
    with pytest.raises(UserError, match=f"studies.a.seeds_per_job.*{words}"):
        resolved(a={"seeds_per_job": value})
