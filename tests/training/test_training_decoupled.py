"""Decoupled training through the one loop: in parallel and in turn, by heads and by synthesizers."""

import dataclasses
import math

import pytest
import torch

from sidestep.contract import Batch, Objective, Phase
from sidestep.errors import UserError
from sidestep.signals import nothing, synthetic_gradient
from sidestep.strategies import blockwise
from sidestep.training.evaluation import Score, evaluate
from sidestep.training.loop import train
from sidestep.training.setup import make_task, signals_of
from sidestep.training.state import Progress
from sidestep.training.step import learn, plan

CPU = torch.device("cpu")
HEAD = {"name": "auxiliary_classifier", "head": {"name": "mlp", "width": 8}}
SYNTHETIC = {"name": "synthetic_gradient", "context": "labels"}


@pytest.fixture
def small(run):
    """A run of three blocks and a classifier, of which the last block has the latter."""
    return {
        **run,
        "network": {"name": "basic_cnn", "channels": 3, "hidden": 6},
        "strategy": {"name": "blockwise", "signal": HEAD, "ends": ["block1", "block2"]},
        "train_images": 256,
        "epochs": 2,
        "records": [2],
        "evaluate": ["test"],
        "evaluation_images": 100,
    }


def trained(run, digits, **strategy):
    task = make_task({**run, "strategy": {**run["strategy"], **strategy}}, digits, CPU)
    progress = Progress()
    train(task, progress, after_chunk=lambda *_: None, after_mark=lambda *_: None)
    assert progress.diverged_at is None
    return task, progress


def block(state, name):
    return {key: value for key, value in state.items() if key.startswith(name)}


@pytest.mark.parametrize("cache", [True, False])
def test_the_first_block_in_parallel_is_the_first_block_in_turn_over_the_same_steps(
    small, digits, cache
):
    parallel, _ = trained(small, digits, order="together")
    longer = {**small, "epochs": 6, "records": [2, 6]}
    _, progress = trained(longer, digits, order="in_turn", cache=cache)
    together, in_turn = block(parallel.network.state_dict(), "block1"), progress.records[2]
    assert len(together) == 7
    for key, value in together.items():
        assert torch.equal(value, in_turn[key]), key
    assert not all(torch.equal(v, in_turn[k]) for k, v in parallel.network.state_dict().items())


def test_in_turn_with_one_block_is_end_to_end_bit_for_bit(small, digits):
    one, _ = trained(small, digits, ends=["classifier"])
    other = make_task({**small, "strategy": {"name": "end_to_end"}}, digits, CPU)
    train(other, Progress(), after_chunk=lambda *_: None, after_mark=lambda *_: None)
    for key, value in one.network.state_dict().items():
        assert torch.equal(value, other.network.state_dict()[key]), key


@pytest.mark.parametrize("signal", [HEAD, SYNTHETIC])
def test_scores_depend_on_no_head_synthesizer_or_label(small, digits, signal):
    task, progress = trained(small, digits, order="together", ends=[], signal=signal)
    for part in signals_of(task.phases):
        for parameter in part.parameters():
            parameter.data.fill_(math.nan)
    shown = task.evaluated["test"]
    again = evaluate(task.network, shown)
    last = [row for row in progress.rows if row.split == "test"][-1]
    assert again == Score(last.loss, last.accuracy)
    with torch.no_grad():
        logits = task.network(shown.images)
        assert torch.equal(logits, task.network(Batch(shown.images, shown.labels * 0).images))


def test_synthetic_gradients_reach_every_block_and_train_the_network(small, digits):
    longer = {**small, "epochs": 12, "records": [12], "batch_size": 32, "train_images": 512}
    longer["network"] = {"name": "basic_cnn", "channels": 8, "hidden": 16}
    task, progress = trained(longer, digits, order="together", ends=[], signal=SYNTHETIC)
    start = make_task(longer, digits, CPU).network.state_dict()
    for name in ("block1", "block2", "block3", "classifier"):
        weights = [key for key in block(start, name) if key.endswith("weight")]
        assert any(not torch.equal(start[k], task.network.state_dict()[k]) for k in weights)
    accuracies = [row.accuracy for row in progress.rows if row.split == "test"]
    assert accuracies[-1] > 0.4 > 0.2 > accuracies[0]


def test_random_features_keep_their_weights_while_batch_norm_follows_the_data(small, digits):
    task, _ = trained(small, digits, order="together", signal={"name": "nothing"})
    start = make_task(small, digits, CPU).network.state_dict()
    for key, value in block(task.network.state_dict(), "block1").items():
        same = torch.equal(value, start[key])
        assert same == ("running" not in key and "tracked" not in key), key
    last = block(task.network.state_dict(), "block3")
    assert not all(torch.equal(value, start[key]) for key, value in last.items())


def test_a_signal_that_needs_feedback_is_refused_where_none_comes(small, digits):
    wrong = {**small, "strategy": {**small["strategy"], "signal": SYNTHETIC}}
    with pytest.raises(UserError, match=r"phase 'block1' .* train the blocks together"):
        make_task(wrong, digits, CPU)


def test_feedback_comes_from_the_block_above_and_from_nowhere_else(small, digits):
    """A signal in the middle of an overlapping reach gets none, since nothing is cut above it."""
    task = make_task(small, digits, CPU)
    middle = synthetic_gradient.build(task.model.site(0))
    phase = Phase(
        "overlapping",
        (Objective(middle, 0, 0), Objective(nothing.build(task.model.site(2)), 0, 2)),
    )
    with pytest.raises(UserError, match="needs the gradient from the block above"):
        plan(list(task.network), phase)


def test_every_blocks_gradients_are_those_of_the_block_trained_alone(small, digits):
    task = make_task(small, digits, CPU)
    phases = blockwise.phases(task.model, signal=HEAD, order="together", ends=("block1", "block2"))
    images, labels = (task.splits["train"].images[:32], task.splits["train"].labels[:32])
    found = {}
    for chosen in (phases[0].objectives, *((each,) for each in phases[0].objectives)):
        phase = dataclasses.replace(phases[0], objectives=tuple(chosen))
        planned = plan(list(task.network), phase)
        # Stages below those that learn would else be in evaluation mode.
        task.network.train()
        learn(planned, Batch(images, labels))
        for name, parameter in task.network.named_parameters():
            if parameter.grad is not None:
                found.setdefault(name, []).append(parameter.grad)
                parameter.grad = None
    assert len(found) == len(list(task.network.parameters()))
    for name, gradients in found.items():
        assert len(gradients) == 2 and torch.equal(*gradients), name
