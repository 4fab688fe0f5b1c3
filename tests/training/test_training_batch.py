"""Several runs in one job: the bytes of one job each, whatever happens in between."""

import csv
import json

import pytest
import torch

from made_batches import (
    FILES,
    KilledError,
    after_seed,
    at_line,
    lose_summaries,
    stop_batch,
    train_batch,
)
from sidestep import config, entries, fingerprint, layout, seals
from sidestep.cli import main
from sidestep.data.fetch import fetch
from sidestep.errors import UserError
from sidestep.files import canonical_json, read_json, write_json
from sidestep.study import runs_of
from sidestep.training.batch import run_batch
from sidestep.watch import report

SEEDS = (3, 4, 5)


@pytest.fixture
def run(run):
    """With random numbers at every step, and a probe."""
    return {
        **run,
        "augmentations": [{"name": "random_crop"}],
        "train_images": 256,
        "probes": [{"name": "geometry", "images": 40}],
    }


def batch(run, digits, root, seeds=SEEDS, say=lambda _: None):
    train_batch(run, seeds, digits, root, say)


def folder(run, root, seed):
    return layout.run(run["study"], run["dataset"], run["variant"], seed, root)


def copy(run, root, seed):
    return layout.done(run["study"], run["dataset"], run["variant"], seed, root)


def modified(run, root, seed):
    return (folder(run, root, seed) / "model.safetensors").stat().st_mtime_ns


def history(run, root, seed):
    with (folder(run, root, seed) / "history.csv").open() as file:
        return [{**row, "seconds": ""} for row in csv.DictReader(file)]


def check_alike(run, root, other, seeds=SEEDS):
    for seed in seeds:
        assert history(run, root, seed) == history(run, other, seed)
        for name in FILES:
            mine, theirs = (folder(run, place, seed) / name for place in (root, other))
            assert mine.read_bytes() == theirs.read_bytes(), (seed, name)
        summaries = [
            read_json(folder(run, place, seed) / "summary.json") for place in (root, other)
        ]
        for key in ("final", "status", "steps", "teacher", "mult_adds_per_training_step"):
            assert summaries[0][key] == summaries[1][key]


def trained(said):
    """How many epochs a job trained, by its log; the evaluation before the first is none."""
    return sum(line.startswith("epoch ") and not line.startswith("epoch 0/") for line in said)


@pytest.fixture
def alone(run, digits, tmp_path):
    """A job for each seed."""
    for seed in SEEDS:
        torch.manual_seed(seed)
        batch({**run, "seed": seed}, digits, tmp_path / "alone", [seed])
    return tmp_path / "alone"


def test_a_batch_gives_the_bytes_of_a_job_per_seed_and_leaves_nothing_behind(
    run, digits, alone, tmp_path
):
    batch(run, digits, tmp_path)
    check_alike(run, tmp_path, alone)
    assert history(run, tmp_path, 3) != history(run, tmp_path, 4)
    assert not any(path.is_file() for path in (tmp_path / "checkpoints").rglob("*"))
    # In another order, nothing reaches the next seed either.
    batch(run, digits, tmp_path / "backwards", SEEDS[::-1])
    check_alike(run, tmp_path / "backwards", alone)


@pytest.mark.parametrize(
    ("line", "epochs", "kept"),
    [
        ("width/digits/width-8/3: finished", 6, [3]),  # between two seeds
        ("width/digits/width-8/4: finished", 3, [3, 4]),
        ("width/digits/width-8/5: finished", 0, [3, 4, 5]),  # before the copies are removed
    ],
)
def test_a_batch_killed_between_two_seeds_trains_the_others_alone(
    run, digits, alone, tmp_path, line, epochs, kept
):
    stop_batch(run, SEEDS, digits, tmp_path, at_line(line))
    assert [seed for seed in SEEDS if copy(run, tmp_path, seed).exists()] == kept
    times = {seed: modified(run, tmp_path, seed) for seed in kept}
    said = []
    batch(run, digits, tmp_path, say=said.append)
    assert trained(said) == epochs
    assert sum("is put back from" in text for text in said) == len(kept)
    for seed, time in times.items():
        assert modified(run, tmp_path, seed) == time
    check_alike(run, tmp_path, alone)
    assert not any(copy(run, tmp_path, seed).exists() for seed in SEEDS)


def test_a_batch_killed_within_a_seed_goes_on_from_its_checkpoint(run, digits, alone, tmp_path):
    stop_batch(run, SEEDS, digits, tmp_path, after_seed(3))
    said = []
    batch(run, digits, tmp_path, say=said.append)
    assert "seed 3 was finished by an earlier job" in said[0]
    assert any(line.startswith("resumed after step 4 of 12") for line in said)
    assert trained(said) == 2 + 3
    check_alike(run, tmp_path, alone)


def _other_data(_, root, digits):
    written = read_json(digits.with_suffix(".digest.json"))
    place = root / "data" / "digits.safetensors"
    place.parent.mkdir()
    place.write_bytes(digits.read_bytes())
    # The same arrays, told by another digest of one that is not trained on.
    seals.write(place.with_suffix(".digest.json"), {**written, "another": "0" * 64})
    return place


def _changed(name):
    def change(run, root, digits):
        path = folder(run, root, 3) / name
        path.write_bytes(path.read_bytes() + b" ")
        return digits

    return change


def _missing(run, root, digits):
    (folder(run, root, 3) / "records.safetensors").unlink()
    return digits


def _summary(**changes):
    def change(run, root, digits):
        path = copy(run, root, 3)
        seals.write(path, {**read_json(path), **changes})
        return digits

    return change


def _edited(run, root, digits):
    path = copy(run, root, 3)
    write_json(path, {**read_json(path), "status": "diverged"})
    return digits


def _torn(run, root, digits):
    path = copy(run, root, 3)
    path.write_bytes(path.read_bytes()[:100])
    return digits


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (_changed("model.safetensors"), "model.safetensors is missing or was changed"),
        (_changed("config.json"), "config.json is missing or was changed"),
        (_missing, "records.safetensors is missing or was changed"),
        (_summary(fingerprint="0" * 16), "another config, other code, other data"),
        (_summary(teacher="0" * 64), "another config, other code, other data or another teacher"),
        (_summary(files=None), "is damaged"),
        (_torn, "is damaged"),
        (_edited, "is damaged (it is not what was written)"),
        (_other_data, "other data"),
    ],
)
def test_what_is_not_the_finished_run_is_trained_anew(run, digits, alone, tmp_path, change, words):
    stop_batch(run, SEEDS, digits, tmp_path, at_line("width/digits/width-8/4: finished"))
    data = change(run, tmp_path, digits)
    said = []
    batch(run, data, tmp_path, say=said.append)
    assert words in said[0] and said[0].endswith(": training starts over")
    # Other data concern both finished seeds.
    assert trained(said) == (9 if change is _other_data else 6)
    check_alike(run, tmp_path, alone)


def test_what_a_killed_job_left_half_written_is_removed(run, digits, tmp_path):
    place = (run["study"], run["dataset"], run["variant"], SEEDS[0], tmp_path)
    others = layout.checkpoint(*place[:3], 99, tmp_path)
    left = [
        folder(run, tmp_path, SEEDS[0]) / ".model.safetensors.x1y2z3",
        *(
            path.with_name(f".{path.name}.x1y2z3")
            for path in (layout.checkpoint(*place), layout.done(*place))
        ),
    ]
    for path in (*left, others.with_name(f".{others.name}.x1y2z3")):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"half")
    batch(run, digits, tmp_path, SEEDS[:1])
    assert not any(path.exists() for path in left)
    # Another seed's may be at work.
    assert others.with_name(f".{others.name}.x1y2z3").exists()


def test_another_config_trains_every_seed_anew(run, digits, tmp_path):
    stop_batch(run, SEEDS, digits, tmp_path, at_line("width/digits/width-8/4: finished"))
    said = []
    batch({**run, "epochs": 2, "records": [1, 2]}, digits, tmp_path, say=said.append)
    assert trained(said) == 6
    assert read_json(folder(run, tmp_path, 3) / "config.json")["epochs"] == 2


def test_a_fault_in_one_seed_ends_the_job_and_seeds_done_stay_done(run, digits, alone, tmp_path):
    # A folder stands where the file of the second seed has to go.
    wrong = folder(run, tmp_path, 4) / "model.safetensors"
    wrong.mkdir(parents=True)
    said = []
    with pytest.raises(OSError, match="directory"):
        batch(run, digits, tmp_path, say=said.append)
    assert trained(said) == 6
    assert not folder(run, tmp_path, 5).exists()
    assert copy(run, tmp_path, 3).exists() and not copy(run, tmp_path, 4).exists()
    lose_summaries(run, SEEDS, tmp_path)
    wrong.rmdir()
    again = []
    batch(run, digits, tmp_path, say=again.append)
    assert "seed 3 was finished by an earlier job" in again[0]
    check_alike(run, tmp_path, alone)


def test_a_diverged_seed_is_put_back_as_such(run, digits, tmp_path):
    wild = {**run, "optimiser": {"name": "sgd", "lr": 1e30}}
    stop_batch(wild, SEEDS, digits, tmp_path, at_line("width/digits/width-8/3: diverged"))
    said = []
    batch(wild, digits, tmp_path, say=said.append)
    assert said[1] == "width/digits/width-8/3: diverged"
    summary = read_json(folder(wild, tmp_path, 3) / "summary.json")
    assert summary["status"] == "diverged"


def test_students_learn_from_the_teacher_of_their_own_seed(run, digits, tmp_path):
    network = {"name": "basic_cnn", "channels": 2, "hidden": 4}
    teacher = {**run, "variant": "large", "network": {**network, "channels": 4}}
    student = {**run, "variant": "small", "network": network, "teacher": teacher}
    student["strategy"] = {"name": "distilled"}
    for root, seeds in ((tmp_path / "one", [3]), (tmp_path / "one", [4]), (tmp_path, [3, 4])):
        batch(teacher, digits, root, seeds)
        batch(student, digits, root, seeds)
    check_alike(student, tmp_path, tmp_path / "one", [3, 4])
    made_by = [read_json(folder(student, tmp_path, seed) / "summary.json") for seed in (3, 4)]
    teachers = [read_json(folder(teacher, tmp_path, seed) / "summary.json") for seed in (3, 4)]
    for mine, theirs in zip(made_by, teachers, strict=True):
        assert mine["teacher"] == theirs["files"]["model.safetensors"]


def test_a_batch_of_data_sets_gives_the_bytes_of_a_job_each_and_goes_on_where_it_was_killed(
    run, tmp_path
):
    names, seeds = ("digits", "wine"), (3, 4)
    for root in (tmp_path / "together", tmp_path / "each"):
        for name in names:
            fetch(name, layout.data(name, root), None, lambda _: None)
    small = {**run, "train_images": 64, "augmentations": [], "probes": []}
    runs = list(runs_of(small, names, seeds))
    assert [(one["dataset"], one["seed"]) for one in runs] == [
        ("digits", 3),
        ("digits", 4),
        ("wine", 3),
        ("wine", 4),
    ]
    for one in runs:
        run_batch([one], "", tmp_path / "each", say=lambda _: None)

    def say(line):
        if line == "width/wine/width-8/3: finished":
            raise KilledError

    root = tmp_path / "together"
    with pytest.raises(KilledError):
        run_batch(runs, "", root, say=say)
    for one in runs:
        (folder(one, root, one["seed"]) / "summary.json").unlink(missing_ok=True)
    said = []
    planned = fingerprint.of(entries.train(*runs))
    run_batch(runs, planned, root, say=said.append)
    assert sum("was finished by an earlier job" in line for line in said) == 3
    for one in runs:
        check_alike(one, root, tmp_path / "each", [one["seed"]])
        # Its own, whatever else was trained in the job: what reads the run asks for that.
        made_by = read_json(folder(one, root, one["seed"]) / "summary.json")["fingerprint"]
        assert made_by == fingerprint.of(entries.train(one)) != planned
    with pytest.raises(UserError, match="the code changed since this job was planned"):
        run_batch(runs, fingerprint.of(entries.train(runs[0])), root)


def test_the_runs_of_a_batch_are_those_of_the_study():
    study = {
        "title": "x",
        "datasets": ["digits", "wine"],
        "seeds": [4, 0, 9],
        "run": {"network": {"name": "mlp", "width": 4}, "epochs": 1},
        "variants": {"large": {"network": {"width": 8}}, "small": {"teacher": "large"}},
    }
    (made,) = config.resolve({"size": "x", "studies": {"s": study}}).studies.values()
    for variant in ("large", "small"):
        first = json.loads(canonical_json(made.run("digits", variant, 4)))
        found = [canonical_json(run) for run in runs_of(first, made.datasets, made.seeds)]
        assert found == [
            canonical_json(made.run(name, variant, seed))
            for name in made.datasets
            for seed in made.seeds
        ]


def test_status_of_a_running_batch(run, digits, tmp_path):
    """Finished seeds are finished, one runs, the others wait, whatever a killed job left behind."""
    study = {
        "title": "x",
        "datasets": ["digits"],
        "seeds": list(SEEDS),
        "seeds_per_job": 3,
        "run": {"network": "mlp", "epochs": 3},
        "grid": {"network.width": [8]},
    }
    made = config.resolve({"size": "x", "studies": {"width": study}})
    place = (run["study"], run["dataset"], run["variant"])
    for seed in SEEDS:
        old = {"state": "failed", "reason": "no disk", "epochs": 3}
        write_json(layout.status(*place, seed, tmp_path), old)
    seen = []

    def say(line):
        if line.startswith("epoch 1/"):
            seen.append(report(made, tmp_path)[0])

    batch(run, digits, tmp_path, say=say)
    assert "(1 running, 2 waiting)" in seen[0] and "width-8/seed3: epoch 0" in seen[0]
    assert "(1 finished, 1 running, 1 waiting)" in seen[1] and "width-8/seed4: epoch" in seen[1]
    assert "(2 finished, 1 running)" in seen[2]
    text, done = report(made, tmp_path)
    assert done and "3/3 runs  (3 finished)" in text


def command(run, digits, root, *words):
    main(["train", "--run", json.dumps(run), "--data", str(digits), "--root", str(root), *words])


def test_the_command_trains_the_seeds_that_are_given_or_the_runs_own(
    run, digits, alone, tmp_path, capsys
):
    command({**run, "seed": 0}, digits, tmp_path / "given", "--seeds", "4", "3")
    said = capsys.readouterr().out.splitlines()
    assert [line for line in said if line.endswith(": finished")] == [
        f"width/digits/width-8/{seed}: finished" for seed in (4, 3)
    ]
    check_alike(run, tmp_path / "given", alone, (3, 4))
    assert not folder(run, tmp_path / "given", 0).exists()
    command(run, digits, tmp_path / "own")
    check_alike(run, tmp_path / "own", alone, (3,))


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--seeds", "1", "2", "1"), "--seeds lists 1 twice"),
        (("--seeds", "1", "2", "--output", "x"), "--output is the folder of one run"),
        (("--datasets", "digits", "wine", "digits"), "--datasets lists digits twice"),
        (("--datasets", "digits", "wine", "--output", "x"), "--output is the folder of one run"),
        (("--datasets", "digits", "wine"), "--data is the file of one data set"),
    ],
)
def test_the_command_refuses_seeds_and_data_sets_that_make_no_sense(
    run, digits, tmp_path, capsys, words, sentence
):
    with pytest.raises(SystemExit) as caught:
        command(run, digits, tmp_path, *words)
    assert caught.value.code == 2
    assert sentence in capsys.readouterr().err
    assert not (tmp_path / "runs").exists()


def test_a_teacher_that_is_not_there_is_named(run, digits, tmp_path):
    student = {**run, "variant": "small", "teacher": run}
    with pytest.raises(UserError, match=r"seed4/summary\.json is missing"):
        batch(student, digits, tmp_path, [4, 5])
