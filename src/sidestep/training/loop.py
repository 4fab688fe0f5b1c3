"""The training loop, the only one: it owns data order, clock, evaluation, records and divergence.

A run has `epochs` passes over the training images; its phases share its steps between them. The
order of images depends on the seed and the epoch alone, so every variant sees the same one.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from sidestep.contract import Batch, Phase
from sidestep.seeds import derive
from sidestep.training.clock import Clock
from sidestep.training.evaluation import evaluate
from sidestep.training.optimiser import Focus, Optimiser
from sidestep.training.state import HistoryRow, Progress
from sidestep.training.step import Plan, learn, plan

# Steps between two looks at whether the loss is still finite, which makes a GPU wait.
CHUNK = 100


@dataclass(frozen=True)
class Task:
    """A training run with everything made: network, phases, data on the device.

    Attributes:
        network: its stages in order, on the device.
        phases: what is trained in turn.
        optimiser: state and update rule of all parameters.
        schedule: share of steps done → factor of the learning rate.
        splits: normalised images and labels by split; `train` is trained on.
        evaluated: splits to score after every epoch.
        records: epochs at which to keep the network.
    """

    network: nn.Sequential
    phases: tuple[Phase, ...]
    optimiser: Optimiser
    schedule: Callable[[float], float]
    splits: dict[str, Batch]
    evaluated: Sequence[str]
    batch_size: int
    epochs: int
    records: Sequence[int]
    seed: int

    @property
    def steps_per_epoch(self) -> int:
        """Batches in one pass; the last one may be smaller."""
        return math.ceil(len(self.splits["train"].labels) / self.batch_size)

    @property
    def steps(self) -> int:
        """Batches in the whole run."""
        return self.epochs * self.steps_per_epoch

    def prepare(self, phase: Phase) -> tuple[Plan, Focus]:
        """The phase worked out for the network, and the parameters that it moves."""
        planned = plan(list(self.network), phase)
        leaves = [leaf for stage in planned.lessons for lesson in stage for leaf in lesson.leaves]
        return planned, self.optimiser.focus(leaves)

    def order(self, epoch: int) -> Tensor:
        """The order of training images in an epoch (counted from 0), on the device."""
        generator = torch.Generator().manual_seed(derive(self.seed, "order", epoch))
        labels = self.splits["train"].labels
        return torch.randperm(len(labels), generator=generator).to(labels.device)

    def batch(self, order: Tensor, index: int) -> Batch:
        """Batch `index` of an epoch."""
        chosen = order[index * self.batch_size : (index + 1) * self.batch_size]
        train = self.splits["train"]
        # `index_select` gathers ten times as fast as indexing with a tensor does.
        return Batch(train.images.index_select(0, chosen), train.labels.index_select(0, chosen))


def phase_ends(phases: Sequence[Phase], steps: int) -> list[int]:
    """The step at which each phase ends; rounding never loses a step.

    Raises:
        ValueError: the shares do not add up to 1.
    """
    total = math.fsum(phase.share for phase in phases)
    if not math.isclose(total, 1.0, rel_tol=1e-9):
        raise ValueError(f"the phases' shares add up to {total:g} but must add up to 1")
    return [
        round(steps * math.fsum(phase.share for phase in phases[: index + 1]))
        for index in range(len(phases))
    ]


def train(
    task: Task,
    progress: Progress,
    *,
    after_chunk: Callable[[Progress, float], None],
    after_epoch: Callable[[Progress], None],
) -> None:
    """Train from where `progress` is to the end, or until the loss is no longer finite.

    Args:
        task: what to train.
        progress: changed in place.
        after_chunk: called every few steps with the latest mean loss; its time is not counted.
        after_epoch: called when an epoch's rows and records are in; its time is not counted.
    """
    clock = Clock(task.splits["train"].labels.device, progress.seconds)
    if progress.step == 0:
        _evaluate(task, progress, clock)
    for phase, end in zip(task.phases, phase_ends(task.phases, task.steps), strict=True):
        if progress.step >= end:
            continue
        planned, focus = task.prepare(phase)
        while progress.step < end:
            epoch = progress.step // task.steps_per_epoch
            _train_epoch(task, progress, clock, planned, focus, epoch, end, after_chunk)
            if progress.diverged_at is not None:
                _evaluate(task, progress, clock)
                return
            if progress.step % task.steps_per_epoch == 0:
                _evaluate(task, progress, clock)
                _record(task, progress)
                after_epoch(progress)


def _train_epoch(
    task: Task,
    progress: Progress,
    clock: Clock,
    planned: Plan,
    focus: Focus,
    epoch: int,
    end: int,
    after_chunk: Callable[[Progress, float], None],
) -> None:
    """Train to the end of the epoch or of the phase, and add the row of the batches' mean loss."""
    first = progress.step
    last = min((epoch + 1) * task.steps_per_epoch, end)
    total = torch.zeros((), device=clock.device)
    order: Tensor | None = None
    planned.set_modes()
    while progress.step < last:
        stop = min(progress.step + CHUNK, last)
        with clock.running():
            if order is None:
                order = task.order(epoch)
            for step in range(progress.step, stop):
                batch = task.batch(order, step - epoch * task.steps_per_epoch)
                total += learn(planned, batch)
                focus.update(task.schedule(step / task.steps))
        progress.step, progress.seconds = stop, clock.seconds
        mean = float(total) / (stop - first)
        after_chunk(progress, mean)
        if not math.isfinite(mean):
            progress.diverged_at = stop
            break
    shown = epoch + (progress.step == (epoch + 1) * task.steps_per_epoch)
    progress.rows.append(HistoryRow(progress.step, shown, clock.seconds, "batch", mean, None))


def _evaluate(task: Task, progress: Progress, clock: Clock) -> None:
    epoch = progress.step // task.steps_per_epoch
    for split in task.evaluated:
        score = evaluate(task.network, task.splits[split])
        progress.rows.append(HistoryRow(progress.step, epoch, clock.seconds, split, *score))


def _record(task: Task, progress: Progress) -> None:
    epoch = progress.step // task.steps_per_epoch
    if epoch in task.records and epoch < task.epochs:
        progress.records[epoch] = {
            name: value.detach().to("cpu", copy=True)
            for name, value in task.network.state_dict().items()
        }
