"""Networks whose graph of operations evolves while they train: generations, streams, files, refusals."""

import json
import subprocess
import sys

import pytest
import torch
from made_jobs import CPU, check_resuming, done, job
from safetensors.torch import load_file
from torch.nn import functional

from sidestep import cost, counting, entries, fingerprint, registry
from sidestep.building import build_network, dataset_of, shapes_of
from sidestep.contract import Model
from sidestep.edits import evolve
from sidestep.errors import UserError
from sidestep.graphs.edit import find
from sidestep.graphs.gain import gains
from sidestep.graphs.growing import GrowingLayer, growing
from sidestep.graphs.importance import for_classes
from sidestep.graphs.layer import EvolvingLayer
from sidestep.measuring.job import networks
from sidestep.networks import evolving
from sidestep.training.editing import Surgery
from sidestep.training.loop import train
from sidestep.training.setup import make_task
from sidestep.training.state import Progress

KINDS = ["add", "multiply", "sine"]
NETWORK = {"name": "evolving", "size": 6, "operations": KINDS}


def evolving_run(run, network=NETWORK, rounds=4, settle=0.0, **edit):
    strategy = {"name": "rounds", "edit": {"name": "evolve", **edit}, "rounds": rounds}
    return {
        **run,
        "network": network,
        "strategy": strategy | ({"settle": settle} if settle else {}),
        "optimiser": {"name": "adam", "lr": 0.02},
        "train_images": 256,
    }


def layer_of(network):
    (layer,) = growing(network).values()
    return layer


def editing_of(task, index=1, last=False):
    return Surgery(
        task.network,
        task.splits["train"],
        task.splits.get("validation"),
        task.seed,
        index,
        last,
        task.optimiser,
    )


def trained(run, digits, **edit):
    """A task after its run, with a larger graph than the edits of the tests take away."""
    described = {
        **evolving_run(run, {**NETWORK, "size": 12}, **edit),
        "strategy": {"name": "end_to_end"},
    }
    return done(described, digits)[0]


@pytest.mark.parametrize(
    ("size", "edit"),
    [
        (0, {"prunes": 1, "adds": 3}),
        (6, {"prunes": 3, "adds": 2, "candidates": 5, "by": "loss", "images": 100}),
        (2, {"prunes": 4, "adds": 1}),
    ],
)
def test_a_run_that_evolves_and_is_killed_at_any_evaluation_ends_with_the_bytes_of_an_undisturbed_one(
    run, digits, tmp_path, size, edit
):
    described = {**evolving_run(run, {**NETWORK, "size": size}, settle=0.2, **edit)}
    described |= {"evaluations": 2, "records": [1, 2, 3]}
    # Six parts of epochs and the ends of five rounds, one of which is the last epoch's.
    assert check_resuming(described, digits, tmp_path) > 6


def test_generations_change_the_graph_and_nobody_loses_a_parameter(run, digits):
    described = evolving_run(run, rounds=5, settle=0.1, prunes=1, adds=3, candidates=2)
    task, sizes = make_task(described, digits, CPU), []
    held = {name: id(p) for name, p in task.network.named_parameters()}

    def look(_):
        assert {name: id(p) for name, p in task.network.named_parameters()} == held
        assert {name: id(p) for name, p in task.optimiser.parameters.items()} == held
        assert set(task.optimiser.state) == set(held)
        for name, parameter in task.network.named_parameters():
            assert all(slot.shape == parameter.shape for slot in task.optimiser.state[name])
        place = find(task.network, "graph")
        assert place.layer.seen.min() >= 1
        sizes.append(len(place.layer.graph.ops))

    progress = Progress()
    train(task, progress, after_chunk=lambda *_: None, after_mark=look)
    assert progress.diverged_at is None and progress.step == task.steps
    # The last edit only prunes.
    assert list(dict.fromkeys(sizes)) == [6, 8, 10, 12, 14, 13]
    per_step = [progress.costs[f"round{k}"] for k in (1, 2, 3)]
    assert per_step[0] < per_step[1] < per_step[2]
    assert progress.rows[-1].loss < progress.rows[0].loss


def test_a_run_learns_what_no_line_can_and_its_control_does_not():
    """Four quadrants told apart by the sign of x·y: only a product says it."""
    torch.manual_seed(0)
    images = torch.randn(512, 1, 1, 2)
    labels = (images[:, 0, 0, 0] * images[:, 0, 0, 1] > 0).long()
    found = {}
    for name, allowed in (("products", ("multiply",)), ("sums", ("add",))):
        net = evolving.build((1, 1, 2), 2, operations=allowed, size=3, constants=0.0)
        optimiser = torch.optim.Adam(net.parameters(), lr=0.05)
        for _ in range(150):
            optimiser.zero_grad()
            functional.cross_entropy(net(images), labels).backward()
            optimiser.step()
        found[name] = float((net.eval()(images).argmax(1) == labels).float().mean())
    assert found["products"] > 0.95 and found["sums"] < 0.65


def test_a_seed_has_one_graph_and_another_seed_another(run, digits):
    described = evolving_run(run, adds=3)
    ends = [layer_of(done({**described, "seed": seed}, digits)[0].network) for seed in (3, 3, 4)]
    assert ends[0].graph == ends[1].graph != ends[2].graph
    dataset = dataset_of(run)
    starts = [
        build_network({**described, "seed": seed, "network": network}, dataset)
        for seed, network in (
            (3, NETWORK),
            (3, {**NETWORK, "operations": KINDS[::-1]}),
            (4, NETWORK),
        )
    ]
    graphs = [layer_of(network).graph for network in starts]
    assert len({*graphs}) == 3 and all(len(graph.ops) == 6 for graph in graphs)
    again = build_network(described, dataset)
    assert all(
        torch.equal(value, again.state_dict()[name])
        for name, value in starts[0].state_dict().items()
    )


def test_the_start_does_not_depend_on_the_edit_and_edits_draw_from_streams_of_their_own(
    run, digits
):
    task = make_task(evolving_run(run), digits, CPU)
    other = make_task({**evolving_run(run), "strategy": {"name": "end_to_end"}}, digits, CPU)
    assert layer_of(task.network).graph == layer_of(other.network).graph
    before, drawn = torch.get_rng_state(), {}
    for index in (1, 1, 2):
        fresh = make_task(evolving_run(run), digits, CPU)
        torch.set_rng_state(before)
        evolve.edit(editing_of(fresh, index), prunes=0, adds=2, candidates=3)
        assert torch.equal(torch.get_rng_state(), before)
        drawn.setdefault(index, []).append(layer_of(fresh.network).graph.ops[-2:])
    assert drawn[1][0] == drawn[1][1] != drawn[2][0]


def test_an_edit_that_only_adds_leaves_the_function_and_one_that_prunes_takes_the_weakest(
    run, digits
):
    task = trained(run, digits)
    images = task.splits["train"].images
    layer, expected = layer_of(task.network), task.network.eval()(images)
    evolve.edit(editing_of(task), prunes=0, adds=4, candidates=3)
    assert len(layer.graph.ops) == 16
    assert torch.allclose(task.network.eval()(images), expected, atol=1e-5)
    # Those four have no weights, and what does not vary says no more than the bias.
    evolve.edit(editing_of(task, last=True), prunes=4)
    assert len(layer.graph.ops) == 12
    assert torch.allclose(task.network.eval()(images), expected, atol=1e-5)


@pytest.mark.parametrize("by", ["norm", "loss"])
def test_what_leaves_is_the_leaf_of_least_importance(run, digits, by):
    task = trained(run, digits)
    place, images = find(task.network, "graph"), task.splits["train"].images[:80]
    graph, labels = place.layer.graph, task.splits["train"].labels[:80]
    weight, bias = (p.detach().clone() for p in (place.read_out.weight, place.read_out.bias))
    with torch.no_grad():
        columns = task.network.eval()[0](images)
    cost_of = {}
    for op in (k for k, leaf in enumerate(graph.leaves) if leaf):
        column = graph.inputs + op
        if by == "norm":
            apart = weight[:, column] - weight[:, column].mean()
            cost_of[op] = float(apart.norm() * columns[:, column].std(correction=0))
        else:
            without = columns.clone()
            without[:, column] = 0.0
            cost_of[op] = float(functional.cross_entropy(without @ weight.T + bias, labels))
    gone = min(cost_of, key=cost_of.get)
    evolve.edit(editing_of(task, last=True), by=by, images=80)
    assert place.layer.graph == graph.remove(gone)
    kept = [k for k in range(graph.columns) if k != graph.inputs + gone]
    assert torch.equal(place.read_out.weight.detach(), weight[:, kept])
    column = graph.inputs + gone
    mean = columns[:, column].mean() if by == "norm" else 0.0
    assert torch.allclose(place.read_out.bias.detach(), bias + mean * weight[:, column], atol=1e-6)


def test_both_orders_are_measured_again_after_each_operation_that_leaves(run, digits):
    for by in ("norm", "loss"):
        at_once, one_by_one = trained(run, digits), trained(run, digits)
        evolve.edit(editing_of(at_once, last=True), prunes=5, by=by)
        for _ in range(5):
            evolve.edit(editing_of(one_by_one, last=True), by=by)
        assert layer_of(at_once.network).graph == layer_of(one_by_one.network).graph
        assert len(layer_of(at_once.network).graph.ops) == 7


def test_of_several_candidates_the_one_with_the_largest_gain_comes(run, digits):
    task = trained(run, digits)
    editing, layer = editing_of(task), layer_of(task.network)
    images, labels = (getattr(task.splits["train"], part)[:120] for part in ("images", "labels"))
    generator = editing.generator()
    drawn = [layer.draw(generator) for _ in range(40)]
    with torch.no_grad():
        # Statistics of training mode, and what the network says.
        logits = task.network.eval()(images)
        kept = {name: value.clone() for name, value in task.network.state_dict().items()}
        columns = task.network[0].train()(images)
        task.network.load_state_dict(kept)
    found = gains(columns, drawn, logits, labels)
    assert float(found.max()) > 2 * float(found.median())
    evolve.edit(editing, prunes=0, candidates=40, images=120)
    assert layer.graph.ops[-1] == drawn[int(found.argmax())].op
    assert drawn[0].op != drawn[int(found.argmax())].op


def test_more_may_leave_than_there_are_and_one_image_is_enough(run, digits):
    task = make_task(evolving_run(run), digits, CPU)
    evolve.edit(editing_of(task, last=True), prunes=50, by="loss", images=1)
    layer = layer_of(task.network)
    assert layer.columns == layer.graph.inputs == task.network[1].linear.in_features
    evolve.edit(editing_of(task), candidates=4, images=1)
    assert len(layer.graph.ops) == 1


def test_records_are_read_back_with_the_graphs_of_their_epochs(run, digits, tmp_path):
    described = evolving_run(run, rounds=3, prunes=0, adds=5) | {"records": [1, 2, 3]}
    job(described, digits, tmp_path / "run")
    task, _ = done(described, digits)
    found = dict(networks(described, tmp_path / "run", dataset_of(described)))
    assert [len(layer_of(found[epoch]).graph.ops) for epoch in (1, 2, 3)] == [6, 11, 11]
    images = task.splits["test"].images
    with torch.no_grad():
        assert torch.equal(found[3](images), task.network.eval()(images))
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    layer = layer_of(found[3])
    assert summary["parameters"] == layer.graph.constants + 10 * (64 + 11) + 10
    assert summary["mult_adds_closed"] == summary["mult_adds_forward_per_image"] == 10 * (64 + 11)


def test_a_network_that_evolved_teaches(run, digits, tmp_path):
    teacher = evolving_run(run, adds=5) | {"variant": "t"}
    job(teacher, digits, tmp_path / "t")
    student = {**run, "teacher": {**teacher, "teacher": None}, "strategy": {"name": "distilled"}}
    weights = tmp_path / "t" / "model.safetensors"
    task = make_task(student, digits, CPU, weights)
    assert len(layer_of(task.teacher).graph.ops) > 6
    taught = task.teacher.state_dict()
    assert all(torch.equal(value, taught[name]) for name, value in load_file(weights).items())


def test_closed_forms_are_what_is_there(run):
    dataset = dataset_of(run)
    net = build_network({**run, "network": {**NETWORK, "size": 40}}, dataset)
    rows = {row.name: row for row in counting.count(net, dataset.shape)}
    layer = layer_of(net)
    assert rows["graph.layer"][1:4] == ("operations", layer.graph.constants, 0)
    assert layer.graph.constants == layer.constants.numel() > 0
    assert (
        rows["output.linear"].mult_adds
        == 10 * 104
        == cost.mult_adds_forward(net, torch.zeros(1, *dataset.shape))
    )
    total = counting.totals(list(rows.values()))
    assert total.parameters == cost.parameters(net)
    assert total.stored_bytes == cost.stored_bytes(net)
    assert shapes_of(net, dataset.shape) == ((1, 8, 8), (104,), (10,))


def test_the_operations_allowed_and_no_others_are_part_of_the_code(run):
    def operations(run, of=entries.train):
        found = fingerprint.closure(of(run))
        return {
            name.rpartition(".")[2] for name in found if name.startswith("sidestep.operations.")
        }

    assert operations(run) == set()
    assert operations({**run, "network": {"name": "evolving"}}) == {"add", "multiply"}
    described = evolving_run(run, {"name": "evolving", "operations": ["sine"]})
    assert operations(described) == {"sine"}
    assert "sidestep.edits.evolve" in fingerprint.closure(entries.train(described))
    assert operations({**run, "teacher": {**described, "teacher": None}}) == {"sine"}
    measured = {"run": described, "seeds": [3], "metrics": [], "group_metrics": []}
    assert operations(measured, entries.measure) == {"sine"}
    assert not any(
        name.startswith("sidestep.graphs") for name in fingerprint.closure(entries.train(run))
    )


def test_a_new_process_loads_nothing_that_its_fingerprint_leaves_out(run, digits, tmp_path):
    described = evolving_run(run, {"name": "evolving", "size": 2}, candidates=2, by="loss")
    code = f"""
from pathlib import Path
from sidestep import entries
from sidestep.training.job import run_job
run = {described}
run_job(run, "", entries.train(run), Path({str(digits)!r}), Path({str(tmp_path / "run")!r}))
"""
    subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, check=True)
    assert (tmp_path / "run" / "summary.json").exists()


def test_constants_do_not_decay_in_a_run(run, digits):
    described = evolving_run(run, {**NETWORK, "size": 30, "constants": 1.0}) | {"epochs": 1}
    described["strategy"] = {"name": "end_to_end"}
    described["optimiser"] = {"name": "adamw", "lr": 1e-12, "weight_decay": 1e9}
    task = make_task(described, digits, CPU)
    layer, weight = layer_of(task.network), task.network[1].linear.weight
    before = layer.constants.detach().clone(), weight.detach().clone()
    train(task, Progress(), after_chunk=lambda *_: None, after_mark=lambda _: None)
    assert len(before[0]) > 5 and torch.allclose(layer.constants, before[0], atol=1e-9)
    assert float((weight.detach() / before[1]).median()) < 0.999


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"network": {"name": "evolving", "operations": []}}, "no operations allowed: name at least"),
        ({"network": {"name": "evolving", "operations": ["ad"]}}, "operation 'ad' .did you mean 'add'"),
        ({"network": NETWORK, "gates": {"graph": {"name": "open"}}}, "'graph' cannot be gated"),
        ({"network": NETWORK, "batch_size": 51}, "leave one alone: change batch_size"),
        (
            {"network": {"name": "evolving", "operations": ["maximum"], "size": 3, "constants": 0.0},
             "strategy": {"name": "size_later", "before": 0.5}},
            "needs a stage with the gate 'flexible'",
        ),
    ],
)  # fmt: skip
def test_bad_networks_are_told_in_a_sentence_before_training(run, digits, more, sentence):
    with pytest.raises(UserError, match=sentence) as told:
        make_task({**run, "train_images": 256, **more}, digits, CPU)
    assert "\n" not in str(told.value)


def test_a_graph_to_which_nothing_can_be_added_is_told_before_training():
    net = evolving.build((1, 1, 1), 2, operations=["maximum"], constants=0.0)
    with pytest.raises(UserError, match="found no new operation for 1 columns"):
        evolve.check(Model(net, shapes_of(net, (1, 1, 1)), 2))
    with pytest.raises(UserError, match="found no new operation for 1 columns"):
        evolving.build((1, 1, 1), 2, operations=["maximum"], constants=0.0, size=1)


def test_the_layer_that_grows_is_drawn_anew_and_keeps_its_parameter():
    torch.manual_seed(0)
    layer = GrowingLayer(3, 5, registry.names("operations"), 0.5)
    held, before = layer.constants, layer.graph
    layer(torch.randn(10, 3))
    layer.reset_parameters()
    assert layer.constants is held and layer.graph != before and not layer.seen.any()
    assert isinstance(layer, EvolvingLayer) and len(layer.graph.ops) == 5
    generator = torch.Generator().manual_seed(1)
    op, start = layer.draw(generator)
    assert layer.graph.add(op).constants == layer.graph.constants + len(start)
    assert for_classes(layer(torch.randn(4, 3)), torch.randn(2, 8)).shape == (8,)
