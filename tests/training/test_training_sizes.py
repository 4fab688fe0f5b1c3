"""Networks that size themselves: edits between phases, what moves in them, what a price does, and resuming."""

import pytest
import torch
from made_jobs import CPU, check_resuming, done, job
from torch import nn
from torch.nn import functional

from sidestep.contract import Batch, Objective, Phase
from sidestep.edits.by_worth import worths
from sidestep.errors import UserError
from sidestep.files import read_json
from sidestep.signals import true_loss
from sidestep.surgery import gates_of
from sidestep.training.loop import train
from sidestep.training.setup import make_task
from sidestep.training.state import Progress
from sidestep.training.step import learn, plan

FLEXIBLE = {"hidden": {"name": "flexible", "start": 3.0, "price": 1e-3}}
WORTH = {"name": "rounds", "edit": {"name": "by_worth", "price": 1e-3}, "rounds": 3, "settle": 0.3}


@pytest.mark.parametrize(
    ("gates", "strategy"),
    [
        ({"hidden": {"name": "open"}}, WORTH),
        (
            {"hidden": {"name": "sparsified", "price": 1.0}},
            {"name": "rounds", "edit": {"name": "remove_dead"}, "rounds": 6},
        ),
        (
            {"hidden": {"name": "flexible", "start": 4.0, "slope_is": "random"}},
            {"name": "size_later", "before": 0.4},
        ),
        (
            {"hidden": {"name": "flexible", "start": 4.0}},
            {"name": "two_phase", "rounds": 2},
        ),
    ],
)
def test_a_run_that_is_edited_and_killed_ends_with_the_bytes_of_an_undisturbed_one(
    run, digits, tmp_path, gates, strategy
):
    described = {
        **run,
        "network": {"name": "mlp", "width": 16},
        "gates": gates,
        "strategy": strategy,
        "optimiser": {"name": "adam", "lr": 0.02},
        "evaluations": 2,
        "probes": [{"name": "sizes"}],
        "train_images": 512,
    }
    assert check_resuming(described, digits, tmp_path, step=2) > 3


def test_a_removed_neuron_costs_nothing_afterwards(run, digits, tmp_path):
    described = {
        **run,
        "network": {"name": "mlp", "width": 40},
        "gates": {"hidden": {"name": "sparsified", "price": 0.3}},
        "strategy": {"name": "rounds", "edit": {"name": "remove_dead"}, "rounds": 8},
        "optimiser": {"name": "adam", "lr": 0.02},
        "epochs": 8,
        "records": [8],
    }
    keep = tmp_path / "checkpoint.safetensors"
    sizes = []
    job(
        described,
        digits,
        tmp_path / "run",
        keep=keep,
        say=lambda _: sizes.append(keep.stat().st_size if keep.exists() else 0),
    )
    summary = read_json(tmp_path / "run" / "summary.json")
    left = summary["sizes"]["hidden"]
    assert left < 20
    inputs, classes = 64, 10
    # Weights, biases, liveness; a multiply-add per weight.
    assert summary["parameters"] == left * (inputs + 1) + (left + 1) * classes + left
    assert summary["mult_adds_closed"] == left * (inputs + classes)
    steps = list(summary["mult_adds_per_training_step"].values())
    assert steps[-1] < 0.6 * steps[0]
    written = [size for size in sizes if size]
    assert written[-1] < 0.75 * max(written)


def test_dead_neurons_that_stay_or_go_give_the_same_run(run, digits):
    """Removal is an economy: the history is that of a network that keeps its dead."""
    described = {
        **run,
        "network": {"name": "mlp", "width": 24},
        "gates": {"hidden": {"name": "sparsified", "price": 0.3}},
        "optimiser": {"name": "adam", "lr": 0.02},
        "epochs": 4,
    }
    edited = {"name": "rounds", "edit": {"name": "remove_dead"}, "rounds": 4}
    (whole, first), (small, second) = (
        done({**described, **more}, digits) for more in ({}, {"strategy": edited})
    )
    assert gates_of(small.network)["hidden"].neurons < 24
    assert float(gates_of(whole.network)["hidden"].size()) == float(
        gates_of(small.network)["hidden"].size()
    )
    mine = {(r.step, r.split): r.loss for r in second.rows if r.split == "test"}
    for row in first.rows:
        if row.split == "test":
            assert mine[row.step, "test"] == pytest.approx(row.loss, abs=2e-4)


def test_a_price_is_added_to_the_gradient_once_however_many_objectives_reach_the_gate(run, digits):
    task = make_task({**run, "gates": FLEXIBLE}, digits, CPU)
    batch = Batch(task.splits["train"].images[:32], task.splits["train"].labels[:32])
    gate = gates_of(task.network)["hidden"]
    (alone,) = torch.autograd.grad(
        functional.cross_entropy(task.network(batch.images), batch.labels), gate.boundary
    )
    (priced,) = torch.autograd.grad(gate.penalty(), gate.boundary)
    last = task.model.last

    def gradient(objectives):
        gate.boundary.grad = None
        planned = plan(list(task.network), Phase("p", objectives))
        loss = learn(planned, batch)
        return float(gate.boundary.grad), float(loss)

    def last_loss():
        return Objective(true_loss.build(task.model.site(last)), 0, last)

    one, loss = gradient((last_loss(),))
    two, double = gradient((last_loss(), last_loss()))
    assert one == pytest.approx(float(alone + priced), rel=1e-5)
    assert two == pytest.approx(float(2 * alone + priced), rel=1e-5)
    # What is reported is the loss without the price.
    assert double == pytest.approx(2 * loss, rel=1e-6)
    assert loss == pytest.approx(
        float(functional.cross_entropy(task.network(batch.images), batch.labels).detach()), rel=1e-6
    )


def test_the_boundary_moves_at_its_own_rate_and_does_not_decay(run, digits):
    described = {
        **run,
        "gates": {"hidden": {"name": "flexible", "start": 3.0, "lr": 0.5, "price": 100.0}},
        "optimiser": {"name": "adam", "lr": 1e-9, "weight_decay": 0.1},
        "epochs": 1,
    }
    task, progress = done(described, digits)
    moved = 3.0 - float(gates_of(task.network)["hidden"].boundary.detach())
    # Adam's step is its rate while the gradient keeps its sign: the price is far above all else.
    assert moved == pytest.approx(0.5 * progress.step, rel=0.35) and moved > 3.0


def test_a_boundary_whose_neurons_are_drawn_never_moves_without_a_price(run, digits):
    gate = {"name": "flexible", "start": 4.0, "switch": "drawn"}
    task, progress = done({**run, "gates": {"hidden": gate}}, digits)
    assert progress.diverged_at is None and progress.step == task.steps
    assert float(gates_of(task.network)["hidden"].boundary.detach()) == 4.0


def test_weights_stay_while_only_the_size_moves(run, digits):
    described = {
        **run,
        "gates": FLEXIBLE,
        "strategy": {"name": "size_later", "before": 0.5, "restart": 1.0, "then": "size"},
        "epochs": 2,
    }
    task = make_task(described, digits, CPU)
    seen = []

    def note(_):
        gate = gates_of(task.network)["hidden"]
        weights = torch.cat(
            [p.detach().flatten() for n, p in task.network.named_parameters() if "gate" not in n]
        )
        seen.append((float(gate.boundary.detach()), weights))

    train(task, Progress(), after_chunk=lambda *_: None, after_mark=note)
    (first, trained), (last, still) = seen[0], seen[-1]
    assert first == 3.0 and last not in (3.0, 1.0)
    assert torch.equal(trained, still)


def test_only_the_grey_zone_moves_in_its_turn(run, digits):
    described = {
        **run,
        "network": {"name": "mlp", "width": 60},
        "gates": {"hidden": {"name": "flexible", "start": 20.0, "slope": 2.0}},
        "strategy": {"name": "two_phase", "rounds": 1, "share": 0.5, "ahead": 6.0},
        "epochs": 2,
    }
    task = make_task(described, digits, CPU)
    before = {name: p.detach().clone() for name, p in task.network.named_parameters()}
    after = {}

    def note(_):
        if not after:
            after.update({name: p.detach().clone() for name, p in task.network.named_parameters()})

    train(task, Progress(), after_chunk=lambda *_: None, after_mark=note)
    half = 9.19024 / 2.0 / 2
    inside = [j for j in range(60) if 20 - half <= j <= 20 + 6 + half]
    moved = (before["hidden.linear.weight"] != after["hidden.linear.weight"]).any(1).nonzero()
    assert moved.flatten().tolist() == inside
    columns = (before["output.linear.weight"] != after["output.linear.weight"]).any(0).nonzero()
    assert columns.flatten().tolist() == inside
    assert torch.equal(before["output.linear.bias"], after["output.linear.bias"])
    assert torch.equal(before["hidden.gate.boundary"], after["hidden.gate.boundary"])


def test_worth_is_the_exact_increase_of_the_loss_in_any_network(run, digits):
    for network, stage in (
        ({"name": "mlp", "width": 7}, "hidden"),
        ({"name": "basic_cnn", "channels": 3, "hidden": 5}, "block2"),
    ):
        described = {**run, "network": network, "gates": {stage: {"name": "open"}}, "epochs": 1}
        task, _ = done(described, digits)
        batch = Batch(task.splits["train"].images[:60], task.splits["train"].labels[:60])
        found = worths(task.network, stage, batch)
        names = [name for name, _ in task.network.named_children()]
        split = names.index(stage) + 1
        task.network.eval()
        with torch.no_grad():
            hidden = task.network[:split](batch.images)
            whole = functional.cross_entropy(task.network[split:](hidden), batch.labels)
            for neuron, increase in enumerate(found):
                mask = torch.ones(hidden.shape[1])
                mask[neuron] = 0.0
                without = hidden * mask.view(-1, *(1 for _ in hidden.shape[2:]))
                loss = functional.cross_entropy(task.network[split:](without), batch.labels)
                assert float(increase) == pytest.approx(float(loss - whole), abs=2e-6)


def test_what_is_not_worth_its_price_leaves_and_what_comes_says_nothing_yet(run, digits):
    described = {
        **run,
        "network": {"name": "mlp", "width": 30},
        "gates": {"hidden": {"name": "open"}},
        "strategy": {
            "name": "rounds",
            "edit": {"name": "by_worth", "price": 1e9, "most": 0.5, "least_tried": 4},
            "rounds": 3,
            "settle": 0.2,
        },
        "probes": [{"name": "sizes"}],
    }
    task, progress = done(described, digits)
    # Nobody is worth a billion nats, but no more than half leave at once; the last edit adds none.
    neurons = [round(r.value) for r in progress.readings if r.probe == "neurons"]
    assert neurons[0] == 30 and gates_of(task.network)["hidden"].neurons == 7
    # 30 -> 15 + 4 -> 9 + 4 -> 7, halves rounded to even.
    assert [n for i, n in enumerate(neurons) if i == 0 or n != neurons[i - 1]] == [30, 19, 13, 7]


def test_the_mixture_edit_takes_the_neurons_that_vary_least(run, digits):
    from sidestep.edits import by_mixture
    from sidestep.training.editing import Surgery

    described = {
        **run,
        "network": {"name": "mlp", "width": 200},
        "gates": {"hidden": {"name": "open"}},
    }
    task = make_task(described, digits, CPU)
    quiet = torch.arange(200) % 2 == 0
    with torch.no_grad():
        scale = torch.where(quiet, 0.02 * torch.rand(200), 1.0)
        task.network[0].linear.weight *= scale[:, None]
        task.network[0].linear.bias *= scale
        task.network[0].linear.weight[:, :] = task.network[0].linear.weight
    marked = task.network[0].linear.weight.detach().clone()
    train_batch = task.splits["train"]
    editing = Surgery(task.network, train_batch, None, 0, 1, False, task.optimiser)
    by_mixture.edit(editing, most=0.25)
    assert gates_of(task.network)["hidden"].neurons == 150
    kept = task.network[0].linear.weight
    loud = marked[~quiet]
    assert all(any(torch.equal(row, other) for other in kept) for row in loud[:20])


def test_a_matched_network_is_as_large_as_its_teacher_became_and_drawn_at_that_size(
    run, digits, tmp_path
):
    gate = {"name": "flexible", "start": 3.2, "lr": 1e-6}
    teacher = {**run, "gates": {"hidden": gate}, "variant": "t"}
    student = {
        **run,
        "gates": {"hidden": {"name": "open", "as_teacher": True}},
        "teacher": {**teacher, "teacher": None},
    }
    job(teacher, digits, tmp_path / "t")
    from safetensors.torch import load_file

    weights = tmp_path / "t" / "model.safetensors"
    task = make_task(student, digits, CPU, weights)
    boundary = load_file(weights)["hidden.gate.boundary"]
    size = round(float(torch.sigmoid(boundary - torch.arange(8)).sum()))
    assert gates_of(task.network)["hidden"].neurons == size != 8
    alone = make_task({**run, "network": {"name": "mlp", "width": size}}, digits, CPU)
    mine, theirs = task.network.state_dict(), alone.network.state_dict()
    assert all(torch.equal(mine[name], value) for name, value in theirs.items())


def test_bad_sizes_are_told_before_training(run, digits):
    for more, sentence in (
        (
            {"gates": {"hidden": {"name": "flexible", "start": 9.0}}},
            "starts at 9 but the stage has 8",
        ),
        (
            {"gates": FLEXIBLE, "strategy": {"name": "size_later", "before": 0.5, "restart": 12.0}},
            "restart is 12 but a gated stage has 8",
        ),
        (
            {"strategy": {"name": "two_phase", "rounds": 1}},
            "needs a stage with the gate 'flexible'",
        ),
        (
            {
                "strategy": {
                    "name": "rounds",
                    "edit": {"name": "remove_dead"},
                    "rounds": 2,
                    "settle": 1,
                }
            },
            "leaves no steps",
        ),
    ):
        with pytest.raises(UserError, match=sentence):
            make_task({**run, **more}, digits, CPU)


def test_masks_hold_entries_and_the_optimisers_state_goes_on():
    from sidestep.training.optimiser import Optimiser

    layer = nn.Linear(3, 2)
    optimiser = Optimiser({"name": "adam", "lr": 0.1}, dict(layer.named_parameters()))
    mask = torch.tensor([[True, False, True], [False, False, True]])
    before = layer.weight.detach().clone()
    focus = optimiser.focus(layer.parameters(), {"weight": mask})
    layer(torch.ones(1, 3)).square().sum().backward()
    focus.update(1.0)
    assert torch.equal(layer.weight != before, mask)
    assert optimiser.state["weight"][1].all()
