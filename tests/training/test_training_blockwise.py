"""Blocks in turn and together: what moves, what is kept, what is refused, and what probes see."""

import csv
import dataclasses
import itertools

import pytest
import torch
from torch import nn

from made_sites import site
from sidestep import entries
from sidestep.contract import Model, Objective, Phase
from sidestep.errors import UserError
from sidestep.registry import load
from sidestep.signals import true_loss
from sidestep.signals.auxiliary_classifier import AuxiliaryClassifier
from sidestep.strategies import blockwise, end_to_end
from sidestep.training import clock as clock_module
from sidestep.training import loop
from sidestep.training.job import run_job
from sidestep.training.loop import train
from sidestep.training.optimiser import Optimiser, named_parameters
from sidestep.training.setup import make_task, signals_of
from sidestep.training.state import Progress
from sidestep.training.step import entry, learn, plan

CPU = torch.device("cpu")
SUB_MODEL = {"name": "sub_model"}


@pytest.fixture
def cnn(run):
    """A run of the convolutional network, small, with dropout."""
    return {
        **run,
        "network": {"name": "mnist_cnn", "channels": 3, "hidden": 10},
        "strategy": {"name": "blockwise", "signal": SUB_MODEL},
        "epochs": 4,
        "records": [4],
        "train_images": 256,
    }


def quiet(*_):
    pass


def job(run, digits, folder, **more):
    run_job(run, "", entries.train(run), digits, folder, say=more.pop("say", quiet), **more)


def rows_of(folder, name="history.csv"):
    with (folder / name).open() as file:
        return [{k: v for k, v in row.items() if k != "seconds"} for row in csv.DictReader(file)]


def model():
    torch.manual_seed(0)
    network = load("networks", "mnist_cnn").build((1, 8, 8), 10, channels=3, hidden=10)
    return Model(network, ((1, 8, 8), (3, 4, 4), (6, 2, 2), (10,), (10,)), 10)


def test_each_phase_in_turn_moves_its_own_stage_only_buffers_included(cnn, digits):
    task = make_task({**cnn, "evaluations": 2}, digits, CPU)
    torch.manual_seed(0)
    # Batch norm has buffers that move with every batch that passes in training mode.
    for index in (0, 1):
        task.network[index].append(nn.BatchNorm2d(3 * (index + 1)))
    task.optimiser.parameters.update(dict(task.network.named_parameters()))
    before = [{n: v.clone() for n, v in s.state_dict().items()} for s in task.network]
    moved = []

    def look(_):
        now = [stage.state_dict() for stage in task.network]
        changed = [
            {name for name, value in old.items() if not torch.equal(value, new[name])}
            for old, new in zip(before, now, strict=True)
        ]
        moved.append([index for index, names in enumerate(changed) if names])
        if len(moved) == 2:
            # Everything of the first stage moved, running statistics too.
            assert changed[0] == set(before[0])
        for old, new in zip(before, now, strict=True):
            old.update({name: value.clone() for name, value in new.items()})

    train(task, Progress(), after_chunk=quiet, after_mark=look)
    assert moved == [[0], [0], [1], [1], [2], [2], [3], [3]]


def test_one_word_turns_blocks_together_into_blocks_in_turn(cnn, digits):
    found = {}
    for order in ("together", "in_turn"):
        strategy = {**cnn["strategy"], "order": order}
        task = make_task({**cnn, "strategy": strategy}, digits, CPU)
        objectives = [o for phase in task.phases for o in phase.objectives]
        found[order] = [(type(o.signal).__name__, o.first, o.at) for o in objectives]
        assert len(task.phases) == (1 if order == "together" else 4)
    assert found["together"] == found["in_turn"]
    assert [(first, at) for _, first, at in found["in_turn"]] == [(i, i) for i in range(4)]
    assert found["in_turn"][-1][0] == "TrueLoss"


def test_one_block_is_end_to_end_back_propagation_bit_for_bit(cnn, digits):
    whole = {**cnn["strategy"], "ends": ["logits"]}
    states = []
    for strategy in (whole, {"name": "end_to_end"}):
        task = make_task({**cnn, "strategy": strategy}, digits, CPU)
        train(task, Progress(), after_chunk=quiet, after_mark=quiet)
        states.append(task.network.state_dict())
    for name, value in states[0].items():
        assert torch.equal(value, states[1][name])


def test_without_freezing_a_signal_teaches_all_stages_below():
    found = blockwise.phases(model(), signal=SUB_MODEL, freeze=False)
    assert [(p.objectives[0].first, p.objectives[0].at) for p in found] == [
        (0, 0),
        (0, 1),
        (0, 2),
        (0, 3),
    ]


def test_blocks_end_where_the_config_says():
    found = blockwise.phases(model(), signal=SUB_MODEL, ends=["conv2"], fine_tune=0.25)
    assert [(p.name, p.share) for p in found] == [
        ("conv2", 0.375),
        ("logits", 0.375),
        ("fine_tune", 0.25),
    ]
    reaches = [(p.objectives[0].first, p.objectives[0].at) for p in found]
    assert reaches == [(0, 1), (2, 3), (0, 3)]


def test_shares_follow_their_rule():
    def shares(rule):
        return [p.share for p in blockwise.phases(model(), signal=SUB_MODEL, shares=rule)]

    assert shares("equal") == [0.25] * 4
    assert shares("front") == [0.4, 0.3, 0.2, 0.1]
    assert shares("back") == pytest.approx([0.1, 0.2, 0.3, 0.4])
    assert shares([0.1, 0.2, 0.7, 0.0]) == [0.1, 0.2, 0.7, 0.0]
    parameters = [3 * 26, 6 * 76, 10 * 25, 10 * 11]
    assert shares("parameters") == pytest.approx([n / sum(parameters) for n in parameters])
    counts = [64 * 3 * 25, 16 * 6 * 75, 24 * 10, 100]
    assert shares("mult_adds") == pytest.approx([n / sum(counts) for n in counts])


@pytest.mark.parametrize(
    ("strategy", "sentence"),
    [
        ({"ends": ["conv3"]}, "no stage 'conv3' .did you mean 'conv"),
        ({"shares": [0.5, 0.5]}, "has 2 numbers but the network is cut into 4 blocks"),
    ],
)
def test_a_strategy_that_does_not_fit_the_network_is_refused(cnn, digits, strategy, sentence):
    run = {**cnn, "strategy": {**cnn["strategy"], **strategy}}
    with pytest.raises(UserError, match=sentence):
        make_task(run, digits, CPU)


def test_more_neighbours_than_a_batch_has_of_a_class_are_refused(cnn, digits):
    signal = {"name": "divergence", "estimator": "nearest_neighbours", "k": 30}
    run = {**cnn, "strategy": {**cnn["strategy"], "signal": signal}}
    with pytest.raises(UserError, match=r"needs at least 31 images of each class .* batch_size"):
        make_task(run, digits, CPU)
    signal["k"] = 1
    smaller = {**run, "batch_size": 256, "train_images": 1024}
    make_task(smaller, digits, CPU)


def test_a_signal_that_needs_labels_is_refused_on_data_without(cnn, digits, monkeypatch):
    module = load("datasets", "digits")
    without = dataclasses.replace(module.DATASET, labelled=False)
    monkeypatch.setattr(module, "DATASET", without)
    sentence = "AuxiliaryClassifier needs labels, which dataset 'digits' lacks"
    with pytest.raises(UserError, match=sentence):
        make_task(cnn, digits, CPU)


def test_kept_outputs_are_those_of_the_frozen_stages_and_train_alike(cnn, digits):
    results = []
    for cache in (True, False):
        task = make_task({**cnn, "strategy": {**cnn["strategy"], "cache": cache}}, digits, CPU)
        third = task.spans[2]
        planned, _ = task.prepare(third[0])
        assert task.caches(*third, planned) is cache
        images = task.splits["train"].images
        expected = task.network.eval()[:2](images)
        assert torch.allclose(entry(planned, images), expected, atol=1e-6)
        train(task, Progress(), after_chunk=quiet, after_mark=quiet)
        results.append(task.network.state_dict())
    for name, value in results[0].items():
        assert torch.allclose(value, results[1][name], atol=1e-4), name


def test_outputs_that_would_be_used_less_than_once_are_not_kept(cnn, digits):
    task = make_task({**cnn, "epochs": 2, "records": [2]}, digits, CPU)
    span = task.spans[2]
    assert not task.caches(*span, task.prepare(span[0])[0])


def test_a_step_from_kept_outputs_gives_the_same_gradients():
    torch.manual_seed(3)
    stages = [nn.Sequential(nn.Linear(6, 5), nn.ReLU()) for _ in range(1)] + [nn.Linear(5, 4)]
    phase = Phase("last", (Objective(true_loss.build(site((4,), 4)), 1, 1),))
    batch = make_batch()
    planned = plan(stages, phase)
    gradients = []
    for kept in (None, entry(planned, batch.images)):
        learn(planned, batch, kept)
        gradients.append(stages[1].weight.grad.clone())
        stages[1].weight.grad = None
        stages[1].bias.grad = None
        assert stages[0][0].weight.grad is None
    assert torch.equal(*gradients)


def make_batch():
    from sidestep.contract import Batch

    return Batch(torch.randn(12, 6), torch.arange(12) % 4)


@pytest.mark.parametrize("line", ["epoch 1.5/", "epoch 2.5/", "epoch 3/"])
def test_a_run_killed_in_any_phase_ends_with_the_bytes_of_an_undisturbed_one(
    cnn, digits, tmp_path, line
):
    cnn = {**cnn, "evaluations": 2, "probes": [{"name": "geometry", "images": 20}]}
    job(cnn, digits, tmp_path / "whole")
    keep, said = tmp_path / "keep.safetensors", []

    class KilledError(Exception):
        pass

    def kill(text):
        if text.startswith(line):
            raise KilledError

    with pytest.raises(KilledError):
        job(cnn, digits, tmp_path / "x", keep=keep, checkpoint_seconds=0, say=kill)
    job(cnn, digits, tmp_path / "again", keep=keep, say=said.append)
    assert said[0].startswith("resumed after step")
    for name in ("history.csv", "probes.csv"):
        assert rows_of(tmp_path / "again", name) == rows_of(tmp_path / "whole", name)
    mine, whole = tmp_path / "again", tmp_path / "whole"
    name = "model.safetensors"
    assert (mine / name).read_bytes() == (whole / name).read_bytes()


def test_evaluations_are_at_parts_of_epochs_and_ends_of_phases(cnn, digits, tmp_path):
    strategy = {**cnn["strategy"], "ends": ["conv1"], "shares": [0.3, 0.7]}
    run = {**cnn, "strategy": strategy, "evaluations": 2, "evaluation_images": 50}
    job(run, digits, tmp_path)
    rows = rows_of(tmp_path)
    # 256 images in batches of 64: 4 steps an epoch, 16 in all, of which 30 % are 5.
    assert [int(r["step"]) for r in rows if r["split"] == "test"] == [0, 2, 4, 5, *range(6, 17, 2)]
    # Accuracies are shares of the 50 images that are looked at.
    for row in rows:
        if row["split"] != "batch":
            assert float(row["accuracy"]) * 50 == pytest.approx(round(float(row["accuracy"]) * 50))


def test_the_schedule_runs_over_each_phase_anew(cnn, digits):
    task = make_task(cnn, digits, CPU)
    asked = []
    task = dataclasses.replace(task, schedule=lambda done: asked.append(done) or 1.0)
    train(task, Progress(), after_chunk=quiet, after_mark=quiet)
    assert asked == [0, 0.25, 0.5, 0.75] * 4


def test_time_spent_in_evaluation_does_not_move_the_time_axis(cnn, digits, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(clock_module.time, "perf_counter", lambda: now[0])
    real = {name: getattr(loop, name) for name in ("evaluate", "learn", "entry")}

    def taking(name, seconds):
        def work(*arguments):
            now[0] += seconds
            return real[name](*arguments)

        monkeypatch.setattr(loop, name, work)

    taking("evaluate", 1000.0)
    taking("learn", 1.0)
    taking("entry", 100.0)
    probes = [{"name": "gradient_angle", "images": 8}]
    task = make_task({**cnn, "probes": probes}, digits, CPU)
    progress = Progress()
    train(task, progress, after_chunk=quiet, after_mark=quiet)
    # 16 steps, and the outputs of the frozen stages of three phases, which are training time.
    assert progress.seconds == 16 + 300
    shown = [row.seconds for row in progress.rows if row.split == "test"]
    assert shown == [0, 4, 108, 212, 316]


def test_probes_change_nothing(cnn, digits, tmp_path):
    probes = [{"name": name, "images": 16} for name in ("geometry", "gradient_angle")]
    job(cnn, digits, tmp_path / "plain")
    job({**cnn, "probes": probes}, digits, tmp_path / "probed")
    assert rows_of(tmp_path / "plain") == rows_of(tmp_path / "probed")
    name = "model.safetensors"
    assert (tmp_path / "plain" / name).read_bytes() == (tmp_path / "probed" / name).read_bytes()
    assert not rows_of(tmp_path / "plain", "probes.csv")
    rows = rows_of(tmp_path / "probed", "probes.csv")
    angles = [row for row in rows if row["probe"] == "gradient_angle"]
    # The stage that learns at each evaluation; the first one also before the first step.
    stages = ["conv1", "conv1", "conv2", "dense", "logits"]
    assert [row["stage"] for row in angles] == stages == [row["phase"] for row in angles]
    assert all(0 <= float(row["value"]) <= 180 for row in angles)


def view_of(strategy_phases, made):
    from sidestep.contract import Batch
    from sidestep.training.view import View

    torch.manual_seed(5)
    batch = Batch(torch.randn(30, 1, 8, 8), torch.arange(30) % 10)
    return View(made, plan(list(made.network), strategy_phases[0]), batch, {}, lambda given: given)


def test_the_gradient_of_back_propagation_has_no_angle_to_itself():
    made = model()
    probe = load("probes", "gradient_angle").probe
    found = list(probe(view_of(end_to_end.phases(made), made), images=30))
    assert [reading.stage for reading in found] == list(made.stages)
    assert all(reading.value == pytest.approx(0, abs=1e-4) for reading in found)


def test_the_last_block_of_many_learns_from_the_true_gradient_and_the_others_do_not():
    made = model()
    probe = load("probes", "gradient_angle").probe
    strategy = blockwise.phases(made, signal=SUB_MODEL, order="together")
    found = {r.stage: r.value for r in probe(view_of(strategy, made), images=30)}
    assert found["logits"] == pytest.approx(0, abs=1e-4)
    assert all(found[stage] > 1 for stage in ("conv1", "conv2", "dense"))
    assert all(p.grad is None for p in made.network.parameters())


def test_the_geometry_of_a_stage_is_what_numpy_says():
    import numpy as np

    made = model()
    view = view_of(end_to_end.phases(made), made)
    found = {(r.stage, r.name): r.value for r in load("probes", "geometry").probe(view, images=30)}
    images, labels = view.train.images, view.train.labels.numpy()
    after = made.network.eval()[0](images).detach().flatten(1).numpy().astype(float)
    before = images.flatten(1).numpy().astype(float)
    ratio = np.linalg.norm(after, axis=1) / np.linalg.norm(before, axis=1)
    assert found["conv1", "norm_ratio_min"] == pytest.approx(ratio.min(), rel=1e-5)
    assert found["conv1", "norm_ratio_max"] == pytest.approx(ratio.max(), rel=1e-5)
    pairs = {True: [], False: []}
    for i, j in itertools.combinations(range(30), 2):
        cosine = after[i] @ after[j] / np.linalg.norm(after[i]) / np.linalg.norm(after[j])
        pairs[bool(labels[i] == labels[j])].append(cosine)
    assert found["conv1", "cosine_same"] == pytest.approx(np.mean(pairs[True]), rel=1e-5)
    assert found["conv1", "cosine_different"] == pytest.approx(np.mean(pairs[False]), rel=1e-5)


def test_the_network_of_the_tutorial_has_its_number_of_parameters_either_way():
    build = load("networks", "mnist_cnn").build
    torch.manual_seed(1)
    after = build((1, 28, 28), 10).eval()
    torch.manual_seed(1)
    before = build((1, 28, 28), 10, stage_ends="before_pool").eval()
    assert sum(p.numel() for p in after.parameters()) == 3_274_634
    images = torch.randn(2, 1, 28, 28)
    assert torch.equal(after(images), before(images))
    assert after[0](images).shape == (2, 32, 14, 14)
    assert before[0](images).shape == (2, 32, 28, 28)


def test_heads_are_trained_and_kept_beside_the_network(cnn, digits):
    task = make_task(cnn, digits, CPU)
    signals = signals_of(task.phases)
    heads = [s.head[1] for s in signals if isinstance(s, AuxiliaryClassifier)]
    assert len(heads) == 3
    names = named_parameters(task.network, signals)
    assert isinstance(task.optimiser, Optimiser)
    assert sum(name.startswith("signals.") for name in names) == 6
    before = [head.weight.detach().clone() for head in heads]
    train(task, Progress(), after_chunk=quiet, after_mark=quiet)
    for old, head in zip(before, heads, strict=True):
        assert not torch.equal(old, head.weight)
