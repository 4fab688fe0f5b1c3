"""The step against hand-written back-propagation, for strategies of every shape that reach allows."""

import copy
import itertools

import pytest
import torch
from torch import nn
from torch.nn import functional

from sidestep.contract import Batch, Objective, Phase, Signal
from sidestep.signals.true_loss import TrueLoss
from sidestep.training.step import learn, plan

SIZES = (20, 16, 12, 14)
CLASSES = 5


class Head(Signal):
    """Cross-entropy of a linear read-out, for tests of objectives in the middle of a network."""

    def __init__(self, size):
        super().__init__()
        self.linear = nn.Linear(size, CLASSES)

    def forward(self, output, batch):
        return functional.cross_entropy(self.linear(output), batch.labels)


def make_stages():
    torch.manual_seed(0)
    hidden = [
        nn.Sequential(nn.Linear(a, b), nn.BatchNorm1d(b), nn.ReLU())
        for a, b in itertools.pairwise(SIZES)
    ]
    return nn.ModuleList([*hidden, nn.Linear(SIZES[-1], CLASSES)])


def make_signals():
    torch.manual_seed(1)
    return [*(Head(size) for size in SIZES[1:]), TrueLoss()]


@pytest.fixture
def batch():
    torch.manual_seed(2)
    return Batch(torch.randn(32, SIZES[0]), torch.randint(0, CLASSES, (32,)))


def gradients(module):
    return [None if p.grad is None else p.grad.clone() for p in module.parameters()]


def run_phase(phase, stages, batch):
    planned = plan(list(stages), phase)
    planned.set_modes()
    return learn(planned, batch)


def test_one_objective_over_all_stages_is_back_propagation_bit_for_bit(batch):
    stages, signals = make_stages(), make_signals()
    phase = Phase("all", (Objective(signals[-1], 0, 3),))
    loss = run_phase(phase, stages, batch)

    bare = make_stages()
    hidden = batch.images
    for stage in bare:
        hidden = stage(hidden)
    expected = functional.cross_entropy(hidden, batch.labels)
    expected.backward()
    assert torch.equal(loss, expected.detach())
    for ours, theirs in zip(gradients(stages), gradients(bare), strict=True):
        assert torch.equal(ours, theirs)


def test_objectives_that_reach_their_own_stage_equal_a_detached_loop_bit_for_bit(batch):
    stages, signals = make_stages(), make_signals()
    objectives = tuple(Objective(signal, i, i) for i, signal in enumerate(signals))
    run_phase(Phase("together", objectives), stages, batch)

    bare, heads = make_stages(), make_signals()
    hidden = batch.images
    for stage, head in zip(bare, heads, strict=True):
        hidden = stage(hidden.detach())
        head(hidden, batch).backward()
    for ours, theirs in zip(gradients(stages), gradients(bare), strict=True):
        assert torch.equal(ours, theirs)
    for signal, head in zip(signals, heads, strict=True):
        for ours, theirs in zip(gradients(signal), gradients(head), strict=True):
            assert torch.equal(ours, theirs)


def test_overlapping_reaches_add_the_gradients_of_both_losses(batch):
    stages, signals = make_stages(), make_signals()
    objectives = tuple(Objective(signal, max(0, i - 1), i) for i, signal in enumerate(signals))
    run_phase(Phase("overlap", objectives), stages, batch)

    bare, heads = make_stages(), make_signals()
    outputs = [batch.images]
    for stage in bare:
        outputs.append(stage(outputs[-1]))
    losses = [head(output, batch) for head, output in zip(heads, outputs[1:], strict=True)]
    for index, stage in enumerate(bare):
        teaching = losses[index] + (losses[index + 1] if index < 3 else 0)
        wanted = torch.autograd.grad(teaching, list(stage.parameters()), retain_graph=True)
        ours = [p.grad for p in stages[index].parameters()]
        for mine, theirs in zip(ours, wanted, strict=True):
            torch.testing.assert_close(mine, theirs)


def test_a_phase_of_one_stage_leaves_every_other_stage_untouched_buffers_too(batch):
    stages, signals = make_stages(), make_signals()
    before = copy.deepcopy(stages.state_dict())
    run_phase(Phase("third", (Objective(signals[2], 2, 2),)), stages, batch)
    after = stages.state_dict()
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed == {"2.1.running_mean", "2.1.running_var", "2.1.num_batches_tracked"}
    learned = {i for i, stage in enumerate(stages) if any(g is not None for g in gradients(stage))}
    assert learned == {2}


def test_stages_beyond_the_last_objective_do_not_run(batch):
    stages, signals = make_stages(), make_signals()
    ran = []
    for index, stage in enumerate(stages):
        stage.register_forward_hook(lambda *_, index=index: ran.append(index))
    run_phase(Phase("first", (Objective(signals[0], 0, 0),)), stages, batch)
    assert ran == [0]


def test_frozen_stages_keep_no_graph(batch):
    stages, signals = make_stages(), make_signals()
    outputs = []
    stages[0].register_forward_hook(lambda _, __, output: outputs.append(output))
    run_phase(Phase("second", (Objective(signals[1], 1, 1),)), stages, batch)
    assert outputs[0].grad_fn is None
    assert not outputs[0].requires_grad


@pytest.mark.parametrize(("first", "at"), [(2, 1), (-1, 0), (0, 4)])
def test_a_reach_outside_the_network_is_refused(first, at):
    with pytest.raises(ValueError, match="stages 0 to 3"):
        plan(list(make_stages()), Phase("wrong", (Objective(TrueLoss(), first, at),)))


def test_a_phase_without_objectives_is_refused():
    with pytest.raises(ValueError, match="no objective"):
        plan(list(make_stages()), Phase("empty", ()))
