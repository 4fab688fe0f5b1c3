"""One step of learning, for any strategy: pure in (stages, phase, batch), it leaves gradients behind.

A boundary between stages that no objective's reach crosses is cut: the next stage reads a detached
output, so that gradients of one block never enter another. Stages that nothing reaches are frozen:
they run in `eval()`, batch-norm statistics included, and without a graph. Those of them that lie
below every learning stage give the same output for an image at every step of the phase, which the
loop may therefore compute once (`entry`).

A signal that needs feedback teaches after the forward pass, from the top block down: the block above
has then left at its entry the gradient of what teaches it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from sidestep.contract import Batch, Objective, Phase, Signal
from sidestep.errors import UserError
from sidestep.gate import Gate
from sidestep.surgery import GATE


@dataclass(frozen=True)
class Lesson:
    """An objective with what its gradient goes to.

    Attributes:
        objective: whose signal is heard.
        leaves: parameters of the signal and of the stages in reach.
        gates: whose penalties are added to its loss; of those that several objectives reach, one
            has it.
        joined: whether a later objective reaches all that this one does, from the same stage on:
            their losses are then added up and one backward pass serves both.
        shares_graph: whether others still need its graph.
    """

    objective: Objective
    leaves: tuple[Tensor, ...]
    gates: tuple[Gate, ...]
    joined: bool
    shares_graph: bool


# Images per pass when the outputs of the frozen stages are computed for all of them.
ENTRY_IMAGES = 500


@dataclass(frozen=True)
class Plan:
    """A phase worked out for a network: which stages run, are cut off, learn, and from what.

    Attributes:
        stages: those that run.
        cut: whether the stage reads a detached output.
        asked: whether a signal below asks for the gradient at the stage's entry.
        learning: whether some objective reaches the stage.
        lessons: what reads the stage's output.
        signals: of all objectives.
    """

    stages: tuple[nn.Module, ...]
    cut: tuple[bool, ...]
    asked: tuple[bool, ...]
    learning: tuple[bool, ...]
    lessons: tuple[tuple[Lesson, ...], ...]
    signals: tuple[Signal, ...]

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


def plan(stages: Sequence[nn.Module], phase: Phase, held: frozenset[int] = frozenset()) -> Plan:
    """Work out a phase for the stages of a network.

    Args:
        stages: of the network.
        phase: the phase.
        held: identities of parameters that the phase does not move though its objectives reach them.

    Raises:
        ValueError: an objective's reach is empty or outside the network, or there is no objective.
        UserError: a signal needs feedback from a block that the phase does not train.
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
    cut = tuple(not any(o.first < index <= o.at for o in objectives) for index in span)
    entries = {o.first for o in objectives if cut[o.first]}
    asked = {o.at + 1 for o in objectives if o.signal.needs_feedback}
    if not asked <= entries:
        raise UserError(
            f"phase '{phase.name}' has a signal that needs the gradient from the block above, which "
            f"the phase does not train: train the blocks together"
        )
    return Plan(
        stages=tuple(stages[:top]),
        cut=cut,
        asked=tuple(index in asked for index in span),
        learning=tuple(any(o.first <= index <= o.at for o in objectives) for index in span),
        lessons=tuple(
            tuple(_lesson(stages, o, objectives, held) for o in objectives if o.at == index)
            for index in span
        ),
        signals=tuple(objective.signal for objective in objectives),
    )


def _lesson(
    stages: Sequence[nn.Module],
    objective: Objective,
    objectives: Sequence[Objective],
    held: frozenset[int],
) -> Lesson:
    taught = (*stages[objective.first : objective.at + 1], objective.signal)
    leaves = tuple(
        p for module in taught for p in module.parameters() if p.requires_grad and id(p) not in held
    )
    gates = tuple(
        gate
        for index in range(objective.first, objective.at + 1)
        if isinstance(gate := getattr(stages[index], GATE, None), Gate)
        and next(o for o in objectives if o.first <= index <= o.at) is objective
    )
    order = sorted(range(len(objectives)), key=lambda index: _turn(objectives[index], index))
    later = [objectives[index] for index in order][order.index(objectives.index(objective)) + 1 :]
    waits = objective.signal.needs_feedback
    joined = not waits and any(
        o.first == objective.first and not o.signal.needs_feedback for o in later
    )
    # The graph is walked again if a later objective's gradient passes through a part of it.
    shares = any(o.first <= objective.at and objective.first <= o.at for o in later)
    return Lesson(objective, leaves, gates, joined, shares)


def _turn(objective: Objective, index: int) -> tuple[bool, int, int]:
    """What sorts objectives as they teach: on the way up, then those that wait on the way down."""
    waits = objective.signal.needs_feedback
    return (True, -objective.at, -index) if waits else (False, objective.at, index)


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

    Each objective's backward pass runs as soon as its stage's output exists, or, if it needs
    feedback, as soon as the block above has learned, and frees its graph then unless a later
    objective reaches into it.

    Args:
        plan: of the phase.
        batch: images and labels.
        entered: the output of the frozen stages for these images, if it is known already.

    Returns:
        The sum of the objectives' losses without the gates' penalties, detached: a scalar on the
        batch's device.
    """
    total = torch.zeros((), device=batch.images.device)
    hidden = batch.images if entered is None else entered
    entries: dict[int, Tensor] = {}
    waiting: list[tuple[Lesson, Tensor]] = []
    joined: dict[int, list[tuple[Lesson, Tensor]]] = {}

    def teach(lesson: Lesson, output: Tensor, batch: Batch) -> None:
        objective = lesson.objective
        loss = objective.signal(output, batch)
        total.add_(loss.detach())
        for gate in lesson.gates:
            if (penalty := gate.penalty()) is not None:
                loss = loss + penalty
        if lesson.joined:
            joined.setdefault(objective.first, []).append((lesson, loss))
            return
        leaves = dict.fromkeys(lesson.leaves)
        for other, more in joined.pop(objective.first, []):
            loss = loss + more
            leaves |= dict.fromkeys(other.leaves)
        below = entries.get(objective.first)
        inputs = (*leaves, *(() if below is None else (below,)))
        torch.autograd.backward(loss, inputs=inputs, retain_graph=lesson.shares_graph)

    start = 0 if entered is None else plan.frozen
    for index in range(start, len(plan.stages)):
        if plan.cut[index]:
            hidden = hidden.detach()
        if plan.asked[index]:
            entries[index] = hidden.requires_grad_()
        with torch.set_grad_enabled(plan.learning[index]):
            hidden = plan.stages[index](hidden)
        for lesson in plan.lessons[index]:
            if lesson.objective.signal.needs_feedback:
                waiting.append((lesson, hidden))
            else:
                teach(lesson, hidden, batch)
    for lesson, output in reversed(waiting):
        above = entries[lesson.objective.at + 1].grad
        teach(lesson, output, replace(batch, feedback=above))
    return total
