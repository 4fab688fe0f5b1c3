"""The project's own configs with anything in them changed: a plan, or sentences, and nothing else."""

import copy
import dataclasses
import functools
import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from project import copy_project, environment

from faults import FULL, held, sample
from sidestep import config, config_files, entries, registry
from sidestep.declared import MAIN
from sidestep.errors import UserError
from sidestep.files import canonical_json
from sidestep.study import Study

ROOT = Path(__file__).parents[2]
FILES = (
    ("config.yaml",),
    ("config.yaml", "config/sweeps.yaml"),
    ("config.yaml", "config/paper.yaml"),
)
KIND = "config: changed at random"
REAL_NAMES = sorted({name for kind in (*MAIN, "datasets") for name in registry.names(kind)})
NASTY = (
    None,
    True,
    0,
    -1,
    1,
    3.7,
    10**30,
    10**400,
    -(10**400),
    1e308,
    5e-324,
    float("nan"),
    float("inf"),
    "",
    "1e400",
    "a\nb",
    "\0",
    "\u202e∞ü",
    "../..",
    "a/b",
    "x" * 300,
    [],
    {},
    [[]],
    [{}],
    [None],
    [1, True],
    [1, 1.0],
    ["a", "a"],
    [float("nan"), float("nan")],
    [10**400],
    {"name": None},
    {"name": []},
    {"name": {"name": "mlp"}},
    {"name": "sgd", "lr": float("nan")},
    {1: 2},
    {None: 1},
    {True: 1},
    {"": 1},
    {".": [1]},
    {"a\n": [1]},
    {"a.b": [1]},
    {"network.layer": ["dense", "../x"]},
    {"optimiser": [{"name": "sgd", "lr": 0.1}]},
    {"hidden": None},
    {"hidden": {"name": "flexible"}},
    [[[[[[[[]]]]]]]],
)
values = (
    st.sampled_from(NASTY)
    | st.sampled_from(REAL_NAMES)
    | st.builds(lambda name: {"name": name}, st.sampled_from(REAL_NAMES))
    | st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
        ),
        max_leaves=6,
    )
)
keys = st.sampled_from(
    ["name", "grid", "variants", "teacher", "lr", "run", "", "a/b", "x" * 300, 3, None, True]
) | st.text(max_size=5)


@functools.cache
def real(files):
    """The files of the project, merged."""
    merged = {}
    for file in files:
        merged = config_files.merge(merged, config_files.read_file(ROOT / file))
    return merged


def places(value, path=()):
    """Every place below a value, as a path of keys and indices."""
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in inner:
        yield (*path, key)
        if isinstance(item, dict | list):
            yield from places(item, (*path, key))


@st.composite
def changed(draw):
    """A real config of which one study is left or all, with one to three changes."""
    whole = real(draw(st.sampled_from(FILES)))
    # Most with one study alone, which is quick; the others with all.
    names = list(whole["studies"])
    kept = draw(
        st.sampled_from([*((name,) for name in names), *((name,) for name in names), names])
    )
    raw = {**whole, "studies": {name: whole["studies"][name] for name in kept}}
    raw = copy.deepcopy(raw)
    for _ in range(draw(st.sampled_from([1, 1, 1, 2, 3]))):
        found = list(places(raw))
        if not found:
            break
        *parents, last = draw(st.sampled_from(found))
        holder = raw
        for key in parents:
            holder = holder[key]
        how = draw(st.sampled_from(["replace", "replace", "replace", "delete", "rename", "repeat"]))
        if how == "delete":
            del holder[last]
        elif how == "rename" and isinstance(holder, dict):
            holder[draw(keys)] = holder.pop(last)
        elif how == "repeat" and isinstance(holder, list):
            holder.append(copy.deepcopy(holder[last]))
        else:
            holder[last] = copy.deepcopy(draw(values))
    return raw


def check_sentences(text, where):
    lines = text.split("\n")
    assert lines
    for line in lines:
        assert line.startswith(f"{where}: "), line
        assert len(line) > len(where) + 10 and line.isprintable(), line


def check_plan(found):
    """What the workflow does with a config before any job: nothing of it may fail either."""
    for study in found.every_study.values():
        again = Study.from_json(json.loads(json.dumps(dataclasses.asdict(study), allow_nan=False)))
        assert canonical_json(dataclasses.asdict(again)) == canonical_json(
            dataclasses.asdict(study)
        )
        names = [variant.name for variant in study.variants]
        assert len(set(names)) == len(names)
        for name in (study.name, *names):
            assert name == Path(name).name and len(name.encode()) <= 255 and name.isprintable()
        for name in names:
            run = study.run(study.datasets[0], name, study.seeds[0])
            assert json.loads(canonical_json(run))["variant"] == name
            entries.train(run)


@given(changed())
@settings(
    max_examples=2000 if FULL else 300,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
def test_a_changed_config_is_a_plan_or_sentences(raw):
    try:
        found = config.resolve(raw, "my.yaml")
    except UserError as error:
        check_sentences(str(error), "my.yaml")
    else:
        check_plan(found)
    held(KIND)


DEEP = 100_000
TEXTS = {
    "a mapping that holds itself": "size: &a {size: *a}",
    "a list that holds itself": "size: x\nstudies: &a [*a]",
    "brackets without an end": "[" * DEEP,
    "brackets in brackets": "size: " + "[" * 400 + "]" * 400,
    "a bomb of references": "a0: &a0 [x]\n"
    + "\n".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)),
    "a tag that does not fit a truth value": "size: !!bool maybe",
    "a tag that does not fit a time": "size: !!timestamp soon",
    "a tag that does not fit a number": "size: !!int many",
    "a tag that does not fit a mapping": "size: !!map [1, 2]",
    "a tag that does not fit a list": "size: !!omap {a: b}",
    "a hostile tag": "size: !!python/object/apply:os.system ['true']",
    "another hostile tag": "size: !!python/name:os.system",
    "a list as a key": "? [a, b]\n: c",
    "a mapping as a key": "? {a: b}\n: c",
    "a date as a key": "2020-01-01: c",
    "a number as a key": "3: c",
    "a truth value as a key": "size: x\nyes: c",
    "a reference to nothing": "size: *nowhere",
    "two documents": "size: x\n---\nsize: y",
    "a tab": "size:\n\t- x",
    "a control character": "size: a\x07b",
    "half of a pair": "size: \\ud800",
    "a merge of no mapping": "<<: 3\nsize: x",
    "nothing": "",
    "a set": "size: !!set {a, b}",
    "bytes": "size: !!binary aGVsbG8=",
}


@pytest.mark.parametrize("name", TEXTS)
def test_a_strange_file_is_sentences(name, tmp_path):
    path = tmp_path / "my.yaml"
    path.write_text(TEXTS[name])
    with pytest.raises(UserError) as caught:
        config.load(path)
    check_sentences(str(caught.value), str(path))
    held("config: a strange file")


@pytest.mark.parametrize(
    "data",
    [b"\xff\xfe\x00", b"size: \xff", b"\x80", bytes(range(256)), b"\x00" * 50],
)
def test_bytes_that_are_no_text_are_sentences(data, tmp_path):
    path = tmp_path / "my.yaml"
    path.write_bytes(data)
    with pytest.raises(UserError) as caught:
        config.load(path)
    check_sentences(str(caught.value), str(path))
    held("config: a strange file")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda s: s.update(variants={32: {}}), "which is no text: put it in quotes"),
        (lambda s: s["run"].update(validation=float("nan")), "must be a finite number"),
        (lambda s: s["run"]["optimiser"].update(lr=10**400), "must be a number above 0"),
        (lambda s: s["run"].update(teacher=["a"]), "teacher is ['a'] but must be"),
        (lambda s: s["run"].update(records=[1, "2"]), "records.1 is '2' but must be"),
        (lambda s: s.update(datasets=["a\nb"]), "unknown dataset 'a\\nb'"),
        (lambda s: s.update(variants={"x" * 300: {}}), "which does not match"),
        (lambda s: s.update(grid={"network.a/b": [1]}), "gives a variant the name 'a/b-1'"),
        (lambda s: s.update(variants={"a\n": {}}), "a character that is not printed"),
    ],
)
def test_what_random_changes_found_is_told_in_these_words(change, words):
    raw = copy.deepcopy({**real(FILES[0])})
    raw["studies"] = {"width": raw["studies"]["width"]}
    change(raw["studies"]["width"])
    with pytest.raises(UserError) as caught:
        config.resolve(raw, "my.yaml")
    check_sentences(str(caught.value), "my.yaml")
    assert words in str(caught.value)
    held("config: found before")


def drawn(count):
    """So many changed configs, always the same, in turn good and bad, each with whether it is good."""
    found = {True: [], False: []}

    @given(changed())
    @settings(
        max_examples=10 * count,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        database=None,
    )
    def collect(raw):
        try:
            config.resolve(raw)
        except UserError:
            found[False].append(raw)
        else:
            found[True].append(raw)

    collect()
    # Those drawn last are changed more than the first.
    return [(found[good].pop(), good) for _ in range(count // 2) for good in (True, False)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return copy_project(tmp_path_factory.mktemp("project")).folder


def test_snakemake_plans_a_changed_config_or_says_a_sentence(folder):
    for raw, good in sample(drawn(20), 3):
        text = yaml.safe_dump(raw, allow_unicode=True, sort_keys=False)
        (folder / "config.yaml").write_text(text)
        done = subprocess.run(
            [sys.executable, "-m", "snakemake", "--dry-run", "--quiet", "all", "--cores", "1"],
            cwd=folder,
            capture_output=True,
            text=True,
            env=environment(),
        )
        said = done.stdout + done.stderr
        assert "Traceback" not in said, (text, said)
        assert not (folder / "results/runs").exists()
        assert (done.returncode == 0) == good, (text, said)
        if not good:
            assert [line for line in said.splitlines() if "config.yaml: " in line], (text, said)
        held("config: through snakemake -n")
