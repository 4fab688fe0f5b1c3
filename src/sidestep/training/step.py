"""One step of learning, for any strategy: pure in (stages, phase, batch), it leaves gradients behind.

A boundary between stages that no objective's reach crosses is cut: the next stage reads a detached
output, so that gradients of one block never enter another. Stages that nothing reaches are frozen:
they run in `eval()`, batch-norm statistics included, and without a graph. Those of them that lie
below every learning stage give the same output for an image at every step of the phase, which the
loop may therefore compute once (`entry`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from sidestep.contract import Batch, Objective, Phase


@dataclass(frozen=True)
class Lesson:
    """An objective with what its gradient goes to, and whether others still need its graph."""

    objective: Objective
    leaves: tuple[Tensor, ...]
    shares_graph: bool


# Images per pass when the outputs of the frozen stages are computed for all of them.
ENTRY_IMAGES = 500


@dataclass(frozen=True)
class Plan:
    """A phase worked out for a network: which stages run, are cut off, learn, and from what."""

    stages: tuple[nn.Module, ...]
    cut: tuple[bool, ...]
    learning: tuple[bool, ...]
    lessons: tuple[tuple[Lesson, ...], ...]
    signals: tuple[nn.Module, ...]

    @property
    def frozen(self) -> int:
        """Number of stages below the first that learns."""
        return self.learning.index(True)

    def set_modes(self) -> None:
        """Put learning stages and signals into training mode and frozen stages into evaluation mode."""
        for stage, learns in zip(self.stages, self.learning, strict=True):
            stage.train(learns)
        for signal in self.signals:
            signal.train()


def plan(stages: Sequence[nn.Module], phase: Phase) -> Plan:
    """Work out a phase for the stages of a network.

    Raises:
        ValueError: an objective's reach is empty or outside the network, or there is no objective.
    """
    objectives = phase.objectives
    if not objectives:
        raise ValueError(f"phase '{phase.name}' has no objective")
    for objective in objectives:
        if not 0 <= objective.first <= objective.at < len(stages):
            raise ValueError(
                f"phase '{phase.name}' has an objective from stage {objective.first} to "
                f"{objective.at}, but the network has stages 0 to {len(stages) - 1}"
            )
    top = max(objective.at for objective in objectives) + 1
    span = range(top)
    return Plan(
        stages=tuple(stages[:top]),
        cut=tuple(not any(o.first < index <= o.at for o in objectives) for index in span),
        learning=tuple(any(o.first <= index <= o.at for o in objectives) for index in span),
        lessons=tuple(
            tuple(_lesson(stages, o, objectives) for o in objectives if o.at == index)
            for index in span
        ),
        signals=tuple(objective.signal for objective in objectives),
    )


def _lesson(
    stages: Sequence[nn.Module], objective: Objective, objectives: Sequence[Objective]
) -> Lesson:
    taught = (*stages[objective.first : objective.at + 1], objective.signal)
    leaves = tuple(p for module in taught for p in module.parameters() if p.requires_grad)
    position = objectives.index(objective)
    later = [o for i, o in enumerate(objectives) if (o.at, i) > (objective.at, position)]
    # The graph below this output is walked again if a later objective's gradient passes through it.
    return Lesson(objective, leaves, any(o.first <= objective.at for o in later))


def entry_chunks(plan: Plan, images: Tensor) -> Iterator[Tensor]:
    """The output of a plan's frozen stages for all images, N×…, in chunks of `ENTRY_IMAGES`.

    The chunks are the same whenever this is called, and so are the bits: a resumed run reads what
    the interrupted one read.
    """
    stages = nn.Sequential(*plan.stages[: plan.frozen]).eval()
    for chunk in images.split(ENTRY_IMAGES):
        with torch.no_grad():
            yield stages(chunk)


def entry(plan: Plan, images: Tensor) -> Tensor:
    """The output of a plan's frozen stages for all images, as one tensor N×…"""
    whole: Tensor | None = None
    done = 0
    for chunk in entry_chunks(plan, images):
        if whole is None:
            # Filled in place: putting chunks together would need twice the memory.
            whole = chunk.new_empty((len(images), *chunk.shape[1:]))
        whole[done : done + len(chunk)] = chunk
        done += len(chunk)
    if whole is None:
        raise ValueError("there are no images")
    return whole


def learn(plan: Plan, batch: Batch, entered: Tensor | None = None) -> Tensor:
    """Run one batch and add each objective's gradient to the `.grad` of what it teaches.

    Each objective's backward pass runs as soon as its stage's output exists, and frees its graph
    then unless a later objective reaches into it.

    Args:
        plan: of the phase.
        batch: images and labels.
        entered: the output of the frozen stages for these images, if it is known already.

    Returns:
        The sum of the objectives' losses, detached: a scalar on the batch's device.
    """
    total = torch.zeros((), device=batch.images.device)
    hidden = batch.images if entered is None else entered
    parts = list(zip(plan.stages, plan.cut, plan.learning, plan.lessons, strict=True))
    for stage, cut, learning, lessons in parts[0 if entered is None else plan.frozen :]:
        if cut:
            hidden = hidden.detach()
        with torch.set_grad_enabled(learning):
            hidden = stage(hidden)
        for lesson in lessons:
            loss = lesson.objective.signal(hidden, batch)
            torch.autograd.backward(loss, inputs=lesson.leaves, retain_graph=lesson.shares_graph)
            total += loss.detach()
    return total
