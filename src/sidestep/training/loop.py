"""The training loop, the only one: it owns data order, clock, evaluation, records and divergence.

A run has `epochs` passes over the training images; its phases share its steps between them. The
order of images depends on the seed and the epoch alone, so every variant sees the same one. The
learning rate's schedule runs over each phase anew.
"""

import functools
import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from sidestep.contract import Batch, Model, Phase
from sidestep.cost import counted
from sidestep.seeds import derive
from sidestep.training.clock import Clock
from sidestep.training.editing import Surgery
from sidestep.training.evaluation import evaluate
from sidestep.training.optimiser import Focus, Optimiser
from sidestep.training.state import HistoryRow, ProbeRow, Progress
from sidestep.training.step import Plan, entry, learn, plan
from sidestep.training.view import Probe, View

# Steps between two looks at whether the loss is still finite, which makes a GPU wait.
CHUNK = 100

# Images N×C×H×W and a generator of the CPU → as many images.
Augmentation = Callable[[Tensor, torch.Generator], Tensor]


@dataclass(frozen=True)
class Task:
    """A training run with everything made: network, phases, data on the device.

    Attributes:
        model: the network, on the device.
        phases: what is trained in turn.
        optimiser: state and update rule of all parameters.
        schedule: share of a phase's steps done → factor of the learning rate.
        splits: normalised images and labels by split; `train` is trained on.
        evaluated: what to score at every evaluation, by split.
        evaluations: evaluations per epoch; each phase's end is one besides.
        records: epochs at which to keep the network.
        augmentations: what is done in turn to the images of every step.
        teacher: a finished network whose outputs signals ask for, on the device, or None.
        precision: `float32`, `tf32` or `bf16`: of the step's matrix products and convolutions.
        probes: what looks at every evaluation, by name.
    """

    model: Model
    phases: tuple[Phase, ...]
    optimiser: Optimiser
    schedule: Callable[[float], float]
    splits: dict[str, Batch]
    evaluated: dict[str, Batch]
    evaluations: int
    batch_size: int
    epochs: int
    records: Sequence[int]
    augmentations: tuple[Augmentation, ...]
    teacher: nn.Sequential | None
    precision: str
    probes: dict[str, Probe]
    seed: int

    @property
    def network(self) -> nn.Sequential:
        """The network's stages in order, on the device."""
        return self.model.network

    @property
    def steps_per_epoch(self) -> int:
        """Batches in one pass; the last one may be smaller."""
        return math.ceil(len(self.splits["train"].labels) / self.batch_size)

    @property
    def steps(self) -> int:
        """Batches in the whole run."""
        return self.epochs * self.steps_per_epoch

    @property
    def spans(self) -> list[tuple[Phase, int, int]]:
        """Each phase with its first step and the step at which it ends; empty ones are left out."""
        ends = phase_ends(self.phases, self.steps)
        spans = zip(self.phases, [0, *ends[:-1]], ends, strict=True)
        return [(phase, begin, end) for phase, begin, end in spans if begin < end]

    @property
    def marks(self) -> list[int]:
        """The steps after which there is an evaluation: parts of epochs, and ends of phases."""
        per_epoch = self.steps_per_epoch
        parts = [round(per_epoch * k / self.evaluations) for k in range(1, self.evaluations + 1)]
        marks = {epoch * per_epoch + part for epoch in range(self.epochs) for part in parts}
        return sorted((marks | {end for _, _, end in self.spans}) - {0})

    def caches(self, phase: Phase, begin: int, end: int, planned: Plan) -> bool:
        """Whether the frozen stages' outputs are kept.

        Not if they are used less than once each, or if no image comes twice.
        """
        used = end - begin >= self.steps_per_epoch and not self.augmentations
        return phase.cache and planned.frozen > 0 and used

    def prepare(self, phase: Phase) -> tuple[Plan, Focus]:
        """The phase worked out for the network as it is, and the parameters that it moves."""
        held: frozenset[int] = frozenset()
        masks: dict[str, Tensor] = {}
        if phase.moves is not None:
            moves = phase.moves(self.network)
            named = self.network.named_parameters()
            held = frozenset(id(parameter) for name, parameter in named if name not in moves)
            masks = {name: mask for name, mask in moves.items() if mask is not None}
        planned = plan(list(self.network), phase, held)
        leaves = [leaf for stage in planned.lessons for lesson in stage for leaf in lesson.leaves]
        return planned, self.optimiser.focus(leaves, masks)

    def edit(self, phase: Phase) -> None:
        """Change the network as the phase asks at its start."""
        if phase.edit is not None:
            index = next(i for i, other in enumerate(self.phases) if other is phase)
            last = index == len(self.phases) - 1
            train, validation = self.splits["train"], self.splits.get("validation")
            place = (self.seed, index, last)
            phase.edit(Surgery(self.network, train, validation, *place, self.optimiser))

    def order(self, epoch: int) -> Tensor:
        """The order of training images in an epoch (counted from 0), on the device."""
        generator = torch.Generator().manual_seed(derive(self.seed, "order", epoch))
        labels = self.splits["train"].labels
        return torch.randperm(len(labels), generator=generator).to(labels.device)

    def chosen(self, order: Tensor, index: int) -> Tensor:
        """Which training images are in batch `index` of an epoch of that order."""
        return order[index * self.batch_size : (index + 1) * self.batch_size]

    def batch(self, chosen: Tensor) -> Batch:
        """The chosen training images and their labels."""
        train = self.splits["train"]
        # `index_select` gathers ten times as fast as indexing with a tensor does.
        return Batch(train.images.index_select(0, chosen), train.labels.index_select(0, chosen))

    def augmented(self, batch: Batch, step: int) -> Batch:
        """The batch as a step sees it; what is drawn depends on the seed and the step alone."""
        if not self.augmentations:
            return batch
        generator = torch.Generator().manual_seed(derive(self.seed, "augmentation", step))
        images = batch.images
        for augment in self.augmentations:
            images = augment(images, generator)
        return Batch(images, batch.labels)

    def learn(self, planned: Plan, chosen: Tensor, step: int, kept: Tensor | None) -> Tensor:
        """One step's gradients, on the chosen images, from the frozen stages' outputs if kept."""
        batch = self.augmented(self.batch(chosen), step)
        with self.computing():
            return learn(planned, self.with_teacher(batch, planned), kept)

    def with_teacher(self, batch: Batch, planned: Plan) -> Batch:
        """The batch with those of the teacher's outputs that the phase's signals ask for."""
        asked = {name for signal in planned.signals if (name := signal.needs_teacher)}
        if self.teacher is None or not asked:
            return batch
        taught: dict[str, Tensor] = {}
        hidden = batch.images
        with torch.no_grad():
            for name, stage in self.teacher.named_children():
                hidden = stage(hidden)
                if name in asked:
                    taught[name] = hidden
        return replace(batch, taught=taught)

    def view(self, planned: Plan) -> View:
        """What probes see while a phase is trained."""
        train = self.splits["train"]
        ask = lambda batch: self.with_teacher(batch, planned)  # noqa: E731
        return View(self.model, planned, train, self.evaluated, ask)

    def computing(self) -> AbstractContextManager[object]:
        """In which a step computes: autocast to bfloat16, if asked for."""
        if self.precision != "bf16":
            return nullcontext()
        device = self.splits["train"].labels.device
        return torch.autocast(device.type, dtype=torch.bfloat16)


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


@dataclass(frozen=True)
class _Course:
    """A phase under way: its plan and parameters, its steps, and the frozen stages' outputs if kept."""

    phase: Phase
    planned: Plan
    focus: Focus
    begin: int
    end: int
    entered: Tensor | None


def train(
    task: Task,
    progress: Progress,
    *,
    after_chunk: Callable[[Progress, float], None],
    after_mark: Callable[[Progress], None],
) -> None:
    """Train from where `progress` is to the end, or until the loss is no longer finite.

    Args:
        task: what to train.
        progress: changed in place.
        after_chunk: called every few steps with the latest mean loss; its time is not counted.
        after_mark: called when an evaluation's rows and records are in; its time is not counted.
    """
    clock = Clock(task.splits["train"].labels.device, progress.seconds)
    marks = task.marks
    for phase, begin, end in task.spans:
        if progress.step >= end:
            continue
        course = _enter(task, progress, clock, phase, begin, end)
        if progress.step == 0:
            _look(task, progress, clock, course)
        for mark in marks:
            if not progress.step < mark <= end:
                continue
            _train_until(task, progress, clock, course, mark, after_chunk)
            _look(task, progress, clock, course)
            if progress.step == task.steps and not _sound(task, progress):
                # No later step is there to notice what the last update did.
                progress.diverged_at = progress.step
            if progress.diverged_at is not None:
                return
            _record(task, progress)
            after_mark(progress)


def leave_untaught(task: Task) -> Progress:
    """What becomes of a run that has nobody to learn from, since its teacher diverged: no step is done.

    It ends as one does that a step on the teacher's outputs left with weights that are no numbers, so that
    readers of a diverged run take it and nothing of the untrained network passes for a result.
    """
    with torch.no_grad():
        for parameter in task.network.parameters():
            parameter.fill_(math.nan)
    progress = Progress(diverged_at=0)
    progress.rows.append(HistoryRow(0, 0, progress.seconds, "batch", math.nan))
    _score(task, progress, progress.seconds)
    return progress


def _enter(
    task: Task, progress: Progress, clock: Clock, phase: Phase, begin: int, end: int
) -> _Course:
    """Work a phase out; its edit and computing the frozen stages' outputs are training time, once."""
    if progress.step == begin:
        with clock.running():
            task.edit(phase)
    planned, focus = task.prepare(phase)
    entered: Tensor | None = None
    if task.caches(phase, begin, end, planned):
        with clock.running() if progress.step == begin else nullcontext(), task.computing():
            entered = entry(planned, task.splits["train"].images)
    return _Course(phase, planned, focus, begin, end, entered)


def _train_until(
    task: Task,
    progress: Progress,
    clock: Clock,
    course: _Course,
    mark: int,
    after_chunk: Callable[[Progress, float], None],
) -> None:
    """Train to the mark, which is in the same epoch, and add the row of the batches' mean loss."""
    first = progress.step
    epoch = first // task.steps_per_epoch
    total = torch.zeros((), device=clock.device)
    order: Tensor | None = None
    course.planned.set_modes()
    while progress.step < mark:
        stop = min(progress.step + CHUNK, mark)
        with clock.running():
            if order is None:
                order = task.order(epoch)
            for step in range(progress.step, stop):
                chosen = task.chosen(order, step - epoch * task.steps_per_epoch)
                entered = course.entered
                kept = None if entered is None else entered.index_select(0, chosen)
                learn = functools.partial(task.learn, course.planned, chosen, step, kept)
                if step == course.begin:
                    # The network may have another size in every phase.
                    loss, progress.costs[course.phase.name] = counted(learn)
                else:
                    loss = learn()
                total += loss
                done = (step - course.begin) / (course.end - course.begin)
                course.focus.update(task.schedule(done) * course.phase.rate)
        progress.step, progress.seconds = stop, clock.seconds
        mean = float(total) / (stop - first)
        after_chunk(progress, mean)
        if not math.isfinite(mean):
            progress.diverged_at = stop
            break
    shown = epoch + (progress.step == (epoch + 1) * task.steps_per_epoch)
    progress.rows.append(HistoryRow(progress.step, shown, clock.seconds, "batch", mean))


def _look(task: Task, progress: Progress, clock: Clock, course: _Course) -> None:
    """Score the splits and let the probes look; nothing of it is training time or changes the run."""
    epoch = _score(task, progress, clock.seconds)
    if not task.probes or progress.diverged_at is not None:
        return
    state = torch.get_rng_state()
    view = task.view(course.planned)
    for name, probe in task.probes.items():
        for reading in probe(view):
            place = (progress.step, epoch, course.phase.name, reading.name or name)
            read = (reading.stage, reading.images, reading.value)
            progress.readings.append(ProbeRow(*place, *read))
    torch.set_rng_state(state)


def _score(task: Task, progress: Progress, seconds: float) -> int:
    """Add the row of each split, so many seconds of training after the start, and return its epoch."""
    epoch = progress.step // task.steps_per_epoch
    for split, batch in task.evaluated.items():
        score = evaluate(task.network, batch)
        progress.rows.append(HistoryRow(progress.step, epoch, seconds, split, *score))
    return epoch


def _sound(task: Task, progress: Progress) -> bool:
    """Whether the network's weights and the losses that it was just scored with are finite."""
    scored = (
        row.loss
        for row in progress.rows
        if row.step == progress.step and row.split in task.evaluated
    )
    return all(map(math.isfinite, scored)) and all(
        bool(torch.isfinite(parameter).all()) for parameter in task.network.parameters()
    )


def _record(task: Task, progress: Progress) -> None:
    epoch, within = divmod(progress.step, task.steps_per_epoch)
    if within == 0 and epoch in task.records and epoch < task.epochs:
        progress.records[epoch] = {
            name: value.detach().to("cpu", copy=True)
            for name, value in task.network.state_dict().items()
        }


def class_counts(task: Task) -> Iterator[tuple[Phase, int, Tensor]]:
    """Each step's phase, number and count of images per class, for checks before training."""
    labels = task.splits["train"].labels
    for phase, begin, end in task.spans:
        for epoch, steps in itertools.groupby(
            range(begin, end), lambda step: step // task.steps_per_epoch
        ):
            order = task.order(epoch)
            for step in steps:
                chosen = task.chosen(order, step - epoch * task.steps_per_epoch)
                yield phase, step, torch.bincount(labels[chosen], minlength=task.model.classes)
