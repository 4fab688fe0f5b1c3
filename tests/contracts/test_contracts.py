"""What every registered thing must do; a new file is covered without a new test."""

import ast
import dataclasses
import inspect
import math
from typing import get_origin

import numpy as np
import pytest
import torch

from made_sites import site
from made_things import NEEDED, UNGATED, thing
from sidestep import registry
from sidestep.building import build_network, shapes_of
from sidestep.contract import Batch
from sidestep.data.dataset import ARRAY_NAMES
from sidestep.data.load import load, split
from sidestep.declared import MAIN
from sidestep.errors import UserError
from sidestep.measuring.group import Group
from sidestep.measuring.job import measure
from sidestep.measuring.rows import Row
from sidestep.measuring.snapshot import Library, Snapshot
from sidestep.settings import reads, settings_of, stages_of
from sidestep.surgery import gates_of
from sidestep.training.loop import phase_ends, train
from sidestep.training.setup import make_task
from sidestep.training.state import Progress
from sidestep.training.step import learn, plan

KINDS = sorted(MAIN)
THINGS = [(kind, name) for kind in KINDS for name in registry.names(kind)]


@pytest.mark.parametrize(("kind", "name"), THINGS)
def test_settings_read_from_the_source_are_those_of_the_function(kind, name):
    function = getattr(registry.load(kind, name), MAIN[kind])
    parameters = inspect.signature(function).parameters.values()
    keywords = {p.name: p for p in parameters if p.kind is p.KEYWORD_ONLY}
    found = settings_of(kind, name)
    assert set(found) == set(keywords)
    for key, setting in found.items():
        default = keywords[key].default
        assert setting.required == (default is inspect.Parameter.empty)
        if not setting.required:
            assert setting.fault(list(default) if isinstance(default, tuple) else default) is None


@pytest.mark.parametrize(("kind", "name"), THINGS)
def test_every_file_says_what_it_is(kind, name):
    module = registry.load(kind, name)
    assert module.__doc__ and module.__doc__.strip()
    function = getattr(module, MAIN[kind])
    assert function.__doc__ and get_origin(function) is None


@pytest.mark.parametrize("name", registry.names("datasets"))
def test_datasets_describe_themselves(name):
    dataset = registry.load("datasets", name).DATASET
    assert dataset.name == name
    assert set(dataset.digests) == set(ARRAY_NAMES)
    channels = 0 if dataset.features else dataset.shape[0]
    assert len(dataset.mean) == len(dataset.deviation) == channels
    assert len(dataset.features) in (0, dataset.shape[0])
    assert bool(dataset.classes) == (dataset.target == "class")
    assert dataset.sources


def network_run(run, name):
    return {**run, "network": thing("networks", name)}


def strategy_task(run, name, digits, network="mlp"):
    described = {**network_run(run, network), "strategy": thing("strategies", name)}
    if (name, network) == ("rounds", "evolving"):
        described["strategy"]["edit"] = thing("edits", "evolve")
    # For strategies that move the size of a stage, and those that learn from a teacher.
    if network not in UNGATED:
        described["gates"] = {stages_of(network)[-2]: {"name": "flexible", "start": 2.0}}
    described["teacher"] = {**network_run(run, network), "variant": "teacher", "seed": 11}
    return make_task(described, digits, torch.device("cpu"))


@pytest.mark.parametrize("name", registry.names("networks"))
def test_networks_are_named_stages_that_end_in_logits_and_repeat(name, run):
    dataset = registry.load("datasets", "digits").DATASET
    described = network_run(run, name)
    first, second = build_network(described, dataset), build_network(described, dataset)
    assert shapes_of(first, dataset.shape)[-1] == (dataset.classes,)
    assert tuple(key for key, _ in first.named_children()) == stages_of(name)
    for (key, mine), other in zip(
        first.state_dict().items(), second.state_dict().values(), strict=True
    ):
        assert torch.equal(mine, other), key
    changed = build_network({**described, "seed": 99}, dataset).state_dict()
    assert any(not torch.equal(v, changed[k]) for k, v in first.state_dict().items())


@pytest.mark.parametrize("name", registry.names("strategies"))
def test_strategies_share_all_steps_and_teach_the_last_stage(name, run, digits):
    task = strategy_task(run, name, digits)
    assert phase_ends(task.phases, 100)[-1] == 100
    taught = {
        stage
        for phase in task.phases
        for objective in phase.objectives
        for stage in range(objective.first, objective.at + 1)
    }
    assert taught == set(range(len(task.network)))


@pytest.mark.parametrize("name", registry.names("strategies"))
def test_evaluation_does_not_depend_on_signals(name, run, digits):
    task = strategy_task(run, name, digits)
    task.network.eval()
    images = task.splits["train"].images[:16]
    expected = task.network(images)
    for phase in task.phases:
        for objective in phase.objectives:
            for parameter in objective.signal.parameters():
                parameter.data.fill_(math.nan)
    assert torch.equal(task.network(images), expected)


@pytest.mark.parametrize("name", registry.names("strategies"))
def test_a_step_gives_every_taught_parameter_a_finite_gradient(name, run, digits):
    task = strategy_task(run, name, digits)
    train = task.splits["train"]
    for phase in task.phases:
        planned = plan(list(task.network), phase)
        planned.set_modes()
        batch = Batch(train.images[:32], train.labels[:32])
        loss = learn(planned, task.with_teacher(batch, planned))
        assert math.isfinite(float(loss))
        for lessons in planned.lessons:
            for lesson in lessons:
                for leaf in lesson.leaves:
                    assert leaf.grad is not None and torch.isfinite(leaf.grad).all()


@pytest.mark.parametrize("network", registry.names("networks"))
@pytest.mark.parametrize("name", registry.names("strategies"))
def test_every_strategy_trains_every_network(name, network, run, digits):
    small = {**run, "epochs": 1, "train_images": 128}
    gates = {
        "size_later": "the gate 'flexible'",
        "two_phase": "the gate 'flexible'",
        "rounds": "a gate, but the run has none",
    }
    evolves = (name, network) == ("rounds", "evolving")
    if name in gates and network in UNGATED and not evolves:
        with pytest.raises(UserError, match=f"needs a stage with {gates[name]}"):
            strategy_task(small, name, digits, network)
        return
    task = strategy_task(small, name, digits, network)
    before = {key: value.clone() for key, value in task.network.state_dict().items()}
    progress = Progress()
    train(task, progress, after_chunk=lambda *_: None, after_mark=lambda *_: None)
    assert progress.step == 2 and progress.diverged_at is None
    assert any(not torch.equal(v, before[k]) for k, v in task.network.state_dict().items())


@pytest.mark.parametrize("shape", [(10,), (24,), (3, 4, 4)])
@pytest.mark.parametrize("name", registry.names("signals"))
def test_signals_give_a_finite_scalar_that_teaches_the_stage(name, shape):
    torch.manual_seed(0)
    try:
        signal = registry.load("signals", name).build(
            site(shape, 10), **NEEDED.get(("signals", name), {})
        )
    except (ValueError, UserError) as error:
        # The true loss takes nothing but outputs, attention nothing but maps.
        assert (("outputs" in str(error) or "logits" in str(error)) and shape != (10,)) or (
            "maps" in str(error) and len(shape) == 1
        )
        return
    labels = torch.arange(60) % 10
    images = torch.rand(60, 1, 8, 8)
    output = torch.rand(60, *shape, requires_grad=True)
    feedback = torch.rand(60, *shape) if signal.needs_feedback else None
    taught = {"here": torch.rand(60, *shape)}
    loss = signal(output, Batch(images, labels, feedback, taught))
    assert loss.shape == () and torch.isfinite(loss)
    loss.backward()
    assert torch.isfinite(output.grad).all()
    # One teaches nothing on purpose; synthesizers say nothing at first.
    silent = name in ("nothing", "synthetic_gradient")
    assert bool(output.grad.any()) is not silent
    for parameter in signal.parameters():
        assert parameter.grad is not None and torch.isfinite(parameter.grad).all()
    assert torch.equal(
        signal(output.detach(), Batch(images, labels, feedback, taught)), loss.detach()
    )
    signal.load_state_dict(signal.state_dict())
    with torch.no_grad():
        for parameter in signal.parameters():
            parameter -= 0.01 * parameter.grad
    output.grad = None
    signal(output, Batch(images, labels, feedback, taught)).backward()
    assert bool(output.grad.any()) is (name != "nothing")


@pytest.mark.parametrize("shape", [(10,), (3, 4, 4), (5, 1, 1)])
@pytest.mark.parametrize("name", registry.names("heads"))
def test_heads_give_logits_for_every_shape(name, shape):
    torch.manual_seed(0)
    head = registry.load("heads", name).build(site(shape, 7), **NEEDED.get(("heads", name), {}))
    output = torch.rand(6, *shape, requires_grad=True)
    logits = head(output)
    assert logits.shape == (6, 7) and torch.isfinite(logits).all()
    for parameter in head.parameters():
        assert parameter.requires_grad


@pytest.mark.parametrize("strategy", registry.names("strategies"))
@pytest.mark.parametrize("name", registry.names("probes"))
def test_probes_read_finite_values_of_stages_and_leave_everything_alone(
    name, strategy, run, digits
):
    task = strategy_task(run, strategy, digits, "mnist_cnn")
    before = {key: value.clone() for key, value in task.network.state_dict().items()}
    state = torch.get_rng_state()
    planned, _ = task.prepare(task.phases[0])
    view = task.view(planned)
    first, second = (list(registry.load("probes", name).probe(view)) for _ in range(2))
    # Seconds are a log of the machine's speed.
    steady = [[r for r in found if not r.name.startswith("seconds")] for found in (first, second)]
    assert steady[0] == steady[1] and first
    for reading in first:
        assert reading.stage in task.model.stages and math.isfinite(reading.value)
    assert torch.equal(torch.get_rng_state(), state)
    for key, value in task.network.state_dict().items():
        assert torch.equal(value, before[key])
    assert all(parameter.grad is None for parameter in task.network.parameters())


@pytest.fixture(scope="module")
def snapshots(digits):
    """Two small networks of two seeds on digits, as they are measured after training."""
    dataset = registry.load("datasets", "digits").DATASET
    network = {"name": "mlp", "width": 24}
    run = {"network": network, "gates": {"hidden": {"name": "open"}}, "member": 0}
    parts = split(load(digits), 300)
    library = Library(dataset, dict(parts))
    found = {}
    for seed in (0, 1):
        network = build_network({**run, "seed": seed}, dataset).eval()
        found[seed] = Snapshot(network, 1, True, seed, library, tuple(parts))
    return found


@pytest.mark.parametrize("name", registry.names("metrics"))
def test_metrics_give_tidy_repeatable_rows_and_leave_the_network_alone(name, snapshots):
    snapshot = snapshots[0]
    before = {key: value.clone() for key, value in snapshot.network.state_dict().items()}
    rows, arrays = measure(snapshot, [{"name": name}])
    again, _ = measure(snapshot, [{"name": name}])
    assert [str(row) for row in rows] == [str(row) for row in again]
    assert rows
    keys = [(row.metric, row.images, row.component) for row in rows]
    assert len(keys) == len(set(keys)), "two rows with one index"
    for row in rows:
        assert isinstance(row, Row) and isinstance(row.value, float)
        assert not math.isinf(row.value)
        assert row.images in ("", "train", "validation", "test", "noise")
    for array in arrays.values():
        assert array.dtype == np.float64 and np.isfinite(array).all()
    for key, value in snapshot.network.state_dict().items():
        assert torch.equal(value, before[key])


@pytest.mark.parametrize("name", registry.names("group_metrics"))
def test_group_metrics_give_tidy_repeatable_rows(name, snapshots):
    kept = {}
    for seed, snapshot in snapshots.items():
        _, kept[seed] = measure(snapshot, [{"name": n} for n in registry.names("metrics")])
    module = registry.load("group_metrics", name)
    rows = list(module.measure(Group(1, kept)))
    assert [str(row) for row in rows] == [str(r) for r in module.measure(Group(1, kept))]
    keys = [(row.metric, row.images, row.component) for row in rows]
    assert rows and len(keys) == len(set(keys))
    # The pool is a set: its order is not a fact.
    swapped = {-seed: arrays for seed, arrays in kept.items()}
    for mine, other in zip(rows, module.measure(Group(1, swapped)), strict=True):
        assert mine.value == pytest.approx(other.value, rel=1e-6, nan_ok=True)


@pytest.mark.parametrize("name", registry.names("schedules"))
@pytest.mark.parametrize("progress", [0.0, 0.1, 0.299999, 0.3, 0.5, 0.9, 0.999999])
def test_schedules_stay_between_nothing_and_the_full_rate(name, progress):
    assert 0.0 <= registry.load("schedules", name).factor(progress) <= 1.0


@pytest.mark.parametrize("name", registry.names("analyses"))
def test_an_analysis_says_what_it_reads(name):
    """The workflow makes that first: what is not an input of the rule may be lost, and stays lost."""
    source = inspect.getsource(registry.load("analyses", name))
    own = [node.name for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)]
    ways = {
        # Functions of other files that are given the tables may read the main one.
        "table": (
            "tables.main",
            "tables.metric(",
            *(
                f"{ast.unparse(call.func)}(tables"
                for call in ast.walk(ast.parse(source))
                if isinstance(call, ast.Call) and ast.unparse(call.func) not in own
                if "tables" in map(ast.unparse, call.args)
            ),
        ),
        "runs": ("tables.network(", "tables.outputs(", "tables.history(", "seconds(tables"),
        "data": ("tables.data(", "Scores.of(tables"),
    }
    found = tuple(kind for kind, calls in ways.items() if any(call in source for call in calls))
    assert reads(name) == (found or ("table",))


def test_every_package_init_is_empty():
    assert all(not path.read_bytes() for path in registry.PACKAGE.rglob("__init__.py"))


def test_contract_dataclasses_are_frozen():
    from sidestep import contract

    for part in (contract.Batch, contract.Objective, contract.Phase):
        assert dataclasses.fields(part) and part.__dataclass_params__.frozen


@pytest.mark.parametrize(
    "network", [name for name in registry.names("networks") if name not in UNGATED]
)
@pytest.mark.parametrize("name", registry.names("gates"))
def test_every_gate_scales_each_neuron_and_trains_in_every_network(name, network, run, digits):
    described = {**network_run(run, network), "epochs": 1, "train_images": 64}
    stage = stages_of(network)[-2]
    described["gates"] = {
        stage: thing("gates", name) | ({"start": 2.0} if name == "flexible" else {})
    }
    task = make_task(described, digits, torch.device("cpu"))
    gate = gates_of(task.network)[stage]
    assert (
        gate.scales().shape == (gate.neurons,) and 0 <= float(gate.size().detach()) <= gate.neurons
    )
    output = torch.rand(5, gate.neurons, 3)
    gate.eval()
    assert torch.allclose(gate(output), output * gate.scales()[:, None])
    assert set(gate.settings_of()) <= {key for key, _ in gate.named_parameters()}
    progress = Progress()
    train(task, progress, after_chunk=lambda *_: None, after_mark=lambda _: None)
    assert progress.diverged_at is None and progress.step == task.steps


@pytest.mark.parametrize(
    ("name", "network"),
    [
        (name, network)
        for name in registry.names("edits")
        for network in (("evolving",) if name == "evolve" else ("mlp", "basic_cnn", "vgg11"))
    ],
)
def test_every_edit_leaves_a_network_that_trains_and_an_optimiser_of_its_parameters(
    name, network, run, digits
):
    described = {**network_run(run, network), "epochs": 2, "train_images": 128}
    if network not in UNGATED:
        described["gates"] = {stages_of(network)[0]: {"name": "open"}}
    edit = thing("edits", name)
    described["strategy"] = {"name": "rounds", "edit": edit, "rounds": 4}
    task = make_task(described, digits, torch.device("cpu"))
    progress = Progress()
    train(task, progress, after_chunk=lambda *_: None, after_mark=lambda _: None)
    assert progress.step == task.steps and progress.diverged_at is None
    assert set(task.optimiser.parameters) == {key for key, _ in task.network.named_parameters()}
    for key, parameter in task.optimiser.parameters.items():
        assert parameter is dict(task.network.named_parameters())[key]
        assert all(slot.shape == parameter.shape for slot in task.optimiser.state[key])


@pytest.mark.parametrize("name", registry.names("edits"))
def test_every_edit_refuses_a_network_that_it_cannot_edit_before_training(name, run, digits):
    edit = thing("edits", name)
    described = {**run, "gates": {}, "strategy": {"name": "rounds", "edit": edit, "rounds": 2}}
    with pytest.raises(UserError, match=f"^edit '{name}' needs a [^\n]*$"):
        make_task(described, digits, torch.device("cpu"))
