"""A student and its teacher: what is compared, what is refused, and how losses along the way join."""

import csv
import dataclasses
import itertools

import pytest
import torch
from safetensors.torch import load_file
from torch.nn import functional

from made_sites import site
from sidestep import entries, fingerprint, runs
from sidestep.contract import Batch
from sidestep.errors import UserError
from sidestep.files import read_json
from sidestep.signals import attention_transfer, distillation
from sidestep.training.job import run_job
from sidestep.training.loop import train
from sidestep.training.optimiser import Optimiser, decay_scales
from sidestep.training.setup import make_task
from sidestep.training.state import Progress
from sidestep.training.step import learn, plan

CPU = torch.device("cpu")
LABELS = torch.arange(8) % 4


@pytest.mark.parametrize("scale", [0.01, 1.0, 300.0])
def test_attention_transfer_of_a_network_with_itself_is_zero_whatever_the_scale(scale):
    torch.manual_seed(0)
    signal = attention_transfer.build(site((5, 3, 4), 4))
    maps = torch.rand(8, 5, 3, 4)
    loss = signal(maps * scale, Batch(maps, LABELS, taught={"here": maps}))
    assert float(loss) == pytest.approx(0.0, abs=1e-9)


def test_attention_transfer_compares_maps_of_different_channels_by_position():
    torch.manual_seed(1)
    mine, theirs = torch.rand(8, 5, 3, 4), torch.rand(8, 2, 3, 4)
    signal = attention_transfer.build(site((5, 3, 4), 4), weight=7.0)

    def unit(maps):
        strength = (maps.double() ** 2).sum(1).reshape(8, 12) / maps.shape[1]
        return strength / strength.norm(dim=1, keepdim=True)

    expected = 7 * ((unit(mine) - unit(theirs)) ** 2).sum() / 96
    found = signal(mine, Batch(mine, LABELS, taught={"here": theirs}))
    assert float(found) == pytest.approx(float(expected), rel=1e-5)
    with pytest.raises(UserError, match="gives a vector of 9"):
        attention_transfer.build(site((9,), 4))


def test_distillation_mixes_labels_and_the_softened_teacher():
    torch.manual_seed(2)
    mine, theirs = torch.randn(8, 4, requires_grad=True), torch.randn(8, 4)
    batch = Batch(mine, LABELS, taught={"here": theirs})
    alone = distillation.build(site((4,), 4), share=0.0)
    assert torch.equal(alone(mine, batch), functional.cross_entropy(mine, LABELS))
    signal = distillation.build(site((4,), 4), share=0.3, temperature=2.0)
    p, q = (theirs.double() / 2).softmax(1), (mine.double() / 2).softmax(1)
    apart = (p * (p.log() - q.log())).sum() / 8
    expected = 0.7 * functional.cross_entropy(mine.double(), LABELS) + 0.3 * 4 * apart
    assert float(signal(mine.detach(), batch)) == pytest.approx(float(expected.detach()), rel=1e-5)
    whole = distillation.build(site((4,), 4), share=1.0)
    itself = dataclasses.replace(batch, taught={"here": mine.detach()})
    (gradient,) = torch.autograd.grad(whole(mine, itself), mine)
    assert float(gradient.abs().max()) < 1e-6


@pytest.fixture
def student(run):
    """A run whose teacher has the same stages and twice the channels."""
    base = {
        **run,
        "network": {"name": "basic_cnn", "channels": 2, "hidden": 4},
        "train_images": 128,
        "epochs": 1,
        "records": [1],
        "evaluate": ["test"],
        "evaluation_images": 50,
    }
    teacher = {**base, "variant": "large", "network": {**base["network"], "channels": 4}}
    return {**base, "variant": "small", "strategy": {"name": "distilled"}, "teacher": teacher}


def test_losses_along_the_way_join_into_one_backward_pass_with_the_same_gradients(student, digits):
    task = make_task(student, digits, CPU)
    stages, phase = list(task.network), task.phases[0]
    planned = plan(stages, phase)
    lessons = list(itertools.chain.from_iterable(planned.lessons))
    assert [lesson.joined for lesson in lessons] == [True, True, True, False]
    assert len(phase.objectives) == 4
    train_split = task.splits["train"]
    batch = task.with_teacher(Batch(train_split.images[:32], train_split.labels[:32]), planned)
    assert set(batch.taught) == {"block1", "block2", "block3"}

    def gradients():
        found = [p.grad.clone() for p in task.network.parameters()]
        for parameter in task.network.parameters():
            parameter.grad = None
        return found

    planned.set_modes()
    total = learn(planned, batch)
    joined = gradients()
    hidden, loss = batch.images, 0.0
    for name, stage in task.network.named_children():
        hidden = stage(hidden)
        for objective in phase.objectives:
            if objective.signal.needs_teacher == name:
                loss = loss + objective.signal(hidden, batch)
    loss = loss + functional.cross_entropy(hidden, batch.labels)
    loss.backward()
    assert float(total) == pytest.approx(float(loss.detach()), rel=1e-5)
    for mine, expected in zip(joined, gradients(), strict=True):
        assert torch.allclose(mine, expected, rtol=1e-3, atol=1e-5)


def test_the_teacher_stays_as_it_is_and_its_maps_are_those_of_evaluation(student, digits):
    task = make_task(student, digits, CPU)
    before = {key: value.clone() for key, value in task.teacher.state_dict().items()}
    train(task, Progress(), after_chunk=lambda *_: None, after_mark=lambda *_: None)
    assert all(torch.equal(value, before[key]) for key, value in task.teacher.state_dict().items())
    assert not task.teacher.training


def test_a_student_learns_from_the_network_of_its_teachers_run_and_knows_which(
    student, digits, tmp_path
):
    teacher = student["teacher"]
    folders = {name: tmp_path / name / "seed3" for name in ("large", "small")}

    def job(run, **more):
        folder = folders[run["variant"]]
        run_job(run, "", entries.train(run), digits, folder, say=lambda _: None, **more)

    with pytest.raises(UserError, match=r"summary\.json is missing"):
        job(student, teacher=folders["large"])
    job(teacher)
    job(student, teacher=folders["large"])
    code = fingerprint.of(entries.train(student))
    summary = runs.check(folders["small"], student, code)
    assert summary["mult_adds_per_training_step"]["all"] > 0
    weights = (folders["small"] / "model.safetensors").read_bytes()
    # Another teacher makes the student stale, and then another student.
    job({**teacher, "epochs": 2, "records": [2]})
    with pytest.raises(UserError, match="learned from another network of 'large'"):
        runs.check(folders["small"], student, code)
    with pytest.raises(UserError, match="another config"):
        job(student, teacher=folders["large"])
    longer = {**student, "teacher": {**teacher, "epochs": 2, "records": [2]}}
    job(longer, teacher=folders["large"])
    assert (folders["small"] / "model.safetensors").read_bytes() != weights
    assert read_json(folders["small"] / "summary.json")["teacher"] != summary["teacher"]


def diverged_pair(student, digits, tmp_path, **more):
    """The folder of a student whose teacher diverged, and what its job said."""
    wild = {**student["teacher"], "optimiser": {"name": "sgd", "lr": 1e30}}
    teacher, folder, said = tmp_path / "large" / "seed3", tmp_path / "small" / "seed3", []
    run_job(wild, "", entries.train(wild), digits, teacher, say=lambda _: None)
    run = {**student, "teacher": wild}
    run_job(run, "", entries.train(run), digits, folder, teacher=teacher, say=said.append, **more)
    return run, folder, said


def test_the_student_of_a_teacher_that_diverged_has_diverged_before_its_first_step(
    student, digits, tmp_path
):
    student = {**student, "outputs": ["test"], "probes": [{"name": "geometry", "images": 40}]}
    run, folder, said = diverged_pair(student, digits, tmp_path, status=tmp_path / "status.json")
    # Whole, and of this config, this code and this teacher: readers take it.
    summary = runs.check(folder, run, fingerprint.of(entries.train(run)))
    why = "its teacher 'large' diverged and can teach nothing"
    assert (summary["status"], summary["diverged_at_step"], summary["steps"]) == ("diverged", 0, 0)
    assert summary["diverged_because"] == why and f"diverged: {why}" in said
    assert read_json(tmp_path / "status.json")["state"] == "diverged"
    theirs = read_json(tmp_path / "large" / "seed3" / "summary.json")
    at = theirs["diverged_at_step"]
    assert theirs["diverged_because"] == f"the loss is not finite at step {at}"
    # A reader of any other diverged run finds what it looks for, and nothing that passes for learning.
    assert summary.keys() == theirs.keys() and summary["files"].keys() == {
        *theirs["files"],
        "outputs.safetensors",
    }
    assert summary["final"]["test"]["loss"] is None
    assert summary["mult_adds_per_training_step"]["all"] > 0
    with (folder / "history.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["step"], row["split"], row["loss"]) for row in rows] == [
        ("0", "batch", "nan"),
        ("0", "test", "nan"),
    ]
    kept = load_file(folder / "model.safetensors")
    assert all(bool(kept[name].isnan().all()) for name in kept if name.endswith("weight"))


def test_the_student_of_a_teacher_that_diverged_never_looks_at_it(student, digits, tmp_path):
    """Its size may be no number, and the student's size is to be the teacher's."""
    network = {"name": "mlp", "width": 24}
    teacher = {
        **student["teacher"],
        "network": network,
        "gates": {"hidden": {"name": "flexible", "start": 6.0}},
    }
    run = {
        **student,
        "network": network,
        "strategy": {"name": "end_to_end"},
        "gates": {"hidden": {"name": "open", "as_teacher": True}},
        "teacher": teacher,
    }
    run, folder, _ = diverged_pair(run, digits, tmp_path)
    theirs = load_file(tmp_path / "large" / "seed3" / "model.safetensors")
    assert any(bool(value.isnan().any()) for value in theirs.values())
    assert runs.check(folder, run, fingerprint.of(entries.train(run)))["status"] == "diverged"


def test_strategies_and_teachers_that_do_not_fit_are_refused_before_the_first_step(student, digits):
    with pytest.raises(UserError, match="the run has none: name a 'teacher'"):
        make_task({**student, "teacher": None}, digits, CPU)
    other = {**student["teacher"], "network": {"name": "mlp", "width": 4}}
    with pytest.raises(UserError, match="asks for the teacher's stage 'block1'"):
        make_task({**student, "teacher": other}, digits, CPU)
    wide = {"name": "dgl_cnn", "channels": 4}
    with pytest.raises(UserError, match="all but the channels must be the same"):
        make_task({**student, "teacher": {**other, "network": wide}}, digits, CPU)


@pytest.mark.parametrize("how", ["full", "scaled"])
def test_weight_decay_of_substituted_weights_is_scaled_by_the_layers_compression(run, digits, how):
    network = {
        "name": "wide_resnet",
        "depth": 10,
        "width": 1,
        "layer": {"name": "hashed"},
        "budget": 0.25,
    }
    sgd = {"name": "sgd", "lr": 1.0, "weight_decay": 0.1}
    described = {**run, "network": network, "optimiser": sgd, "substituted_decay": how}
    task = make_task(described, digits, CPU)
    before = {name: p.detach().clone() for name, p in task.network.named_parameters()}
    _, focus = task.prepare(task.phases[0])
    for parameter in task.network.parameters():
        parameter.grad = torch.zeros_like(parameter)
    focus.update(1.0)
    scales = decay_scales(task.network)
    assert scales and all(scale == pytest.approx(0.25, abs=1e-3) for scale in scales.values())
    for name, parameter in task.network.named_parameters():
        scale = scales.get(name, 1.0) if how == "scaled" else 1.0
        assert torch.allclose(parameter, before[name] * (1 - 0.1 * scale)), name


def test_rules_without_weight_decay_have_nothing_to_scale():
    parameter = torch.ones(2, requires_grad=True)
    parameter.grad = torch.ones(2)
    named = {"p": parameter}
    Optimiser({"name": "sgd", "lr": 0.5}, named, {"p": 0.1}).focus([parameter]).update(1.0)
    assert torch.equal(parameter.detach(), torch.full((2,), 0.5))


def test_scaled_decay_starts_from_the_rules_default_where_the_config_gives_none():
    parameter = torch.ones(2, requires_grad=True)
    parameter.grad = torch.zeros(2)
    optimiser = Optimiser({"name": "adamw", "lr": 1.0}, {"p": parameter}, {"p": 0.5})
    optimiser.focus([parameter]).update(1.0)
    assert torch.allclose(parameter.detach(), torch.full((2,), 1 - 0.005))


def test_a_student_draws_what_it_would_draw_alone(student, digits):
    drawn = []
    for teacher in (student["teacher"], None):
        make_task({**student, "strategy": {"name": "end_to_end"}, "teacher": teacher}, digits, CPU)
        drawn.append(torch.rand(5))
    assert torch.equal(*drawn)


def test_signals_of_logits_are_refused_at_other_stages(student, digits):
    strategy = {"name": "blockwise", "signal": {"name": "distillation"}}
    with pytest.raises(UserError, match="needs 10 logits but stage 'block1'"):
        make_task({**student, "strategy": strategy}, digits, CPU)
