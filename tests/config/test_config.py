"""The configuration: what is accepted, what is refused, and in which words."""

import copy
import dataclasses
import json
import re
import string
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from sidestep import config, config_files
from sidestep.errors import UserError
from sidestep.files import canonical_json
from sidestep.study import Study

ROOT = Path(__file__).parents[2]
GOOD = {
    "size": "test",
    "studies": {
        "width": {
            "title": "A title",
            "datasets": ["digits"],
            "seeds": [0, 1],
            "run": {"network": {"name": "mlp"}, "epochs": 2},
            "grid": {"network.width": [4, 8]},
        }
    },
}


def changed(path, value):
    """The good config with one key set (or removed, for `...`)."""
    made = copy.deepcopy(GOOD)
    *parents, last = path.split("/")
    place = made
    for parent in parents:
        place = place.setdefault(parent, {})
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return made


def refusal(raw):
    with pytest.raises(UserError) as caught:
        config.resolve(raw, "my.yaml")
    return str(caught.value)


def test_a_good_config_gives_every_run_with_defaults_filled_in():
    study = config.resolve(GOOD).studies["width"]
    runs = list(study.runs())
    assert len(runs) == 4
    assert [v.name for v in study.variants] == ["width-4", "width-8"]
    assert study.columns == ("width",)
    assert runs[0]["optimiser"] == {"name": "adam", "lr": 0.001}
    assert runs[0]["strategy"] == {"name": "end_to_end"}
    assert runs[0]["records"] == [2]
    assert study.baseline == "width-4"
    assert [thing["name"] for thing in study.analyses] == ["summary"]


WIDTH = "studies/width/"
REFUSED = [
    ("sise", 1, "the file has an unknown key 'sise' (did you mean 'size'?"),
    ("size", ..., "lacks the key 'size'"),
    ("studies", {}, "studies is empty"),
    (WIDTH + "epochs", 3, "studies.width has an unknown key 'epochs'"),
    (WIDTH + "datasets", ["digit"], "unknown dataset 'digit' (did you mean 'digits'?"),
    (WIDTH + "datasets", [], "studies.width.datasets is empty"),
    (WIDTH + "datasets", ["digits", "digits"], "lists 'digits' twice"),
    (WIDTH + "seeds", [1, 1], "studies.width.seeds lists 1 twice"),
    (WIDTH + "seeds", [-1], "must be at least 0"),
    (WIDTH + "seeds", "0", "must be of type array"),
    (WIDTH + "run/network", "mpl", "unknown network 'mpl' (did you mean 'mlp'?"),
    (WIDTH + "run/strategy", "end2end", "unknown strategy 'end2end' (did you mean 'end_to_end'?"),
    (WIDTH + "run/optimiser", {"name": "adm"}, "unknown optimiser 'adm' (did you mean 'adam'?"),
    (WIDTH + "run/optimiser", {"name": "adam", "rate": 1}, "unknown key 'rate'"),
    (WIDTH + "run/optimiser", {"name": "adam", "lr": -1}, "run.optimiser.lr is -1 but must be"),
    (WIDTH + "run/optimiser", {"name": "adam", "lr": "fast"}, "is 'fast' but must be a number"),
    (WIDTH + "run/schedule", "cosin", "unknown schedule 'cosin' (did you mean 'cosine'?"),
    (WIDTH + "run/epochs", 0, "run.epochs is 0 but must be at least 1"),
    (WIDTH + "run/epochs", ..., "lacks the key 'epochs'"),
    (WIDTH + "run/batch_size", -4, "run.batch_size is -4 but must be at least 1"),
    (WIDTH + "run/batch_size", 1.5, "must be of type integer"),
    (WIDTH + "run/records", [3], "has 3, which is after the last epoch 2"),
    (WIDTH + "run/device", "gpu", "run.device is 'gpu'"),
    (WIDTH + "run/evaluate", ["validation"], None),
    (WIDTH + "grid", {"network.width": [0]}, "run.network.width is 0 but must be a whole number"),
    (WIDTH + "grid", {"network.width": [4, 4]}, "lists 4 twice"),
    (
        WIDTH + "grid",
        {"network.width": [4], "network.with": [4]},
        "unknown key 'with' (did you mean 'width'",
    ),
    (WIDTH + "grid", ..., "is empty: it needs a 'grid' or 'variants'"),
    (WIDTH + "variants", {"width-4": {"network": {"width": 3}}}, "two variants named 'width-4'"),
    (WIDTH + "variants", {"Big One": {}}, "does not match"),
    (WIDTH + "variants", {"x": {"epoch": 1}}, "unknown key 'epoch' (did you mean 'epochs'?"),
    (WIDTH + "baseline", "width-5", "baseline is an unknown variant 'width-5'"),
    (WIDTH + "metrics", ["spred"], "unknown metric 'spred' (did you mean 'spread'?"),
    (WIDTH + "metrics", ["spread", "spread"], "lists 'spread' twice"),
    (WIDTH + "analyses", ["sumary"], "unknown analysis 'sumary' (did you mean 'summary'?"),
    (WIDTH + "figures", [{"nam": "x"}], "must be a name, or a mapping with a 'name'"),
    (WIDTH + "timing", {"datasets": ["mnist"]}, "not a dataset of the study"),
]


@pytest.mark.parametrize(("path", "value", "words"), REFUSED)
def test_bad_input_is_one_sentence_with_file_key_fault_and_what_is_allowed(path, value, words):
    if words is None:
        raw = changed(path, value)
        raw["studies"]["width"]["run"]["validation"] = 0
        words = "evaluate has 'validation' but run.validation is 0"
    else:
        raw = changed(path, value)
    text = refusal(raw)
    assert words in text
    lines = text.splitlines()
    assert all(line.startswith("my.yaml: ") for line in lines)
    assert len(lines) == 1, text


def test_all_faults_of_a_file_are_told_at_once():
    raw = changed(WIDTH + "run/epochs", 0)
    raw["studies"]["width"]["seeds"] = [2, 2]
    raw["colour"] = "red"
    assert len(refusal(raw).splitlines()) == 3
    raw = changed(WIDTH + "run/optimiser", {"name": "adm"})
    raw["studies"]["width"]["metrics"] = ["spred"]
    raw["studies"]["width"]["datasets"] = ["digit"]
    assert len(refusal(raw).splitlines()) == 3


@pytest.mark.parametrize("text", ["1e-3", "1E-3", "0.001", "1.0e-3", "10e-4"])
def test_numbers_may_be_written_as_people_write_them(text, tmp_path):
    raw = yaml.safe_dump(GOOD) + ""
    path = tmp_path / "config.yaml"
    path.write_text(
        raw.replace("network:", f"optimiser: {{name: adam, lr: {text}}}\n      network:")
    )
    study = config.load(path).studies["width"]
    assert study.run("digits", "width-4", 0)["optimiser"]["lr"] == 0.001


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: [1, 2", "is not valid YAML (line 1"),
        ("- 1\n- 2\n", "must hold a mapping"),
        ("", "must hold a mapping"),
        ("size: a\nsize: b\n", "the name 'size' is given twice (second time in line 2)"),
        ("a: {b: 1, b: 2}", "the name 'b' is given twice"),
        ("a: \x00", "is not valid YAML"),
        ("!!python/object/apply:os.system ['true']", "is not valid YAML"),
    ],
)
def test_a_file_that_is_no_config_is_named(text, words, tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text(text)
    with pytest.raises(UserError, match=r"config\.yaml") as caught:
        config.load(path)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(UserError, match="no such config file"):
        config.load(tmp_path / "nothing.yaml")


def test_files_are_merged_key_by_key_and_lists_replaced(tmp_path):
    first, second = tmp_path / "a.yaml", tmp_path / "b.yaml"
    first.write_text(yaml.safe_dump(GOOD))
    second.write_text("studies: {width: {seeds: [7], run: {epochs: 5}}}")
    study = config.load(first, second).studies["width"]
    assert study.seeds == (7,)
    assert study.run("digits", "width-8", 7)["epochs"] == 5
    assert study.run("digits", "width-8", 7)["network"] == {"name": "mlp", "width": 8}


def test_a_variant_with_another_optimiser_does_not_inherit_the_settings_of_the_first():
    raw = changed(WIDTH + "variants", {"plain": {"optimiser": "sgd", "network": {"width": 4}}})
    run = config.resolve(raw).studies["width"].run("digits", "plain", 0)
    assert run["optimiser"] == {"name": "sgd"}
    assert run["network"] == {"name": "mlp", "width": 4}


def test_a_grid_of_two_keys_is_their_product():
    raw = changed(WIDTH + "grid", {"network.width": [4, 8], "batch_size": [16, 32]})
    study = config.resolve(raw).studies["width"]
    assert [v.name for v in study.variants][:2] == [
        "width-4_batch_size-16",
        "width-4_batch_size-32",
    ]
    assert study.columns == ("width", "batch_size")


def test_a_study_survives_its_json():
    study = config.resolve(GOOD).studies["width"]
    again = Study.from_json(json.loads(json.dumps(study.to_json())))
    assert list(again.runs()) == list(study.runs())
    assert again == study
    assert json.dumps(study.to_json()) == json.dumps(dataclasses.asdict(study))


def test_what_is_right_in_one_variant_is_not_taken_for_right_in_another():
    raw = changed(WIDTH + "variants", {"good": {"epochs": 3}, "bad": {"epochs": "three"}})
    for _ in range(2):
        with pytest.raises(UserError, match=r"variants.bad.*epochs is 'three'"):
            config.resolve(raw)


@pytest.mark.parametrize("name", ["", "paper", "sweeps"])
def test_the_projects_own_configs_are_good(name):
    files = [ROOT / "config.yaml", *([ROOT / "config" / f"{name}.yaml"] if name else [])]
    assert config.load(*files).studies


def test_keys_come_in_the_order_of_the_file_that_is_laid_under_the_others():
    under = {"size": "a", "studies": {"x": {"variants": {"one": {}, "two": {}}}, "y": {}}}
    over = {
        "studies": {"y": {"seeds": [2]}, "x": {"variants": {"three": {}, "two": {"epochs": 1}}}}
    }
    # As Snakemake merges them: what is laid over comes first.
    merged = {
        "studies": {
            "y": {"seeds": [2]},
            "x": {"variants": {"three": {}, "two": {"epochs": 1}, "one": {}}},
        },
        "size": "a",
    }
    found = config_files.ordered(merged, config_files.merge(under, over))
    assert found == merged
    assert list(found) == ["size", "studies"] and list(found["studies"]) == ["x", "y"]
    assert list(found["studies"]["x"]["variants"]) == ["one", "two", "three"]
    assert config_files.ordered({"new": 1, "size": 2}, under) == {"size": 2, "new": 1}


def test_the_full_size_has_the_sweeps_too():
    full, sweeps = (
        yaml.safe_load((ROOT / "config" / f"{name}.yaml").read_text())["studies"]["layerwise"]
        for name in ("paper", "sweeps")
    )
    assert sweeps["variants"].items() <= full["variants"].items()
    assert sweeps["figures"] == full["figures"]


def test_planning_never_imports_torch():
    code = (
        "import sys; from sidestep import config, entries, fingerprint, layout;"
        f"c = config.load(__import__('pathlib').Path({str(ROOT / 'config.yaml')!r}));"
        "[fingerprint.of(entries.train(r)) for s in c.studies.values() for r in s.runs()];"
        "heavy = {'torch', 'pandas', 'matplotlib', 'scipy'} & set(sys.modules); assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(json_values)
def test_canonical_json_depends_on_the_value_alone(value):
    text = canonical_json(value)
    assert canonical_json(json.loads(text)) == text

    def shuffled(item):
        if isinstance(item, dict):
            return {key: shuffled(item[key]) for key in reversed(list(item))}
        return [shuffled(i) for i in item] if isinstance(item, list) else item

    assert canonical_json(shuffled(value)) == text


def test_one_and_one_point_zero_are_one_config():
    assert canonical_json({"lr": 1.0, "b": 2}) == canonical_json({"b": 2, "lr": 1})


PATHS = sorted({path for path, *_ in REFUSED})


@given(st.sampled_from(PATHS), json_values)
def test_any_value_anywhere_gives_a_plan_or_sentences(path, value):
    raw = changed(path, value)
    try:
        config.resolve(raw, "my.yaml")
    except UserError as error:
        assert all(line.startswith("my.yaml: ") for line in str(error).splitlines())


@given(st.text(string.printable, max_size=60))
def test_any_text_as_a_file_gives_a_mapping_or_a_sentence(tmp_path_factory, text):
    path = tmp_path_factory.mktemp("any") / "config.yaml"
    path.write_text(text)
    try:
        assert isinstance(config_files.read_file(path), dict)
    except UserError as error:
        assert str(error).startswith(str(path))


def pins(lines):
    found = {}
    for line in lines:
        match = re.fullmatch(r"\s*-?\s*([A-Za-z0-9_.-]+)==([^\s;]+)", line)
        if match:
            found[match[1].lower().replace("_", "-")] = match[2]
    return found


def test_the_lists_of_pins_agree():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    listed = project["dependencies"] + extras["cluster"]
    wanted = pins(listed)
    assert len(wanted) == len(listed)
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    conda = next(item["pip"] for item in environment["dependencies"] if isinstance(item, dict))
    assert pins(conda) == wanted
    recipe = (ROOT / "Dockerfile").read_text().splitlines()
    assert pins(line.removesuffix("\\").rstrip() for line in recipe) == wanted
    assert any(line.startswith("ENV HOME=") and " USER=" in line for line in recipe)
    python = next(item for item in environment["dependencies"] if "python" in item)
    assert any(line.startswith(f"FROM python:{python.split('=')[1]}-") for line in recipe)
    constraints = pins((ROOT / "constraints.txt").read_text().splitlines())
    everything = wanted | pins(extras["dev"])
    assert {name: constraints.get(name) for name in everything} == everything
    assert not any("+" in version for version in constraints.values())
